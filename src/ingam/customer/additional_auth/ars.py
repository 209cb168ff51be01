"""2채널 인증 (ARS승인): a call to a registered number, and two digits of the screen keyed into that telephone (E4, E9).

A call is a row; `calling.py` places it and writes each state. The two digits follow from the unguessable call id by a
keyed digest, so that the screen can show them again and nothing keeps them. One wrong entry ends the call and the
digits; `0` refuses and stops the flow. What is approved is used once, by the ledger.

Two telephones never ring for two screens. But whoever waits for a call that does not come may ask for another one: it
ends the row of the first, and whoever follows that one hangs up.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, Protocol

import msgspec

from ingam.customer.additional_auth import Method
from ingam.customer.additional_auth.following import Followers
from ingam.customer.additional_auth.numbers import Number, NumberTooNew
from ingam.customer.additional_auth.proof import Bound, ProofLimits, Verified, new_proof
from ingam.customer.additional_auth.requesting import Requesting
from ingam.customer.notice import Sender
from ingam.kernel.errors import Refusal
from ingam.kernel.secret import Secret
from ingam.kernel.words import say
from ingam.ports.ars import CODE_DIGITS, FINAL, ArsOutage, CallState
from ingam.ports.clock import Clock
from ingam.ports.customers import Customer, Phone
from ingam.ports.keys import Digests
from ingam.ports.store import Count, Insert, Issue, Outgoing, Row, Store, Update, Use, Void

DAY_S: Final = 86_400
CALL_BYTES: Final = 16
TURN_S: Final = 10
"""Within which a call that was asked for is stored, where the next one finds it; so long it stands, whatever comes."""
KIND: Final = "ars-call"
"""The outbox kind; `calling.Calls` is its handler."""
QUEUED: Final = "queued"
OUTAGE: Final = "outage"
"""The two states of a row that are none of the telephone's: not placed yet, and could not be placed."""
OVER: Final = frozenset({*(str(state) for state in FINAL), OUTAGE})


class ArsLimits(ProofLimits, Protocol):
    """The settings of calls; seconds and counts."""

    @property
    def ars_call_s(self) -> int: ...
    @property
    def ars_ttl_s(self) -> int: ...
    @property
    def ars_a_day(self) -> int: ...
    @property
    def contact_quarantine_s(self) -> int: ...


class ArsTooMany(Refusal):
    """All calls of the day were made (E4); fact `max`."""

    code = "ars-too-many"


class ArsUnderWay(Refusal):
    """A telephone of this person is being called now: since a moment, or for another session."""

    code = "ars-under-way"


class ArsNotYet(Refusal):
    """The digits were not keyed in yet."""

    code = "ars-not-yet"


class ArsRefused(Refusal):
    """`0` was keyed in: the person says that it was not they. The flow stops (E4)."""

    code = "ars-refused"


class ArsNotApproved(Refusal):
    """The call ended without an approval; the code says how: ars-wrong, ars-no-answer, ars-busy, ars-failed …"""

    code = "ars-failed"


class ArsExpired(Refusal):
    """The call's time is over, or another one took its place."""

    code = "ars-expired"


CODES: Final[Mapping[str, str]] = {
    CallState.REFUSED: ArsRefused.code,
    CallState.WRONG: "ars-wrong",
    CallState.NO_ANSWER: "ars-no-answer",
    CallState.BUSY: "ars-busy",
    CallState.FAILED: "ars-failed",
    OUTAGE: ArsOutage.code,
}
"""The code of every end that is no approval."""


@dataclass(frozen=True, slots=True)
class Calling:
    """A call as its screen shows it. `state`: queued, outage, or a CallState; `code`: the two digits, while they can
    still be keyed in."""

    state: str
    phone: Phone
    expires_at: datetime
    code: Secret[str] | None = field(repr=False, default=None)

    @property
    def over(self) -> bool:
        """Whether nothing more will happen to it."""
        return self.state in OVER


class ArsCalls:
    """Calls on the store. Nothing here rings; nothing here saves except the counters."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        digests: Digests,
        limits: ArsLimits,
        sender: Sender,
        token: Callable[[int], bytes] = secrets.token_bytes,
    ) -> None:
        self._store = store
        self._clock = clock
        self._digests = digests
        self._limits = limits
        self._sender = sender
        self._token = token
        self.followers: Final = Followers(store, clock, limits)

    async def request(self, customer: Customer, bound: Bound, number: Number, lang: str) -> Requesting:
        """A new call to this number; save all of it with the flow's next state, and it is placed at once.

        An earlier one of this session ends with that save, unless its state changes in the same moment (Stale).
        Raises NumberTooNew, ArsUnderWay, ArsTooMany.
        """
        now = self._clock.now()
        if number.quarantined(self._limits.contact_quarantine_s, now):
            raise NumberTooNew(h=self._limits.contact_quarantine_s // 3600)
        # Of two at one moment, neither of which finds the other stored, one rings; its end gives the turn back.
        if await self._store.count(Count(turn_key(customer.customer_id), TURN_S, 1, now)) > 1:
            raise ArsUnderWay
        voids, ended = await self._earlier(customer, bound, now)
        await self._count(customer, now)
        call_id = self._token(CALL_BYTES).hex()
        expires = now + timedelta(seconds=self._limits.ars_ttl_s)
        row: Row = {
            "call_id": call_id,
            "customer_id": customer.customer_id,
            "purpose": str(bound.purpose),
            "flow_id": bound.flow_id,
            "session": bound.session,
            "phone": str(number.phone),
            "state": QUEUED,
            "asked_at": now,
            "state_at": now,
            "expires_at": expires,
        }
        return Requesting(
            method=Method.ARS,
            request_id=call_id,
            sent_at=now,
            expires_at=expires,
            to=str(number.phone),
            ledger=(*voids, Issue(kind(customer.customer_id), call_id, expires)),
            rows=(*ended, Insert("ars_call", row)),
            outbox=(self._order(customer, bound, number, call_id, lang, now, expires),),
        )

    async def look(self, bound: Bound, call_id: str) -> Calling | None:
        """The call as it stands; None for one of another person, purpose, flow or session."""
        row = await self._row(bound, call_id)
        if row is None:
            return None
        now, expires = self._clock.now(), row["expires_at"]
        assert isinstance(expires, datetime)
        state = str(row["state"])
        if state not in OVER and self._lost(row, now):
            state = str(CallState.FAILED)
        code = None if state in OVER else self.code_of(call_id)
        return Calling(state, Phone(str(row["phone"])), expires, code)

    async def verify(self, customer: Customer, bound: Bound, call_id: str) -> Verified:
        """What an approved call gives. Raises ArsNotYet, ArsNotApproved, ArsRefused, ArsExpired."""
        now = self._clock.now()
        call = await self.look(bound, call_id)
        issued = await self._store.issued(kind(customer.customer_id), call_id)
        if call is not None and call.state == CallState.REFUSED:
            raise ArsRefused
        if call is not None and call.state in CODES:
            raise ArsNotApproved(CODES[call.state])
        if call is None or issued is None or issued.used_at is not None or issued.expires_at <= now:
            raise ArsExpired
        if call.state != CallState.APPROVED:
            raise ArsNotYet
        proof = new_proof(bound, now, self._limits.proof_ttl_s, self._token)
        return Verified(proof, (Use(kind(customer.customer_id), call_id, now), proof.issue))

    async def refuse_stopped(self, bound: Bound) -> None:
        """Whoever keyed `0` in stopped this flow, whatever way is tried next. Raises ArsRefused (E4)."""
        where: Row = {"flow_id": bound.flow_id, "state": str(CallState.REFUSED)}
        if await self._store.many("ars_call", where, limit=1):
            raise ArsRefused

    async def spent(self, customer: Customer) -> bool:
        """Whether today's calls are used up."""
        now = self._clock.now()
        hits = await self._store.counted(_day_key(customer), DAY_S, now)
        return hits >= self._limits.ars_a_day and hits >= await self._ceiling(customer, now)

    def code_of(self, call_id: str) -> Secret[str]:
        """The two digits of a call: unguessable without our key, the same whenever the screen is drawn."""
        number, many = int(self._digests.digest("ars-code", call_id), 16), len(CODE_DIGITS)
        return Secret(CODE_DIGITS[number % many] + CODE_DIGITS[number // many % many])

    # ── small facts ──

    async def _row(self, bound: Bound, call_id: str) -> Row | None:
        where: Row = {"call_id": call_id, "customer_id": bound.customer_id, "purpose": str(bound.purpose)}
        return await self._store.one("ars_call", {**where, "flow_id": bound.flow_id, "session": bound.session})

    def _lost(self, row: Row, now: datetime) -> bool:
        """Whether whoever followed the call is gone: a call has an end."""
        asked = row["asked_at"]
        assert isinstance(asked, datetime)
        return now >= asked + timedelta(seconds=self._limits.ars_ttl_s)

    async def _earlier(self, customer: Customer, bound: Bound, now: datetime) -> tuple[list[Void], list[Update]]:
        """Earlier calls of this person that could still be used are void, and what rings of them is over.

        Raises ArsUnderWay while one rings for somebody else's session: another head's of a union, perhaps.
        """
        of = kind(customer.customer_id)
        rows = await self._store.many("ledger_issued", {"kind": of}, order="expires_at", descending=True, limit=20)
        open_ids = []
        for row in rows:
            issued = await self._store.issued(of, str(row["id"]))
            if issued is not None and issued.used_at is None and issued.expires_at > now:
                open_ids.append(issued.id)
        ended = []
        for call_id in open_ids:
            call = await self._store.one("ars_call", {"call_id": call_id})
            if call is None or str(call["state"]) in OVER or self._over_ringing(call, now):
                continue
            if call["session"] != bound.session and await self._live(str(call["session"])):
                raise ArsUnderWay
            where: Row = {"call_id": call_id, "state": call["state"]}
            ended.append(Update("ars_call", where, {"state": str(CallState.FAILED), "state_at": now}))
        return [Void(of, call_id, now) for call_id in open_ids], ended

    async def _live(self, session: str) -> bool:
        row = await self._store.one("session", {"session": session})
        return row is not None and row["ended_at"] is None

    def _over_ringing(self, row: Row, now: datetime) -> bool:
        asked = row["asked_at"]
        assert isinstance(asked, datetime)
        return now >= asked + timedelta(seconds=self._limits.ars_call_s)

    async def _count(self, customer: Customer, now: datetime) -> None:
        ceiling = await self._ceiling(customer, now)
        if await self._store.count(Count(_day_key(customer), DAY_S, ceiling, now)) > ceiling:
            raise ArsTooMany(max=self._limits.ars_a_day)

    async def _ceiling(self, customer: Customer, now: datetime) -> int:
        """Calls that could not be placed are given back."""
        where: Row = {"customer_id": customer.customer_id, "state": OUTAGE}
        rows = await self._store.many("ars_call", where, order="asked_at", descending=True, limit=20)
        day = now - timedelta(seconds=DAY_S)
        lost = [row for row in rows if isinstance(at := row["asked_at"], datetime) and at > day]
        return self._limits.ars_a_day + len(lost)

    def _order(
        self, customer: Customer, bound: Bound, number: Number, call_id: str, lang: str, now: datetime, until: datetime
    ) -> Outgoing:
        """What `calling` needs; sealed by the store, deleted once it is placed."""
        order = Order(
            call_id=call_id,
            customer_id=customer.customer_id,
            to=number.digits,
            code=self.code_of(call_id).reveal(),
            lang=lang,
            institution=self._sender.name(lang),
            purpose=say(f"notice.purpose-{bound.purpose}", lang),
            tell=customer.mobile,
            subject=self._digests.digest("banking-id", customer.banking_id),
            session=bound.session,
            until=until,
        )
        return Outgoing(KIND, msgspec.json.encode(order), f"{KIND}:{call_id}", now)


class Order(msgspec.Struct, frozen=True):
    """The outbox payload of a call. `tell`: whom an alarm goes to; `subject`: the pseudonym of the audit line."""

    call_id: str
    customer_id: str
    to: str
    code: str
    lang: str
    institution: str
    purpose: str
    tell: str
    subject: str
    session: str
    until: datetime

    def __repr__(self) -> str:
        return f"<order {self.call_id}>"


def kind(customer_id: str) -> str:
    """One ledger kind per person, so that the calls that a new one voids can be found."""
    return f"{KIND}:{customer_id}"


def turn_key(customer_id: str) -> str:
    """The counter of a person whose telephone is about to ring."""
    return f"ars-turn:{customer_id}"


def _day_key(customer: Customer) -> str:
    return f"ars-day:{customer.customer_id}"
