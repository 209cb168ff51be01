"""A core-banking system that keeps the customers: its own records of the demo people (docs/reference/customers.md).

What is changed lasts until the sandbox stops, as its switches do.
"""

from __future__ import annotations

import hmac
from dataclasses import replace
from typing import Any, Final

import msgspec
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from ingam.sandbox.people import BANKING_PASSWORD, FURTHER_HEADS, PEOPLE, Person, person
from ingam.sandbox.switches import Switches

PARTY: Final = "customers"
PHONES: Final = ("mobile", "home_phone", "work_phone", "third_phone")


class CoreBank:
    """Knows the demo people and their one password."""

    def __init__(self, switches: Switches) -> None:
        self._switches = switches
        self._people = {f"core-{one.key}": one for one in PEOPLE}
        self._changed: dict[str, dict[str, str]] = {}
        self._work: dict[str, str | None] = {}

    async def authenticate(self, request: Request) -> Response:
        """POST /customers/authenticate."""
        asked = await self._asked(request, ("banking_id", "password"))
        if asked is None:
            return _refused(request)
        found = self._by_banking_id(asked["banking_id"])
        fits = hmac.compare_digest(asked["password"].encode(), BANKING_PASSWORD.encode())
        return JSONResponse({"customer": self._told(found) if found and fits else None})

    async def find(self, request: Request) -> Response:
        """POST /customers/find, by `customer_id` or by `banking_id`."""
        asked = await self._asked(request, ())
        if asked is None:
            return _refused(request)
        by_id = asked.get("customer_id", "")
        found = by_id if by_id in self._people else self._by_banking_id(asked.get("banking_id", ""))
        return JSONResponse({"customer": self._told(found) if found else None})

    async def number(self, request: Request) -> Response:
        """POST /customers/number; an older change than the one that stands changes nothing."""
        asked = await self._asked(request, ("customer_id", "phone", "changed_at"))
        if asked is None or asked["customer_id"] not in self._people or asked["phone"] not in PHONES:
            return _refused(request)
        customer_id, phone, number = asked["customer_id"], asked["phone"], asked.get("number")
        at = self._changed.setdefault(customer_id, {})
        if at.get(f"{phone}_changed_at", "") < asked["changed_at"]:
            at[f"{phone}_changed_at"] = asked["changed_at"]
            self._set(customer_id, phone, number)
        return JSONResponse({"done": True})

    def _set(self, customer_id: str, phone: str, number: str | None) -> None:
        one = self._people[customer_id]
        match phone:
            case "mobile":
                self._people[customer_id] = replace(one, mobile=number or "")
            case "home_phone":
                self._people[customer_id] = replace(one, home_phone=number)
            case "third_phone":
                self._people[customer_id] = replace(one, third_phone=number)
            case _:
                self._work[customer_id] = number

    def _by_banking_id(self, banking_id: str) -> str | None:
        return next((key for key, one in self._people.items() if one.banking_id == banking_id), None)

    def _told(self, customer_id: str) -> dict[str, Any]:
        one: Person = self._people[customer_id]
        return {
            "customer_id": customer_id, "kind": one.kind, "banking_id": one.banking_id, "name": one.name,
            "idn": one.idn, "mobile": one.mobile, "home_phone": one.home_phone,
            "work_phone": self._work.get(customer_id), "third_phone": one.third_phone, "email": one.email,
            "union_name": one.union_name, "status": "ACTIVE",
            "heads": [_head(slot, key) for slot, key in _further(one)],
            **self._changed.get(customer_id, {}),
        }  # fmt: skip

    async def _asked(self, request: Request, needed: tuple[str, ...]) -> dict[str, Any] | None:
        """The fields of a question; None for one without the key, or that is none. Raises SwitchedOff."""
        await self._switches.hold(PARTY)
        if not request.headers.get("authorization", "").startswith("Bearer "):
            return None
        try:
            asked: dict[str, Any] = msgspec.json.decode(await request.body(), type=dict[str, str | None])
        except (msgspec.DecodeError, UnicodeDecodeError):
            return None
        return asked if all(isinstance(asked.get(name), str) for name in needed) else None


def _further(one: Person) -> enumerate[str]:
    return enumerate(FURTHER_HEADS.get(one.key, ()), start=2)


def _head(slot: int, key: str) -> dict[str, Any]:
    one = person(key)
    return {
        "slot": slot, "name": one.name, "idn": one.idn, "mobile": one.mobile, "home_phone": one.home_phone,
        "email": one.email, "third_phone": one.third_phone,
    }  # fmt: skip


def _refused(request: Request) -> Response:
    known = request.headers.get("authorization", "").startswith("Bearer ")
    return JSONResponse({"error": "malformed" if known else "unauthorized"}, 400 if known else 401)
