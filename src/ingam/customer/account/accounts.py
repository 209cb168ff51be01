"""Checking a banking ID and its password, with counters that known and unknown IDs share (security F7, F8, F9).

Five failures stop ID+password login on devices that were not seen with this ID; a recognised device has a counter of
its own, and certificate login keeps working and unlocks.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from ingam.customer.session import Session
from ingam.kernel.errors import Outage, Refusal
from ingam.kernel.secret import Secret
from ingam.ports.clock import Clock
from ingam.ports.customers import Customer, Customers
from ingam.ports.ephemeral import Ceiling, Ephemeral
from ingam.ports.keys import Digests
from ingam.ports.store import Audit, Change, Count, Insert, Outgoing, Row, Save, Stale, Store, Update

# A lock has no end of its own: it ends by certificate login, branch or `ingam customer unlock` (decision 0005).
UNTIL_RESET_S = 10 * 365 * 86_400
LOCKS_A_MINUTE = 20
HOUR_S = 3600
LOGINS_AN_HOUR = 100


class LoginWrong(Refusal):
    """ID or password do not fit; facts n (failures so far) and max. The same for an unknown ID (F8)."""

    code = "login-wrong"


class LoginLocked(Refusal):
    """ID+password login is stopped for this ID on this device; certificate login still works."""

    code = "login-locked"


class LoginCrowded(Refusal):
    """Too many attempts in an hour; fact `cause`: by this ID, this device or this network (F9)."""

    code = "login-crowded"


@dataclass(frozen=True, slots=True)
class Recognised:
    """Which counter an attempt counts on: `new`, or the device that was seen with this ID before."""

    banking_key: str
    device: str | None

    @property
    def counter(self) -> str:
        """The durable counter's key."""
        return f"login-fail:{self.banking_key}:{self.device or 'new'}"


class LockNotice(Protocol):
    """Makes the notice that tells the registered contact of a lock; `customer.notice` gives the real one."""

    def outgoing(self, customer: Customer, at: datetime, dedup: str) -> list[Outgoing]:
        """The messages to leave with the lock's audit line."""


class Accounts:
    """ID + password, with locks. The caller opens the session and saves `forgive` and `remember` with it."""

    def __init__(
        self,
        store: Store,
        customers: Customers,
        digests: Digests,
        ephemeral: Ephemeral,
        clock: Clock,
        *,
        max_fail: int,
        address_ceiling: int,
        id_ceiling: int = LOGINS_AN_HOUR,
        device_ceiling: int = LOGINS_AN_HOUR,
        lock_notice: LockNotice | None = None,
    ) -> None:
        self._store = store
        self._customers = customers
        self._digests = digests
        self._ephemeral = ephemeral
        self._clock = clock
        self._max = max_fail
        self._address_ceiling = address_ceiling
        self._id_ceiling = id_ceiling
        self._device_ceiling = device_ceiling
        self._lock_notice = lock_notice

    async def check_password(self, banking_id: str, password: Secret[str], session: Session, address: str) -> Customer:
        """The customer of a right ID and password; counts one failure otherwise.

        Raises LoginWrong {n, max}, LoginLocked {max}, LoginCrowded. The hit is counted before the work (F9), so that
        guesses sent at once cannot outrun it; the caller forgives it by saving `forgive(...)` with whatever the success
        allows. An Outage (a full queue) gives the hit back: nothing was guessed.
        """
        whose = await self.recognise(banking_id, session.device)
        await self._refuse_crowd(whose, session, address)
        now = self._clock.now()
        hits = await self._store.count(Count(whose.counter, UNTIL_RESET_S, self._max, now))
        if hits > self._max:
            await self._record(session, address, whose, "login-locked", now)
            raise LoginLocked(max=self._max)
        try:
            customer = await self._customers.authenticate(banking_id, password)
        except Outage:
            await self._give_back(whose, hits)
            raise
        if customer is not None and customer.status == "ACTIVE":
            return customer
        await self._failed(banking_id, session, address, whose, hits, now)
        if hits == self._max:
            raise LoginLocked(max=self._max)
        raise LoginWrong(n=hits, max=self._max)

    async def _refuse_crowd(self, whose: Recognised, session: Session, address: str) -> None:
        """Attempts of an hour, right or wrong, in one step before the work: by ID, by device, by network (F9).

        The ID's are those of the device's own counter or of all new ones: nobody else's crowd keeps a recognised device
        out (F7). A visitor without a device cookie is as many devices as sessions, and all of them are one network.
        """
        full = await self._ephemeral.admit(
            Ceiling("person", f"login-id:{whose.counter}", HOUR_S, self._id_ceiling),
            Ceiling("device", f"login-device:{session.device or session.session}", HOUR_S, self._device_ceiling),
            Ceiling("network", f"login:{address}", HOUR_S, self._address_ceiling),
        )
        if full is not None:
            raise LoginCrowded(cause=full.whose)

    async def recognise(self, banking_id: str, device: str | None) -> Recognised:
        """Whether this device was seen with this ID (F7); unknown IDs take the same way (F8)."""
        key = self._digests.digest("banking-id", banking_id)
        seen = device and await self._store.one("device_seen", {"banking_key": key, "device": device})
        return Recognised(key, device if seen else None)

    async def forgive(self, banking_id: str, session: Session) -> list[str]:
        """The counters that a right password clears: the one it was counted on."""
        return [(await self.recognise(banking_id, session.device)).counter]

    async def unlock(self, banking_id: str, device: str | None) -> list[str]:
        """The counters that certificate login clears: new devices and this one (F7)."""
        key = self._digests.digest("banking-id", banking_id)
        return [Recognised(key, None).counter, *([Recognised(key, device).counter] if device else [])]

    async def remember(self, banking_id: str, device: str, now: datetime, *, proved: bool = False) -> Change:
        """The row that makes this device a recognised one; `proved`: by a certificate (C2)."""
        key = self._digests.digest("banking-id", banking_id)
        where = {"banking_key": key, "device": device}
        told: Row = {"proved_at": now} if proved else {}
        if await self._store.one("device_seen", where) is None:
            return Insert("device_seen", {**where, "first_at": now, "last_at": now, **told})
        return Update("device_seen", where, {"last_at": now, **told})

    async def _failed(
        self, banking_id: str, session: Session, address: str, whose: Recognised, hits: int, now: datetime
    ) -> None:
        locked = hits == self._max
        notice = await self._notice(banking_id, whose, now) if locked else []
        await self._record(session, address, whose, "login-locked" if locked else "login-wrong", now, notice)
        if locked and not await self._ephemeral.hit("alarm:locks", 60, LOCKS_A_MINUTE):
            await self._record(session, address, whose, "alarm-many-locks", now)

    async def _notice(self, banking_id: str, whose: Recognised, now: datetime) -> list[Outgoing]:
        """The lock's messages. Only here are the fields of a known ID opened, which an unknown one does not have: once
        a lock, so that nobody can time it twice (F8)."""
        customer = await self._customers.by_banking_id(banking_id)
        if customer is None or self._lock_notice is None:
            return []
        return self._lock_notice.outgoing(customer, now, f"lock:{whose.counter}:{int(now.timestamp())}")

    async def _give_back(self, whose: Recognised, hits: int) -> None:
        """One hit less, unless somebody counted meanwhile: then it stays, which is the safe side."""
        with suppress(Stale):
            where: Row = {"key": whose.counter, "hits": hits}
            await self._store.save(Save(rows=[Update("counter", where, {"hits": hits - 1})]))

    async def _record(
        self,
        session: Session,
        address: str,
        whose: Recognised,
        result: str,
        now: datetime,
        notice: Sequence[Outgoing] = (),
    ) -> None:
        line = Audit(
            at=now,
            action="login.password",
            result=result,
            subject=whose.banking_key,
            session=session.session,
            address=self._digests.digest("address", address),
        )
        await self._store.save(Save(audit=[line], outbox=notice))
