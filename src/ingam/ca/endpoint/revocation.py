"""rr: a holder ends or holds its own certificate, an RA anybody's (RFC 9483 section 4.2, security D5)."""

from __future__ import annotations

from ingam.ca.endpoint.answering import Answering
from ingam.ca.endpoint.call import Call
from ingam.ca.endpoint.sender import Certified, Coded
from ingam.ca.office import Office
from ingam.ca.revoking import changes
from ingam.ca.revoking.service import Revoking
from ingam.kernel.steps import reach
from ingam.npki import subject
from ingam.npki.subject import NameMalformed, same_name
from ingam.ports.books import Certificate, State, StatusChange
from ingam.protocols.cmp import status
from ingam.protocols.cmp.crmf import CertId
from ingam.protocols.cmp.header import directory_name
from ingam.protocols.cmp.revocation import RevDetails, read_rev_req, write_rev_rep
from ingam.protocols.cmp.status import CmpRefused, FailInfo


class Revocation:
    """The body rr."""

    def __init__(self, office: Office, revoking: Revoking, answering: Answering) -> None:
        self._office = office
        self._revoking = revoking
        self._answering = answering

    async def request(self, call: Call) -> bytes:
        """The rp, recorded together with the change that it tells of."""
        if isinstance(call.sender, Coded):
            raise CmpRefused("cmp-rr-by-code", FailInfo.WRONG_INTEGRITY)
        asked = read_rev_req(call.body)
        if len(asked) != 1:
            raise CmpRefused("cmp-one-request", FailInfo.BAD_REQUEST)
        one = self._certificate(asked[0])
        self._may(call.sender, one)
        if call.sender.registrar and call.header.message_time is None:
            raise CmpRefused("cmp-time", FailInfo.BAD_TIME)  # holding and releasing could be played again
        reach("revoking.1")
        change = self._change(call.sender, one, asked[0].reason)
        issuer = self._office.issuer_of(one.ca).certificate
        body = write_rev_rep([status.ACCEPTED], [CertId(directory_name(issuer.subject.raw), one.serial)])
        made = await self._answering.make(call.header, call.sender, body)
        await self._office.books.answer(call.kept(self._office, made), change.audit, change)
        reach("revoking.2")
        return made.der

    def _certificate(self, asked: RevDetails) -> Certificate:
        template = asked.template
        if template.serial_number is None or template.issuer is None:
            raise CmpRefused("cmp-rr-template", FailInfo.BAD_CERT_TEMPLATE)
        for issuer in self._office.issuers:
            if _same(template.issuer, issuer.certificate.subject):
                found = self._office.books.certificate(issuer.generation.number, template.serial_number)
                if found is not None:
                    return found
        raise CmpRefused("cmp-rr-unknown", FailInfo.BAD_CERT_ID)

    def _may(self, sender: Certified, one: Certificate) -> None:
        if not sender.registrar and sender.entry.id != one.id:
            raise CmpRefused("cmp-not-authorized", FailInfo.NOT_AUTHORIZED)

    def _change(self, sender: Certified, one: Certificate, reason: int | None) -> StatusChange:
        by = "registrar" if sender.registrar else "holder"
        if reason == changes.REMOVE:
            if one.state is not State.HELD:
                raise CmpRefused("cmp-rr-not-held", FailInfo.BAD_REQUEST)
            return self._revoking.resumption(one, by=by)
        if one.state is State.REVOKED or (reason == changes.HOLD and one.state is State.HELD):
            raise CmpRefused("cmp-rr-ended", FailInfo.CERT_REVOKED)
        if reason == changes.HOLD:
            return self._revoking.suspension(one, by=by)
        return self._revoking.revocation(one, reason or 0, by=by)


def _same(name: bytes, known: subject.Name) -> bool:
    try:
        return same_name(subject.parse(name), known)
    except NameMalformed:
        return False
