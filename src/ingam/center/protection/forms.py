"""What the forms of 전자금융사기 예방서비스 bring, from text to types (flows.md, field rules)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from typing import Final

from ingam.center.protection.flow import Kind
from ingam.center.task.flow import Task
from ingam.center.task.forms import Fields, FormRefused
from ingam.customer import fields as rules
from ingam.customer.device.designated import Kind as KeyKind
from ingam.customer.device.keys import Answer, KeyUnknown, read_answer
from ingam.ports.customers import Phone

ID: Final = re.compile(r"[0-9a-f]{32}")


def task(form: Fields) -> Task:
    """What is to be done. Raises KeyUnknown for what no page of ours offers."""
    kind, target = form.get("kind", ""), form.get("target", "")
    if kind not in list(Kind):
        raise KeyUnknown
    found = Task(Kind(kind), target)
    wanted: Mapping[str, bool] = {
        Kind.REMOVE_DEVICE: ID.fullmatch(target) is not None,
        Kind.REMOVE_PASSKEY: ID.fullmatch(target) is not None,
        Kind.CONTACT: target in list(Phone),
    }
    if not wanted.get(found.kind, target == ""):
        raise KeyUnknown
    return found


def alias(form: Fields, today: date) -> str:
    """기기 별명, 1-20 characters. Raises FormRefused."""
    found = rules.check("device_alias", form.get("alias", ""), today)
    if found.error is not None:
        raise FormRefused({"alias": f"fields.{found.error}"})
    return found.value


def key_kind(form: Fields) -> KeyKind:
    """Which kind of key the browser can make."""
    return KeyKind.SOFTWARE if form.get("key_kind") == KeyKind.SOFTWARE else KeyKind.HARDWARE


def number(form: Fields, phone: Phone, today: date) -> str:
    """The new number, digits; "" for none, which a mobile one cannot be. Raises FormRefused."""
    rule = "mobile" if phone is Phone.MOBILE else "home_phone"
    found = rules.check(rule, form.get("number", ""), today)
    if found.error is not None:
        raise FormRefused({"number": f"fields.{found.error}"})
    return found.value


def answer(form: Fields) -> Answer:
    """What a new key signed. Raises FormRefused where the script left nothing."""
    if not form.get("device_answer"):
        raise FormRefused({"form": "protection.need_signature"})
    return read_answer(form["device_answer"])
