"""The endpoint itself: bytes in, bytes out. What is refused stores an audit line and nothing else.

Order, each check before the work that it protects (security D8, D9):

    1  rate of the source    2  size and form      3  repetition: the very same bytes have their answer
    4  header                5  protection, and with it the sender
    6  who may send what     7  transaction and nonces                 8  the body
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from typing import Final

from ingam.ca.endpoint.answering import Answering
from ingam.ca.endpoint.call import Begun, Call, begun, digest
from ingam.ca.endpoint.certifying import Certifying
from ingam.ca.endpoint.confirming import Confirming
from ingam.ca.endpoint.conformance import Suite
from ingam.ca.endpoint.doorway import Doorway
from ingam.ca.endpoint.informing import Approving, Informing
from ingam.ca.endpoint.limits import Ceilings, Limits
from ingam.ca.endpoint.lists import PublishedLists
from ingam.ca.endpoint.nesting import check_added, check_batch, originals
from ingam.ca.endpoint.practice import Practice
from ingam.ca.endpoint.refusals import refusal, told
from ingam.ca.endpoint.revocation import Revocation
from ingam.ca.endpoint.sender import Role, Sender, profile_of
from ingam.ca.issuing.service import Issuing
from ingam.ca.office import Office
from ingam.ca.revoking.service import Revoking
from ingam.kernel.errors import Failure
from ingam.ports.books import AuditLine, BooksOutage
from ingam.protocols.cmp import bodies, message, status
from ingam.protocols.cmp.cert_response import ANSWERS, P10CR_CERT_REQ_ID, CertResponse, write_cert_rep
from ingam.protocols.cmp.header import NULL_DN, Header
from ingam.protocols.cmp.message import Body, BodyKind, UnverifiedMessage
from ingam.protocols.cmp.revocation import write_rev_rep
from ingam.protocols.cmp.status import CmpRefused, FailInfo, StatusInfo

_EMPTY: Final = Header(2, NULL_DN, NULL_DN)
_REQUESTS: Final = frozenset((BodyKind.IR, BodyKind.CR, BodyKind.KUR, BodyKind.P10CR))
OK, MALFORMED, BUSY = 200, 400, 503


class Endpoint:
    """One of it in a process. `answered` counts answers by body and outcome, for metrics."""

    def __init__(
        self, office: Office, issuing: Issuing, revoking: Revoking, *, ceilings: Ceilings | None = None,
        conformance: str | None = None, practice: Practice | None = None, lists: PublishedLists | None = None,
        approving: Approving | None = None,
    ) -> None:  # fmt: skip
        self._office = office
        self._practice = practice or (Practice() if conformance is None else Suite(office, conformance))
        self._limits = Limits(ceilings or Ceilings())
        self._doorway = Doorway(office, self._limits, self._practice)
        self._answering = Answering(office)
        self._certifying = Certifying(office, issuing, self._answering, self._practice)
        self._confirming = Confirming(office, issuing, self._answering)
        self._revocation = Revocation(office, revoking, self._answering, self._practice)
        self._informing = Informing(office, self._answering, lists, approving)
        self.answered: Counter[tuple[str, str]] = Counter()

    async def answer(self, data: bytes, source: str) -> tuple[int, bytes]:
        """HTTP status and DER of the answer to a message from a source (an address, for the rate bounds alone).

        400 where the bytes are no PKIMessage (RFC 9811 section 3.4), 503 over the rate, else 200.
        """
        try:
            self._limits.message(source, self._office.now())
        except CmpRefused as refused:
            # Nothing is signed or stored for it: that would be the work that the rate bounds.
            self.answered["unread", refused.code] += 1
            return BUSY, message.compose(_EMPTY, _error(told(refused)), None)
        try:
            given = message.parse(data, versions=self._practice.versions)
        except CmpRefused as refused:
            code = MALFORMED if refused.header is None else OK
            return code, await self._refuse(refused.header, None, refused, "unread", _error)
        return OK, await self._given(given, source)

    async def _given(self, given: UnverifiedMessage, source: str) -> bytes:
        kind = given.body.kind
        try:
            found = self._repeated(self._practice.transaction(given.header), digest(given))
            if found:
                self.answered[kind.name.lower(), "ok"] += 1
                return found
            call = await self._heard(given, source)
        except Failure as failure:
            return await self._refuse(given.header, None, refusal(failure), kind.name.lower(), _body(kind, False))
        return await self._carried(call)

    def _repeated(self, transaction: bytes, request_hash: bytes) -> bytes | None:
        """The answer that this very request had (security D9).

        Who sends the same bytes is the same sender under the protection that was verified then: nothing is computed
        again, and its time may be over. Whoever has merely seen the request gets what its sender got.
        """
        return self._office.books.answered(transaction, request_hash)

    async def _heard(self, given: UnverifiedMessage, source: str, depth: int = 1, *, added: bool = False) -> Call:
        """The message as its sender's."""
        self._practice.check_header(given.header, given.body.kind, self._office.clock.now())
        sender, verified = await self._doorway.sender(given, source)
        return Call(verified, sender, self._practice.transaction(given.header), digest(given), source, depth, added)

    async def _carried(self, call: Call) -> bytes:
        kind, heard = call.body.kind, False
        try:
            self._practice.check_may(call.sender.role, kind, profile_of(call.sender))
            before = None if kind is BodyKind.NESTED else begun(call, self._office)
            heard = True
            found = await self._answer(call, before)
        except Failure as failure:
            twin = self._twin(call)
            if not twin:
                failed = refusal(failure)
                heard = heard and failed.fail_info is not FailInfo.BAD_ALG  # what cannot be computed was not read
                return await self._refuse(call.header, call.sender, failed, kind.name.lower(), _body(kind, heard))
            found = twin
        self.answered[kind.name.lower(), "ok"] += 1
        return found

    def _twin(self, call: Call) -> bytes | None:
        """A twin of the request may have been quicker, here or in another process: then its answer stands."""
        try:
            return self._repeated(call.transaction, call.request_hash)
        except BooksOutage:
            return None

    async def _answer(self, call: Call, before: Begun | None) -> bytes:
        if call.sender.role is Role.REGISTRAR:
            for original in originals(call.header):
                await self._heard(original, call.source, call.depth + 1)
        match call.body.kind:
            case BodyKind.IR | BodyKind.CR | BodyKind.KUR:
                return await self._certifying.request(call)
            case BodyKind.P10CR:
                return await self._certifying.p10cr(call)
            case BodyKind.POLL_REQ:
                return await self._certifying.poll(call)
            case BodyKind.RR:
                return await self._revocation.request(call)
            case BodyKind.GENM:
                return await self._informing.request(call)
            case BodyKind.NESTED:
                return await self._nested(call)
        assert before is not None
        return await self._confirming.request(call, before)

    async def _nested(self, call: Call) -> bytes:
        """An RA's envelope around one message, answered as if that had come alone, or around several, which are
        answered together (RFC 9483 section 5.2.2). Every protection is verified before anything is carried out.
        """
        inner = bodies.read_nested(call.body, call.depth, self._practice.versions)
        by_ra = call.sender.role is Role.REGISTRAR
        heard = [await self._heard(one, call.source, call.depth + 1, added=by_ra) for one in inner]
        if len(inner) == 1:
            check_added(call.header, inner[0].header)
            return await self._again(heard[0])
        check_batch(call.header)
        begun(call, self._office)
        answers = [await self._again(one) for one in heard]
        made = await self._answering.make(call.header, call.sender, bodies.write_nested(answers))
        line = AuditLine(self._office.now(), "batch", "ok", json.dumps({"messages": len(inner)}))
        await self._office.books.answer(call.kept(self._office, made), line)
        return made.der

    async def _again(self, call: Call) -> bytes:
        return self._repeated(call.transaction, call.request_hash) or await self._carried(call)

    async def _refuse(
        self, header: Header | None, sender: Sender | None, refused: CmpRefused, kind: str,
        body: Callable[[StatusInfo], Body],
    ) -> bytes:  # fmt: skip
        """What the RFC answers it with; the books get a line of codes, never of what was sent (D7)."""
        self.answered[kind, refused.code] += 1
        made = await self._answering.refusal(header or _EMPTY, sender, body(told(refused)))
        facts = json.dumps({"body": kind, "fail_info": status.names(refused.fail_info)})
        try:
            await self._office.books.audit(AuditLine(self._office.now(), "refuse", refused.code, facts))
        except BooksOutage:
            self.answered["audit", "books-outage"] += 1
        return made.der


def _error(info: StatusInfo) -> Body:
    return bodies.write_error(bodies.ErrorMsg(info))


def _body(kind: BodyKind, heard: bool) -> Callable[[StatusInfo], Body]:
    """How a body is refused: a request for a certificate in its own answer once it was heard, an rr always."""
    if kind is BodyKind.RR:
        return lambda info: write_rev_rep([info])
    if heard and kind in _REQUESTS:
        request_id = P10CR_CERT_REQ_ID if kind is BodyKind.P10CR else 0
        return lambda info: write_cert_rep(ANSWERS[kind], [CertResponse(request_id, info)])
    return _error
