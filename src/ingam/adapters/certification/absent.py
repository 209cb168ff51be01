"""No authority: the center is nobody's registration authority (yet), and every question is an outage."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NoReturn

from ingam.kernel.secret import Secret
from ingam.ports.certification import CertificationOutage, EverIssued, Registered, ToRegister, Withdrawal
from ingam.protocols.cmp.on_behalf import OperatorSignature


class AbsentCertification:
    """`ports.certification.Certification` that never answers."""

    binds_keys = True

    async def register(self, holder: ToRegister) -> Registered:
        """Raises CertificationOutage, as all of them."""
        _away(holder)

    async def withdraw(self, reference_number: str) -> Withdrawal:
        """Nothing is withdrawn."""
        _away(reference_number)

    async def carry(self, message: bytes) -> bytes:
        """Nothing is carried."""
        _away(message)

    async def revoke(self, issuer: bytes, serial: int, reason: int, subject: bytes) -> None:
        """Nothing is revoked."""
        _away(issuer, serial, reason, subject)

    async def revoke_on_behalf(self, text: str, signatures: Sequence[OperatorSignature]) -> None:
        """Nothing is revoked."""
        _away(text, signatures)

    async def encryption_certificate(self) -> bytes:
        """There is none."""
        _away()

    async def authorities(self) -> tuple[bytes, ...]:
        """There are none."""
        _away()

    async def issued(self, idn: Secret[str]) -> EverIssued:
        """Nobody knows."""
        _away(idn)


def _away(*_asked: object) -> NoReturn:
    raise CertificationOutage(cause="no-authority")
