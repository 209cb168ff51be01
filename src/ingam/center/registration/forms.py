"""What the four screens post, as typed commands; rules of flows.md "Field rules". Nothing secret is kept or echoed."""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass, field
from datetime import date
from typing import Final

from ingam.center.task.forms import NONCE, Fields, FormRefused
from ingam.customer.person import birth_date
from ingam.kernel.secret import Secret

BANKING_ID: Final = re.compile(r"[A-Za-z0-9]{6,20}", re.ASCII)
PASSWORD_MAX: Final = 128
SIGNED_MAX: Final = 48 * 1024
_SEPARATORS: Final = re.compile(r"[\s-]")
_BUSINESS_WEIGHTS: Final = (1, 3, 7, 1, 3, 7, 1, 3, 5)


@dataclass(frozen=True, slots=True)
class Identify:
    """①: ID, password and registered number (13 or 10 digits)."""

    banking_id: str = field(repr=False)
    password: Secret[str]
    idn: Secret[str]


@dataclass(frozen=True, slots=True)
class Presented:
    """③: what the certificate window filled in."""

    nonce: str
    signed: bytes = field(repr=False)
    sealed: bytes | None = field(repr=False)


def identify(fields: Fields, today: date, *, corporate: bool = False) -> Identify:
    """Raises FormRefused. `today` in Korea bounds the birth date; `corporate`: the account is a company's."""
    banking_id, password = fields.get("banking_id", "").strip(), fields.get("password", "")
    number = digits(fields.get("idn", ""))
    errors = {}
    if not BANKING_ID.fullmatch(banking_id):
        errors["banking_id"] = "registration.need_banking_id"
    if not 1 <= len(password) <= PASSWORD_MAX:
        errors["password"] = "registration.need_password"
    wrong = number_error(number, today)
    if wrong is not None:
        errors["idn"] = "registration.business_number" if corporate else wrong
    if errors:
        raise FormRefused(errors)
    return Identify(banking_id, Secret(password), Secret(number))


def presented(fields: Fields) -> Presented:
    """Raises FormRefused when the window filled in nothing or no base64: no certificate was chosen."""
    nonce, signed, sealed = fields.get("nonce", ""), fields.get("signed", ""), fields.get("sealed", "")
    if not NONCE.fullmatch(nonce) or not 0 < len(signed) <= SIGNED_MAX or len(sealed) > SIGNED_MAX:
        raise FormRefused({"certificate": "registration.need_certificate"})
    try:
        decoded = base64.b64decode(signed, validate=True)
        blob = base64.b64decode(sealed, validate=True) if sealed else None
    except ValueError:  # no base64, or no ASCII
        raise FormRefused({"certificate": "registration.need_certificate"}) from None
    return Presented(nonce, decoded, blob)


def digits(text: str) -> str:
    """What was typed or pasted without spaces and hyphens."""
    return _SEPARATORS.sub("", text)


def number_error(number: str, today: date) -> str | None:
    """The key of what is wrong with a 주민등록번호 (13 digits) or 사업자등록번호 (10), or None."""
    if not (number.isascii() and number.isdigit()) or len(number) not in (10, 13):
        return "registration.rrn_digits"
    if len(number) == 10:
        return None if _business_checks(number) else "registration.business_number"
    born = birth_date(number)
    return None if born is not None and born <= today else "registration.rrn_date"


def _business_checks(number: str) -> bool:
    """The check digit of a 사업자등록번호; the ninth weighted digit gives its tens as well."""
    weighed = [int(digit) * weight for digit, weight in zip(number, _BUSINESS_WEIGHTS, strict=False)]
    total = sum(weighed) + weighed[8] // 10
    return (10 - total % 10) % 10 == int(number[9])
