"""The telephone of a demo person, as its page in the sandbox shows it: it rings, is answered, and keys are pressed."""

from __future__ import annotations

import time
from typing import Any

from tests.journeys.world import World


class Telephone:
    """The telephone on the sandbox's page."""

    def __init__(self, world: World, number: str) -> None:
        self._world = world
        self._number = number

    def ringing(self) -> dict[str, Any]:
        """The call, once it rings."""
        until = time.monotonic() + 15
        while time.monotonic() < until:
            call = self._world.get(f"/phone/{self._number}/call.json")["call"]
            if call is not None and call["state"] == "ringing":
                found: dict[str, Any] = call
                return found
            time.sleep(0.05)
        raise AssertionError("no telephone rings")

    def act(self, act: str, **facts: str) -> None:
        self._world.post(f"/phone/{self._number}/call", {"act": act, **facts})

    def answer(self, digits: str) -> None:
        """받기, and the digits."""
        self.ringing()
        self.act("answer")
        for digit in digits:
            self.act("key", key=digit)
