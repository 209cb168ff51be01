"""What stops a person for now, by counter: how far each is, and what sets it back (잠금 해제, flows.md W11).

The counters belong to the ways that count; here stand only their keys, their windows and their ceilings, once for all
who show or release them. A test holds the keys to those that the ways use.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Final, Protocol

from ingam.customer.account.accounts import UNTIL_RESET_S
from ingam.customer.additional_auth import Purpose
from ingam.customer.heads import counter, number_counter
from ingam.kernel.errors import Refusal
from ingam.ports.clock import Clock
from ingam.ports.customers import Customer
from ingam.ports.keys import Digests
from ingam.ports.store import Store

DAY_S: Final = 86_400
MONTH_S: Final = 30 * DAY_S
MOST_DEVICES: Final = 1000


class LockUnknown(Refusal):
    """There is no lock of this name."""

    code = "lock-unknown"


class LockLimits(Protocol):
    """The ceilings; counts."""

    @property
    def login_max_fail(self) -> int: ...
    @property
    def vid_max_fail(self) -> int: ...
    @property
    def no_medium_max_fail(self) -> int: ...
    @property
    def sms_wrong_a_day(self) -> int: ...
    @property
    def sms_a_day(self) -> int: ...
    @property
    def sms_person_a_day(self) -> int: ...
    @property
    def ars_a_day(self) -> int: ...
    @property
    def branch_tries(self) -> int: ...
    @property
    def otp_tries(self) -> int: ...
    @property
    def onewon_wrong_a_month(self) -> int: ...


@dataclass(frozen=True, slots=True)
class Lock:
    """A counter of a person. `keys`: all that count for it; the highest is what it shows."""

    name: str
    hits: int
    most: int
    keys: tuple[str, ...]

    @property
    def locked(self) -> bool:
        """Whether the ceiling is reached."""
        return self.hits >= self.most


@dataclass(frozen=True, slots=True)
class _Kind:
    name: str
    keys: Callable[[Customer], tuple[str, ...]]
    window_s: int
    most: str


def _of_person(prefix: str) -> Callable[[Customer], tuple[str, ...]]:
    return lambda customer: (f"{prefix}:{customer.customer_id}",)


def _of_heads(name: str) -> Callable[[Customer], tuple[str, ...]]:
    """Of a union each head's own; who has no place here any more is among them."""
    return lambda customer: tuple(
        counter(name, customer, slot) for slot in sorted({customer.slot, *(one.slot for one in customer.heads)})
    )


def _of_numbers(customer: Customer) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*_of_heads("number-fail")(customer), number_counter(customer))))


KINDS: Final[Mapping[str, _Kind]] = {
    one.name: one
    for one in (
        _Kind("number", _of_numbers, DAY_S, "vid_max_fail"),
        _Kind("vid", _of_heads("vid-fail"), DAY_S, "vid_max_fail"),
        _Kind("no-medium", _of_heads("no-medium"), DAY_S, "no_medium_max_fail"),
        _Kind("sms-wrong", _of_heads("sms-wrong"), DAY_S, "sms_wrong_a_day"),
        _Kind("sms-person", lambda c: (f"sms-person:{c.customer_id}",), DAY_S, "sms_person_a_day"),
        _Kind("sms-day", lambda c: tuple(f"sms-day:{c.customer_id}:{one}" for one in Purpose), DAY_S, "sms_a_day"),
        _Kind("ars-day", _of_person("ars-day"), DAY_S, "ars_a_day"),
        _Kind("branch-wrong", _of_heads("branch-wrong"), DAY_S, "branch_tries"),
        _Kind("otp", _of_person("otp-wrong"), DAY_S, "otp_tries"),
        _Kind("onewon", _of_heads("onewon-wrong"), MONTH_S, "onewon_wrong_a_month"),
    )
}
LOGIN: Final = "login"
NAMES: Final = (LOGIN, *KINDS)


class Locks:
    """The counters of a person on the store."""

    def __init__(self, store: Store, clock: Clock, digests: Digests, limits: LockLimits) -> None:
        self._store = store
        self._clock = clock
        self._digests = digests
        self._limits = limits

    async def of(self, customer: Customer) -> list[Lock]:
        """Every lock that has begun to count, in the order of NAMES."""
        found = [await self._login(customer)]
        for kind in KINDS.values():
            keys = kind.keys(customer)
            found.append(
                Lock(kind.name, await self._highest(keys, kind.window_s), getattr(self._limits, kind.most), keys)
            )
        return [lock for lock in found if lock.hits]

    async def released(self, customer: Customer, names: Iterable[str]) -> list[str]:
        """The counters that start again at none, for `Save(resets=…)`. Raises LockUnknown."""
        resets: list[str] = []
        for name in dict.fromkeys(names):
            if name == LOGIN:
                resets += (await self._login(customer)).keys
            elif name in KINDS:
                resets += KINDS[name].keys(customer)
            else:
                raise LockUnknown
        return resets

    async def _login(self, customer: Customer) -> Lock:
        """ID and password: on new devices together, and on each recognised one by itself (F7)."""
        banking_key = self._digests.digest("banking-id", customer.banking_id)
        devices = await self._store.many("device_seen", {"banking_key": banking_key}, limit=MOST_DEVICES)
        keys = tuple(f"login-fail:{banking_key}:{one}" for one in ("new", *(str(row["device"]) for row in devices)))
        return Lock(LOGIN, await self._highest(keys, UNTIL_RESET_S), self._limits.login_max_fail, keys)

    async def _highest(self, keys: tuple[str, ...], window_s: int) -> int:
        now = self._clock.now()
        return max([await self._store.counted(key, window_s, now) for key in keys], default=0)
