"""Comparing people: names as different parties write them, and what a 주민등록번호 says of its holder (facts.md §7)."""

from __future__ import annotations

import unicodedata
from datetime import date
from typing import Final

from ingam.kernel.secret import Secret
from ingam.kernel.words import BUSINESS, RESIDENT

RESIDENT_DIGITS: Final = 13
_CENTURIES: Final = {"9": 1800, "0": 1800, "1": 1900, "2": 1900, "5": 1900, "6": 1900}


def same_name(one: str, other: str) -> bool:
    """Compared in NFC without spaces; Latin letters whatever their case, as carriers and banks write them."""
    return _flat(one) == _flat(other) != ""


def _flat(name: str) -> str:
    return "".join(unicodedata.normalize("NFC", name).split()).casefold()


def birth_date(number: str) -> date | None:
    """The day of a 13-digit number with the century of its seventh digit; None for a day that never was.

    No checksum is asked for: numbers given out since October 2020 have none.
    """
    century = _CENTURIES.get(number[6], 2000)
    try:
        return date(century + int(number[:2]), int(number[2:4]), int(number[4:6]))
    except ValueError:
        return None


def is_foreign(number: str) -> bool:
    """Whether a 13-digit number is a foreigner's: its seventh digit is 5 to 8."""
    return number[6:7] in {"5", "6", "7", "8"}


def number_named(number: Secret[str]) -> str:
    """The fact `named` of a refusal that speaks of a customer's number: 주민등록번호, or a company's 사업자등록번호."""
    return RESIDENT if len(number) == RESIDENT_DIGITS else BUSINESS
