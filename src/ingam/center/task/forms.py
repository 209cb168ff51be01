"""What the forms of every task bring: which screen was answered, what signed; and what is wrong with a field."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from typing import Final, TypeAlias

from ingam.center.walks import Turn
from ingam.customer.device.acts import By, Signed
from ingam.customer.device.keys import KeyUnknown, read_answer
from ingam.kernel.errors import Refusal

Fields: TypeAlias = Mapping[str, str]

NONCE: Final = re.compile(r"[0-9a-f]{64}")
SIGNED_MOST: Final = 48 * 1024


class FormRefused(Refusal):
    """Fields that need attention: `errors` maps a field's name to the key of its text."""

    code = "form-refused"

    def __init__(self, errors: Mapping[str, str]) -> None:
        super().__init__()
        self.errors = errors


def turn_of(fields: Fields) -> Turn:
    """Which screen was answered; a form without it answers none."""
    return Turn(_small(fields.get("run", "")), _small(fields.get("version", "")))


def by(form: Fields) -> By:
    """What signs. Raises KeyUnknown."""
    text = form.get("by", "")
    if text not in list(By):
        raise KeyUnknown
    return By(text)


def signature(form: Fields) -> Signed:
    """The signature of a key of the person. Raises FormRefused where the script or the window left none."""
    chosen = by(form)
    if chosen is not By.CERTIFICATE:
        if not form.get("device_answer"):
            raise FormRefused({"form": "protection.need_signature"})
        return Signed(chosen, read_answer(form["device_answer"]))
    nonce, text = form.get("nonce", ""), form.get("signed", "")
    if not NONCE.fullmatch(nonce) or not text or len(text) > SIGNED_MOST:
        raise FormRefused({"form": "protection.need_signature"})
    try:
        return Signed(chosen, None, nonce, base64.b64decode(text, validate=True))
    except (binascii.Error, ValueError):
        raise FormRefused({"form": "protection.need_signature"}) from None


def signed(form: Fields) -> Signed | None:
    """The same, or None of whoever goes on without a key. Raises FormRefused, KeyUnknown."""
    return signature(form) if form.get("by") else None


def _small(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else -1
