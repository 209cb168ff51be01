"""The demo people: invented names, and numbers whose back halves count up from one and so belong to nobody."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

BANKING_PASSWORD: Final = "Bank!2026"
"""Of every demo person."""

CERTIFICATE_PASSWORD: Final = "Ingam!2026"
"""Of every demo certificate; it satisfies the rule of 2014 (npki.md section 9)."""


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody of the demo. `kind`: personal, union-head, corporate; `idn`: 13 or 10 digits; telephones are digits.

    `english` stands in names of yessign.
    """

    key: str
    kind: str
    name: str
    english: str
    banking_id: str
    idn: str = field(repr=False)
    mobile: str
    email: str
    home_phone: str | None = None
    union_name: str | None = None


PEOPLE: Final = (
    Person("hong", "personal", "홍길동", "Hong Gil Dong", "hong7510", "7510051000001", "01085130001",
           "hong@example.test", "0285130001"),
    Person("kim", "personal", "김증권", "Kim Jeung Kwon", "kim8203", "8203152000002", "01085130002",
           "kim@example.test"),
    Person("lee", "union-head", "이조합", "Lee Jo Hap", "lee7012", "7012241000003", "01085130003", "lee@example.test",
           "0285130003", "가온우리사주조합"),
    Person("gaon", "corporate", "(주)가온", "Gaon Inc", "gaon2026", "0000000015", "01085130004", "gaon@example.test",
           "0285130004"),
    Person("alex", "personal", "Alex Sample", "Alex Sample", "alex9001", "9001015000005", "01085130005",
           "alex@example.test"),
)  # fmt: skip


def person(key: str) -> Person:
    """The demo person of a key; KeyError for nobody."""
    return {one.key: one for one in PEOPLE}[key]


def for_center() -> list[dict[str, str | None]]:
    """What the center's `ingam customer import` reads: one customer a person."""
    return [
        {
            "banking_id": one.banking_id,
            "password": BANKING_PASSWORD,
            "kind": one.kind,
            "name": one.name,
            "idn": one.idn,
            "mobile": one.mobile,
            "home_phone": one.home_phone,
            "email": one.email,
            "union_name": one.union_name,
        }
        for one in PEOPLE
    ]
