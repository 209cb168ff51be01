"""What the form of a report posts. The number is nowhere echoed and nowhere kept."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Final

from ingam.center.registration.forms import BANKING_ID, digits, number_error
from ingam.center.task.forms import Fields, FormRefused
from ingam.kernel.secret import Secret

CODE_DIGITS: Final = 6
_ID_HEX: Final = 32


class Lost(StrEnum):
    """What a report suspends. Whoever does not say it means both: that is the safe side."""

    BOTH = "both"
    JOINT = "joint"  # 공동인증서
    FINANCE = "finance"  # 금융인증서


@dataclass(frozen=True, slots=True)
class Report:
    """Whose certificate is lost: ID, and 13 or 10 digits. `telephone`: the registered one is at hand to confirm."""

    banking_id: str = field(repr=False)
    idn: Secret[str]
    telephone: bool
    which: Lost = Lost.BOTH


def report(fields: Fields, today: date) -> Report:
    """Raises FormRefused. `today` in Korea bounds the birth date."""
    banking_id, number = fields.get("banking_id", "").strip(), digits(fields.get("idn", ""))
    errors = {}
    if not BANKING_ID.fullmatch(banking_id):
        errors["banking_id"] = "registration.need_banking_id"
    wrong = number_error(number, today)
    if wrong is not None:
        errors["idn"] = wrong
    which = fields.get("which", Lost.BOTH)
    if which not in list(Lost):
        errors["which"] = "incident.need_which"
    if errors:
        raise FormRefused(errors)
    return Report(banking_id, Secret(number), fields.get("telephone") == "yes", Lost(which))


def code(fields: Fields) -> Secret[str]:
    """The number of the confirming message. Raises FormRefused."""
    typed = digits(fields.get("code", ""))
    if len(typed) != CODE_DIGITS or not (typed.isascii() and typed.isdigit()):
        raise FormRefused({"code": "factor.need_code"})
    return Secret(typed)


def report_id(text: str) -> str:
    """The id of a report, as an address or a hidden field has it; "" for what is none."""
    return text if len(text) == _ID_HEX and text.isascii() and text.isalnum() else ""
