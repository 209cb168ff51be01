"""회복: whoever is logged in proves again who they are; then binding and certificate speak again (E11)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from ingam.center.incident.flow import INCIDENT, RESUME
from ingam.center.incident.suspending import to_authority
from ingam.center.task.flow import Begun, Confirming, Idle
from ingam.center.task.service import TaskService
from ingam.center.task.walks import Feature, Limits, Walk, Walks
from ingam.center.walks import Turn, Visit, With
from ingam.customer.additional_auth import Purpose
from ingam.customer.additional_auth.service import AdditionalAuth
from ingam.customer.binding.bindings import ACTIVE, SUSPENDED, Binding, Bindings
from ingam.customer.device import Devices
from ingam.customer.finance.bindings import FinanceBinding, FinanceBindings
from ingam.customer.masking import mask_name
from ingam.customer.notice import Notices, Words
from ingam.kernel.errors import Refusal
from ingam.kernel.instants import korean_day
from ingam.ports.clock import Clock
from ingam.ports.customers import Customer, Customers
from ingam.ports.keys import Digests
from ingam.ports.store import Change, Outgoing, Row, Store, Update


class NothingSuspended(Refusal):
    """No certificate of this person is suspended here: resumed in the meantime, replaced, or never."""

    code = "incident-nothing-suspended"


@dataclass(frozen=True, slots=True)
class Ports:
    """What the service works on. `mails`: whether e-mail leaves."""

    store: Store
    clock: Clock
    customers: Customers
    digests: Digests
    mails: bool


@dataclass(frozen=True, slots=True)
class Part:
    """One suspended certificate. `kind`: joint (공동인증서) or finance (금융인증서, which has no use of its own)."""

    kind: str
    use_ko: str
    use_en: str
    not_after: datetime
    since: datetime | None


@dataclass(frozen=True, slots=True)
class Suspended:
    """What a person can resume with one proof, as the page shows it."""

    parts: tuple[Part, ...]
    slot: int = 1
    head: str = ""
    """Whose it is, masked, where the union has several heads; else ""."""


class Resuming(TaskService):
    """The service behind /incident/resume."""

    def __init__(
        self, ports: Ports, limits: Limits, *, auth: AdditionalAuth, bindings: Bindings, finance: FinanceBindings,
        notices: Notices,
    ) -> None:  # fmt: skip
        feature = Feature(INCIDENT, {RESUME.kind: Purpose.RESUME}, notices.incident_locked)
        super().__init__(Walks(ports, limits, feature), auth, Devices(ports.store, ports.digests))
        self._mails = ports.mails
        self._bindings = bindings
        self._finance = finance
        self._notices = notices

    # ── looking ─────────────────────────────────────────────────────────────────────────────────────────────────

    async def suspended(self, visit: Visit) -> tuple[Suspended, ...]:
        """What can be resumed: of a union with several heads, after the ID login, by each of them. NotLoggedIn."""
        found = [(one, await self._parts(one)) for one in await self._people(visit)]
        return tuple(
            Suspended(parts, one.slot, mask_name(one.name) if one.heads else "") for one, parts in found if parts
        )

    async def _people(self, visit: Visit) -> list[Customer]:
        customer = await self.customer(visit)
        others = () if visit.session.slot is not None else customer.heads
        return [customer, *(one for head in others if (one := customer.as_head(head.slot)) is not None)]

    async def _parts(self, customer: Customer) -> tuple[Part, ...]:
        joint, finance = await self._found(customer)
        parts = []
        if joint is not None:
            details = await self._bindings.details(joint)
            parts.append(Part("joint", details.use_ko, details.use_en, joint.not_after, joint.ended_at))
        if finance is not None:
            parts.append(Part("finance", "", "", finance.not_after, finance.ended_at))
        return tuple(parts)

    async def _found(self, customer: Customer) -> tuple[Binding | None, FinanceBinding | None]:
        joint = await self._bindings.suspended(customer)
        if joint is not None and await self._bindings.of_former(joint, customer):
            joint = None  # whoever reported it as lost is the one to resume it
        return joint, await self._finance.suspended(customer)

    # ── the walk ────────────────────────────────────────────────────────────────────────────────────────────────

    async def begin(self, visit: Visit, slot: int | None = None) -> None:
        """회복 is asked for, of this head of a union; a walk that is under way goes on. Raises NothingSuspended."""
        async with self._walks.turn_of(visit):
            walk = await self._walks.walk(visit, await self._walks.settled(visit))
            if not isinstance(walk.here.state, Idle):
                return
            known = [one for one in await self.suspended(visit) if slot in (None, one.slot)]
            if not known:
                await self._walks.refuse(walk, "begin", NothingSuspended())
            task = replace(RESUME, slot=known[0].slot) if known[0].head else RESUME
            await self._walks.save(walk, Begun(task), "begin", With())

    async def resume(self, visit: Visit, turn: Turn) -> None:
        """Proof, binding, notice, word to the authority and line: one transaction.

        Raises TrueStep (also where the binding moved meanwhile), NothingSuspended, ProofMissing.
        """
        async with self._walks.turn_of(visit):
            walk = await self._walks.at(visit, turn, Confirming)
            joint, finance = await self._found(walk.customer)
            if joint is None and finance is None:
                await self._walks.refuse(walk, "resume", NothingSuspended())
            rows: list[Change] = []
            outbox: list[Outgoing] = []
            if joint is not None:
                where: Row = {"binding_id": joint.binding_id, "status": SUSPENDED}
                rows.append(Update("binding", where, {"status": ACTIVE, "ended_at": None}))
                outbox += [*await self._told(walk, joint), to_authority(joint, walk.customer, walk.now)]
            if finance is not None:
                rows.append(self._finance.resumed(finance))
                outbox += self._notices.tell(
                    walk.customer, "finance-resumed", at=walk.now, dedup=f"finance-resumed:{walk.flow_id}",
                    date=korean_day(finance.not_after),
                )  # fmt: skip
            beside = With(rows=rows, outbox=outbox)
            await self._finish(walk, "resume", beside)

    async def _told(self, walk: Walk, joint: Binding) -> list[Outgoing]:
        details = await self._bindings.details(joint)
        return self._notices.resumed(
            walk.customer, use=Words(details.use_ko, details.use_en), not_after=joint.not_after, at=walk.now,
            dedup=f"resumed:{walk.flow_id}", mails=self._mails,
        )  # fmt: skip
