"""certConf (RFC 9483 section 4.1.1): the certificate is valid, or was given back and the old one stands."""

from __future__ import annotations

import json

from ingam.ca.endpoint.answering import Answering
from ingam.ca.endpoint.call import Begun, Call
from ingam.ca.issuing.service import Issuing
from ingam.ca.office import Office
from ingam.ca.revoking import changes
from ingam.kernel.steps import reach
from ingam.npki import certificate
from ingam.ports.books import Answer, AuditLine, Certificate, State
from ingam.protocols.cmp import bodies
from ingam.protocols.cmp.cert_response import read_cert_rep
from ingam.protocols.cmp.message import BodyKind
from ingam.protocols.cmp.status import CmpRefused, FailInfo, Status

_ACCEPTED = (Status.ACCEPTED, Status.GRANTED_WITH_MODS)


class Confirming:
    """The body certConf, and the pkiConf that clients of the NPKI profile send in its place."""

    def __init__(self, office: Office, issuing: Issuing, answering: Answering) -> None:
        self._office = office
        self._issuing = issuing
        self._answering = answering

    async def request(self, call: Call, begun: Begun) -> bytes:
        """The pkiConf. Raises CmpRefused (badCertId: it is another certificate), StandingRefused."""
        # 1. A certificate waits for it, and its time is not over.
        found = self._pending(begun)
        # 2. It says something of that one, or nothing, which gives everything back.
        accepted = self._accepts(call, begun, found)
        made = await self._answering.make(call.header, call.sender, bodies.PKICONF)
        answer = call.kept(self._office, made)
        if accepted:
            await self._issuing.confirm(found, answer)
        else:
            await self._given_back(found, answer)
        return made.der

    def _pending(self, begun: Begun) -> Certificate:
        pending = begun.exchange.pending
        found = None if pending is None else self._office.books.certificate_by_id(pending)
        if found is None or found.state is not State.PENDING:
            raise CmpRefused("cmp-nothing-pending", FailInfo.BAD_REQUEST)
        if found.confirm_by is not None and found.confirm_by <= self._office.now():
            raise CmpRefused("cmp-nothing-pending", FailInfo.BAD_REQUEST)
        return found

    def _accepts(self, call: Call, begun: Begun, found: Certificate) -> bool:
        if call.body.kind is BodyKind.PKICONF:
            bodies.read_pkiconf(call.body)
            return True
        statuses = bodies.read_cert_conf(call.body)
        if not statuses:
            return False
        if len(statuses) > 1:
            raise CmpRefused("cmp-one-request", FailInfo.BAD_REQUEST)
        (one,) = statuses
        (told,) = read_cert_rep(begun.told.body).responses
        if one.cert_req_id != told.cert_req_id:
            raise CmpRefused("cmp-cert-req-id", FailInfo.BAD_REQUEST)
        if one.status.status not in _ACCEPTED:
            return False
        if one.status.fail_info:
            raise CmpRefused("cmp-status-contradicts", FailInfo.BAD_REQUEST)
        if not bodies.confirms(one, found.der, certificate.parse(found.der).signature_algorithm):
            raise CmpRefused("cmp-confirmation-other", FailInfo.BAD_CERT_ID)
        return True

    async def _given_back(self, found: Certificate, answer: Answer) -> None:
        """Rejected by its requester: it ends, and the one that it would have superseded stands."""
        at = self._office.now()
        facts = json.dumps({"ca": found.ca, "serial": f"{found.serial:x}"})
        change = changes.revoked(
            self._office, found, changes.CESSATION, at, action="reject", expected=frozenset({State.PENDING})
        )
        reach("confirming.1")
        await self._office.books.answer(answer, AuditLine(at, "confirm", "rejected", facts), change)
        reach("confirming.2")
