"""회복: whoever is logged in proves again who they are; then binding and certificate speak again (E11)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from ingam.center.incident.flow import INCIDENT, RESUME
from ingam.center.incident.suspending import to_authority
from ingam.center.task.flow import Begun, Confirming, Idle
from ingam.center.task.service import TaskService
from ingam.center.task.walks import Feature, Limits, Walks
from ingam.center.walks import Turn, Visit, With
from ingam.customer.additional_auth import Purpose
from ingam.customer.additional_auth.service import AdditionalAuth
from ingam.customer.binding.bindings import ACTIVE, SUSPENDED, Bindings
from ingam.customer.device import Devices
from ingam.customer.notice import Notices, Words
from ingam.kernel.errors import Refusal
from ingam.ports.clock import Clock
from ingam.ports.customers import Customers
from ingam.ports.keys import Digests
from ingam.ports.store import Row, Store, Update


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


class Resuming(TaskService):
    """The service behind /incident/resume."""

    def __init__(
        self, ports: Ports, limits: Limits, *, auth: AdditionalAuth, bindings: Bindings, notices: Notices
    ) -> None:
        feature = Feature(INCIDENT, {RESUME.kind: Purpose.RESUME}, notices.incident_locked)
        super().__init__(Walks(ports, limits, feature), auth, Devices(ports.store, ports.digests))
        self._mails = ports.mails
        self._bindings = bindings
        self._notices = notices

    # ── looking ─────────────────────────────────────────────────────────────────────────────────────────────────

    async def suspended(self, visit: Visit) -> Suspended | None:
        """What can be resumed. Raises NotLoggedIn."""
        binding = await self._bindings.suspended((await self.customer(visit)).customer_id)
        if binding is None:
            return None
        details = await self._bindings.details(binding)
        return Suspended(details.use_ko, details.use_en, binding.not_after, binding.ended_at)

    # ── the walk ────────────────────────────────────────────────────────────────────────────────────────────────

    async def begin(self, visit: Visit) -> None:
        """회복 is asked for; a walk that is under way goes on. Raises NothingSuspended."""
        async with self._walks.turn_of(visit.session):
            walk = await self._walks.walk(visit, await self._walks.settled(visit))
            if await self._bindings.suspended(walk.customer.customer_id) is None:
                await self._walks.refuse(walk, "begin", NothingSuspended())
            if isinstance(walk.here.state, Idle):
                await self._walks.save(walk, Begun(RESUME), "begin", With())

    async def resume(self, visit: Visit, turn: Turn) -> None:
        """Proof, binding, notice, word to the authority and line: one transaction.

        Raises TrueStep (also where the binding moved meanwhile), NothingSuspended, ProofMissing.
        """
        async with self._walks.turn_of(visit.session):
            walk = await self._walks.at(visit, turn, Confirming)
            binding = await self._bindings.suspended(walk.customer.customer_id)
            if binding is None:
                await self._walks.refuse(walk, "resume", NothingSuspended())
            details = await self._bindings.details(binding)
            where: Row = {"binding_id": binding.binding_id, "status": SUSPENDED}
            notices = self._notices.resumed(
                walk.customer, use=Words(details.use_ko, details.use_en), not_after=binding.not_after, at=walk.now,
                dedup=f"resumed:{walk.flow_id}", mails=self._mails,
            )  # fmt: skip
            beside = With(
                rows=[Update("binding", where, {"status": ACTIVE, "ended_at": None})],
                outbox=[*notices, to_authority(binding, walk.customer, walk.now)],
            )
            await self._finish(walk, "resume", beside)
