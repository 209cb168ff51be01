"""The demo people: invented names, and numbers whose back halves count up from one and so belong to nobody."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import Final

BANKING_PASSWORD: Final = "Bank!2026"
"""Of every demo person."""

CERTIFICATE_PASSWORD: Final = "Ingam!2026"
"""Of every demo certificate; it satisfies the rule of 2014 (npki.md section 9)."""


_CENTURY: Final = {"9": 1800, "0": 1800, "1": 1900, "2": 1900, "5": 1900, "6": 1900} | dict.fromkeys("3478", 2000)


@dataclass(frozen=True, slots=True)
class ResidentCard:
    """주민등록증."""

    issued_on: date


@dataclass(frozen=True, slots=True)
class Licence:
    """운전면허증. `number`: 12 digits; `serial`: 암호일련번호."""

    number: str = field(repr=False)
    serial: str = field(repr=False)
    issued: date


@dataclass(frozen=True, slots=True)
class BankAccount:
    """Somebody's own. `bank_code`: 3 digits; `account`: digits."""

    bank_code: str
    account: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Home:
    """Where somebody lives. `road`: 도로명주소; `zip5`: 5 digits."""

    road: str
    zip5: str
    detail: str


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody of the demo. `kind`: personal, union-head, corporate; `idn`: 13 or 10 digits; telephones are digits.

    `english` stands in names of yessign. `carrier`: SKT, KT, LGU or one of their resellers' (`SKT_MVNO`).
    Foreigners have no `resident_card`; only human beings have one, a licence, an account and a home here.
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
    carrier: str = "SKT"
    resident_card: ResidentCard | None = None
    licence: Licence | None = None
    bank: BankAccount | None = None
    address: Home | None = None
    third_phone: str | None = None

    @property
    def natural(self) -> bool:
        """Whether it is a human being, with a number of 13 digits."""
        return len(self.idn) == 13

    @property
    def birth_date(self) -> date:
        """As the number says; of human beings only."""
        year = _CENTURY[self.idn[6]] + int(self.idn[:2])
        return date(year, int(self.idn[2:4]), int(self.idn[4:6]))

    @property
    def telephones(self) -> list[str]:
        """Every number that rings with this person, the mobile one first."""
        return [self.mobile, *(one for one in (self.home_phone, self.third_phone) if one)]

    @property
    def foreigner(self) -> bool:
        """Whether the number is a foreigner's."""
        return self.natural and self.idn[6] in "5678"

    @property
    def male(self) -> bool:
        """As the number says."""
        return self.idn[6] in "13579"


def _home(number: int) -> Home:
    return Home(f"서울특별시 예시구 시험로 {number}", f"0000{number}", f"{100 + number}호")


PEOPLE: Final = (
    Person("hong", "personal", "홍길동", "Hong Gil Dong", "hong7510", "7510051000001", "01085130001",
           "hong@example.test", "0285130001", resident_card=ResidentCard(date(2015, 5, 5)),
           licence=Licence("119513000101", "TEST01", date(2020, 6, 1)), bank=BankAccount("004", "85130000000001"),
           address=_home(1)),
    Person("kim", "personal", "김증권", "Kim Jeung Kwon", "kim8203", "8203152000002", "01085130002",
           "kim@example.test", carrier="KT", resident_card=ResidentCard(date(2018, 3, 2)),
           licence=Licence("120213000202", "TEST02", date(2021, 7, 2)), bank=BankAccount("088", "85130000000002"),
           address=_home(2), third_phone="0285130002"),
    Person("lee", "union-head", "이조합", "Lee Jo Hap", "lee7012", "7012241000003", "01085130003", "lee@example.test",
           "0285130003", "가온우리사주조합", carrier="LGU", resident_card=ResidentCard(date(2012, 12, 3)),
           licence=Licence("139013000303", "TEST03", date(2019, 8, 3)), bank=BankAccount("020", "85130000000003"),
           address=_home(3)),
    Person("gaon", "corporate", "(주)가온", "Gaon Inc", "gaon2026", "0000000015", "01085130004", "gaon@example.test",
           "0285130004"),
    Person("alex", "personal", "Alex Sample", "Alex Sample", "alex9001", "9001015000005", "01085130005",
           "alex@example.test", carrier="KT", licence=Licence("111013000505", "TEST05", date(2022, 10, 5)),
           bank=BankAccount("081", "85130000000005"), address=_home(5)),
    # A foreigner's number of the 2000s, and a long Latin name.
    Person("mia", "personal", "Alexandra Mia Test", "Alexandra Mia Test", "mia0203", "0203048000006",
           "01085130006", "mia@example.test", carrier="LGU", licence=Licence("112113000606", "TEST06",
           date(2023, 11, 6)), bank=BankAccount("003", "85130000000006"), address=_home(6)),
    # A number of after October 2020: its last digit is no check digit.
    Person("choi", "personal", "최새번호", "Choi Sae Beon Ho", "choi9611", "9611252000007", "01085130007",
           "choi@example.test", "0285130007", carrier="SKT", resident_card=ResidentCard(date(2021, 1, 7)),
           licence=Licence("111613000707", "TEST07", date(2021, 1, 7)), bank=BankAccount("090", "85130000000007"),
           address=_home(7)),
    # A reseller's telephone, and none at home.
    Person("jung", "personal", "정알뜰", "Jung Al Tteul", "jung8807", "8807151000008", "01085130008",
           "jung@example.test", carrier="SKT_MVNO", resident_card=ResidentCard(date(2016, 8, 8)),
           licence=Licence("260813000808", "TEST08", date(2024, 1, 8)), bank=BankAccount("011", "85130000000008"),
           address=_home(8)),
    # A long Korean name.
    Person("han", "personal", "한빛나라가온누리아", "Han Bitnaragaonnuria", "hanb7909", "7909092000009",
           "01085130009", "han@example.test", carrier="LGU_MVNO", resident_card=ResidentCard(date(2010, 9, 9)),
           licence=Licence("119913000909", "TEST09", date(2020, 9, 9)), bank=BankAccount("045", "85130000000009"),
           address=_home(9)),
)  # fmt: skip


FURTHER_HEADS: Final = {"lee": ("kim",)}
"""Who else is a head of somebody's union, where the center gives several a place (INGAM_UNION_HEADS)."""


@dataclass(frozen=True, slots=True)
class FurtherHead:
    """A person of the demo at another one's account. `slot`: 2 is the second head of the union."""

    union: Person
    slot: int
    person: Person


def further_heads(places: int) -> list[FurtherHead]:
    """Every further head who has a place where so many of one union register (INGAM_UNION_HEADS)."""
    return [
        FurtherHead(person(union), slot, person(key))
        for union, keys in FURTHER_HEADS.items()
        for slot, key in enumerate(keys, start=2)
        if slot <= places
    ]


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
            "third_phone": one.third_phone,
            "email": one.email,
            "union_name": one.union_name,
        }
        for one in PEOPLE
    ]
