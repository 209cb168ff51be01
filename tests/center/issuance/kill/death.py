"""Death at a numbered step, without a process: the step raises what nothing catches, and all memory is gone.

What a real kill leaves behind is what the databases hold; here as there, nothing is written after the step.
"""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from tests.center.issuance.world import Wire, World

from ingam.kernel import steps
from ingam.kernel.errors import Outage


class Killed(BaseException):
    """Neither a Failure nor an Exception: no handler of ours sees it."""


class Reaper:
    """Kills at the `nth` time that a step is reached, once."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._left = 0
        monkeypatch.setattr(steps, "os", SimpleNamespace(getpid=lambda: 0, kill=self._kill))

    def at(self, step: str, nth: int = 1) -> None:
        self._left = nth
        steps.arm(step)

    def rest(self) -> bool:
        """Disarms; whether anybody died."""
        steps.arm(None)
        return self._left == 0

    def _kill(self, *_: Any) -> None:
        self._left -= 1
        if self._left == 0:
            steps.arm(None)
            raise Killed


class MortalWire(Wire):
    """An authority that may die in the middle of a message: its caller sees a lost connection, and it comes back."""

    world: World
    deaths = 0

    async def post(self, url: str, body: bytes, content_type: str, limit: int) -> bytes:
        try:
            return await super().post(url, body, content_type, limit)
        except Killed:
            self.deaths += 1
            await self.world.restart_authority()
            raise Outage("outgoing") from None


def mortal(world: World) -> MortalWire:
    """Puts it between the center and its authority."""
    wire = MortalWire(world.ca)
    wire.world, world.wire = world, wire
    return wire
