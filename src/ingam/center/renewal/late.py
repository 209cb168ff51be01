"""A pkiConf that was lost and that nobody fetched again: after the run's time the authority is asked what stands.

For the worker. The message is saved with the certificate that passed through, so that no crash loses it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Final

from ingam.center.renewal.flow import RENEWAL, Delivered
from ingam.center.renewal.standing import Renewals
from ingam.center.renewal.walks import Ports
from ingam.customer import payment
from ingam.customer.heads import whose_run
from ingam.kernel.steps import reach
from ingam.ports.certification import Standing
from ingam.ports.customers import Customer
from ingam.ports.store import Audit, Claimed, Flow, FlowSave, Outgoing, Save, Stale

LATE: Final = "renewal"
"""The outbox kind."""

MARGIN: Final = timedelta(minutes=10)
"""After the end of a run no message of it is under way any more; and until the authority is asked again."""

STANDS: Final = (Standing.VALID, Standing.HELD)


def late(flow_id: str, due_at: datetime) -> Outgoing:
    """The message that sees to a run at its time."""
    return Outgoing(LATE, flow_id.encode(), f"{flow_id}:{int(due_at.timestamp())}", due_at)


class Late:
    """The handler."""

    def __init__(self, ports: Ports, renewals: Renewals, ttl_s: int) -> None:
        self._ports, self._renewals, self._ttl_s = ports, renewals, ttl_s

    @property
    def deliveries(self) -> dict[str, Callable[[Claimed], Awaitable[None]]]:
        """For the worker."""
        return {LATE: self.deliver}

    async def deliver(self, claimed: Claimed) -> None:
        """Raises CertificationOutage, CertificationRefused, StoreOutage; it is tried again."""
        flow = await self._ports.store.flow(claimed.payload.decode())
        state = None if flow is None else RENEWAL.load(flow.state)
        if flow is None or not isinstance(state, Delivered):
            return
        now = self._ports.clock.now()
        if now < flow.expires_at + MARGIN:
            await self._again(flow, flow.expires_at + MARGIN)
            return
        kept = await self._ports.customers.by_id(flow.customer_id or "")
        customer = None if kept is None else whose_run(self._ports.digests, kept, flow.flow_id)
        if customer is None:
            return
        standing, superseded = await self._renewals.standing(customer, state)
        reach("renewal.11")
        if standing is Standing.PENDING:
            await self._again(flow, now + MARGIN)
        elif standing in STANDS:
            await self._renewed(flow, customer, state, superseded)

    async def _again(self, flow: Flow, due_at: datetime) -> None:
        await self._ports.store.save(Save(outbox=[late(flow.flow_id, due_at)]))

    async def _renewed(self, flow: Flow, customer: Customer, state: Delivered, superseded: bool) -> None:
        """As the pkiConf would have done it, in ONE transaction; where somebody was quicker, theirs stands."""
        now = self._ports.clock.now()
        event, beside = await self._renewals.renewed(customer, flow.flow_id, state, flow.session, superseded=superseded)
        ends = now + timedelta(seconds=self._ttl_s)
        ended = RENEWAL.dump(RENEWAL.advance(state, event).state)
        moved = FlowSave(flow.flow_id, RENEWAL.name, flow.version, ended, flow.session, flow.customer_id, ends)
        subject = self._ports.digests.digest("banking-id", customer.banking_id)
        line = Audit(now, "renewal.renewed", "ok", subject, None, None, beside.facts)
        settled = await payment.ended(self._ports.store, flow.flow_id, now)
        with suppress(Stale):
            await self._ports.store.save(
                Save(flow=moved, rows=beside.rows, outbox=[*beside.outbox, *settled], audit=[line])
            )
