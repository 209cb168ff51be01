"""Whether an identity card is genuine (신분증 진위확인): its issuer compares what is printed on it with its record."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Final, Protocol, TypeAlias

from ingam.kernel.errors import Outage
from ingam.kernel.secret import Secret

REGIONS: Final[Mapping[str, str]] = {
    "서울": "11", "부산": "12", "경기": "13", "강원": "14", "충북": "15", "충남": "16", "전북": "17", "전남": "18",
    "경북": "19", "경남": "20", "제주": "21", "대구": "22", "인천": "23", "광주": "24", "대전": "25", "울산": "26",
    "경기북부": "28",
}  # fmt: skip
"""The region of a licence, as older cards print it, and its two digits."""

_LICENCE: Final = re.compile(r"([0-9]{2}|[가-힣]{2,4})-?([0-9]{2})-?([0-9]{6})-?([0-9]{2})")


def licence_number(printed: str) -> str | None:
    """The 12 digits of a number as it is printed or typed ("서울-15-123456-01"), None if it is none."""
    found = _LICENCE.fullmatch("".join(printed.split()))
    if found is None:
        return None
    region = REGIONS.get(found[1], found[1])
    return region + found[2] + found[3] + found[4] if region in REGIONS.values() else None


class IdCardOutage(Outage):
    """The party did not answer, or not in form; nothing is known of the card, and asking again is safe."""

    code = "id-card-outage"


class Verdict(StrEnum):
    """As the issuer has it; not so; reported lost, or a newer card was issued."""

    GENUINE = "genuine"
    MISMATCH = "mismatch"
    LOST = "lost"


@dataclass(frozen=True, slots=True)
class ResidentCard:
    """주민등록증. `idn`: 13 digits."""

    name: str = field(repr=False)
    idn: Secret[str]
    issued_on: date = field(repr=False)


@dataclass(frozen=True, slots=True)
class DriverLicence:
    """운전면허증. `number`: 12 digits, region first; `serial`: 암호일련번호, 5 or 6 of A–Z and 0–9, None if unread.

    Without the serial only the licence is checked, not this card.
    """

    name: str = field(repr=False)
    birth_date: date = field(repr=False)
    number: str = field(repr=False)
    serial: str | None = field(default=None, repr=False)


Card: TypeAlias = ResidentCard | DriverLicence


class IdCards(Protocol):
    """The issuers, through whoever relays to them."""

    async def verify(self, card: Card) -> Verdict:
        """What the issuer says of the card. Raises IdCardOutage."""
