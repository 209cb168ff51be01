"""The messages of the asking end: requests composed, answers read and verified into the events of `client`.

One `Exchange` is one transaction; it is a value, and every step gives the next one with the message to send, if any.
Time and nonces are parameters: a fresh nonce of 16 random bytes for every message.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from ingam.npki import certificate
from ingam.npki.certificate import CertificateMalformed
from ingam.npki.subject import NameMalformed
from ingam.protocols.cmp import bodies, cert_response, client, encrypted_vid, general, message, revocation
from ingam.protocols.cmp.client import MACHINE, Question
from ingam.protocols.cmp.crmf import ENCRYPTED_VID, Attribute, write_cert_req_msg, write_cert_request, write_requests
from ingam.protocols.cmp.encrypted_vid import EncryptedVid
from ingam.protocols.cmp.header import IMPLICIT_CONFIRM_INFO, Header, Info, implicit_confirm
from ingam.protocols.cmp.message import Body, BodyKind, PKIMessage, Protection, UnverifiedMessage
from ingam.protocols.cmp.pop import sign_pop, sign_pop_with_mac
from ingam.protocols.cmp.protection import MacProtection, verified
from ingam.protocols.cmp.status import CmpRefused, FailInfo, Status, StatusInfo, rejection
from ingam.protocols.cmp.template import CertTemplate

_GRANTED: Final = (Status.ACCEPTED, Status.GRANTED_WITH_MODS)
_CMP2021: Final = 3


@dataclass(frozen=True, slots=True, repr=False)
class Exchange:
    """One transaction. `outgoing`: the message to send now, or None; `nonce`: senderNonce of our last message.

    `their_nonce`: senderNonce of their last message, None before the first.
    """

    state: client.State
    transaction_id: bytes
    nonce: bytes
    their_nonce: bytes | None
    outgoing: bytes | None

    def __repr__(self) -> str:
        return f"<Exchange {type(self.state).__name__}>"


@dataclass(frozen=True, slots=True, repr=False)
class Client:
    """Who asks whom, and how both prove it. `sender`, `recipient`: DER GeneralNames.

    `verify`: the answer as verified (by `protection.verify_mac`, or by the signature of an authority that the caller
    trusts), or CmpRefused. `unprotected_errors`: whether an error without protection ends the exchange as refused.
    """

    sender: bytes
    recipient: bytes
    protection: Protection
    verify: Callable[[UnverifiedMessage], PKIMessage]
    sender_kid: bytes | None = None
    extra_certs: tuple[bytes, ...] = ()
    pvno: int = 2
    unprotected_errors: bool = False

    def begin(
        self,
        body: Body,
        question: Question,
        *,
        transaction_id: bytes,
        nonce: bytes,
        at: datetime,
        infos: tuple[Info, ...] = (),
    ) -> Exchange:
        """The exchange with its first message. `transaction_id`, `nonce`: 16 random bytes each.

        `infos`: generalInfo, such as IMPLICIT_CONFIRM_INFO and a certProfile.
        """
        start = Exchange(client.Asking(question), transaction_id, nonce, None, None)
        return replace(start, outgoing=self._compose(start, body, nonce, at, infos=infos))

    def add(self, inner: UnverifiedMessage, *, at: datetime) -> bytes:
        """Somebody else's message, unchanged, with our protection around it (RFC 9483 section 5.2.2.1).

        The envelope has its transactionID and nonces; the answer is the one to the message inside.
        """
        given = inner.header
        header = Header(
            pvno=given.pvno,
            sender=self.sender,
            recipient=self.recipient,
            message_time=at,
            sender_kid=self.sender_kid,
            transaction_id=given.transaction_id,
            sender_nonce=given.sender_nonce,
            recip_nonce=given.recip_nonce,
        )
        return message.compose(header, bodies.write_nested([inner.raw]), self.protection, self.extra_certs)

    def receive(self, exchange: Exchange, data: bytes, *, nonce: bytes, at: datetime) -> Exchange:
        """What an answer leads to. Raises CmpRefused, with the code of the first check that fails; nothing moves then.

        Codes besides those of reading and protection: cmp-answer-transaction, cmp-answer-nonce, cmp-answer-unexpected.
        """
        answer = self._verified(data)
        _check_header(exchange, answer.header)
        event = _event(exchange, answer)
        heard = replace(exchange, their_nonce=answer.header.sender_nonce)
        return self._advance(heard, event, nonce, at)

    def poll(self, exchange: Exchange, *, nonce: bytes, at: datetime) -> Exchange:
        """Ask again: the time that the authority named has passed."""
        return self._advance(exchange, client.PollDue(), nonce, at)

    def accept(self, exchange: Exchange, *, nonce: bytes, at: datetime) -> Exchange:
        """The offered certificate is checked and stored: confirm it, where the authority waits for that."""
        return self._advance(exchange, client.Accepted(), nonce, at)

    def decline(self, exchange: Exchange, fail_info: FailInfo, *, nonce: bytes, at: datetime) -> Exchange:
        """The offered certificate is not wanted."""
        return self._advance(exchange, client.Rejected(int(fail_info)), nonce, at)

    def _verified(self, data: bytes) -> PKIMessage:
        found = message.parse(data)
        if found.body.kind is BodyKind.ERROR and found.protection is None and self.unprotected_errors:
            return verified(found)
        return self.verify(found)

    def _advance(self, exchange: Exchange, event: client.Event, nonce: bytes, at: datetime) -> Exchange:
        step = MACHINE.advance(exchange.state, event)
        moved = replace(exchange, state=step.state, outgoing=None)
        for effect in step.effects:
            body, pvno = _body(effect, self.pvno)
            outgoing = self._compose(moved, body, nonce, at, pvno=pvno)
            moved = replace(moved, nonce=nonce, outgoing=outgoing)
        return moved

    def _compose(
        self,
        exchange: Exchange,
        body: Body,
        nonce: bytes,
        at: datetime,
        *,
        pvno: int | None = None,
        infos: tuple[Info, ...] = (),
    ) -> bytes:
        header = Header(
            pvno=pvno or self.pvno,
            sender=self.sender,
            recipient=self.recipient,
            message_time=at,
            sender_kid=self.sender_kid,
            transaction_id=exchange.transaction_id,
            sender_nonce=nonce,
            recip_nonce=exchange.their_nonce,
            general_info=infos,
        )
        return message.compose(header, body, self.protection, self.extra_certs)


def _body(effect: object, pvno: int) -> tuple[Body, int]:
    """The body of a message that the machine asks for, and the version that it needs."""
    if isinstance(effect, client.SendCertConf):
        info = StatusInfo(Status.ACCEPTED) if effect.fail_info is None else rejection(FailInfo(effect.fail_info))
        confirmed = bodies.confirm(certificate.parse(effect.certificate), effect.cert_req_id, info)
        return bodies.write_cert_conf(confirmed), pvno if confirmed.hash_alg is None else _CMP2021
    if isinstance(effect, client.SendPkiConf):
        return bodies.PKICONF, pvno
    assert isinstance(effect, client.SendPollReq)
    return bodies.write_poll_req(effect.cert_req_id), pvno


def _check_header(exchange: Exchange, header: Header) -> None:
    # 1. The answer belongs to this transaction.
    if not hmac.compare_digest(header.transaction_id or b"", exchange.transaction_id):
        raise CmpRefused("cmp-answer-transaction", FailInfo.BAD_REQUEST)
    # 2. It answers our last message and no older one.
    if not hmac.compare_digest(header.recip_nonce or b"", exchange.nonce):
        raise CmpRefused("cmp-answer-nonce", FailInfo.BAD_RECIPIENT_NONCE)


def _event(exchange: Exchange, answer: PKIMessage) -> client.Event:
    """What the answer says, if it is one to what was asked last."""
    state, kind = exchange.state, answer.body.kind
    if kind is BodyKind.ERROR:
        return _error(state, answer.body)
    if isinstance(state, client.Confirming | client.Declining):
        if kind is not BodyKind.PKICONF:
            raise _unexpected()
        bodies.read_pkiconf(answer.body)
        return client.Confirmed()
    if not isinstance(state, client.Asking | client.Polling):
        raise _unexpected()
    if kind is BodyKind.POLL_REP and isinstance(state, client.Polling):
        return _put_off(state.question, answer.body)
    if kind is not cert_response.ANSWERS[BodyKind(state.question.kind)]:
        raise _unexpected()
    return _answer(state.question, answer)


def _unexpected() -> CmpRefused:
    return CmpRefused("cmp-answer-unexpected", FailInfo.BAD_REQUEST)


def _error(state: client.State, body: Body) -> client.Event:
    error = bodies.read_error(body)
    if error.status.status is Status.WAITING and isinstance(state, client.Asking):
        return client.PutOff(0)  # RFC 9483 §4.4: an error may say that any answer takes its time
    return client.Refusal(int(error.status.fail_info), error.status.texts + error.details)


def _put_off(question: Question, body: Body) -> client.Event:
    for entry in bodies.read_poll_rep(body):
        if entry.cert_req_id == question.cert_req_id:
            return client.PutOff(entry.check_after)
    raise _unexpected()


def _answer(question: Question, answer: PKIMessage) -> client.Event:
    if answer.body.kind is BodyKind.RP:
        return _revocation(answer.body)
    if answer.body.kind is BodyKind.GENP:
        return client.Told(tuple((one.type, one.value or b"") for one in general.read_general(answer.body)))
    if answer.body.kind is BodyKind.KRP:
        raise _unexpected()  # what a krp brings is keys, and keys are made and kept by their owner here
    found = cert_response.read_cert_rep(answer.body)
    if len(found.responses) != 1 or found.responses[0].cert_req_id != question.cert_req_id:
        raise _unexpected()
    response = found.responses[0]
    if response.status.status is Status.WAITING:
        return client.PutOff(0)
    if response.status.status not in _GRANTED:
        return client.Refusal(int(response.status.fail_info), response.status.texts)
    if response.certificate is None:
        raise _unexpected()
    spki = _key_of(response.certificate)
    return client.Certified(response.certificate, spki, found.ca_pubs, implicit_confirm(answer.header))


def _key_of(der: bytes) -> bytes:
    try:
        return certificate.parse(der).spki
    except (CertificateMalformed, NameMalformed) as wrong:
        raise CmpRefused("cmp-malformed", None, **wrong.facts) from None


def _revocation(body: Body) -> client.Event:
    for info in revocation.read_rev_rep(body).statuses:
        if info.status is Status.WAITING:
            return client.PutOff(0)
        if info.status is Status.REJECTION:
            return client.Refusal(int(info.fail_info), info.texts)
    return client.RevocationDone()


def enrolment(
    kind: BodyKind,
    *,
    spki: bytes,
    subject: bytes | None,
    algorithm: bytes,
    sign: Callable[[bytes], bytes],
    controls: tuple[Attribute, ...] = (),
    reg_info: tuple[Attribute, ...] = (),
) -> tuple[Body, Question]:
    """An ir, cr or kur for a key with its plain proof of possession, certReqId 0 (RFC 9483 §4.1), and the question.

    `spki`: DER; `subject`: DER Name or None; `algorithm`: DER AlgorithmIdentifier of `sign`.
    """
    asked = write_cert_request(0, CertTemplate(subject=subject, public_key=spki), controls)
    written = write_cert_req_msg(asked, sign_pop(asked, algorithm, sign), reg_info)
    return write_requests(kind, written), Question(kind, 0, spki)


def npki_enrolment(
    *,
    spki: bytes,
    mac: MacProtection,
    algorithm: bytes,
    sign: Callable[[bytes], bytes],
    encrypted: EncryptedVid,
) -> tuple[Body, Question]:
    """An ir as NPKI clients send it (npki.md §6): nothing but the key, bound to the code by a MAC, and EncryptedVID.

    `mac`: the authorization code with HMAC parameters, for the proof alone; the header's protection is its own.
    """
    asked = write_cert_request(0, CertTemplate(public_key=spki))
    proof = sign_pop_with_mac(spki, mac, algorithm, sign)
    written = write_cert_req_msg(asked, proof, (Attribute(ENCRYPTED_VID, encrypted_vid.write(encrypted)),))
    return write_requests(BodyKind.IR, written), Question(BodyKind.IR, 0, spki, by_pkiconf=True)


def from_pkcs10(request: bytes, spki: bytes) -> tuple[Body, Question]:
    """A p10cr for a DER CertificationRequest, and the question."""
    return bodies.write_p10cr(request), Question(BodyKind.P10CR, cert_response.P10CR_CERT_REQ_ID, spki)


def revoke(
    issuer: bytes, serial_number: int, reason: int, subject: bytes | None = None
) -> tuple[Body, Question]:  # fmt: skip
    """An rr for one certificate; reason 6 suspends, 8 resumes (RFC 9483 §4.2). `issuer`, `subject`: DER Names.

    Whoever may end anybody's names the subject too, so that a wrong serial ends nothing.
    """
    named = CertTemplate(serial_number=serial_number, issuer=issuer, subject=subject)
    return revocation.write_rev_req(revocation.RevDetails(named, reason)), Question(BodyKind.RR, -1, b"")


def inquire(*infos: Info) -> tuple[Body, Question]:
    """A genm, and the question."""
    return general.write_general(BodyKind.GENM, infos), Question(BodyKind.GENM, -1, b"")


IMPLICIT: Final = (IMPLICIT_CONFIRM_INFO,)
"""generalInfo that asks for implicit confirmation."""
