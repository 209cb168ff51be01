"""What every feature of tasks does alike: where a person is, 취소, and 본인확인 추가인증 in the flow's transactions."""

from __future__ import annotations

from ingam.center.task import factor
from ingam.center.task.flow import (
    AuthenticatedInstead,
    AwaitingFactor,
    ChoosingFactor,
    Confirming,
    FactorAnswered,
    FactorAsked,
    Finished,
    Left,
    State,
)
from ingam.center.task.walks import Here, Walk, Walks
from ingam.center.walks import Turn, Visit, With
from ingam.customer.additional_auth import Method
from ingam.customer.additional_auth.ars import Calling
from ingam.customer.additional_auth.proof import ProofMissing
from ingam.customer.additional_auth.service import AdditionalAuth, Typed
from ingam.customer.device import Devices
from ingam.ports.customers import Customer, Phone
from ingam.ports.store import AlreadyUsed, NotIssued


class TaskService:
    """The base of a feature's service."""

    def __init__(self, walks: Walks, auth: AdditionalAuth, devices: Devices) -> None:
        self._walks = walks
        self._auth = auth
        self._devices = devices

    # ── looking ─────────────────────────────────────────────────────────────────────────────────────────────────

    async def here(self, visit: Visit) -> Here:
        """The true step."""
        return await self._walks.settled(visit)

    async def last_end(self, visit: Visit) -> State | None:
        """How the last run ended, if nothing is under way."""
        return await self._walks.last_end(visit)

    async def customer(self, visit: Visit) -> Customer:
        """The customer of this session. Raises NotLoggedIn."""
        return await self._walks.customer(visit)

    async def asked(self, visit: Visit) -> Customer:
        """Whom the additional authentication of the task under way is asked of."""
        return (await self._walks.walk(visit, await self._walks.settled(visit))).customer

    async def look(self, visit: Visit) -> Calling | None:
        """The call that is under way in this flow, or None."""
        here = await self._walks.settled(visit)
        if not isinstance(here.state, AwaitingFactor) or here.state.factor.method != Method.ARS:
            return None
        walk = await self._walks.walk(visit, here)
        return await self._auth.look(walk.bound, here.state.factor.request_id)

    # ── leaving ─────────────────────────────────────────────────────────────────────────────────────────────────

    async def cancel(self, visit: Visit, turn: Turn) -> None:
        """취소. Raises TrueStep."""
        async with self._walks.turn_of(visit):
            walk = await self._walks.at(visit, turn, ChoosingFactor, AwaitingFactor, Confirming)
            await self._walks.leave(walk, Left(), "leave")

    async def instead(self, visit: Visit, turn: Turn) -> None:
        """None of the keys is at hand. Raises TrueStep."""
        async with self._walks.turn_of(visit):
            walk = await self._walks.at(visit, turn, Confirming)
            await self._walks.leave(walk, AuthenticatedInstead(), "instead")

    # ── additional authentication ───────────────────────────────────────────────────────────────────────────────

    async def request_factor(self, visit: Visit, turn: Turn, method: Method, to: Phone | None) -> None:
        """A code or a call. Raises TrueStep, and what AdditionalAuth.request refuses; what STOPS locks."""
        async with self._walks.turn_of(visit):
            walk = await self._walks.at(visit, turn, ChoosingFactor, AwaitingFactor)
            asking = self._auth.request(walk.customer, walk.bound, method, to, visit.lang)
            asked = await factor.heard(self._walks, walk, method, asking)
            await self._walks.save(walk, FactorAsked(asked.event), method, factor.asked(asked))

    async def prove_factor(self, visit: Visit, turn: Turn, typed: Typed) -> None:
        """다음. Raises TrueStep, FactorsRefused, WayOff; what STOPS locks. This browser is confirmed by it (F6)."""
        async with self._walks.turn_of(visit):
            walk = await self._walks.at(visit, turn, ChoosingFactor, AwaitingFactor)
            state = walk.here.state
            assert isinstance(state, ChoosingFactor | AwaitingFactor)
            proving = self._auth.prove(walk.customer, walk.bound, state.factor, typed, visit.lang)
            verified = await factor.heard(self._walks, walk, "factor", proving)
            answered, beside = await factor.proved(self._devices, walk, verified, str(typed.method))
            await self._walks.save(walk, FactorAnswered(answered), "factor", beside)

    # ── the last step ───────────────────────────────────────────────────────────────────────────────────────────

    async def _finish(self, walk: Walk, act: str, beside: With) -> None:
        """The end of the task, with the proof used up: one transaction. Raises ProofMissing, TrueStep."""
        try:
            beside.ledger = [*beside.ledger, *await self._walks.used(walk)]
            await self._walks.save(walk, Finished(), act, beside)
        except (ProofMissing, AlreadyUsed, NotIssued):
            await self._walks.refuse(walk, act, ProofMissing())
