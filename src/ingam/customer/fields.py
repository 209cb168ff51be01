"""The field rules of flows.md: one table for server and browser, which says the same of every text on both sides.

A text is folded (what an input method or a paste adds is taken away), measured, matched, and checked. The table goes to
the browser as JSON (scripts/fields_json.py); its twin is browser/src/pure/fields.ts. Patterns are written in what
Python's and JavaScript's expressions have in common, lengths count code points, spaces and hyphens are listed here.

Full-width digits and letters are folded: Korean input methods write them. Digits of other scripts are refused.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import date
from typing import Final, NamedTuple

from ingam.customer.person import birth_date
from ingam.kernel.secret import Secret
from ingam.kernel.words import say

RAW_MOST: Final = 400
"""Code points of a text that is looked at at all."""

SPACES: Final = (
    "\t\n\v\f\r \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u200b"
    "\u2028\u2029\u202f\u205f\u3000\ufeff"
)
HYPHENS: Final = "\xad\u2010\u2011\u2012\u2013\u2014\u2015\u2212\ufe58\ufe63\uff0d"

REGIONS: Final[Mapping[str, str]] = {
    "경기북부": "28", "서울": "11", "부산": "12", "경기": "13", "강원": "14", "충북": "15", "충남": "16", "전북": "17",
    "전남": "18", "경북": "19", "경남": "20", "제주": "21", "대구": "22", "인천": "23", "광주": "24", "대전": "25",
    "울산": "26",
}  # fmt: skip
"""How older licences print their first two digits (facts.md §7); a longer name stands before a shorter one."""

CERT_PASSWORD: Final = (
    "cert-password-ascii",
    "cert-password-length",
    "cert-password-kinds",
    "cert-password-forbidden",
    "cert-password-sequence",
)
"""The parts of M-PW-01…03, for a checklist; `npki.cert_password` and its twin decide, in the vault alone (B3)."""

_LETTER: Final = "가-힣A-Za-zÀ-ÖØ-öø-ɏḀ-ỿ"
_CONTROLS: Final = "\\u0000-\\u001f\\u007f-\\u009f\\u2028-\\u202e\\u2066-\\u2069"
_LOCAL: Final = "[A-Za-z0-9!#$%&'*+/=?^_`{|}~\\-]+(?:\\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~\\-]+)*"
_LABEL: Final = "[A-Za-z0-9](?:[A-Za-z0-9\\-]{0,61}[A-Za-z0-9])?"
_DOMAIN: Final = f"(?:{_LABEL}\\.)+[A-Za-z](?:[A-Za-z0-9\\-]{{0,61}}[A-Za-z0-9])"

NUMBER: Final = ("nfc", "width", "separators")
LINE: Final = ("nfc", "width", "spaces")
DAY: Final = ("nfc", "width", "day")


@dataclass(frozen=True, slots=True)
class Check:
    """What no pattern can say. `error` is a key of the words; a warning does not refuse."""

    name: str
    error: str
    warns: bool = False


@dataclass(frozen=True, slots=True)
class Rule:
    """One field. `words` are whole texts that stand for a value; `since` bounds a day, YYYYMMDD."""

    pattern: str
    error: str
    folds: tuple[str, ...] = NUMBER
    least: int = 1
    most: int = 20
    checks: tuple[Check, ...] = ()
    words: Mapping[str, str] = field(default_factory=dict)
    since: str = ""


def _digits(count: str, error: str, *checks: Check) -> Rule:
    return Rule(f"[0-9]{{{count}}}", error, checks=checks)


RULES: Final[Mapping[str, Rule]] = {
    "banking_id": Rule("[A-Za-z0-9]{6,20}", "banking_id", ("width", "trim")),
    "banking_password": Rule("[\\s\\S]*", "banking_password", (), 8, 20),
    # Twenty would do for Koreans; foreigners' registered names are longer.
    "person_name": Rule(f"[{_LETTER}](?:[ .\\-]*[{_LETTER}])+\\.?", "person_name", LINE, 2, 40),
    "rrn": _digits("13", "rrn_digits", Check("rrn", "rrn_date")),
    "rrn_front": _digits("7", "rrn_front", Check("rrn", "rrn_date")),
    "rrn_back": _digits("7", "rrn_back"),
    "business_reg_no": _digits("10", "business_number", Check("business", "business_number")),
    "corp_reg_no": _digits("13", "corp_number", Check("corp", "corp_check", warns=True)),
    "mobile": Rule("01[016789][0-9]{7,8}", "mobile", (*NUMBER, "korea")),
    "home_phone": Rule(
        "0(?:2|1[016789]|[3-6][1-5]|70|505)[0-9]{7,8}", "home_phone", (*NUMBER, "korea"),
        words={"없음": "", "none": ""},
    ),
    "phone_last4": _digits("4", "phone_last4"),
    "email": Rule(f"(?=[^@]{{1,64}}@){_LOCAL}@{_DOMAIN}", "email", ("width", "trim", "domain"), 6, 254),
    "email_local": Rule(_LOCAL, "email_local", ("width", "trim"), 1, 64),
    "email_domain": Rule(_DOMAIN, "email_domain", ("width", "trim", "lower"), 4, 253),
    "zip5": _digits("5", "zip5"),
    "road_address": Rule(f"[^{_CONTROLS}<>]+", "road_address", ("nfc", "spaces"), 2, 200),
    "address_detail": Rule(f"[^{_CONTROLS}<>]*", "address_detail", ("nfc", "spaces"), 0, 100),
    "address_keyword": Rule(f"[^{_CONTROLS}<>%=]+", "address_keyword", LINE, 2, 80),
    "bank_code": _digits("3", "bank_code"),
    "account_no": _digits("6,16", "account_no"),
    "sms_code": _digits("6", "sms_code"),
    "ars_code": _digits("2", "ars_code"),
    "branch_otp": _digits("8", "branch_otp"),
    "onewon_code": _digits("4", "onewon_code"),
    "copy_number": _digits("12", "copy_number"),
    "license_no": Rule("[0-9]{12}", "license_no", (*NUMBER, "region")),
    "license_serial": Rule("[A-Z0-9]{5,6}", "license_serial", (*NUMBER, "upper")),
    # The cards of plastic: the first were given out in 1999.
    "issued_on": Rule("[0-9]{8}", "issued_on", DAY, checks=(Check("day", "issued_on_date"),), since="19990101"),
    "birth_date": Rule("[0-9]{8}", "birth_date", DAY, checks=(Check("day", "birth_date_date"),), since="18000101"),
    "device_alias": Rule(f"[^{_CONTROLS}<>]+", "device_alias", LINE, 1, 20),
}  # fmt: skip


class Verdict(NamedTuple):
    """`value`: canonical, "" where refused. `error` and `warning`: keys below `fields.`, or None."""

    value: str
    error: str | None = None
    warning: str | None = None


def check(rule: str, text: str, today: date) -> Verdict:
    """What the table says of a text. `today` in Korea bounds days. KeyError for a rule that there is not."""
    told = RULES[rule]
    if len(text) > RAW_MOST:
        return Verdict("", told.error)
    word = told.words.get(_trim(_nfc(text)).lower()) if told.words else None
    if word is not None:
        return Verdict(word)
    value = text
    for fold in told.folds:
        value = FOLDS[fold](value)
    if not told.least <= len(value) <= told.most or not re.fullmatch(told.pattern, value):
        return Verdict("", told.error)
    warning = None
    for one in told.checks:
        if CHECKS[one.name](value, told, today):
            continue
        if not one.warns:
            return Verdict("", one.error)
        warning = one.error
    return Verdict(value, None, warning)


class Reading:
    """Reads the fields of a form by their rules; `errors` maps a field to the key of its text.

    An answer of a wrong field is "" (`date.min` for a day): look at `errors` first.
    """

    def __init__(self, fields: Mapping[str, str], today: date) -> None:
        self._fields = fields
        self._today = today
        self.errors: dict[str, str] = {}

    def text(self, name: str, rule: str | None = None, *, optional: bool = False) -> str:
        """The canonical text; an optional field may be empty. `rule`: the field's name unless given."""
        raw = self._fields.get(name, "")
        if optional and not _trim(raw):
            return ""
        found = check(rule or name, raw, self._today)
        if found.error is not None:
            self.errors[name] = f"fields.{found.error}"
        return found.value

    def secret(self, name: str, rule: str | None = None, *, optional: bool = False) -> Secret[str]:
        """The same of something that must not print."""
        return Secret(self.text(name, rule, optional=optional))

    def day(self, name: str, rule: str | None = None) -> date:
        """A day."""
        told = self.text(name, rule)
        return _day(told) or date.min


def said(rule: str, lang: str) -> dict[str, str]:
    """Attributes of an input that is checked while it is filled in: the rule, and the text of each of its errors."""
    told = RULES[rule]
    keys = dict.fromkeys([told.error, *(one.error for one in told.checks)])
    texts = {f"data-said-{key.replace('_', '-')}": say(f"fields.{key}", lang) for key in keys}
    return {"data-field": rule} | texts


def table() -> str:
    """The table for the browser, JSON."""
    told = {
        "raw_most": RAW_MOST,
        "spaces": SPACES,
        "hyphens": HYPHENS,
        "regions": dict(REGIONS),
        "cert_password": list(CERT_PASSWORD),
        "rules": {name: asdict(rule) for name, rule in RULES.items()},
    }
    return json.dumps(told, ensure_ascii=True, indent=1) + "\n"


# -- folds: text → text ------------------------------------------------------------------------------------------------

_WIDE: Final = (
    {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)} | {0x3000: 0x20} | dict.fromkeys(map(ord, HYPHENS), 0x2D)
)
_SPACE_RUN: Final = re.compile(f"[{SPACES}]+")
_SEPARATORS: Final = dict.fromkeys(map(ord, SPACES + "-"))
_UPPER: Final = {code: code - 32 for code in range(97, 123)}
_LOWER: Final = {code: code + 32 for code in range(65, 91)}
_WRITTEN_DAY: Final = re.compile(r"([0-9]{4})[ .\-/년]+([0-9]{1,2})[ .\-/월]+([0-9]{1,2})[ .\-/일]*")


def _nfc(text: str) -> str:
    return unicodedata.normalize("NFC", text)


def _trim(text: str) -> str:
    return text.strip(SPACES)


def _spaces(text: str) -> str:
    return _trim(_SPACE_RUN.sub(" ", text))


def _korea(text: str) -> str:
    """`+82 10 …` as telephones keep their own number."""
    return "0" + text[3:].removeprefix("0") if text.startswith("+82") else text


def _region(text: str) -> str:
    for name, number in REGIONS.items():
        if text.startswith(name):
            return number + text.removeprefix(name)
    return text


def _eight(text: str) -> str:
    """2019. 3. 12. and 2019년 3월 12일 as 20190312."""
    found = _WRITTEN_DAY.fullmatch(_spaces(text))
    return f"{found[1]}{found[2]:0>2}{found[3]:0>2}" if found else _spaces(text)


def _domain(text: str) -> str:
    local, at, domain = text.rpartition("@")
    return f"{local}{at}{domain.translate(_LOWER)}"


FOLDS: Final[Mapping[str, Callable[[str], str]]] = {
    "nfc": _nfc,
    "width": lambda text: text.translate(_WIDE),
    "trim": _trim,
    "spaces": _spaces,
    "separators": lambda text: text.translate(_SEPARATORS),
    "upper": lambda text: text.translate(_UPPER),
    "lower": lambda text: text.translate(_LOWER),
    "korea": _korea,
    "region": _region,
    "day": _eight,
    "domain": _domain,
}

# -- checks: whether a text of the right form is right ----------------------------------------------------------------

_BUSINESS_WEIGHTS: Final = (1, 3, 7, 1, 3, 7, 1, 3, 5)


def _born(value: str, _rule: Rule, today: date) -> bool:
    """A real day with the century of the seventh digit, not to come; no checksum (numbers since 2020-10 have none)."""
    born = birth_date(value)
    return born is not None and born <= today


def _within(value: str, rule: Rule, today: date) -> bool:
    day = _day(value)
    return day is not None and value >= rule.since and day <= today


def _day(value: str) -> date | None:
    try:
        return date(int(value[:4]), int(value[4:6]), int(value[6:8]))
    except ValueError:
        return None


def _business(value: str, _rule: Rule, _today: date) -> bool:
    """The check digit; the ninth weighted digit gives its tens as well."""
    weighed = [int(digit) * weight for digit, weight in zip(value, _BUSINESS_WEIGHTS, strict=False)]
    return (10 - (sum(weighed) + weighed[8] // 10) % 10) % 10 == int(value[9])


def _corp(value: str, _rule: Rule, _today: date) -> bool:
    weighed = [int(digit) * (1 + at % 2) for at, digit in enumerate(value[:12])]
    return (10 - sum(weighed) % 10) % 10 == int(value[12])


CHECKS: Final[Mapping[str, Callable[[str, Rule, date], bool]]] = {
    "rrn": _born,
    "day": _within,
    "business": _business,
    "corp": _corp,
}
