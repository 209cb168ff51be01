"""The switches: how the outside world misbehaves. They last until they are turned back or the sandbox stops."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from ingam.kernel.errors import Refusal
from ingam.sandbox.authorities import houses

RESPONDER: Final = (
    "normal", "off", "slow", "wrong-signer", "old-answer", "other-nonce", "other-serial", "unknown", "try-later",
    "malformed",
)  # fmt: skip
LIST: Final = ("normal", "off", "stale", "wrong-signature", "older-number", "other-partition", "malformed")
SMS: Final = ("normal", "off", "refusing", "lost-acknowledgement")

HOUSES: Final = tuple(one.key for one in houses.HOUSES)
LISTS: Final = (*HOUSES, "rootca")


class UnknownSwitch(Refusal):
    """There is no such switch, or it has no such position."""

    code = "sandbox-unknown-switch"


@dataclass(slots=True)
class Switches:
    """Positions by name; `slow_s`: seconds that a slow responder takes."""

    responders: dict[str, str] = field(default_factory=lambda: dict.fromkeys(HOUSES, "normal"))
    lists: dict[str, str] = field(default_factory=lambda: dict.fromkeys(LISTS, "normal"))
    sms: str = "normal"
    slow_s: int = 10

    def turn(self, kind: str, name: str, position: str) -> None:
        """Turns one switch: kind `responder`, `list`, `sms`, `slow` or `all`. Raises UnknownSwitch."""
        if kind == "responder" and name in HOUSES and position in RESPONDER:
            self.responders[name] = position
        elif kind == "list" and name in LISTS and position in LIST:
            self.lists[name] = position
        elif kind == "sms" and position in SMS:
            self.sms = position
        elif kind == "slow" and position.isascii() and position.isdigit() and 1 <= int(position) <= 60:
            self.slow_s = int(position)
        elif kind == "all" and position == "normal":
            self.reset()
        else:
            raise UnknownSwitch

    def reset(self) -> None:
        """All back to normal."""
        fresh = Switches()
        self.responders, self.lists, self.sms, self.slow_s = fresh.responders, fresh.lists, fresh.sms, fresh.slow_s

    def told(self) -> dict[str, object]:
        """All positions, for programs."""
        return {"responder": self.responders, "list": self.lists, "sms": self.sms, "slow_s": self.slow_s}
