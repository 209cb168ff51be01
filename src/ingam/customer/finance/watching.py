"""What a registered 금융인증서 is looked after by: two messages of the outbox, each of which leaves the next one.

LOOK asks for its status every night, REMIND tells of its end. A message is due at its own time, under a lease and with
a key of its own, so that a crash, a second process and a new start need nothing else; it ends with its binding.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

import msgspec

from ingam.ports.store import Outgoing

LOOK: Final = "finance-look"
REMIND: Final = "finance-remind"
AFTER: Final = timedelta(hours=1)
"""When the first of each is due: it asks nobody, and finds its time."""


class Watch(msgspec.Struct, frozen=True):
    """What the outbox carries. `first`: the binding was asked about when it was made."""

    binding_id: str
    first: bool = False


def first(binding_id: str, at: datetime) -> list[Outgoing]:
    """With the transaction that makes the binding; a second time is as good as once."""
    payload = msgspec.json.encode(Watch(binding_id, first=True))
    return [Outgoing(kind, payload, f"{kind}:{binding_id}:first", at + AFTER) for kind in (LOOK, REMIND)]


def following(kind: str, binding_id: str, due: datetime) -> Outgoing:
    """The next one. Two of the same second are one: a binding that is watched twice is soon watched once."""
    return Outgoing(kind, msgspec.json.encode(Watch(binding_id)), f"{kind}:{binding_id}:{int(due.timestamp())}", due)
