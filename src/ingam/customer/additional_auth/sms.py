"""휴대폰 SMS 인증: a six-digit code to the registered number, kept as a keyed digest, tried few times (E2, E3, E9).

Nothing here saves: a request and a verification give ledger moves and messages, which the caller's one transaction
takes in. Counters are the exception; they are durable before the work that they bound (F9).
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final, Protocol

import msgspec

from ingam.customer.additional_auth import Method, Purpose
from ingam.customer.additional_auth.numbers import NumberTooNew
from ingam.customer.additional_auth.proof import Bound, ProofLimits, Verified, new_proof
from ingam.customer.additional_auth.requesting import Requesting
from ingam.customer.heads import counter
from ingam.customer.notice import Sender, sms_outgoing
from ingam.kernel.errors import Refusal
from ingam.kernel.secret import Secret
from ingam.kernel.words import say
from ingam.ports.clock import Clock
from ingam.ports.customers import Customer
from ingam.ports.keys import Digests
from ingam.ports.store import Count, Issue, Issued, Outgoing, Store, Use, Void

DIGITS: Final = 6
DAY_S: Final = 86_400
REQUEST_BYTES: Final = 16


class SmsLimits(ProofLimits, Protocol):
    """The settings that bound SMS codes; seconds and counts."""

    @property
    def sms_ttl_s(self) -> int: ...
    @property
    def sms_tries(self) -> int: ...
    @property
    def sms_gap_s(self) -> int: ...
    @property
    def sms_a_day(self) -> int: ...
    @property
    def sms_person_a_day(self) -> int: ...
    @property
    def sms_wrong_a_day(self) -> int: ...
    @property
    def contact_quarantine_s(self) -> int: ...


class SmsTooSoon(Refusal):
    """The gap between two codes is not over; fact `s`, seconds left."""

    code = "sms-too-soon"


class SmsTooMany(Refusal):
    """All codes of the day for this purpose were asked for."""

    code = "sms-too-many"


class SmsWrong(Refusal):
    """Another code was sent; fact `n`, tries left of this one."""

    code = "sms-wrong"


class SmsExpired(Refusal):
    """The code's time is over, it was replaced or used, or it was tried too often."""

    code = "sms-expired"


class SmsBudgetSpent(Refusal):
    """Too many wrong codes today, over all codes and purposes (E3)."""

    code = "sms-budget-spent"


class SmsCodes:
    """Codes on the store. `host`: the center's host name, without a port, for the origin-bound line (E2)."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        digests: Digests,
        limits: SmsLimits,
        sender: Sender,
        host: str,
        token: Callable[[int], bytes] = secrets.token_bytes,
        below: Callable[[int], int] = secrets.randbelow,
    ) -> None:
        self._store = store
        self._clock = clock
        self._digests = digests
        self._limits = limits
        self._sender = sender
        self._host = host
        self._token = token
        self._below = below

    async def request(self, customer: Customer, purpose: Purpose, lang: str) -> Requesting:
        """A new code to the registered number; every older one of this person becomes void (E2).

        Raises NumberTooNew, SmsBudgetSpent, SmsTooSoon {s}, SmsTooMany.
        """
        now = self._clock.now()
        self._refuse_new_number(customer, now)
        spent = await self._refuse_spent(customer, now)
        await self._count_request(customer, purpose, now)
        request_id = self._token(REQUEST_BYTES).hex()
        code = Secret(f"{self._below(10**DIGITS):0{DIGITS}d}")
        expires = now + timedelta(seconds=self._limits.sms_ttl_s)
        told = {"purpose": purpose, "digest": self._digest(request_id, code), "spent": str(spent)}
        facts = msgspec.json.encode(told).decode()
        voids = [Void(_kind(customer), row.id, now) for row in await self._open(customer, now)]
        return Requesting(
            method=Method.SMS,
            request_id=request_id,
            sent_at=now,
            expires_at=expires,
            ledger=(*voids, Issue(_kind(customer), request_id, expires, facts)),
            outbox=(self._message(customer, purpose, request_id, code, lang, now),),
        )

    async def spent(self, customer: Customer) -> bool:
        """Whether today's wrong codes are used up."""
        hits = await self._store.counted(_wrong_key(customer), DAY_S, self._clock.now())
        return hits >= self._limits.sms_wrong_a_day

    async def verify(self, customer: Customer, bound: Bound, request_id: str, code: Secret[str]) -> Verified:
        """What a right code gives. The try is counted before the comparison, which takes constant time.

        Raises SmsBudgetSpent, SmsExpired, SmsWrong {n}. A right code is used up only when `ledger` is saved.
        """
        now = self._clock.now()
        await self._refuse_spent(customer, now)
        row = await self._store.issued(_kind(customer), request_id)
        if row is None or row.used_at is not None or row.expires_at <= now:
            raise SmsExpired
        facts = msgspec.json.decode(row.facts, type=dict[str, str])
        tries = await self._store.count(self._try(request_id, now))
        if tries > self._limits.sms_tries or facts["purpose"] != bound.purpose:
            raise SmsExpired
        if int(facts.get("spent", "0")) + tries > self._limits.sms_wrong_a_day:
            raise SmsBudgetSpent  # tries of this very moment, none of which is told yet that it was wrong (E3, F9)
        if not hmac.compare_digest(facts["digest"], self._digest(request_id, code)):
            await self._wrong(customer, tries, now)
        proof = new_proof(bound, now, self._limits.proof_ttl_s, self._token)
        return Verified(proof, (Use(_kind(customer), request_id, now), proof.issue))

    async def _wrong(self, customer: Customer, tries: int, now: datetime) -> None:
        wrong = await self._store.count(
            Count(_wrong_key(customer), DAY_S, self._limits.sms_wrong_a_day, now)
        )  # fmt: skip
        if wrong >= self._limits.sms_wrong_a_day:
            raise SmsBudgetSpent
        left = self._limits.sms_tries - tries
        if left <= 0:
            raise SmsExpired
        raise SmsWrong(n=left)

    def _try(self, request_id: str, now: datetime) -> Count:
        return Count(f"sms-try:{request_id}", DAY_S, self._limits.sms_tries, now)

    def _refuse_new_number(self, customer: Customer, now: datetime) -> None:
        changed, quarantine = customer.mobile_changed_at, self._limits.contact_quarantine_s
        if changed is not None and now < changed + timedelta(seconds=quarantine):
            raise NumberTooNew(h=quarantine // 3600)

    async def _refuse_spent(self, customer: Customer, now: datetime) -> int:
        """Wrong codes of the day so far."""
        spent = await self._store.counted(_wrong_key(customer), DAY_S, now)
        if spent >= self._limits.sms_wrong_a_day:
            raise SmsBudgetSpent
        return spent

    async def _count_request(self, customer: Customer, purpose: Purpose, now: datetime) -> None:
        gap = Count(f"sms-gap:{customer.customer_id}", self._limits.sms_gap_s, 1, now)
        if await self._store.count(gap) > 1:
            raise SmsTooSoon(s=await self._gap_left(gap))
        day = Count(f"sms-day:{customer.customer_id}:{purpose}", DAY_S, self._limits.sms_a_day, now)
        if await self._store.count(day) > self._limits.sms_a_day:
            raise SmsTooMany
        person = Count(f"sms-person:{customer.customer_id}", DAY_S, self._limits.sms_person_a_day, now)
        if await self._store.count(person) > self._limits.sms_person_a_day:
            raise SmsTooMany

    async def _gap_left(self, gap: Count) -> int:
        row = await self._store.one("counter", {"key": gap.key})
        started = row["started_at"] if row is not None else None
        if not isinstance(started, datetime):
            return gap.window_s
        return max(1, gap.window_s - int((gap.at - started).total_seconds()))

    async def _open(self, customer: Customer, now: datetime) -> list[Issued]:
        """Codes of this person that could still be used; the daily limits keep the list short."""
        rows = await self._store.many(
            "ledger_issued", {"kind": _kind(customer)}, order="expires_at", descending=True, limit=20
        )
        found = [await self._store.issued(_kind(customer), str(row["id"])) for row in rows]
        return [one for one in found if one is not None and one.used_at is None and one.expires_at > now]

    def _digest(self, request_id: str, code: Secret[str]) -> str:
        return self._digests.digest("sms-code", f"{request_id}:{code.reveal()}")

    def _message(
        self, customer: Customer, purpose: Purpose, request_id: str, code: Secret[str], lang: str, now: datetime
    ) -> Outgoing:
        told = say(
            "notice.code",
            lang,
            institution=self._sender.name(lang),
            purpose=say(f"notice.purpose-{purpose}", lang),
            code=code.reveal(),
        )
        text = Secret(f"{told}\n@{self._host} #{code.reveal()}")
        return sms_outgoing(customer.mobile, text, f"sms-code:{request_id}", now)


def _kind(customer: Customer) -> str:
    """One ledger kind per person, so that the codes that a new one voids can be found."""
    return f"sms-code:{customer.customer_id}"


def _wrong_key(customer: Customer) -> str:
    return counter("sms-wrong", customer)
