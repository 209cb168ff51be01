"""What operators do, line by line in the audit: who (employee number), what, of which customer, and why (G4, H9).

A line holds codes and counts. A customer stands in it as the keyed pseudonym of the banking ID, as everywhere else, so
that the customer's own history finds it; a reason's note was scanned for personal numbers before (G4).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import structlog

from ingam.console.operators import Operator
from ingam.console.sessions import OperatorSession
from ingam.ports.clock import Clock
from ingam.ports.keys import Digests
from ingam.ports.store import Audit, Save, Store

ALARM: Final = "console.alarm"
"""The action of an alarm's line; its result says what about."""

ACCESS: Final = frozenset({"console.customer-open", "console.field-unmask"})
"""Actions that reach a customer's personal data: the access log (G5)."""

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Visit:
    """Who asks: a signed-in operator, their session, its network address, the language of the screen."""

    operator: Operator
    session: OperatorSession
    address: str
    lang: str


class Trail:
    """Writes the console's audit lines."""

    def __init__(self, store: Store, digests: Digests, clock: Clock) -> None:
        self._store = store
        self._digests = digests
        self._clock = clock

    def line(
        self, visit: Visit, action: str, result: str = "ok", *, banking_id: str | None = None,
        facts: Mapping[str, str | int] | None = None,
    ) -> Audit:  # fmt: skip
        """A line for `Save(audit=…)`, in the transaction of what it tells of. `action`: `console.<noun>-<verb>`."""
        told = {"operator": visit.operator.employee, "branch": visit.operator.branch, **(facts or {})}
        return self._line(visit.session.session, visit.address, action, result, banking_id, told)

    def of_visitor(
        self, session: OperatorSession, address: str, action: str, result: str, facts: Mapping[str, str | int]
    ) -> Audit:
        """A line about somebody who has not shown a passkey yet."""
        return self._line(session.session, address, action, result, None, facts)

    async def write(
        self, visit: Visit, action: str, result: str = "ok", *, banking_id: str | None = None,
        facts: Mapping[str, str | int] | None = None,
    ) -> None:  # fmt: skip
        """A line alone: something was looked at, or refused."""
        await self._store.save(Save(audit=[self.line(visit, action, result, banking_id=banking_id, facts=facts)]))

    async def alarm(self, visit: Visit, why: str) -> None:
        """Something that security officers and auditors see on their first page today (G4). `why`: a code."""
        log.warning("console.alarm", why=why, operator=visit.operator.employee)
        await self.write(visit, ALARM, why)

    def _line(
        self, session: str, address: str, action: str, result: str, banking_id: str | None,
        facts: Mapping[str, str | int],
    ) -> Audit:  # fmt: skip
        return Audit(
            at=self._clock.now(),
            action=action,
            result=result,
            subject=None if banking_id is None else self._digests.digest("banking-id", banking_id),
            session=session,
            address=self._digests.digest("address", address),
            facts=facts,
            operator=_text(facts.get("operator")),
            reason=_text(facts.get("reason")),
            access=action in ACCESS,
        )


def _text(value: str | int | None) -> str | None:
    return None if value is None else str(value)
