"""Identity by one's own mobile telephone (휴대폰 본인인증): the carrier says to whom a number belongs, and he holds it.

What comes back is fetched by us under a transaction that nobody can guess (security E7). Whether it is the person of
the flow – name, birth date, CI – is compared by who asked, not here.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Final, Protocol

from ingam.kernel.errors import Outage, Refusal
from ingam.kernel.secret import Secret

CODE_S: Final = 180
"""Seconds that a code is good for."""

TRIES: Final = 5
"""Codes that may be tried."""


class Carrier(StrEnum):
    """통신사; the resellers' (알뜰폰) by whose network they use."""

    SKT = "SKT"
    KT = "KT"
    LGU = "LGU"
    SKT_MVNO = "SKT_MVNO"
    KT_MVNO = "KT_MVNO"
    LGU_MVNO = "LGU_MVNO"


class Method(StrEnum):
    """A code by SMS that is typed here, or a confirmation in the carriers' app (PASS)."""

    SMS = "SMS"
    APP = "APP"


class Gender(StrEnum):
    """As the registration number says."""

    MALE = "MALE"
    FEMALE = "FEMALE"


class PhoneIdentityOutage(Outage):
    """The party did not answer, or not in form; nothing is proved, and a code may or may not have been sent."""

    code = "phone-identity-outage"


class PhoneIdentityMismatch(Refusal):
    """The number belongs to another person, or to another carrier; which of the two is not told."""

    code = "phone-identity-mismatch"


class PhoneIdentityWrong(Refusal):
    """Another code was sent. Fact n: tries left; a party that does not tell: code `phone-identity-wrong-code`."""

    code = "phone-identity-wrong"


class PhoneIdentityExpired(Refusal):
    """The time is over, or there is no such transaction (any more)."""

    code = "phone-identity-expired"


class PhoneIdentityTooMany(Refusal):
    """Too many codes were tried or sent; this transaction is void."""

    code = "phone-identity-too-many"


class PhoneIdentityPending(Refusal):
    """The person has not confirmed in the app yet; the transaction stands."""

    code = "phone-identity-pending"


@dataclass(frozen=True, slots=True)
class Asked:
    """Whose telephone. `reference`: of the flow, no personal data; `identity7`: birth date YYMMDD and the digit after.

    `name`: as the carrier has it; `mobile`: 10 or 11 digits.
    """

    reference: str
    name: str = field(repr=False)
    identity7: Secret[str]
    mobile: str = field(repr=False)
    carrier: Carrier
    method: Method = Method.SMS


@dataclass(frozen=True, slots=True)
class Started:
    """`transaction`: unguessable, to be kept in the flow and shown to nobody; `expires`: when its code is void."""

    transaction: str = field(repr=False)
    expires: datetime


@dataclass(frozen=True, slots=True, repr=False)
class Identity:
    """Who holds the telephone. `ci`: 88 characters, the same at every service; `di`: 64 characters, of this one."""

    ci: Secret[str]
    di: Secret[str]
    name: str
    birth_date: date
    gender: Gender
    mobile: str
    carrier: Carrier
    foreigner: bool


class PhoneIdentity(Protocol):
    """An identity verification agency (본인확인기관), or who speaks to it."""

    async def start(self, asked: Asked) -> Started:
        """Sends a code or an app message. Raises PhoneIdentityMismatch, -TooMany, PhoneIdentityOutage."""

    async def resend(self, transaction: str) -> Started:
        """A new code, and the one before is void. Raises PhoneIdentityExpired, -TooMany, PhoneIdentityOutage."""

    async def confirm(self, transaction: str, otp: Secret[str]) -> Identity:
        """Who it is. `otp`: 6 digits, empty for APP. A transaction that was confirmed gives the same again.

        Raises PhoneIdentityWrong, -Expired, -TooMany, -Pending, -Mismatch, PhoneIdentityOutage.
        """
