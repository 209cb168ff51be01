"""rr: a holder ends or holds its own certificate, an RA anybody's (RFC 9483 section 4.2, security D5)."""

from __future__ import annotations

from typing import Final

from ingam.ca.endpoint.answering import Answering
from ingam.ca.endpoint.call import Call
from ingam.ca.endpoint.practice import Practice
from ingam.ca.endpoint.sender import Certified
from ingam.ca.office import Office
from ingam.ca.revoking import changes
from ingam.ca.revoking.service import Revoking
from ingam.kernel.steps import reach
from ingam.npki import certificate, der
from ingam.ports.books import AuditLine, Certificate, State, StatusChange
from ingam.protocols.cmp.crmf import CertId
from ingam.protocols.cmp.header import directory_name
from ingam.protocols.cmp.revocation import RevDetails, read_rev_req, write_rev_rep
from ingam.protocols.cmp.status import CmpRefused, FailInfo, Status, StatusInfo
from ingam.protocols.cmp.template import CertTemplate

_VERSION_3: Final = 2
_TOLD: Final = {
    State.REVOKED: StatusInfo(Status.ACCEPTED, ("revoked",)),
    State.HELD: StatusInfo(Status.ACCEPTED, ("suspended",)),
    State.VALID: StatusInfo(Status.ACCEPTED, ("revived",)),
}
"""What became of it, in the words of statusString."""


class Revocation:
    """The body rr."""

    def __init__(self, office: Office, revoking: Revoking, answering: Answering, practice: Practice) -> None:
        self._office = office
        self._revoking = revoking
        self._answering = answering
        self._practice = practice

    async def request(self, call: Call) -> bytes:
        """The rp, recorded together with the change that it tells of."""
        sender = call.sender
        assert isinstance(sender, Certified)
        asked = read_rev_req(call.body)
        if len(asked) != 1:
            raise CmpRefused("cmp-one-request", FailInfo.BAD_REQUEST)
        one = self._certificate(asked[0])
        if not sender.registrar and sender.entry.id != one.id:
            raise CmpRefused("cmp-not-authorized", FailInfo.NOT_AUTHORIZED)
        reach("revoking.1")
        change = self._change(sender, one, asked[0].reason)
        issuer = self._office.issuer_of(one.ca).certificate
        body = write_rev_rep([_TOLD[change.state]], [CertId(directory_name(issuer.subject.raw), one.serial)])
        made = await self._answering.make(call.header, sender, body)
        line = AuditLine(self._office.now(), "rr", change.state.value)
        await self._office.books.answer(call.kept(self._office, made), line, change)
        reach("revoking.2")
        return made.der

    def _certificate(self, asked: RevDetails) -> Certificate:
        """The certificate that is meant; whatever else the template says must be true of it."""
        template = asked.template
        if template.serial_number is None or template.issuer is None:
            raise CmpRefused("cmp-rr-template", FailInfo.ADD_INFO_NOT_AVAILABLE)
        if template.version not in (None, _VERSION_3):
            raise CmpRefused("cmp-rr-template", FailInfo.BAD_REQUEST)
        for issuer in self._office.issuers:
            if self._practice.is_name(template.issuer, issuer.certificate.subject):
                found = self._office.books.certificate(issuer.generation.number, template.serial_number)
                if found is not None and self._is_true(template, found):
                    return found
        raise CmpRefused("cmp-rr-unknown", FailInfo.BAD_CERT_ID)

    def _is_true(self, template: CertTemplate, entry: Certificate) -> bool:
        """Whether subject, key, validity and extensions, where they are named, are the certificate's."""
        found = certificate.parse(entry.der)
        wanted = () if template.extensions is None else der.whole(template.extensions).sequence()
        return (
            self._practice.is_name(template.subject, found.subject)
            and template.public_key in (None, found.spki)
            and template.not_before in (None, found.not_before)
            and template.not_after in (None, found.not_after)
            and all(one.raw in entry.der for one in wanted)
        )

    def _change(self, sender: Certified, one: Certificate, reason: int | None) -> StatusChange:
        by = "registrar" if sender.registrar else "holder"
        if reason == changes.REMOVE:
            return self._practice.resumption(self._revoking, one, by)
        if one.state is State.REVOKED or (reason == changes.HOLD and one.state is State.HELD):
            raise CmpRefused("cmp-rr-ended", FailInfo.CERT_REVOKED)
        if reason == changes.HOLD:
            return self._revoking.suspension(one, by=by)
        return self._revoking.revocation(one, reason or 0, by=by)
