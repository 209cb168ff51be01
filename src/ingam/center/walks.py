"""What every walk through a flow of the center shares: who asks, which screen was answered, and the ONE transaction.

A feature's own `walks.py` says where a person is; here is how a step and a refusal are recorded.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from ingam.customer.heads import in_session
from ingam.customer.session import Session
from ingam.kernel.errors import Failure, Refusal
from ingam.ports.customers import Customer, Customers
from ingam.ports.keys import Digests
from ingam.ports.store import Audit, Change, FlowSave, LedgerMove, Outgoing, Save, Stale, Store


class NotLoggedIn(Refusal):
    """What the center does for a person follows the 아이디 login."""

    code = "login-required"


class TrueStep(Refusal):
    """The screen that was answered is no longer the one where the person is; nothing happened, show the true one."""

    code = "true-step"


@dataclass(frozen=True, slots=True)
class Visit:
    """Who asks: a live session, its network address, the language of the screen."""

    session: Session
    address: str
    lang: str


@dataclass(frozen=True, slots=True)
class Turn:
    """Which screen was answered: the run of the flow, and the version that the screen was drawn from."""

    run: int
    version: int


@dataclass(slots=True)
class With:
    """What goes into the one transaction beside the flow."""

    rows: Sequence[Change] = ()
    ledger: Sequence[LedgerMove] = ()
    outbox: Sequence[Outgoing] = ()
    resets: Sequence[str] = ()
    facts: Mapping[str, str | int] = field(default_factory=dict)
    audit: Sequence[Audit] = ()


@dataclass(frozen=True, slots=True)
class Act:
    """What is recorded: who did what, when, and how it ended."""

    visit: Visit
    customer: Customer
    at: datetime
    action: str
    result: str = "ok"


class Recorder:
    """Writes steps and refusals of flows."""

    def __init__(self, store: Store, customers: Customers, digests: Digests) -> None:
        self._store = store
        self._customers = customers
        self._digests = digests

    async def save(self, act: Act, flow: FlowSave | None, beside: With) -> None:
        """ONE transaction: the next state and everything beside it. Raises TrueStep when somebody moved first."""
        save = Save(
            flow=flow,
            rows=beside.rows,
            ledger=beside.ledger,
            outbox=beside.outbox,
            audit=[self.line(act, beside.facts), *beside.audit],
            resets=beside.resets,
        )
        try:
            await self._store.save(save)
        except Stale:
            raise TrueStep from None

    def line(self, act: Act, facts: Mapping[str, str | int]) -> Audit:
        """One audit line: keyed pseudonyms, codes and counts (H9)."""
        return Audit(
            at=act.at,
            action=act.action,
            result=act.result,
            subject=self._digests.digest("banking-id", act.customer.banking_id),
            session=act.visit.session.session,
            address=self._digests.digest("address", act.visit.address),
            facts={**facts, "head": act.customer.slot} if act.customer.heads else facts,
        )

    async def customer(self, session: Session, slot: int | None = None) -> Customer:
        """The customer of a session, as the head who is in it sees the account, or the head of `slot`.

        Raises NotLoggedIn, also where that head is one no more.
        """
        if session.customer_id is None:
            raise NotLoggedIn
        found = await self._customers.by_id(session.customer_id)
        own = None if found is None else in_session(self._digests, found, session)
        customer = own if own is None or slot is None else own.as_head(slot)
        if customer is None:
            raise NotLoggedIn
        return customer


def told(failure: Failure) -> dict[str, str | int]:
    """A failure's facts for the audit line: codes and counts; dates of certificates stay out."""
    return {name: fact for name, fact in failure.facts.items() if name in ("check", "cause", "n", "max", "s", "source")}
