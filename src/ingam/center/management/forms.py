"""What the forms of 인증서관리 bring."""

from __future__ import annotations

import base64
import binascii
import re
from typing import Final

from ingam.center.management.flow import Kind, Reason
from ingam.center.task.flow import Task
from ingam.center.task.forms import Fields, FormRefused
from ingam.customer.device.acts import By, Signed
from ingam.customer.device.keys import KeyUnknown, read_answer

ID: Final = re.compile(r"[0-9a-f]{32}")
FINGERPRINT: Final = re.compile(r"[0-9a-f]{64}")
NONCE: Final = re.compile(r"[0-9a-f]{64}")
SIGNED_MAX: Final = 48 * 1024


def task(form: Fields) -> Task:
    """What is to be done, and to which certificate. Raises KeyUnknown for what no page of ours offers, FormRefused."""
    kind, binding, reason = form.get("kind", ""), form.get("binding", ""), form.get("reason", "")
    fingerprint = form.get("certificate", "") if kind == Kind.REVOCATION else ""
    if kind not in list(Kind) or not (ID.fullmatch(binding) or FINGERPRINT.fullmatch(fingerprint)):
        raise KeyUnknown
    if kind != Kind.REVOCATION:
        return Task(kind, binding)
    if reason not in list(Reason):
        raise FormRefused({"reason": "life.need_reason"})
    return Task(kind, f"{binding or fingerprint}:{reason}")


def by(form: Fields) -> By:
    """What signs. Raises KeyUnknown."""
    text = form.get("by", "")
    if text not in list(By):
        raise KeyUnknown
    return By(text)


def signed(form: Fields) -> Signed | None:
    """The signature of a key of the person; None of whoever goes on without. Raises FormRefused, KeyUnknown."""
    if not form.get("by"):
        return None
    chosen = by(form)
    if chosen is not By.CERTIFICATE:
        if not form.get("device_answer"):
            raise FormRefused({"form": "protection.need_signature"})
        return Signed(chosen, read_answer(form["device_answer"]))
    nonce, text = form.get("nonce", ""), form.get("signed", "")
    if not NONCE.fullmatch(nonce) or not text or len(text) > SIGNED_MAX:
        raise FormRefused({"form": "protection.need_signature"})
    try:
        return Signed(chosen, None, nonce, base64.b64decode(text, validate=True))
    except (binascii.Error, ValueError):
        raise FormRefused({"form": "protection.need_signature"}) from None
