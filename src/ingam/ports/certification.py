"""What the center asks of a certification authority: to register a holder and to withdraw that, to carry a holder's
message, to revoke, and what it ever issued to a person.

The embedded CA and a contracted one stand behind the same port; an adapter says what its authority cannot do.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from ingam.kernel.errors import Outage, Refusal
from ingam.kernel.secret import Secret
from ingam.protocols.cmp.on_behalf import OperatorSignature


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


class Withdrawal(StrEnum):
    """What came of a registration that was to be withdrawn. Whatever it is, nothing more can be asked for by its codes.

    WITHDRAWN: nothing came. GIVEN_UP: a certificate came that nobody confirmed, and it never stood. PENDING: one came
    that may yet be confirmed; ask again. USED: one stands, or stood.
    """

    WITHDRAWN = "withdrawn"
    GIVEN_UP = "given-up"
    PENDING = "pending"
    USED = "used"


class Standing(StrEnum):
    """What the authority says of a certificate. One that ended by time alone stays what it was.

    PENDING: issued, and not yet confirmed by its holder's device. HELD: 효력정지.
    """

    PENDING = "pending"
    VALID = "valid"
    HELD = "held"
    REVOKED = "revoked"


@dataclass(frozen=True, slots=True, repr=False)
class IssuedCertificate:
    """A certificate that the authority issued to a person. `serial`: lower hex; `fingerprint`: SHA-256, 64 lower hex.

    `subject`: as people read it (`CN=…, OU=…`); `through`: the subject's OU nearest the holder, which names the firm or
    branch that it was asked for at, "" where there is none. `profile`: the authority's word; `policy`: dotted.
    `reason`: a CRLReason number and `ended_at` since when, where it is held or revoked. `never_stood`: it ended because
    nobody confirmed it. `issuer_name`, `subject_name`: DER Names, which with the serial say which one is meant.
    """

    serial: str
    fingerprint: str
    subject: str
    through: str
    profile: str
    policy: str
    issued_at: datetime
    not_before: datetime
    not_after: datetime
    standing: Standing
    reason: int | None = None
    ended_at: datetime | None = None
    never_stood: bool = False
    issuer_name: bytes = field(kw_only=True)
    subject_name: bytes = field(kw_only=True)

    def stands(self, at: datetime) -> bool:
        """Whether it is valid or suspended at an instant: what a new one under its policy would end."""
        return self.standing in (Standing.VALID, Standing.HELD) and at <= self.not_after


class EverIssued(tuple[IssuedCertificate, ...]):
    """Newest first. `more`: there are older ones that the authority left out of its answer."""

    more: bool = False

    @classmethod
    def of(cls, certificates: Iterable[IssuedCertificate], *, more: bool = False) -> EverIssued:
        """These, and whether there are more."""
        made = cls(certificates)
        made.more = more
        return made

    def ended_by(self, profile: str, at: datetime) -> IssuedCertificate | None:
        """The one that a new certificate of this profile ends when it is confirmed, whoever it was issued through."""
        return next((one for one in self if one.profile == profile and one.stands(at)), None)


class Certification(Protocol):
    """A certification authority, as a registration authority speaks to it."""

    binds_keys: bool
    """Whether it refuses another key than the registered one (security D1)."""

    async def register(self, holder: ToRegister) -> Registered:
        """Raises CertificationRefused, CertificationOutage."""

    async def withdraw(self, reference_number: str) -> Withdrawal:
        """The codes of a registration are good for nothing any more; however often it is asked. Raises as `register`.

        A number that the authority does not know (any more) is refused.
        """

    async def carry(self, message: bytes) -> bytes:
        """A holder's PKIMessage to the authority and its answer back, both as they are. Raises CertificationOutage."""

    async def revoke(self, issuer: bytes, serial: int, reason: int, subject: bytes) -> None:
        """End (or 6: suspend, 8: resume) a certificate; `issuer`, `subject`: DER Names of it. Raises as `register`.

        A serial under an issuer that names another's certificate is refused.
        """

    async def revoke_on_behalf(self, text: str, signatures: Sequence[OperatorSignature]) -> None:
        """End the certificate that a change of the console names, which two operators signed (security D14).

        `text`: the change, to the byte. Raises as `register`.
        """

    async def encryption_certificate(self) -> bytes:
        """DER of the certificate that R is encrypted to. Raises CertificationOutage."""

    async def authorities(self) -> tuple[bytes, ...]:
        """DER of its certificates: issuing CAs, newest first, then roots, newest first. Raises CertificationOutage."""

    async def issued(self, idn: Secret[str]) -> EverIssued:
        """Every certificate ever issued to the person of a number, whoever registered them (security D2).

        None for whoever the authority does not know. Raises as `register`.
        """
