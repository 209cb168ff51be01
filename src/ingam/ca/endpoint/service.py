"""The endpoint itself: bytes in, bytes out. What is refused stores an audit line and nothing else.

Order (each check before the work that it protects): size, rate of the source, form, protection, header, repetition
(D9), transaction and nonces, then the body.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Callable
from typing import Final

from ingam.ca.endpoint.answering import Answering
from ingam.ca.endpoint.call import Call, begun, check_header, repeated
from ingam.ca.endpoint.certifying import Certifying
from ingam.ca.endpoint.informing import Informing
from ingam.ca.endpoint.limits import Ceilings, Limits
from ingam.ca.endpoint.refusals import refusal
from ingam.ca.endpoint.revocation import Revocation
from ingam.ca.endpoint.sender import Certified, Doorway, Sender
from ingam.ca.issuing.service import Issuing
from ingam.ca.office import Office
from ingam.ca.revoking.service import Revoking
from ingam.kernel.errors import Failure
from ingam.ports.books import AuditLine, BooksOutage, Exchange
from ingam.protocols.cmp import bodies, message, status
from ingam.protocols.cmp.cert_response import ANSWERS, P10CR_CERT_REQ_ID, CertResponse, write_cert_rep
from ingam.protocols.cmp.header import NULL_DN, Header
from ingam.protocols.cmp.message import Body, BodyKind, UnverifiedMessage
from ingam.protocols.cmp.revocation import write_rev_rep
from ingam.protocols.cmp.status import CmpRefused, FailInfo, StatusInfo

VERSIONS: Final = frozenset((2, 3))
"""cmp2000 and cmp2021 (RFC 9483 section 3.1)."""

_EMPTY: Final = Header(2, NULL_DN, NULL_DN)
_REQUESTS: Final = frozenset((BodyKind.IR, BodyKind.CR, BodyKind.KUR, BodyKind.P10CR))


class Endpoint:
    """One of it in a process. `answered` counts answers by body and outcome, for metrics."""

    def __init__(
        self, office: Office, issuing: Issuing, revoking: Revoking, *, ceilings: Ceilings | None = None,
        conformance: str | None = None,
    ) -> None:  # fmt: skip
        self._office = office
        self._limits = Limits(ceilings or Ceilings())
        self._doorway = Doorway(office, self._limits, strict=conformance is not None)
        self._answering = Answering(office)
        self._certifying = Certifying(office, issuing, self._answering, conformance)
        self._revocation = Revocation(office, revoking, self._answering)
        self._informing = Informing(office, self._answering)
        self.answered: Counter[tuple[str, str]] = Counter()

    async def answer(self, data: bytes, source: str) -> tuple[int, bytes]:
        """HTTP status and DER of the answer to a message from a source (an address, for the rate bound alone).

        400 where the bytes are no PKIMessage (RFC 9811 section 3.4), else 200.
        """
        try:
            self._limits.message(source, self._office.now())
            given = message.parse(data, versions=VERSIONS)
        except CmpRefused as refused:
            code = 400 if refused.header is None and refused.code != "cmp-too-many" else 200
            return code, await self._refuse(refused.header, None, refused, "unread", _error)
        return 200, await self._given(given, data)

    async def _given(self, given: UnverifiedMessage, data: bytes, depth: int = 1) -> bytes:
        sender: Sender | None = None
        kind, heard = given.body.kind, False
        try:
            sender, verified = await self._doorway.sender(given)
            check_header(given.header, self._office)
            if kind is BodyKind.NESTED:
                self._doorway.admit(sender)
                return await self._nested(given, sender, depth)
            call = Call(verified, sender, hashlib.sha256(data).digest())
            found = repeated(call, self._office)
            if not found:
                self._doorway.admit(sender)
                exchange, heard = begun(call, self._office), True
                found = await self._answer(call, exchange)
        except Failure as failure:
            return await self._refuse(given.header, sender, refusal(failure), kind.name.lower(), _body(kind, heard))
        self.answered[kind.name.lower(), "ok"] += 1
        return found

    async def _nested(self, given: UnverifiedMessage, sender: Sender, depth: int) -> bytes:
        """An RA's envelope around one message, which is answered as if it had come alone (RFC 9483 section 5.2.2.1)."""
        if not isinstance(sender, Certified) or not sender.registrar:
            raise CmpRefused("cmp-not-authorized", FailInfo.NOT_AUTHORIZED)
        inner = bodies.read_nested(given.body, depth)
        if len(inner) != 1:
            raise CmpRefused("cmp-one-request", FailInfo.BAD_REQUEST)
        return await self._given(inner[0], inner[0].raw, depth + 1)

    async def _answer(self, call: Call, exchange: Exchange | None) -> bytes:
        match call.body.kind:
            case BodyKind.IR | BodyKind.CR | BodyKind.KUR:
                return await self._certifying.request(call)
            case BodyKind.P10CR:
                return await self._certifying.p10cr(call)
            case BodyKind.CERT_CONF:
                return await self._certifying.confirm(call, None if exchange is None else exchange.pending)
            case BodyKind.POLL_REQ:
                return await self._certifying.poll(call)
            case BodyKind.RR:
                return await self._revocation.request(call)
            case BodyKind.GENM:
                return await self._informing.request(call)
        raise CmpRefused("cmp-body-refused", FailInfo.BAD_REQUEST)

    async def _refuse(
        self, header: Header | None, sender: Sender | None, refused: CmpRefused, kind: str,
        body: Callable[[StatusInfo], Body],
    ) -> bytes:  # fmt: skip
        """What the RFC answers it with; the books get a line of codes, never of what was sent (D7)."""
        self.answered[kind, refused.code] += 1
        told = body(status.rejection(refused.fail_info, refused.code))
        made = await self._answering.make(header or _EMPTY, sender, told)
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
