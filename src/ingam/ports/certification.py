"""What the center asks of a certification authority: to register a holder, to carry a holder's message, to revoke.

The embedded CA and a contracted one stand behind the same port; an adapter says what its authority cannot do.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from ingam.kernel.errors import Outage, Refusal
from ingam.kernel.secret import Secret


class CertificationOutage(Outage):
    """The authority did not answer, or not in form; nothing was issued that would not be found again."""

    code = "certification-outage"


class CertificationRefused(Refusal):
    """The authority refuses (facts: fail_info, the bits by their RFC names, and its own word where it gave one)."""

    code = "certification-refused"


@dataclass(frozen=True, slots=True, repr=False)
class ToRegister:
    """A holder whom the center has identified. `profile`: a word of the authority (`securities`, `universal`).

    `idn`: 13 or 10 digits; `mobile`: digits; `spki_hash`: SHA-256 of the key that the holder made, which alone will be
    certified (security D1); None where the authority does not know such a bond. `reissue`: 재발급, the end date stays.
    """

    profile: str
    name: str
    idn: Secret[str]
    mobile: str = ""
    email: str = ""
    english: str = ""
    branch: str = ""
    spki_hash: bytes | None = None
    reissue: bool = False


@dataclass(frozen=True, slots=True, repr=False)
class Registered:
    """참조번호 and 인가코드, for the holder's device alone."""

    reference_number: str
    authorization_code: Secret[str]
    expires: datetime


class Certification(Protocol):
    """A certification authority, as a registration authority speaks to it."""

    binds_keys: bool
    """Whether it refuses another key than the registered one (security D1)."""

    async def register(self, holder: ToRegister) -> Registered:
        """Raises CertificationRefused, CertificationOutage."""

    async def carry(self, message: bytes) -> bytes:
        """A holder's PKIMessage to the authority and its answer back, both as they are. Raises CertificationOutage."""

    async def revoke(self, issuer: bytes, serial: int, reason: int) -> None:
        """End (or 6: suspend, 8: resume) a certificate; `issuer`: DER Name. Raises as `register`."""

    async def encryption_certificate(self) -> bytes:
        """DER of the certificate that R is encrypted to. Raises CertificationOutage."""
