"""What the forms of 인증서관리 bring."""

from __future__ import annotations

import re
from typing import Final

from ingam.center.management.flow import Kind, Reason
from ingam.center.task.flow import Task
from ingam.center.task.forms import Fields, FormRefused
from ingam.customer.device.keys import KeyUnknown

ID: Final = re.compile(r"[0-9a-f]{32}")
FINGERPRINT: Final = re.compile(r"[0-9a-f]{64}")


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
