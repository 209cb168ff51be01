"""What the six screens post, as typed commands; the rules are those of `customer.fields`. Nothing secret is echoed."""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Final, TypeVar

from ingam.center.task.forms import NONCE, Fields, FormRefused
from ingam.customer.consent import FIELD, Ticked, ticked
from ingam.customer.fields import Reading
from ingam.kernel.secret import Secret
from ingam.ports.card_reader import CardKind
from ingam.ports.phone_identity import Carrier, Method

PASSWORD_MOST: Final = 128
SIGNED_MOST: Final = 48 * 1024
PAGE_MOST: Final = 100
SURE: Final = 0.8
"""A reading of a card that is less sure is pointed out, so that the person looks."""

_ECHOED: Final = frozenset(
    ("name", "mobile", "carrier", "method", "kind", "issued_on", "licence_number", "licence_serial", "birth_date",
     "number_front", "bank_code", "email_local", "email_domain", "home_phone", "home_phone_none", "zip5", "road",
     "detail", "product")
)  # fmt: skip
_E = TypeVar("_E", bound=StrEnum)


@dataclass(frozen=True, slots=True)
class Name:
    """① [실명확인]."""

    consents: Ticked
    name: str = field(repr=False)
    idn: Secret[str]


@dataclass(frozen=True, slots=True)
class Phone:
    """① 휴대폰본인인증. `mobile`: digits."""

    consents: Ticked
    mobile: str = field(repr=False)
    carrier: Carrier
    method: Method


@dataclass(frozen=True, slots=True)
class Presented:
    """① 공동인증서 인증: what the certificate window filled in."""

    nonce: str
    signed: bytes = field(repr=False)
    sealed: bytes | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class Card:
    """② [확인]: the fields as the person left them; those of the other kind are empty.

    `number_front`: the first seven digits of a 주민등록번호; `licence_number`: 12 digits; `licence_serial`: or "".
    """

    consents: Ticked
    kind: CardKind
    name: str = field(repr=False)
    number_front: str = field(repr=False)
    issued_on: date | None = field(repr=False)
    birth_date: date | None = field(repr=False)
    licence_number: str = field(repr=False)
    licence_serial: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Account:
    """③ [인증요청]. `account`: 6 to 16 digits."""

    consents: Ticked
    bank_code: str
    account: Secret[str]


@dataclass(frozen=True, slots=True)
class Details:
    """④. `home_phone`: digits, "" is 없음."""

    email: str = field(repr=False)
    home_phone: str = field(repr=False)
    mobile: str = field(repr=False)
    zip5: str = field(repr=False)
    road: str = field(repr=False)
    detail: str = field(repr=False)


def password(fields: Fields) -> Secret[str]:
    """The banking password, never trimmed. Raises FormRefused."""
    typed = fields.get("password", "")
    if not 1 <= len(typed) <= PASSWORD_MOST:
        raise FormRefused({"password": "registration.need_password"})
    return Secret(typed)


def name(fields: Fields, today: date) -> Name:
    """Raises FormRefused."""
    form = Reading(fields, today)
    said, number = form.text("name", "person_name"), form.secret("idn", "rrn")
    return _whole(form, Name(ticked(fields), said, number))


def phone(fields: Fields, today: date) -> Phone:
    """Raises FormRefused."""
    form = Reading(fields, today)
    mobile = form.text("mobile")
    carrier, method = _one(form, fields, "carrier", Carrier), _one(form, fields, "method", Method)
    return _whole(form, Phone(ticked(fields), mobile, carrier, method))


def otp(fields: Fields, today: date) -> Secret[str]:
    """Six digits; none where the person confirms in an app. Raises FormRefused."""
    form = Reading(fields, today)
    return _whole(form, form.secret("otp", "sms_code", optional=True))


def presented(fields: Fields) -> Presented:
    """Raises FormRefused when the window filled in nothing or no base64: no certificate was chosen."""
    nonce, signed, sealed = fields.get("nonce", ""), fields.get("signed", ""), fields.get("sealed", "")
    refused = FormRefused({"certificate": "issuance.need_certificate"})
    if not NONCE.fullmatch(nonce) or not 0 < len(signed) <= SIGNED_MOST or len(sealed) > SIGNED_MOST:
        raise refused
    try:
        blob = base64.b64decode(sealed, validate=True) if sealed else None
        return Presented(nonce, base64.b64decode(signed, validate=True), blob)
    except ValueError:  # binascii.Error, and what a text that is not ASCII raises
        raise refused from None


def card(fields: Fields, today: date) -> Card:
    """Raises FormRefused."""
    form = Reading(fields, today)
    kind, said = _one(form, fields, "kind", CardKind), form.text("name", "person_name")
    if kind is CardKind.LICENCE:
        found = Card(
            ticked(fields), kind, said, "", None, form.day("birth_date"), form.text("licence_number", "license_no"),
            form.text("licence_serial", "license_serial", optional=True),
        )  # fmt: skip
    else:
        front = form.text("number_front", "rrn_front")
        found = Card(ticked(fields), kind, said, front, form.day("issued_on"), None, "", "")
    return _whole(form, found)


def account(fields: Fields, today: date) -> Account:
    """Raises FormRefused."""
    form = Reading(fields, today)
    return _whole(form, Account(ticked(fields), form.text("bank_code"), form.secret("account", "account_no")))


def onewon(fields: Fields, today: date) -> Secret[str]:
    """Four digits, a leading zero kept. Raises FormRefused."""
    form = Reading(fields, today)
    return _whole(form, form.secret("code", "onewon_code"))


def keyword(fields: Fields, today: date) -> tuple[str, int]:
    """What 주소찾기 looks for, and which page of it. Raises FormRefused."""
    form = Reading(fields, today)
    text, page = form.text("keyword", "address_keyword"), fields.get("page", "1")
    number = int(page) if page.isascii() and page.isdigit() and len(page) < 4 else 1
    return _whole(form, (text, min(max(number, 1), PAGE_MOST)))


def details(fields: Fields, today: date) -> Details:
    """E-mail comes in two fields, a local part and a domain; 없음 is a box of its own. Raises FormRefused."""
    email = f"{fields.get('email_local', '').strip()}@{fields.get('email_domain', '').strip()}"
    none = fields.get("home_phone_none") == "yes"
    form = Reading({**fields, "email": email, **({"home_phone": "없음"} if none else {})}, today)
    return _whole(
        form,
        Details(
            form.text("email"), form.text("home_phone"), form.text("mobile"), form.text("zip5"),
            form.text("road", "road_address"), form.text("detail", "address_detail", optional=True),
        ),
    )  # fmt: skip


def echoed(fields: Fields) -> dict[str, str]:
    """What may stand in the form again: no password, code, whole number or account. Ticks stay with their text."""
    return {name: value[:200] for name, value in fields.items() if name in _ECHOED or name.startswith(FIELD)}


_T = TypeVar("_T")


def _whole(form: Reading, command: _T) -> _T:
    if form.errors:
        raise FormRefused(form.errors)
    return command


def _one(form: Reading, fields: Fields, name: str, kind: type[_E]) -> _E:
    """One of a list; the first stands in where none was chosen, and the form is refused."""
    text = fields.get(name, "")
    if text in {str(one) for one in kind}:
        return kind(text)
    form.errors[name] = f"issuance.choose_{name}"
    return next(iter(kind))
