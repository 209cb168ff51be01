"""The identity verification agency in the shape of PortOne v2: send, resend, confirm, and the record of a transaction.

A code goes as an SMS into the telephone's inbox; a confirmation in the app is a button on the telephone's page. A
telephone belongs to the demo person who has its number, with that person's carrier.
"""

from __future__ import annotations

import base64
import hashlib
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from ingam.kernel.errors import Refusal
from ingam.ports.clock import Clock
from ingam.sandbox.asked import json_object, text
from ingam.sandbox.people import PEOPLE, Person
from ingam.sandbox.phone import Phones
from ingam.sandbox.switches import Switches

PARTY = "phone-identity"
GOOD_FOR: Final = timedelta(minutes=3)
TRIES: Final = 5
SENDS: Final = 5
KEPT: Final = 500
"""Transactions that are remembered."""

SENDER: Final = "0285139999"


class UnknownApproval(Refusal):
    """Nothing waits on this telephone to be confirmed under this number."""

    code = "sandbox-unknown-approval"


@dataclass(slots=True)
class Transaction:
    """One verification. `code`: of the last SMS; `sent_at`: of the last sending; `verified`: it is done."""

    id: str
    person: Person
    method: str
    custom: str
    sent_at: datetime
    code: str = field(default="", repr=False)
    sends: int = 1
    wrong: int = 0
    approved: bool = False
    verified: bool = False

    @property
    def expires(self) -> datetime:
        """When its code is void."""
        return self.sent_at + GOOD_FOR


class Identities:
    """The transactions, newest last."""

    def __init__(self) -> None:
        self._all: dict[str, Transaction] = {}

    def add(self, one: Transaction) -> None:
        """Remembers it, and drops the oldest of more than KEPT."""
        self._all[one.id] = one
        while len(self._all) > KEPT:
            del self._all[next(iter(self._all))]

    def find(self, number: str) -> Transaction | None:
        """The one of an id."""
        return self._all.get(number)

    def waiting(self, mobile: str, now: datetime) -> list[Transaction]:
        """Those that wait for a button on this telephone, newest first."""
        return [
            one
            for one in reversed(self._all.values())
            if one.method == "APP" and one.person.mobile == mobile and now < one.expires and not one.approved
        ]

    def approve(self, mobile: str, number: str, now: datetime) -> None:
        """The button. Raises UnknownApproval."""
        one = next((found for found in self.waiting(mobile, now) if found.id == number), None)
        if one is None:
            raise UnknownApproval
        one.approved = True


class PhoneIdentityAgency:
    """Answers programs."""

    def __init__(self, identities: Identities, phones: Phones, switches: Switches, clock: Clock) -> None:
        self._identities = identities
        self._phones = phones
        self._switches = switches
        self._clock = clock

    async def send(self, request: Request) -> Response:
        """A new transaction under an id that its asker made."""
        position = await self._switches.hold(PARTY)
        given, number = await json_object(request), request.path_params["id"]
        if (refused := _unauthorized(request)) is not None:
            return refused
        if self._identities.find(number) is not None:
            return _refused(409, "IDENTITY_VERIFICATION_ALREADY_SENT")
        if text(given, "method") not in ("SMS", "APP") or not text(given, "channelKey"):
            return _refused(400, "INVALID_REQUEST")
        customer = given.get("customer")
        owner = next((one for one in PEOPLE if one.natural and one.mobile == text(customer, "phoneNumber")), None)
        said = (text(customer, "name"), text(customer, "identityNumber"))
        if owner is None or position == "wrong-holder" or said != (owner.name, owner.idn[:7]):
            return _agency("HOLDER_MISMATCH")
        if position == "carrier-mismatch" or text(given, "operator") != owner.carrier:
            return _agency("CARRIER_MISMATCH")
        one = Transaction(number, owner, text(given, "method"), text(given, "customData"), self._clock.now())
        self._identities.add(one)
        self._deliver(one)
        return JSONResponse({})

    async def resend(self, request: Request) -> Response:
        """Another code; the one before is void."""
        await self._switches.hold(PARTY)
        return self._of(request, self._again)

    async def confirm(self, request: Request) -> Response:
        """With a code, or after the button."""
        await self._switches.hold(PARTY)
        otp = text(await json_object(request), "otp")
        return self._of(request, lambda one: self._confirmed(one, otp))

    async def record(self, request: Request) -> Response:
        """What is known of a transaction."""
        position = await self._switches.hold(PARTY)
        if (refused := _unauthorized(request)) is not None:
            return refused
        one = self._identities.find(request.path_params["id"])
        if one is None:
            return _refused(404, "IDENTITY_VERIFICATION_NOT_FOUND")
        return JSONResponse(_told(one, _other(one.person) if position == "other-person" else one.person))

    def _of(self, request: Request, act: Callable[[Transaction], Response]) -> Response:
        if (refused := _unauthorized(request)) is not None:
            return refused
        one = self._identities.find(request.path_params["id"])
        if one is None:
            return _refused(404, "IDENTITY_VERIFICATION_NOT_FOUND")
        return _refused(409, "IDENTITY_VERIFICATION_ALREADY_VERIFIED") if one.verified else act(one)

    def _again(self, one: Transaction) -> Response:
        if one.sends >= SENDS:
            return _agency("RESEND_EXCEEDED")
        one.sends, one.sent_at, one.approved = one.sends + 1, self._clock.now(), False
        self._deliver(one)
        return JSONResponse({})

    def _confirmed(self, one: Transaction, otp: str) -> Response:
        if one.wrong >= TRIES:
            return _agency("OTP_TRIES_EXCEEDED")
        if self._clock.now() >= one.expires:
            return _agency("OTP_EXPIRED")
        if one.method == "APP" and not one.approved:
            return _agency("APP_PENDING")
        if one.method == "SMS" and not secrets.compare_digest(otp.encode(), one.code.encode()):
            one.wrong += 1
            left = TRIES - one.wrong
            return _agency("OTP_MISMATCH", remainingAttempts=left) if left else _agency("OTP_TRIES_EXCEEDED")
        one.verified = True
        return JSONResponse({"identityVerification": _told(one, one.person)})

    def _deliver(self, one: Transaction) -> None:
        if one.method == "SMS":
            one.code = f"{secrets.randbelow(1_000_000):06}"
            words = f"[본인확인] 인증번호 {one.code}\n3분 안에 입력하세요. 다른 사람에게 알려 주지 마세요."
            self._phones.deliver(one.person.mobile, SENDER, words, None, one.sent_at)


def ci(one: Person) -> str:
    """연계정보: 88 characters, the same wherever it is asked."""
    return base64.b64encode(hashlib.sha512(b"sandbox-ci" + one.idn.encode()).digest()).decode()


def di(one: Person) -> str:
    """중복가입확인정보: 64 characters, of this one service."""
    return hashlib.sha256(b"sandbox-di" + one.idn.encode()).hexdigest()


def _other(one: Person) -> Person:
    return next(found for found in PEOPLE if found.natural and found.key != one.key)


def _told(one: Transaction, person: Person) -> dict[str, Any]:
    told: dict[str, Any] = {
        "status": "VERIFIED" if one.verified else "READY",
        "id": one.id,
        "customData": one.custom,
        "requestedAt": one.sent_at.isoformat(),
    }
    if one.verified:
        told["verifiedCustomer"] = {
            "name": person.name,
            "operator": person.carrier,
            "phoneNumber": person.mobile,
            "birthDate": person.birth_date.isoformat(),
            "gender": "MALE" if person.male else "FEMALE",
            "isForeigner": person.foreigner,
            "ci": ci(person),
            "di": di(person),
        }
    return told


def _unauthorized(request: Request) -> Response | None:
    if request.headers.get("authorization", "").startswith("PortOne "):
        return None
    return _refused(401, "UNAUTHORIZED")


def _refused(status: int, kind: str, **more: object) -> Response:
    return JSONResponse({"type": kind, "message": kind.lower(), **more}, status)


def _agency(code: str, **more: object) -> Response:
    """What the agency behind PortOne refuses. `remainingAttempts` is a field of ours."""
    return _refused(502, "PG_PROVIDER", pgCode=code, pgMessage=code.lower(), **more)
