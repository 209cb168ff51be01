"""PKIMessages that the center carries between a vault and the authority: how large, how many, and what ends a run.

What they say is read by each kind of run for itself (`issuance.carrying`, `renewal.carrying`).
"""

from __future__ import annotations

import base64
from datetime import datetime
from typing import Final

from ingam.center import budgets
from ingam.center.budgets import Budget, TooOften
from ingam.kernel.errors import Refusal
from ingam.ports.store import Store
from ingam.protocols.cmp.status import FailInfo, Status, StatusInfo

MESSAGE_MOST: Final = 90_000
"""Base64 of the longest message."""
CARRYING_S: Final = 600
CARRIED: Final = 300
"""Messages of one run in these seconds: more than a vault sends that has to wait."""
_PASSING: Final = FailInfo.SYSTEM_UNAVAIL | FailInfo.SYSTEM_FAILURE | FailInfo.BAD_TIME
"""What does not end a run. badTime proves that a message never arrived in time: the vault composes it anew."""


def octets(text: str) -> bytes:
    """A message as a page posts it. Raises Refusal (bad-request)."""
    if len(text) > MESSAGE_MOST:
        raise Refusal("bad-request")
    try:
        return base64.b64decode(text, validate=True)
    except ValueError:  # binascii.Error, and what a text that is not ASCII raises
        raise Refusal("bad-request") from None


async def refuse_flood(store: Store, flow_id: str, at: datetime) -> None:
    """The authority bounds its sources (D9), and all that is carried is of one source. Raises TooOften."""
    if not await budgets.spent(store, Budget(f"carry:{flow_id}", CARRYING_S, CARRIED), at):
        raise TooOften


def refused(info: StatusInfo) -> str | None:
    """The authority's own word where it refuses for good ("-": it gave none); None for a wait or a passing failure."""
    if info.status is not Status.REJECTION or info.fail_info & _PASSING:
        return None
    return info.texts[0][:64] if info.texts else "-"
