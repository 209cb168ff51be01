"""ir, cr, p10cr, kur, certConf, pollReq: from the message to the issuing service and back (RFC 9483 sections 4.1, 4.4).

The template's subject and extensions are wishes that nobody grants: name, profile and validity come from the
registration (security D4), and `grantedWithMods` says so where they were asked otherwise.
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Final

from ingam.ca import facts as sealed
from ingam.ca.endpoint.answering import Answering
from ingam.ca.endpoint.call import KEPT, Call
from ingam.ca.endpoint.sender import Certified, Coded
from ingam.ca.facts import Facts
from ingam.ca.issuing.service import Exchange, Holder, Issuing
from ingam.ca.office import Office
from ingam.ca.profiles import Operation
from ingam.ca.revoking import changes
from ingam.kernel.steps import reach
from ingam.npki import certificate
from ingam.ports import books
from ingam.ports.books import AuditLine, Open, Registration, State
from ingam.ports.signing import SigningOutage
from ingam.protocols.cmp import bodies, crmf, pkcs10, status
from ingam.protocols.cmp.cert_response import ANSWERS, P10CR_CERT_REQ_ID, CertResponse, write_cert_rep
from ingam.protocols.cmp.header import IMPLICIT_CONFIRM_INFO, directory_name, implicit_confirm
from ingam.protocols.cmp.message import BodyKind
from ingam.protocols.cmp.pop import verify_pop
from ingam.protocols.cmp.status import CmpRefused, FailInfo, Status, StatusInfo
from ingam.protocols.cmp.template import CertTemplate

CHECK_AFTER_S: Final = 5
_WAITING: Final = StatusInfo(Status.WAITING)


class Certifying:
    """The bodies about certificates. `conformance`: the reusable reference of an RA's bare requests (sandbox only)."""

    def __init__(self, office: Office, issuing: Issuing, answering: Answering, conformance: str | None = None) -> None:
        self._office = office
        self._issuing = issuing
        self._answering = answering
        self._conformance = conformance

    # ir, cr, kur

    async def request(self, call: Call) -> bytes:
        """The ip, cp or kup."""
        asked = crmf.read_requests(call.body)
        if len(asked) != 1:
            raise CmpRefused("cmp-one-request", FailInfo.BAD_REQUEST)
        (one,) = asked
        if one.cert_req_id != 0:
            raise CmpRefused("cmp-cert-req-id", FailInfo.BAD_REQUEST)
        holder = self._updating(call, one) if call.body.kind is BodyKind.KUR else self._registered(call, one)
        sender = call.sender
        proven = verify_pop(
            one,
            sender=call.header.sender,
            secret=sender.code if isinstance(sender, Coded) else None,
            ra_verified=isinstance(sender, Certified) and sender.registrar,
        )
        encrypted = crmf.find(one.reg_info, crmf.ENCRYPTED_VID)
        holder = self._as_asked(holder, one.template)
        return await self._issue(call, holder, proven.spki, encrypted, 0, one.template)

    async def p10cr(self, call: Call) -> bytes:
        """The cp of a PKCS #10 request; its certReqId is -1."""
        asked = pkcs10.parse(bodies.read_p10cr(call.body))
        holder = self._registered(call, None)
        proven = pkcs10.verify(asked)
        wishes = CertTemplate(subject=asked.subject, extensions=asked.extensions)
        holder = self._as_asked(holder, wishes)
        return await self._issue(call, holder, proven.spki, None, P10CR_CERT_REQ_ID, wishes)

    def _registered(self, call: Call, one: crmf.CertReqMsg | None) -> Holder:
        """For whom, by the registration of the code or of the RA's regToken."""
        if isinstance(call.sender, Coded):
            return self._holder(call.sender.registration, call.sender.facts)
        if not call.sender.registrar and not self._conforming(call.sender):
            # D5: a holder's certificate signs for itself, and nothing for anybody else.
            raise CmpRefused("cmp-not-authorized", FailInfo.NOT_AUTHORIZED)
        token = None if one is None else one.control(crmf.REG_TOKEN)
        reference = self._conformance if token is None else crmf.read_utf8(token)
        registration = None if reference is None else self._office.books.registration(reference)
        if registration is None or registration.open is Open.BURNT:
            raise CmpRefused("cmp-registration-missing", FailInfo.ADD_INFO_NOT_AVAILABLE)
        _, facts = sealed.open_registration(self._office.sealer, registration.reference, registration.sealed)
        return self._holder(registration, facts)

    def _as_asked(self, holder: Holder, wishes: CertTemplate) -> Holder:
        """A conformance suite's wishes are granted; a kur without a subject means its own (sandbox only)."""
        if self._conformance is None or not self._is_conformance(holder.profile.name):
            return holder
        return replace(holder, as_asked=wishes)

    def _is_conformance(self, profile: str) -> bool:
        known = None if self._conformance is None else self._office.books.registration(self._conformance)
        return known is not None and known.reusable and known.profile == profile

    def _conforming(self, sender: Certified) -> bool:
        """The conformance suite signs every request with its first certificate; only a sandbox plays along."""
        return self._is_conformance(sender.entry.profile)

    def _holder(self, one: Registration, facts: Facts | None) -> Holder:
        return Holder(
            profile=self._office.authority.profile(one.profile),
            operation=Operation(one.operation),
            facts=facts or self._facts(one.person),
            person=one.person,
            reference=one.reference,
            spki_hash=one.spki_hash,
            old_not_after=one.not_after,
        )

    def _facts(self, person: bytes | None) -> Facts:
        kept = None if person is None else self._office.books.person(person)
        if person is None or kept is None:
            raise CmpRefused("cmp-registration-missing", FailInfo.ADD_INFO_NOT_AVAILABLE)
        return sealed.open_person(self._office.sealer, person, kept)

    def _updating(self, call: Call, one: crmf.CertReqMsg) -> Holder:
        """A kur is signed by the certificate that it updates, for the same subject and another key (security D5)."""
        if isinstance(call.sender, Coded):
            raise CmpRefused("cmp-kur-by-code", FailInfo.WRONG_INTEGRITY)
        given, entry = call.sender.certificate, call.sender.entry
        named = crmf.old_cert_id(one)
        if named is not None and named != crmf.CertId(directory_name(given.issuer.raw), given.serial):
            raise CmpRefused("cmp-old-cert-id", FailInfo.BAD_CERT_ID)
        wishes = one.template
        if wishes.subject not in (None, given.subject.raw) or wishes.issuer not in (None, given.issuer.raw):
            raise CmpRefused("cmp-kur-subject", FailInfo.BAD_CERT_TEMPLATE)
        if wishes.public_key == given.spki:
            raise CmpRefused("cmp-kur-same-key", FailInfo.BAD_CERT_TEMPLATE)
        return Holder(
            profile=self._office.authority.profile(entry.profile),
            operation=Operation.RENEW,
            facts=self._own_facts(entry),
            person=entry.person,
            replaces=entry.id,
            old_not_after=entry.not_after,
        )

    def _own_facts(self, entry: books.Certificate) -> Facts:
        if entry.person is not None:
            return self._facts(entry.person)
        found = None if entry.reference is None else self._office.books.registration(entry.reference)
        _, facts = (
            (None, None)
            if found is None
            else sealed.open_registration(self._office.sealer, found.reference, found.sealed)
        )
        if facts is None:
            raise CmpRefused("cmp-registration-missing", FailInfo.ADD_INFO_NOT_AVAILABLE)
        return facts

    async def _issue(
        self, call: Call, holder: Holder, spki: bytes, encrypted: bytes | None, request_id: int, wishes: CertTemplate
    ) -> bytes:
        implicit = implicit_confirm(call.header)
        kind = ANSWERS[call.body.kind]
        infos = (IMPLICIT_CONFIRM_INFO,) if implicit else ()

        async def answer(der: bytes) -> tuple[bytes, bytes]:
            granted = status.ACCEPTED if holder.as_asked is not None else self._granted(der, wishes)
            response = CertResponse(request_id, granted, der)
            roots = [root.der for root in self._office.roots] if kind is BodyKind.IP else []
            body = write_cert_rep(kind, [response], roots if isinstance(call.sender, Coded) else [])
            made = await self._answering.make(call.header, call.sender, body, infos=infos)
            return made.der, made.nonce

        exchange = Exchange(
            call.sender.key, call.transaction, call.request_hash, implicit, answer, KEPT, int(kind), request_id
        )
        try:
            return await self._issuing.issue(exchange, holder, spki, encrypted)
        except SigningOutage:
            return await self._waiting(call, kind, request_id)

    def _granted(self, der: bytes, wishes: CertTemplate) -> StatusInfo:
        if wishes.subject is None and wishes.extensions is None:
            return status.ACCEPTED
        issued = certificate.parse(der)
        asked = wishes.subject is not None and wishes.subject != issued.subject.raw
        return StatusInfo(Status.GRANTED_WITH_MODS) if asked or wishes.extensions is not None else status.ACCEPTED

    # waiting and polling: the intent is recorded, only the signature is missing

    async def _waiting(self, call: Call, kind: BodyKind, request_id: int) -> bytes:
        body = write_cert_rep(kind, [CertResponse(request_id, _WAITING)])
        made = await self._answering.make(call.header, call.sender, body)
        line = AuditLine(self._office.now(), "waiting", "signing-outage")
        await self._office.books.answer(call.kept(self._office, made), line, closed=False)
        return made.der

    async def poll(self, call: Call) -> bytes:
        """The certificate, if it can be signed now; else a pollRep."""
        bodies.read_poll_req(call.body)
        intent = self._office.books.intent(call.transaction)
        if intent is None:
            raise CmpRefused("cmp-nothing-waits", FailInfo.BAD_REQUEST)
        kind = BodyKind(intent.body)
        infos = (IMPLICIT_CONFIRM_INFO,) if intent.implicit else ()

        async def answer(der: bytes) -> tuple[bytes, bytes]:
            body = write_cert_rep(kind, [CertResponse(intent.request_id, status.ACCEPTED, der)])
            made = await self._answering.make(call.header, call.sender, body, infos=infos)
            return made.der, made.nonce

        exchange = Exchange(
            call.sender.key, call.transaction, call.request_hash, intent.implicit, answer, KEPT, intent.body,
            intent.request_id,
        )  # fmt: skip
        facts = None if intent.person is None else self._facts(intent.person)
        try:
            return await self._issuing.resume(exchange, intent, facts)
        except SigningOutage:
            body = bodies.write_poll_rep(bodies.PollRep(intent.request_id, CHECK_AFTER_S))
            made = await self._answering.make(call.header, call.sender, body)
            line = AuditLine(self._office.now(), "waiting", "signing-outage")
            await self._office.books.answer(call.kept(self._office, made), line, closed=False)
            return made.der

    # certConf

    async def confirm(self, call: Call, pending: int | None) -> bytes:
        """pkiConf: the certificate is valid, or was given back. Raises CmpRefused (badCertId: it is another one)."""
        found = None if pending is None else self._office.books.certificate_by_id(pending)
        if found is None or found.state is not State.PENDING:
            raise CmpRefused("cmp-nothing-pending", FailInfo.BAD_REQUEST)
        statuses = bodies.read_cert_conf(call.body)
        if len(statuses) > 1:
            raise CmpRefused("cmp-one-request", FailInfo.BAD_REQUEST)
        accepted = bool(statuses) and _accepted(statuses[0])
        if statuses and accepted:
            if statuses[0].cert_req_id not in (0, P10CR_CERT_REQ_ID):
                raise CmpRefused("cmp-cert-req-id", FailInfo.BAD_REQUEST)
            signed_with = certificate.parse(found.der).signature_algorithm
            if not bodies.confirms(statuses[0], found.der, signed_with):
                raise CmpRefused("cmp-confirmation-hash", FailInfo.BAD_CERT_ID)
        made = await self._answering.make(call.header, call.sender, bodies.PKICONF)
        answer = call.kept(self._office, made)
        if accepted:
            await self._issuing.confirm(found, answer)
        else:
            await self._given_back(found, answer)
        return made.der

    async def _given_back(self, found: books.Certificate, answer: books.Answer) -> None:
        """Rejected by its requester: it ends, and the one that it would have superseded stands."""
        at = self._office.now()
        facts = json.dumps({"ca": found.ca, "serial": f"{found.serial:x}"})
        change = changes.revoked(
            self._office, found, changes.CESSATION, at, action="reject", expected=frozenset({State.PENDING})
        )
        reach("confirming.1")
        await self._office.books.answer(answer, AuditLine(at, "confirm", "rejected", facts), change)
        reach("confirming.2")


def _accepted(one: bodies.CertStatus) -> bool:
    return one.status.status in (Status.ACCEPTED, Status.GRANTED_WITH_MODS)
