"""What ② posts, as typed commands; rules of flows.md "Field rules". Nothing secret is kept or echoed."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from ingam.customer.additional_auth import Method
from ingam.customer.additional_auth.medium import CardTyped, Held, MediumTyped, NoMediumTyped, OtpTyped
from ingam.customer.additional_auth.service import Typed
from ingam.kernel.errors import Refusal
from ingam.kernel.secret import Secret
from ingam.ports.cards import NUMBERS, Asked
from ingam.ports.customers import Phone

SMS_CODE: Final = re.compile(r"[0-9]{6}")
BRANCH_CODE: Final = re.compile(r"[0-9]{8}")
OTP_CODE: Final = re.compile(r"[0-9]{6}")
PHONE_BACK: Final = re.compile(r"[0-9]{4}")
CARD_HALF: Final = re.compile(r"[0-9]{2}")
_ASKED: Final = re.compile(r"([0-9]{1,2})-([0-9]{1,2})", re.ASCII)
_SEPARATORS: Final = re.compile(r"[\s-]")

Fields = Mapping[str, str]


class FactorFormRefused(Refusal):
    """Fields that need attention: `errors` maps a field's name to the key of its text."""

    code = "form-refused"

    def __init__(self, errors: Mapping[str, str]) -> None:
        super().__init__()
        self.errors = errors


def requested(fields: Fields) -> tuple[Method, Phone]:
    """What is asked for, and the number that is called. Raises FactorFormRefused."""
    chosen = method(fields)
    if chosen is None or chosen is Method.BRANCH_OTP:
        raise FactorFormRefused({"method": "factor.need_method"})
    to = fields.get("to", "")
    return chosen, Phone(to) if to in list(Phone) else Phone.MOBILE


def answered(fields: Fields, *, number_missing: int, held: Held, beside: bool) -> Typed:
    """The answer. `number_missing`: how many digits of the registered number are asked for; `held`: a medium whose code
    is asked for instead; `beside` False: neither is. Raises FactorFormRefused."""
    errors: dict[str, str] = {}
    chosen = method(fields)
    code = Secret("")
    if chosen is None:
        errors["method"] = "factor.need_method"
    elif chosen is Method.SMS and "code" not in fields:
        errors["code"] = "factor.need_request"  # the page has no such field before a code was asked for
    elif chosen is Method.SMS:
        code = _code(fields, "code", SMS_CODE, errors)
    elif chosen is Method.BRANCH_OTP:
        code = _code(fields, "branch", BRANCH_CODE, errors)
    medium = _medium(fields, number_missing, held, errors) if beside else None
    if errors or chosen is None:
        raise FactorFormRefused(errors)
    return Typed(chosen, code, medium)


def medium(fields: Fields, *, number_missing: int, held: Held) -> MediumTyped:
    """What is asked beside it, alone: on a designated device. Raises FactorFormRefused."""
    errors: dict[str, str] = {}
    found = _medium(fields, number_missing, held, errors)
    if errors:
        raise FactorFormRefused(errors)
    return found


def method(fields: Fields) -> Method | None:
    """The way, if it is one."""
    text = fields.get("method", "")
    return Method(text) if text in list(Method) else None


def digits(text: str) -> str:
    """What was typed or pasted without spaces and hyphens."""
    return _SEPARATORS.sub("", text)


def _medium(fields: Fields, number_missing: int, held: Held, errors: dict[str, str]) -> MediumTyped:
    if held.token:
        return OtpTyped(_code(fields, "otp", OTP_CODE, errors))
    if held.card is not None:
        halves = [_code(fields, name, CARD_HALF, errors).reveal() for name in ("card_first", "card_second")]
        return CardTyped(_asked(fields.get("card_asked", "")), Secret("".join(halves)))
    number = digits(fields.get("number_back", ""))
    if not (number.isascii() and number.isdigit() and len(number) == number_missing):
        errors["number_back"] = "factor.need_number_back"
    return NoMediumTyped(Secret(number), _code(fields, "phone_back", PHONE_BACK, errors))


def _asked(text: str) -> Asked:
    """Which numbers the page asked for; of anything else it is a question that nobody asks."""
    found = _ASKED.fullmatch(text)
    places = [int(one) for one in found.groups()] if found else [0, 0]
    return Asked(*places) if all(1 <= one <= NUMBERS for one in places) else Asked(0, 0)


def _code(fields: Fields, name: str, pattern: re.Pattern[str], errors: dict[str, str]) -> Secret[str]:
    typed = digits(fields.get(name, ""))
    if not pattern.fullmatch(typed):
        errors[name] = f"factor.need_{name}"
    return Secret(typed)
