"""The sandbox's parties as their adapters meet them: its real routes, without the authorities behind it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar, cast

import httpx2
from starlette.applications import Starlette
from tests.clocks import SetClock

from ingam.kernel.errors import Failure, Outage
from ingam.sandbox.authorities.keys import FreshKeys
from ingam.sandbox.behind import Behind
from ingam.sandbox.box import Sandbox
from ingam.sandbox.parties import party_routes, plain_failure
from ingam.sandbox.people import PEOPLE
from ingam.sandbox.phone import Phones
from ingam.sandbox.switches import Switches
from ingam.sandbox.world import World

SLOW_S = 0.01
WAIT_S = 0.2
"""Seconds that an adapter of these tests waits for an answer, where a party gives none."""

T = TypeVar("T")


@dataclass(frozen=True)
class Outside:
    """`box`: the sandbox's own state; `transport`: the way to it."""

    box: Sandbox
    clock: SetClock
    transport: httpx2.AsyncBaseTransport

    @property
    def switches(self) -> Switches:
        """How its parties misbehave."""
        return self.box.switches

    def texts(self, mobile: str) -> list[str]:
        """The SMS of a number, newest first."""
        return [one.text for one in self.box.phones.inbox(mobile)]


def outside(folder: Path) -> Outside:
    """A sandbox in a folder."""
    clock = SetClock()
    switches = Switches(party_slow_s=SLOW_S, party_timeout_s=60)
    box = Sandbox(
        World(folder), Phones(folder / "phone.db"), FreshKeys(), clock, folder, "", cast(Behind, None), switches
    )  # fmt: skip
    app = Starlette(routes=party_routes(box), exception_handlers={Failure: plain_failure})
    return Outside(box, clock, httpx2.ASGITransport(app))


def run(walk: Callable[[], Awaitable[T]]) -> T:
    """A walk to its end, on a loop of its own."""

    async def walked() -> T:
        return await walk()

    return asyncio.run(walked())


def assert_silent(failure: Failure) -> None:
    """H1: a failure tells codes, never who somebody is."""
    told = f"{failure!r} {failure} {failure.facts} {failure.__cause__!r}"
    values: list[Any] = [value for one in PEOPLE for value in (one.name, one.idn, one.idn[6:], one.mobile)]
    assert not [value for value in values if value in told]
    if isinstance(failure, Outage):
        assert failure.facts["cause"]
