"""ir, cr, p10cr, kur, pollReq: from the message to the issuing service and back (RFC 9483 sections 4.1, 4.4).

The template's subject and extensions are wishes that nobody grants: name, profile and validity come from the
registration (security D4), and `grantedWithMods` says so where they were asked otherwise.
"""

from __future__ import annotations

from typing import Final

from ingam.ca import facts as sealed
from ingam.ca.endpoint.answering import Answering
from ingam.ca.endpoint.call import KEPT, Call
from ingam.ca.endpoint.practice import Practice
from ingam.ca.endpoint.sender import Certified, Coded
from ingam.ca.facts import Facts
from ingam.ca.issuing.service import Exchange, Holder, Issuing
from ingam.ca.office import Office
from ingam.ca.profiles import Operation
from ingam.npki import certificate
from ingam.npki.certificate import Certificate
from ingam.ports import books
from ingam.ports.books import AuditLine, IssueIntent, Open, Registration
from ingam.ports.signing import SigningOutage
from ingam.protocols.cmp import bodies, crmf, pkcs10, status
from ingam.protocols.cmp.cert_response import ANSWERS, P10CR_CERT_REQ_ID, CertResponse, write_cert_rep
from ingam.protocols.cmp.header import IMPLICIT_CONFIRM_INFO, implicit_confirm, name_in
from ingam.protocols.cmp.message import Body, BodyKind
from ingam.protocols.cmp.pop import verify_pop
from ingam.protocols.cmp.status import CmpRefused, FailInfo, Status, StatusInfo
from ingam.protocols.cmp.template import CertTemplate

CHECK_AFTER_S: Final = 5
_WAITING: Final = StatusInfo(Status.WAITING)
_MODS: Final = StatusInfo(Status.GRANTED_WITH_MODS)
_NO_WISHES: Final = CertTemplate()


class Certifying:
    """The bodies that ask for a certificate."""

    def __init__(self, office: Office, issuing: Issuing, answering: Answering, practice: Practice) -> None:
        self._office = office
        self._issuing = issuing
        self._answering = answering
        self._practice = practice

    async def request(self, call: Call) -> bytes:
        """The ip, cp or kup of an ir, cr or kur."""
        # 1. One certificate is asked for.
        asked = crmf.read_requests(call.body)
        if len(asked) != 1:
            raise CmpRefused("cmp-one-request", FailInfo.BAD_REQUEST)
        (one,) = asked
        if one.cert_req_id != 0:
            raise CmpRefused("cmp-cert-req-id", FailInfo.BAD_REQUEST)
        # 2. The requester has the key; for others' keys an RA's word counts, for its own it does not (D4).
        sender, updates = call.sender, call.body.kind is BodyKind.KUR
        proven = verify_pop(
            one,
            sender=call.header.sender,
            secret=sender.code if isinstance(sender, Coded) else None,
            ra_verified=isinstance(sender, Certified) and sender.registrar and not updates,
        )
        # 3. It is known for whom.
        holder = self._updating(call, one) if updates else self._registered(call, one.control(crmf.REG_TOKEN))
        encrypted = crmf.find(one.reg_info, crmf.ENCRYPTED_VID)
        return await self._issue(call, holder, proven.spki, encrypted, 0, one.template)

    async def p10cr(self, call: Call) -> bytes:
        """The cp of a PKCS #10 request; its certReqId is -1."""
        asked = pkcs10.parse(bodies.read_p10cr(call.body))
        proven = pkcs10.verify(asked)
        wishes = CertTemplate(subject=asked.subject, extensions=asked.extensions)
        return await self._issue(call, self._registered(call, None), proven.spki, None, P10CR_CERT_REQ_ID, wishes)

    # for whom

    def _registered(self, call: Call, token: bytes | None) -> Holder:
        """By the registration of the code, or of the RA's regToken."""
        if isinstance(call.sender, Coded):
            return self._holder(call.sender.registration, call.sender.facts)
        reference = self._practice.reference if token is None else crmf.read_utf8(token)
        registration = None if reference is None else self._office.books.registration(reference)
        if registration is None or registration.open is Open.BURNT or registration.npki:
            raise _unregistered()
        return self._holder(registration, self._facts_in(registration))

    def _holder(self, one: Registration, facts: Facts | None) -> Holder:
        return Holder(
            profile=self._office.authority.profile(one.profile),
            operation=Operation(one.operation),
            facts=facts or self._facts_of(one.person),
            person=one.person,
            reference=one.reference,
            spki_hash=one.spki_hash,
            old_not_after=one.not_after,
        )

    def _updating(self, call: Call, one: crmf.CertReqMsg) -> Holder:
        """A kur is signed by the certificate that it updates, for the same subject and another key (security D5).

        Where a renewal costs a fee, the RA takes it, and its envelope around the kur says so.
        """
        assert isinstance(call.sender, Certified)
        given, entry, wishes = call.sender.certificate, call.sender.entry, one.template
        profile = self._office.authority.profile(entry.profile)
        if profile.renewal_by_ra and not call.added:
            raise CmpRefused("cmp-kur-by-ra", FailInfo.NOT_AUTHORIZED)
        named = crmf.old_cert_id(one)
        if named is not None and not self._is_meant(named, given):
            raise CmpRefused("cmp-old-cert-id", FailInfo.BAD_CERT_ID)
        self._practice.check_update(given, wishes)
        if wishes.public_key == given.spki:
            raise CmpRefused("cmp-kur-same-key", FailInfo.BAD_CERT_TEMPLATE)
        return Holder(
            profile=profile,
            operation=Operation.RENEW,
            facts=self._own_facts(entry),
            person=entry.person,
            replaces=entry.id,
            old_not_after=entry.not_after,
        )

    def _is_meant(self, named: crmf.CertId, given: Certificate) -> bool:
        issuer = name_in(named.issuer)
        return (
            named.serial_number == given.serial and issuer is not None and self._practice.is_name(issuer, given.issuer)
        )

    def _own_facts(self, entry: books.Certificate) -> Facts:
        """Of the person, or of the registration that the first of a line of updates came from."""
        if entry.person is not None:
            return self._facts_of(entry.person)
        while entry.reference is None and entry.replaces is not None:
            before = self._office.books.certificate_by_id(entry.replaces)
            assert before is not None
            entry = before
        found = None if entry.reference is None else self._office.books.registration(entry.reference)
        facts = None if found is None else self._facts_in(found)
        if facts is None:
            raise _unregistered()
        return facts

    def _facts_of(self, person: bytes | None) -> Facts:
        kept = None if person is None else self._office.books.person(person)
        if person is None or kept is None:
            raise _unregistered()
        return sealed.open_person(self._office.sealer, person, kept)

    def _facts_in(self, one: Registration) -> Facts | None:
        return sealed.open_registration(self._office.sealer, one.reference, one.sealed)[1]

    # issuing

    async def _issue(
        self, call: Call, holder: Holder, spki: bytes, encrypted: bytes | None, request_id: int, wishes: CertTemplate
    ) -> bytes:
        holder = self._practice.granted(holder, wishes)
        wishes = wishes if holder.as_asked is None else _NO_WISHES
        kind, implicit = ANSWERS[call.body.kind], implicit_confirm(call.header)
        exchange = self._exchange(call, kind, request_id, implicit, wishes)
        try:
            return await self._issuing.issue(exchange, holder, spki, encrypted)
        except SigningOutage:
            return await self._wait(call, write_cert_rep(kind, [CertResponse(request_id, _WAITING)]))

    def _exchange(
        self,
        call: Call,
        kind: BodyKind,
        request_id: int,
        implicit: bool,
        wishes: CertTemplate,
        *,
        follows: bool = False,
    ) -> Exchange:
        infos = (IMPLICIT_CONFIRM_INFO,) if implicit else ()
        roots = [root.der for root in self._office.roots]
        anchors = roots if kind is BodyKind.IP and isinstance(call.sender, Coded) else []

        async def answer(der: bytes) -> tuple[bytes, bytes]:
            body = write_cert_rep(kind, [CertResponse(request_id, self._granted(der, wishes), der)], anchors)
            made = await self._answering.make(call.header, call.sender, body, infos=infos)
            return made.der, made.nonce

        return Exchange(
            call.sender.key, call.transaction, call.request_hash, implicit, answer, KEPT, int(kind), request_id,
            follows, self._practice.confirm_within,
        )  # fmt: skip

    def _granted(self, der: bytes, wishes: CertTemplate) -> StatusInfo:
        """Accepted, or with other contents than were asked for."""
        if (wishes.subject, wishes.extensions, wishes.not_before, wishes.not_after) == (None, None, None, None):
            return status.ACCEPTED
        issued = certificate.parse(der)
        same = self._practice.is_name(wishes.subject, issued.subject) and wishes.extensions is None
        before, after = wishes.not_before, wishes.not_after
        same = same and before in (None, issued.not_before) and after in (None, issued.not_after)
        return status.ACCEPTED if same else _MODS

    # waiting and polling: the intent is recorded, only the signature is missing

    async def poll(self, call: Call) -> bytes:
        """The certificate, if it can be signed now; else a pollRep."""
        asked = bodies.read_poll_req(call.body)
        intent = self._office.books.intent(call.transaction)
        if intent is None or intent.sender != call.sender.key:
            raise CmpRefused("cmp-nothing-waits", FailInfo.BAD_REQUEST)
        if asked != (intent.request_id,):
            raise CmpRefused("cmp-cert-req-id", FailInfo.BAD_REQUEST)
        exchange = self._exchange(
            call, BodyKind(intent.body), intent.request_id, intent.implicit, _NO_WISHES, follows=True
        )
        try:
            return await self._issuing.resume(exchange, intent, self._facts_for(intent))
        except SigningOutage:
            return await self._wait(call, bodies.write_poll_rep(bodies.PollRep(intent.request_id, CHECK_AFTER_S)))

    def _facts_for(self, intent: IssueIntent) -> Facts | None:
        """Whom to tell."""
        if intent.person is not None:
            return self._facts_of(intent.person)
        found = None if intent.reference is None else self._office.books.registration(intent.reference)
        return None if found is None else self._facts_in(found)

    async def _wait(self, call: Call, body: Body) -> bytes:
        made = await self._answering.make(call.header, call.sender, body)
        line = AuditLine(self._office.now(), "waiting", "signing-outage")
        await self._office.books.answer(call.kept(self._office, made), line, closed=False)
        return made.der


def _unregistered() -> CmpRefused:
    return CmpRefused("cmp-registration-missing", FailInfo.ADD_INFO_NOT_AVAILABLE)
