"""A customer's page opens for an operator who said why, in this session and for a while (security G4).

Which reasons there are is a closed list; it stands in the audit line of the opening and of everything done after it.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Final

import msgspec

from ingam.console.trail import Visit
from ingam.kernel.errors import Refusal
from ingam.ports.clock import Clock
from ingam.ports.store import Issue, Store

KIND: Final = "console-opening"
LIFE_S: Final = 1800
REASONS: Final = ("counter", "call", "incident", "request")
"""고객이 영업점에 왔다, 전화했다, 사고를 조사한다, 관계기관이 요청했다."""


class ReasonMissing(Refusal):
    """The customer's page was not opened with a reason in this session, or too long ago."""

    code = "reason-missing"


class Openings:
    """Which customers an operator has opened."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def open(self, visit: Visit, customer_id: str, reason: str) -> list[Issue]:
        """What to save with the line of the opening. Raises ReasonMissing for no reason of the list."""
        if reason not in REASONS:
            raise ReasonMissing
        name, now = self._name(visit, customer_id, reason), self._clock.now()
        if await self._store.issued(KIND, name) is not None:
            return []
        return [Issue(KIND, name, now + timedelta(seconds=LIFE_S), msgspec.json.encode({"reason": reason}).decode())]

    async def reason(self, visit: Visit, customer_id: str) -> str:
        """The reason that this customer was opened for. Raises ReasonMissing."""
        now = self._clock.now()
        for back in (0, 1):
            for reason in REASONS:
                row = await self._store.issued(KIND, self._name(visit, customer_id, reason, back))
                if row is not None and row.expires_at > now:
                    return reason
        raise ReasonMissing

    def _name(self, visit: Visit, customer_id: str, reason: str, back: int = 0) -> str:
        """Opening again within a while is the same opening."""
        span = int(self._clock.now().timestamp()) // LIFE_S - back
        return f"{visit.session.session}:{customer_id}:{reason}:{span}"
