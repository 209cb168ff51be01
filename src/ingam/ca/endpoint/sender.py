"""Who sent a message: somebody with a code, the holder of a certificate of ours, or an RA. Nobody else is heard.

A certificate is believed because its exact bytes are in the books, not because of a path (security A7 in its strictest
form); the protection is verified before anything else of the message is looked at (D6).
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Final, TypeAlias

from ingam.ca import facts as sealed
from ingam.ca.endpoint.limits import Limits
from ingam.ca.facts import Facts
from ingam.ca.office import Office
from ingam.kernel.secret import Secret
from ingam.npki import certificate, subject
from ingam.npki.certificate import Certificate, CertificateMalformed
from ingam.npki.signature import PublicKeyRefused, public_key
from ingam.npki.subject import NameMalformed, same_name
from ingam.ports import books
from ingam.ports.books import AuditLine, Open, Registration, State
from ingam.protocols.cmp.header import name_in
from ingam.protocols.cmp.message import PKIMessage, UnverifiedMessage
from ingam.protocols.cmp.protection import (
    MacParameters,
    MacProtection,
    is_mac,
    mac_parameters,
    protection_alg,
    salted,
    verified,
    verify_mac,
    verify_signature,
)
from ingam.protocols.cmp.status import CmpRefused, FailInfo

CMC_RA: Final = "1.3.6.1.5.5.7.3.28"
SHORT_CODE: Final = 16
"""Characters of base32: codes of fewer are under 80 bits, and burn (security D3)."""

BURN_AT: Final = 5
MOST_REFERENCE: Final = 64


@dataclass(frozen=True, slots=True, repr=False)
class Coded:
    """Somebody who has a reference number and its code. `key`: 32 bytes that stand for the sender."""

    key: bytes
    registration: Registration
    code: Secret[bytes]
    facts: Facts | None
    parameters: MacParameters

    def answering(self, salt: bytes) -> MacProtection:
        """The code's MAC for an answer: the request's algorithms and counts, and a salt of our own."""
        return MacProtection(self.code, salted(self.parameters, salt))


@dataclass(frozen=True, slots=True, repr=False)
class Certified:
    """The holder of a certificate that the books have; `registrar`: an RA (EKU id-kp-cmcRA)."""

    key: bytes
    certificate: Certificate
    entry: books.Certificate
    registrar: bool


Sender: TypeAlias = Coded | Certified


class Doorway:
    """Finds out who sent a message. `strict`: as RFC 9483 section 3 has it to the letter, where clients are laxer."""

    def __init__(self, office: Office, limits: Limits, *, strict: bool = False) -> None:
        self._office = office
        self._limits = limits
        self._strict = strict

    async def sender(self, message: UnverifiedMessage) -> tuple[Sender, PKIMessage]:
        """Who sent it, and the message as verified. Raises CmpRefused with the first check that fails."""
        algorithm = protection_alg(message)
        if is_mac(algorithm):
            return await self._coded(message, algorithm)
        return self._certified(message)

    async def _coded(self, message: UnverifiedMessage, algorithm: bytes) -> tuple[Coded, PKIMessage]:
        reference = _reference(message)
        if self._strict and _common_name(message) != reference:
            raise CmpRefused("cmp-sender-name", FailInfo.BAD_MESSAGE_CHECK)
        parameters = mac_parameters(algorithm)
        self._limits.derivation(reference, parameters.iterations, self._office.now())
        registration = self._office.books.registration(reference)
        code, facts = self._opened(registration)
        # An unknown number costs and answers what a wrong code does: the code below fits nothing.
        secret = Secret((code or Secret(self._office.random(16).hex())).reveal().encode("ascii"))
        try:
            proven = verify_mac(message, secret)
            if registration is None or code is None or registration.open is Open.BURNT:
                raise CmpRefused("cmp-protection-wrong", FailInfo.BAD_MESSAGE_CHECK)
        except CmpRefused:
            await self._wrong(registration, code)
            raise
        key = hashlib.sha256(b"reference " + reference.encode()).digest()
        return Coded(key, registration, secret, facts, parameters), proven

    def _opened(self, registration: Registration | None) -> tuple[Secret[str] | None, Facts | None]:
        if registration is None:
            return None, None
        return sealed.open_registration(self._office.sealer, registration.reference, registration.sealed)

    async def _wrong(self, registration: Registration | None, code: Secret[str] | None) -> None:
        """Counted against the number (D8); only short codes can be burnt by somebody who does not know them."""
        if registration is not None:
            burn_at = BURN_AT if code is not None and len(code) < SHORT_CODE else None
            line = AuditLine(self._office.now(), "wrong-code", "cmp-protection-wrong")
            await self._office.books.wrong_code(registration.reference, line, burn_at)

    def _certified(self, message: UnverifiedMessage) -> tuple[Certified, PKIMessage]:
        found = self._from_books(message)
        if found is None:
            bits = FailInfo.SIGNER_NOT_TRUSTED if message.extra_certs else FailInfo.BAD_MESSAGE_CHECK
            raise CmpRefused("cmp-signer-unknown", bits)
        given, entry = found
        if self._strict and (len(message.extra_certs) < 2 or message.header.sender_kid is None):
            raise CmpRefused("cmp-signer-unknown", FailInfo.SIGNER_NOT_TRUSTED | FailInfo.BAD_MESSAGE_CHECK)
        try:
            verify_signature(message, public_key(given.spki))
        except PublicKeyRefused:
            raise CmpRefused("cmp-signer-unknown", FailInfo.SIGNER_NOT_TRUSTED) from None
        usage = given.key_usage
        if usage is not None and "digitalSignature" not in usage:
            raise CmpRefused("cmp-signer-usage", FailInfo.NOT_AUTHORIZED)
        registrar = CMC_RA in (given.eku or ())
        return Certified(given.fingerprint, given, entry, registrar), verified(message)

    def admit(self, sender: Sender) -> None:
        """Whether the sender is good now; asked after a repetition (D9), which a certificate's own end must not break.

        Raises CmpRefused: cmp-signer-ended (certRevoked), cmp-signer-expired (signerNotTrusted).
        """
        if not isinstance(sender, Certified):
            return
        entry = sender.entry
        if entry.state is not State.VALID:
            raise CmpRefused("cmp-signer-ended", FailInfo.CERT_REVOKED)
        if not entry.not_before <= self._office.now() <= entry.not_after:
            raise CmpRefused("cmp-signer-expired", FailInfo.SIGNER_NOT_TRUSTED)

    def _from_books(self, message: UnverifiedMessage) -> tuple[Certificate, books.Certificate] | None:
        """The first of extraCerts is the protection certificate (RFC 9483 section 3.3), byte for byte one of ours."""
        for der in message.extra_certs[:1]:
            try:
                given = certificate.parse(der)
            except CertificateMalformed:
                return None
            for issuer in self._office.issuers:
                if issuer.certificate.subject.raw == given.issuer.raw:
                    entry = self._office.books.certificate(issuer.generation.number, given.serial)
                    if entry is not None and entry.der == der:
                        _named(message, given)
                        return given, entry
        return None


def _reference(message: UnverifiedMessage) -> str:
    """The reference number in senderKID (RFC 9483 section 3.1). Raises CmpRefused."""
    kid = message.header.sender_kid
    if not kid or len(kid) > MOST_REFERENCE or not kid.isascii():
        raise CmpRefused("cmp-sender-unknown", FailInfo.BAD_MESSAGE_CHECK)
    return kid.decode("ascii").removeprefix("CN=")


def _common_name(message: UnverifiedMessage) -> str | None:
    """The CN of the sender's directoryName, which is to be the reference number too."""
    name = name_in(message.header.sender)
    try:
        return None if name is None else subject.parse(name).value("CN")
    except NameMalformed:
        return None


def _named(message: UnverifiedMessage, given: Certificate) -> None:
    """sender is the certificate's subject and senderKID its key identifier (RFC 9483 section 3.1)."""
    name = name_in(message.header.sender)
    try:
        named = name is not None and same_name(subject.parse(name), given.subject)
    except NameMalformed:
        named = False
    if not named:
        raise CmpRefused("cmp-sender-name", FailInfo.BAD_MESSAGE_CHECK)
    kid = message.header.sender_kid
    if kid is not None and given.ski is not None and kid != given.ski:
        raise CmpRefused("cmp-sender-name", FailInfo.BAD_MESSAGE_CHECK)
