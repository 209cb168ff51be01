"""What the form of 대출신청 brings, from text to types."""

from __future__ import annotations

import base64
import binascii
import re
from datetime import date
from typing import Final

from ingam.center.loan.application import KINDS, LEAST, MONTHS, MOST, Application
from ingam.center.task.forms import Fields, FormRefused
from ingam.customer import fields as rules

NAMES: Final = ("kind", "amount", "months", "account")
SIGNED_MOST: Final = 48 * 1024
NUMBER_MOST: Final = 120
_NONCE: Final = re.compile(r"[0-9a-f]{64}")
_AMOUNT: Final = re.compile(r"[0-9]{1,6}")


def typed(form: Fields) -> dict[str, str]:
    """What was typed, for the form that is shown again."""
    return {name: form.get(name, "")[:40] for name in NAMES}


def application(form: Fields, today: date) -> Application:
    """The application. Raises FormRefused."""
    errors: dict[str, str] = {}
    kind, months = form.get("kind", ""), form.get("months", "")
    if kind not in KINDS:
        errors["kind"] = "loan.wrong_kind"
    amount = _amount(form.get("amount", ""))
    if amount is None:
        errors["amount"] = "loan.wrong_amount"
    if months not in [str(one) for one in MONTHS]:
        errors["months"] = "loan.wrong_months"
    account = rules.check("account_no", form.get("account", ""), today)
    if account.error is not None:
        errors["account"] = f"fields.{account.error}"
    if errors or amount is None:
        raise FormRefused(errors)
    return Application(kind, amount, int(months), account.value)


def number(form: Fields) -> str:
    """The number that the page was given, with what shows that it was."""
    return form.get("number", "")[:NUMBER_MOST]


def signature(form: Fields) -> tuple[str, bytes]:
    """Nonce and CMS of the certificate window. Raises FormRefused where it left none."""
    nonce, text = form.get("nonce", ""), form.get("signed", "")
    try:
        signed = base64.b64decode(text, validate=True) if 0 < len(text) <= SIGNED_MOST else b""
    except (binascii.Error, ValueError):
        signed = b""
    if not _NONCE.fullmatch(nonce) or not signed:
        raise FormRefused({"form": "loan.need_signature"})
    return nonce, signed


def _amount(text: str) -> int | None:
    folded = text[:40]
    for fold in ("nfc", "width", "separators"):
        folded = rules.FOLDS[fold](folded)
    folded = folded.replace(",", "")
    if not _AMOUNT.fullmatch(folded) or not LEAST <= int(folded) <= MOST:
        return None
    return int(folded)
