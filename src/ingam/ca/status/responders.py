"""Who answers for which generation of the issuing CA: a responder's certificate, its key, and what CertIDs call the CA.

A responder has a key of its own (security D12). One that the CA itself issued carries id-pkix-ocsp-nocheck and lives 90
days at most; one that the root issued, as in the field (npki.md section 7), stands on the root's list instead.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from ingam.kernel.errors import Refusal
from ingam.npki.certificate import Certificate
from ingam.npki.signature import (
    PublicKeyRefused,
    SignatureAlgorithmRefused,
    SignatureInvalid,
    known_key,
    verify,
)
from ingam.ports.signing import Signer
from ingam.protocols.ocsp import OCSP_SIGNING
from ingam.protocols.ocsp.answering import CertId, issuer_hashes, key_bits

NO_CHECK: Final = "1.3.6.1.5.5.7.48.1.5"
MOST_DAYS: Final = 90


class ResponderRefused(Refusal):
    """The certificate may not sign answers for this CA, or it is not this key's (facts: reason)."""

    code = "ocsp-responder-refused"


class Responder:
    """A certificate and its key, ready to sign. `key_hash`: SHA-1 of its key's bits, as a responderID says it."""

    __slots__ = ("algorithm", "certificate", "key_hash", "signer", "until")

    def __init__(self, certificate: Certificate, signer: Signer) -> None:
        self.certificate, self.signer = certificate, signer
        self.algorithm = signer.public.algorithm
        self.key_hash = hashlib.sha1(key_bits(certificate.spki), usedforsecurity=False).digest()
        self.until = int(certificate.not_after.timestamp())


class Generation(NamedTuple):
    """A generation of the issuing CA (`ca`: its number in the books) and who answers for it."""

    ca: int
    issuer: Certificate
    responder: Responder


def responder(
    certificate: Certificate, signer: Signer, issuer: Certificate, at: datetime, root: Certificate | None = None
) -> Responder:
    """A responder for what `issuer` issued; `root`: where the root may have issued it instead.

    Raises ResponderRefused.
    """
    if certificate.eku != (OCSP_SIGNING,) or _is_authority(certificate):
        raise ResponderRefused(reason="purpose")
    if signer.public.spki != certificate.spki or certificate.spki == issuer.spki:
        raise ResponderRefused(reason="key")
    if not certificate.not_before <= at <= certificate.not_after:
        raise ResponderRefused(reason="validity")
    if _issued_by(certificate, issuer):
        _short_lived(certificate)
    elif root is None or not _issued_by(certificate, root) or not _issued_by(issuer, root):
        raise ResponderRefused(reason="issuer")
    return Responder(certificate, signer)


def _is_authority(certificate: Certificate) -> bool:
    constraints = certificate.basic_constraints
    return constraints is not None and constraints.ca


def _issued_by(certificate: Certificate, issuer: Certificate) -> bool:
    if certificate.issuer.raw != issuer.subject.raw:
        return False
    try:
        verify(known_key(issuer.spki), certificate.signature_algorithm, certificate.signature, certificate.tbs)
    except (PublicKeyRefused, SignatureAlgorithmRefused, SignatureInvalid):
        return False
    return True


def _short_lived(certificate: Certificate) -> None:
    """Nobody can ask about it, so it may not live long (security D12)."""
    if certificate.extension(NO_CHECK) is None:
        raise ResponderRefused(reason="no-check")
    if certificate.not_after - certificate.not_before > timedelta(days=MOST_DAYS):
        raise ResponderRefused(reason="lifetime")


class Generations:
    """Every generation that is answered for, found by what a CertID says of its issuer."""

    def __init__(self, all_of: Iterable[Generation]) -> None:
        self.all = tuple(all_of)
        self._found = {hashes: one for one in self.all for hashes in issuer_hashes(one.issuer)}

    def of(self, asked: Sequence[CertId]) -> tuple[Responder, list[int]] | None:
        """The one responder that may answer all of it, and the generation of each; None where there is no such one."""
        found = [self._found.get(one.issuer) for one in asked]
        speaker: Responder | None = None
        generations: list[int] = []
        for one in found:
            if one is None or (speaker is not None and one.responder is not speaker):
                return None
            speaker = one.responder
            generations.append(one.ca)
        return None if speaker is None else (speaker, generations)
