"""The switches: how the outside world misbehaves. They last until they are turned back or the sandbox stops."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

import anyio

from ingam.kernel.errors import Outage, Refusal
from ingam.sandbox.authorities import houses

RESPONDER: Final = (
    "normal", "off", "slow", "wrong-signer", "old-answer", "other-nonce", "other-serial", "unknown", "try-later",
    "malformed",
)  # fmt: skip
LIST: Final = ("normal", "off", "stale", "wrong-signature", "older-number", "other-partition", "malformed")
SMS: Final = ("normal", "off", "refusing", "lost-acknowledgement")

EVERY_PARTY: Final = ("normal", "slow", "off", "timeout")
"""Positions that each of the parties below has: as usual, late, HTTP 503, no answer at all."""

PARTIES: Final[Mapping[str, tuple[str, ...]]] = {
    "real-name": (*EVERY_PARTY, "wrong-holder"),
    "phone-identity": (*EVERY_PARTY, "wrong-holder", "carrier-mismatch", "other-person"),
    "id-card": (*EVERY_PARTY, "mismatch", "lost"),
    "bank": (*EVERY_PARTY, "closed", "wrong-holder", "unclear"),
    "address": (*EVERY_PARTY, "empty"),
    "email": (*EVERY_PARTY, "refusing"),
    "customers": EVERY_PARTY,
    "cards": EVERY_PARTY,
    "ars": (*EVERY_PARTY, "busy", "no-answer"),
    "payment": (*EVERY_PARTY, "refusing", "unclear"),
}
"""Parties of issuance and of additional authentication by name, with their positions.

`unclear`: the transfer happened and its answer is lost."""

HOUSES: Final = tuple(one.key for one in houses.HOUSES)
LISTS: Final = (*HOUSES, "rootca")


class UnknownSwitch(Refusal):
    """There is no such switch, or it has no such position."""

    code = "sandbox-unknown-switch"


class SwitchedOff(Outage):
    """A switch says that this party does not answer."""

    code = "sandbox-switched-off"


@dataclass(slots=True)
class Switches:
    """Positions by name; `slow_s`: seconds that a slow responder takes.

    `party_slow_s`: seconds of a slow party, less than its callers wait; `party_timeout_s`: more than they do.
    """

    responders: dict[str, str] = field(default_factory=lambda: dict.fromkeys(HOUSES, "normal"))
    lists: dict[str, str] = field(default_factory=lambda: dict.fromkeys(LISTS, "normal"))
    sms: str = "normal"
    slow_s: int = 10
    parties: dict[str, str] = field(default_factory=lambda: dict.fromkeys(PARTIES, "normal"))
    party_slow_s: float = 2.0
    party_timeout_s: float = 30.0

    def party(self, name: str) -> str:
        """The position of a party of PARTIES."""
        return self.parties[name]

    async def hold(self, name: str) -> str:
        """Does what a party's position says before it answers, and returns the position. Raises SwitchedOff."""
        position = self.parties[name]
        if position == "slow":
            await anyio.sleep(self.party_slow_s)
        if position == "timeout":
            await anyio.sleep(self.party_timeout_s)
        if position in ("off", "timeout"):
            raise SwitchedOff
        return position

    def turn(self, kind: str, name: str, position: str) -> None:
        """Turns one switch: kind `responder`, `list`, `sms`, `party`, `slow` or `all`. Raises UnknownSwitch."""
        if kind == "responder" and name in HOUSES and position in RESPONDER:
            self.responders[name] = position
        elif kind == "list" and name in LISTS and position in LIST:
            self.lists[name] = position
        elif kind == "sms" and position in SMS:
            self.sms = position
        elif kind == "party" and position in PARTIES.get(name, ()):
            self.parties[name] = position
        elif kind == "slow" and position.isascii() and position.isdigit() and 1 <= int(position) <= 60:
            self.slow_s = int(position)
        elif kind == "all" and position == "normal":
            self.reset()
        else:
            raise UnknownSwitch

    def reset(self) -> None:
        """All back to normal."""
        fresh = Switches()
        self.responders, self.lists, self.parties = fresh.responders, fresh.lists, fresh.parties
        self.sms, self.slow_s = fresh.sms, fresh.slow_s

    def told(self) -> dict[str, object]:
        """All positions, for programs."""
        return {
            "responder": self.responders,
            "list": self.lists,
            "sms": self.sms,
            "party": self.parties,
            "slow_s": self.slow_s,
        }
