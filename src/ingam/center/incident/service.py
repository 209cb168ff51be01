"""회복: whoever is logged in proves again who they are; then binding and certificate speak again (E11)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from ingam.center.incident.flow import (
    AwaitingFactor,
    Begun,
    ChoosingFactor,
    Confirming,
    FactorAnswered,
    FactorAsked,
    Finished,
    Idle,
    Left,
    State,
)
from ingam.center.incident.suspending import to_authority
from ingam.center.incident.walks import Here, Limits, Walks
from ingam.center.walks import Turn, Visit, With
from ingam.customer.additional_auth import Method, proof
from ingam.customer.additional_auth.ars import Calling
from ingam.customer.additional_auth.flow import Answered
from ingam.customer.additional_auth.proof import ProofMissing
from ingam.customer.additional_auth.service import STOPS, AdditionalAuth, FactorsRefused, Typed
from ingam.customer.binding.bindings import ACTIVE, SUSPENDED, Bindings
from ingam.customer.device import Devices
from ingam.customer.notice import Notices
from ingam.kernel.errors import Refusal
from ingam.ports.clock import Clock
from ingam.ports.customers import Customer, Customers, Phone
from ingam.ports.keys import Digests
from ingam.ports.store import AlreadyUsed, NotIssued, Row, Store, Update


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
class Suspended:
    """What can be resumed, as the page shows it."""

    use_ko: str
    use_en: str
    not_after: datetime
    since: datetime | None


class Resuming:
    """The service behind /incident/resume."""

    def __init__(
        self, ports: Ports, limits: Limits, *, auth: AdditionalAuth, bindings: Bindings, notices: Notices
    ) -> None:
        self._store = ports.store
        self._mails = ports.mails
        self._auth = auth
        self._bindings = bindings
        self._notices = notices
        self._devices = Devices(ports.store, ports.digests)
        self._walks = Walks(ports.store, ports.clock, ports.customers, notices, ports.digests, limits)

    # ── looking ─────────────────────────────────────────────────────────────────────────────────────────────────

    async def here(self, visit: Visit) -> Here:
        """The true step."""
        return await self._walks.settled(visit)

    async def last_end(self, visit: Visit) -> State | None:
        """How the last run ended, if nothing is under way."""
        return await self._walks.last_end(visit)

    async def customer(self, visit: Visit) -> Customer:
        """The customer of this session. Raises NotLoggedIn."""
        return await self._walks.customer(visit.session)

    async def suspended(self, visit: Visit) -> Suspended | None:
        """What can be resumed. Raises NotLoggedIn."""
        binding = await self._bindings.suspended((await self.customer(visit)).customer_id)
        if binding is None:
            return None
        details = await self._bindings.details(binding)
        return Suspended(details.use_ko, details.use_en, binding.not_after, binding.ended_at)

    async def look(self, visit: Visit) -> Calling | None:
        """The call that is under way in this flow, or None."""
        here = await self._walks.settled(visit)
        if not isinstance(here.state, AwaitingFactor) or here.state.factor.method != Method.ARS:
            return None
        walk = await self._walks.walk(visit, here)
        return await self._auth.look(walk.bound, here.state.factor.request_id)

    # ── the walk ────────────────────────────────────────────────────────────────────────────────────────────────

    async def begin(self, visit: Visit) -> None:
        """회복 is asked for; a walk that is under way goes on. Raises NothingSuspended."""
        async with self._walks.turn_of(visit.session):
            walk = await self._walks.walk(visit, await self._walks.settled(visit))
            if await self._bindings.suspended(walk.customer.customer_id) is None:
                await self._walks.refuse(walk, "incident.begin", NothingSuspended())
            if isinstance(walk.here.state, Idle):
                await self._walks.save(walk, Begun(), "incident.begin", With())

    async def cancel(self, visit: Visit, turn: Turn) -> None:
        """취소. Raises TrueStep."""
        async with self._walks.turn_of(visit.session):
            walk = await self._walks.at(visit, turn, ChoosingFactor, AwaitingFactor, Confirming)
            await self._walks.leave(walk, Left(), "incident.leave")

    async def request_factor(self, visit: Visit, turn: Turn, method: Method, to: Phone | None) -> None:
        """A code or a call. Raises TrueStep, and what AdditionalAuth.request refuses; what STOPS locks."""
        async with self._walks.turn_of(visit.session):
            walk = await self._walks.at(visit, turn, ChoosingFactor, AwaitingFactor)
            action = f"incident.{method}"
            try:
                asked = await self._auth.request(walk.customer, walk.bound, method, to, visit.lang)
            except STOPS as stopped:
                await self._walks.lock(walk, action, stopped)
            except Refusal as refused:
                await self._walks.refuse(walk, action, refused)
            beside = With(rows=asked.rows, ledger=asked.ledger, outbox=asked.outbox)
            await self._walks.save(walk, FactorAsked(asked.event), action, beside)

    async def prove_factor(self, visit: Visit, turn: Turn, typed: Typed) -> None:
        """다음. Raises TrueStep, FactorsRefused, WayOff; what STOPS locks. This browser is confirmed by it (F6)."""
        async with self._walks.turn_of(visit.session):
            walk = await self._walks.at(visit, turn, ChoosingFactor, AwaitingFactor)
            state = walk.here.state
            assert isinstance(state, ChoosingFactor | AwaitingFactor)
            try:
                verified = await self._auth.prove(walk.customer, walk.bound, state.factor, typed, visit.lang)
            except STOPS as stopped:
                await self._walks.lock(walk, "incident.factor", stopped)
            except FactorsRefused as refused:
                causes = {name: one.code for name, one in refused.errors.items()}
                beside = With(resets=refused.resets, facts=causes)
                await self._walks.refuse(walk, "incident.factor", refused, beside)
            confirmed = await self._devices.confirmed(walk.customer, visit.session.device, walk.now)
            beside = With(
                rows=[*verified.rows, *confirmed],
                ledger=verified.ledger,
                resets=verified.resets,
                facts={"method": str(typed.method)},
            )
            event = FactorAnswered(Answered(verified.proof.proof_id, verified.proof.expires_at))
            await self._walks.save(walk, event, "incident.factor", beside)

    async def resume(self, visit: Visit, turn: Turn) -> None:
        """Proof, binding, notice, word to the authority and line: one transaction.

        Raises TrueStep (also where the binding moved meanwhile), NothingSuspended, ProofMissing.
        """
        async with self._walks.turn_of(visit.session):
            walk = await self._walks.at(visit, turn, Confirming)
            state = walk.here.state
            assert isinstance(state, Confirming)
            binding = await self._bindings.suspended(walk.customer.customer_id)
            if binding is None:
                await self._walks.refuse(walk, "incident.resume", NothingSuspended())
            details = await self._bindings.details(binding)
            where: Row = {"binding_id": binding.binding_id, "status": SUSPENDED}
            notices = self._notices.resumed(
                walk.customer, use=details.use_ko, not_after=binding.not_after, at=walk.now,
                dedup=f"resumed:{walk.flow_id}", mails=self._mails,
            )  # fmt: skip
            try:
                used = await proof.consume(self._store, state.proof_id, walk.bound, walk.now)
                beside = With(
                    rows=[Update("binding", where, {"status": ACTIVE, "ended_at": None})],
                    ledger=[used],
                    outbox=[*notices, to_authority(binding, walk.customer, walk.now)],
                )
                await self._walks.save(walk, Finished(), "incident.resume", beside)
            except (ProofMissing, AlreadyUsed, NotIssued):
                await self._walks.refuse(walk, "incident.resume", ProofMissing())
