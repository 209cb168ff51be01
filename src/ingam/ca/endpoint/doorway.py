"""Finds out who sent a message, before anything else of it is looked at (security D6).

A certificate is believed because its exact bytes are in the books, not because of a path (security A7 in its strictest
form); a code because it is the one that lies sealed beside its reference number.
"""

from __future__ import annotations

import asyncio
import hashlib
from typing import Final

from ingam.ca import facts as sealed
from ingam.ca.endpoint.limits import Limits
from ingam.ca.endpoint.practice import Mac, Practice
from ingam.ca.endpoint.sender import Certified, Coded, Role, Sender
from ingam.ca.facts import Facts
from ingam.ca.office import Office
from ingam.kernel.secret import Secret
from ingam.npki import certificate
from ingam.npki.certificate import Certificate, CertificateMalformed
from ingam.npki.signature import PublicKeyRefused, public_key
from ingam.npki.subject import NameMalformed
from ingam.ports import books
from ingam.ports.books import AuditLine, Open, Registration
from ingam.protocols.cmp.message import PKIMessage, UnverifiedMessage
from ingam.protocols.cmp.protection import is_signature, protection_alg, verify_signature
from ingam.protocols.cmp.status import CmpRefused, FailInfo

CMC_RA: Final = "1.3.6.1.5.5.7.3.28"
SHORT_CODE: Final = 16
"""Characters of base32: codes of fewer are under 80 bits, and burn (security D3)."""

MOST_REFERENCE: Final = 64
INLINE: Final = 2_000
"""Iterations of a key derivation that the loop waits for; more are computed beside it."""

_NOBODY: Final = "nobody"


class Doorway:
    """One of it in an endpoint."""

    def __init__(self, office: Office, limits: Limits, practice: Practice) -> None:
        self._office = office
        self._limits = limits
        self._practice = practice
        self._decoy = Secret(office.random(16).hex())
        self._decoy_sealed = sealed.seal_registration(office.sealer, _NOBODY, self._decoy, None)

    async def sender(self, message: UnverifiedMessage, source: str) -> tuple[Sender, PKIMessage]:
        """Who sent it, and the message as verified. Raises CmpRefused with the first check that fails."""
        # 1. It is protected, by an algorithm that is known here.
        algorithm = protection_alg(message)
        mac = self._practice.mac(algorithm)
        if mac is not None:
            return await self._coded(message, mac, source)
        if not is_signature(algorithm):
            raise CmpRefused("cmp-protection-algorithm", FailInfo.BAD_ALG)
        return self._certified(message)

    # by a code

    async def _coded(self, message: UnverifiedMessage, mac: Mac, source: str) -> tuple[Coded, PKIMessage]:
        # 2. A code is enough for what is asked; it says which number, and the cost is counted against that (D8).
        self._practice.check_may(Role.CODE, message.body.kind)
        reference = _reference(message)
        self._practice.check_coded(message, reference, mac)
        self._limits.derivation(reference, source, mac.iterations, self._office.now())
        # 3. The MAC is that of the number's code. An unknown number costs and answers what a wrong code does.
        registration = self._known(reference)
        code, facts = self._opened(registration)
        secret = Secret((code or self._decoy).reveal().encode("ascii"))
        costly = mac.iterations > INLINE
        try:
            proven = await self._verified(message, mac, secret, costly)
        except CmpRefused:
            await self._wrong(registration, code)
            raise
        if registration is None:
            raise CmpRefused("cmp-protection-wrong", FailInfo.BAD_MESSAGE_CHECK)
        key = hashlib.sha256(b"reference " + reference.encode()).digest()
        return Coded(key, registration, secret, facts, lambda salt: mac.answering(secret, salt), costly), proven

    def _known(self, reference: str) -> Registration | None:
        found = self._office.books.registration(reference)
        usable = found is not None and found.open is not Open.BURNT and found.npki == self._practice.npki
        return found if usable else None

    def _opened(self, registration: Registration | None) -> tuple[Secret[str] | None, Facts | None]:
        reference, held = (
            (_NOBODY, self._decoy_sealed) if registration is None else (registration.reference, registration.sealed)
        )
        return sealed.open_registration(self._office.sealer, reference, held)

    async def _verified(self, message: UnverifiedMessage, mac: Mac, secret: Secret[bytes], costly: bool) -> PKIMessage:
        if not costly:
            return mac.verify(message, secret)
        return await asyncio.get_running_loop().run_in_executor(self._office.threads, mac.verify, message, secret)

    async def _wrong(self, registration: Registration | None, code: Secret[str] | None) -> None:
        """Counted against the number (D8); only short codes can be burnt by somebody who does not know them."""
        burn_at = self._practice.burn_at if code is not None and len(code) < SHORT_CODE else None
        line = AuditLine(self._office.now(), "wrong-code", "cmp-protection-wrong")
        reference = _NOBODY if registration is None else registration.reference
        await self._office.books.wrong_code(reference, line, burn_at)

    # by a certificate

    def _certified(self, message: UnverifiedMessage) -> tuple[Certified, PKIMessage]:
        # 2. The first of extraCerts is the protection certificate (RFC 9483 section 3.3) …
        given = _protection_certificate(message)
        # 3. … of whom the header names as its sender …
        if not self._practice.is_sender(message, given):
            raise CmpRefused("cmp-sender-name", FailInfo.BAD_MESSAGE_CHECK)
        # 4. … byte for byte one of ours …
        entry = self._entry(given)
        if entry is None:
            raise CmpRefused("cmp-signer-unknown", FailInfo.SIGNER_NOT_TRUSTED)
        # 5. … and the one that senderKID names.
        if not self._practice.is_key_id(message.header.sender_kid, given):
            raise CmpRefused("cmp-sender-name", FailInfo.BAD_MESSAGE_CHECK)
        self._practice.check_chain(message, given)
        # 6. The signature is its key's.
        try:
            proven = verify_signature(message, public_key(given.spki))
        except PublicKeyRefused:
            raise CmpRefused("cmp-signer-unknown", FailInfo.SIGNER_NOT_TRUSTED) from None
        # 7. The certificate is for signing, and good now.
        if given.key_usage is not None and "digitalSignature" not in given.key_usage:
            raise CmpRefused("cmp-signer-usage", FailInfo.NOT_AUTHORIZED)
        self._practice.check_signer(entry, message.body.kind)
        if not entry.not_before <= self._office.now() <= entry.not_after:
            raise CmpRefused("cmp-signer-expired", FailInfo.SIGNER_NOT_TRUSTED)
        return Certified(given.fingerprint, given, entry, CMC_RA in (given.eku or ())), proven

    def _entry(self, given: Certificate) -> books.Certificate | None:
        for issuer in self._office.issuers:
            if issuer.certificate.subject.raw == given.issuer.raw:
                entry = self._office.books.certificate(issuer.generation.number, given.serial)
                if entry is not None and entry.der == given.der:
                    return entry
        return None


def _reference(message: UnverifiedMessage) -> str:
    """The reference number in senderKID (RFC 9483 section 3.1). Raises CmpRefused."""
    kid = message.header.sender_kid
    if not kid or len(kid) > MOST_REFERENCE or not kid.isascii():
        raise CmpRefused("cmp-sender-unknown", FailInfo.BAD_MESSAGE_CHECK)
    return kid.decode("ascii").removeprefix("CN=")


def _protection_certificate(message: UnverifiedMessage) -> Certificate:
    if not message.extra_certs:
        raise CmpRefused("cmp-signer-missing", FailInfo.BAD_MESSAGE_CHECK)
    try:
        return certificate.parse(message.extra_certs[0])
    except (CertificateMalformed, NameMalformed):
        raise CmpRefused("cmp-signer-unknown", FailInfo.SIGNER_NOT_TRUSTED) from None
