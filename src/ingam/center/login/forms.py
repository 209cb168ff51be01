"""What the login forms bring, from text to types (flows.md, field rules)."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from ingam.customer.device.keys import Answer, KeyUnknown, read_answer
from ingam.kernel.secret import Secret

BANKING_ID: Final = re.compile(r"[A-Za-z0-9]{6,20}")
NONCE: Final = re.compile(r"[0-9a-f]{64}")
PASSWORD_MAX: Final = 64
SIGNED_MAX: Final = 48 * 1024


class Incomplete(Exception):  # noqa: N818 - not a failure: the page says what is missing
    """Fields that are missing or malformed: {field: key of words}."""

    def __init__(self, errors: dict[str, str]) -> None:
        self.errors = errors
        super().__init__(", ".join(errors))


@dataclass(frozen=True, slots=True)
class IdLogin:
    """아이디 로그인."""

    banking_id: str = field(repr=False)
    password: Secret[str]


@dataclass(frozen=True, slots=True)
class CertificateLogin:
    """공동인증서 로그인: the nonce that was signed, and the CMS."""

    nonce: str
    signed: bytes = field(repr=False)


def passkey_login(form: Mapping[str, object]) -> Answer:
    """Raises Incomplete where the script left nothing."""
    try:
        return read_answer(str(form.get("device_answer", "")))
    except KeyUnknown:
        raise Incomplete({"form": "login.need_passkey"}) from None


def id_login(form: Mapping[str, object]) -> IdLogin:
    """Raises Incomplete."""
    banking_id, password = str(form.get("banking_id", "")).strip(), str(form.get("password", ""))
    errors = {}
    if not banking_id:
        errors["banking_id"] = "login.need_id"
    elif not BANKING_ID.fullmatch(banking_id):
        errors["banking_id"] = "login.bad_id"
    if not password:
        errors["password"] = "login.need_password"
    if errors:
        raise Incomplete(errors)
    # Longer than any password of ours: cut short before the work, it cannot fit anyway.
    return IdLogin(banking_id, Secret(password[:PASSWORD_MAX]))


def certificate_login(form: Mapping[str, object]) -> CertificateLogin:
    """Raises Incomplete where the certificate window left nothing."""
    nonce, signed = str(form.get("nonce", "")), str(form.get("signed", ""))
    if not NONCE.fullmatch(nonce) or not signed or len(signed) > SIGNED_MAX:
        raise Incomplete({"form": "login.need_certificate"})
    try:
        return CertificateLogin(nonce, base64.b64decode(signed, validate=True))
    except (binascii.Error, ValueError):
        raise Incomplete({"form": "login.need_certificate"}) from None
