"""What both ends post, as typed commands. The secret digits of a number are nowhere among them."""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from ingam.center.additional_auth import forms as factor_forms
from ingam.center.additional_auth.forms import FactorFormRefused
from ingam.customer.additional_auth import Method
from ingam.customer.additional_auth.medium import Held
from ingam.customer.additional_auth.service import Typed
from ingam.kernel.errors import Refusal
from ingam.ports.customers import Phone

ID: Final = re.compile(r"[0-9a-f]{32}")
HASH: Final = re.compile(r"[0-9a-f]{64}")
MAILBOX: Final = re.compile(r"[0-9]{5}")
SIGNED_MAX: Final = 48 * 1024

Fields = Mapping[str, str]


class FormRefused(Refusal):
    """A field is missing or has another form; a page of ours never sends such."""

    code = "bad-request"


class CodeIncomplete(Refusal):
    """The code of an SMS is six digits."""

    code = "copy-code-incomplete"


class BranchNumberIncomplete(Refusal):
    """A branch's number is eight digits."""

    code = "copy-branch-incomplete"


@dataclass(frozen=True, slots=True)
class Presented:
    """What the vault signed."""

    nonce: str
    signed: bytes = field(repr=False)


def identifier(fields: Fields, name: str) -> str:
    """32 lower hex: a receiver or a ticket. Raises FormRefused."""
    return _matched(fields, name, ID)


def fingerprint(fields: Fields) -> str:
    """SHA-256 of a certificate. Raises FormRefused."""
    return _matched(fields, "fingerprint", HASH)


def mailbox(fields: Fields) -> str:
    """Five digits. Raises FormRefused; twelve never get further than this."""
    return _matched(fields, "mailbox", MAILBOX)


def asked(fields: Fields) -> tuple[Method, Phone]:
    """The way of ② and the number that is called; none said is SMS. Raises FormRefused."""
    try:
        return factor_forms.requested({"method": str(Method.SMS), **fields})
    except FactorFormRefused:
        raise FormRefused from None


def answered(fields: Fields) -> Typed:
    """What was typed at ②. Raises CodeIncomplete, BranchNumberIncomplete, FormRefused."""
    try:
        known = {"method": str(Method.SMS), **fields}
        return factor_forms.answered(known, number_missing=0, held=Held(), beside=False)
    except FactorFormRefused as refused:
        if "code" in refused.errors:
            raise CodeIncomplete from None
        raise (BranchNumberIncomplete if "branch" in refused.errors else FormRefused)() from None


def presented(fields: Fields) -> Presented:
    """The signed challenge. Raises FormRefused."""
    signed = fields.get("signed", "")
    if not 0 < len(signed) <= SIGNED_MAX:
        raise FormRefused
    try:
        return Presented(_matched(fields, "nonce", HASH), base64.b64decode(signed, validate=True))
    except ValueError:  # no base64, or no ASCII
        raise FormRefused from None


def _matched(fields: Fields, name: str, pattern: re.Pattern[str]) -> str:
    value = fields.get(name, "")
    if not pattern.fullmatch(value):
        raise FormRefused
    return value
