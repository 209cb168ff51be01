"""등록 and 해제 of a 금융인증서, each in one transaction at its end."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from ingam.center.finance_cert.flow import FINANCE, REGISTER, RELEASE, TASKS
from ingam.center.task.flow import Confirming
from ingam.center.task.service import TaskService
from ingam.center.task.walks import Feature, Limits, Walk, Walks
from ingam.center.walks import TrueStep, Turn, Visit, With
from ingam.customer.additional_auth import Purpose
from ingam.customer.additional_auth.service import AdditionalAuth
from ingam.customer.binding.bindings import ReplaceConfirm
from ingam.customer.binding.proof import Prover
from ingam.customer.device import Devices
from ingam.customer.finance.asking import FinanceWindows, Returned
from ingam.customer.finance.bindings import STALE, FinanceBinding, FinanceBindings, NothingBound
from ingam.customer.finance.proof import prove, prove_ownership
from ingam.customer.finance.watching import first
from ingam.customer.heads import every_head, undecided
from ingam.customer.masking import mask_name
from ingam.customer.notice import Notices
from ingam.kernel.errors import Failure, Refusal
from ingam.kernel.instants import korean_day
from ingam.npki.subject import display_name
from ingam.ports import finance_cert as port
from ingam.ports.clock import Clock
from ingam.ports.customers import Customer, CustomerKind, Customers
from ingam.ports.keys import Digests
from ingam.ports.store import Store

AT = "/finance-cert"


class PersonalOnly(Refusal):
    """A company has no 금융인증서."""

    code = "finance-personal-only"


@dataclass(frozen=True, slots=True)
class Ports:
    """What the service works on."""

    store: Store
    clock: Clock
    customers: Customers
    digests: Digests


@dataclass(frozen=True, slots=True)
class Bound:
    """What is registered, as the page shows it. `suspended`: its use is stopped (사고신고, or its authority)."""

    name: str
    serial: str
    not_after: datetime
    bound_at: datetime
    suspended: bool = False


@dataclass(frozen=True, slots=True)
class OfHead:
    """What one head of a union has, as the page shows it after the ID login. `name`: masked."""

    slot: int
    name: str
    bound: Bound | None


class FinanceCerts(TaskService):
    """The service behind /finance-cert."""

    def __init__(
        self,
        ports: Ports,
        limits: Limits,
        *,
        auth: AdditionalAuth,
        windows: FinanceWindows,
        bindings: FinanceBindings,
        prover: Prover,
        notices: Notices,
    ) -> None:
        purposes = {REGISTER.kind: Purpose.FINANCE_REGISTRATION, RELEASE.kind: Purpose.FINANCE_RELEASE}
        feature = Feature(
            FINANCE, purposes, lambda who, at, dedup: notices.tell(who, "finance-locked", at=at, dedup=dedup)
        )  # fmt: skip
        super().__init__(Walks(ports, limits, feature), auth, Devices(ports.store, ports.digests))
        self._windows = windows
        self._bindings = bindings
        self._prover = prover
        self._notices = notices
        self._clock = ports.clock

    @property
    def offered(self) -> bool:
        """Whether this institution has a provider."""
        return self._windows.offered

    async def bound(self, visit: Visit) -> Bound | None:
        """What is registered, of whoever the task under way is about. Raises NotLoggedIn."""
        return await self._bound(await self.asked(visit))

    async def heads(self, visit: Visit) -> tuple[OfHead, ...]:
        """Each head of a union, where the login did not say which of them is here; of everybody else none."""
        customer = await self.customer(visit)
        if not undecided(customer, visit.session):
            return ()
        return tuple([OfHead(one.slot, mask_name(one.name), await self._bound(one)) for one in every_head(customer)])

    async def _bound(self, customer: Customer) -> Bound | None:
        binding = await self._bindings.active(customer)
        suspended = None if binding else await self._bindings.suspended(customer)
        shown = binding or suspended
        if shown is None:
            return None
        found = await self._bindings.certificate(shown)
        name, serial = display_name(found.subject), f"{found.serial:x}"
        return Bound(name, serial, shown.not_after, shown.bound_at, suspended is not None)

    async def stale(self, visit: Visit) -> bool:
        """Whether what was registered last ended by itself: expired, revoked, renewed in its cloud."""
        last = await self._bindings.last(await self.customer(visit))
        return last is not None and last.status == STALE

    async def begin(self, visit: Visit, kind: str, slot: int | None = None) -> None:
        """등록하기, 해제하기; `slot`: of this head of a union, where the login did not say which of them is here.

        Raises NotLoggedIn, PersonalOnly, FinanceSuspended, NothingBound, TrueStep.
        """
        async with self._walks.turn_of(visit):
            customer, chosen = await self.customer(visit), None
            if undecided(customer, visit.session):
                chosen = next((one for one in every_head(customer) if one.slot == slot), None)
            customer = chosen or customer
            if kind not in TASKS or (chosen is None and undecided(customer, visit.session)):
                raise TrueStep
            if customer.kind is CustomerKind.CORPORATE:
                raise PersonalOnly
            await self._bindings.refuse_suspended(customer)
            if kind == RELEASE.kind and await self._bindings.active(customer) is None:
                raise NothingBound
            task = TASKS[kind] if chosen is None else replace(TASKS[kind], slot=chosen.slot)
            await self._walks.begin(visit, task)

    async def open(self, visit: Visit, turn: Turn) -> str:
        """The provider's window for 등록: its nonce. Raises TrueStep, TooManyChallenges, FinanceCertOutage."""
        async with self._walks.turn_of(visit):
            walk = await self._walks.at(visit, turn, Confirming)
            if walk.task.kind != REGISTER.kind:
                raise TrueStep
            current = await self._bindings.in_place(walk.customer)
            try:
                return await self._windows.open(
                    port.Purpose.REGISTER, visit.session.session, visit.address, visit.lang, AT,
                    replaces=current.fingerprint if current else "", bound=walk.flow_id,
                )  # fmt: skip
            except Failure as failure:
                await self._walks.refuse(walk, "open", failure)

    async def window(self, visit: Visit, nonce: str) -> str:
        """The address of an open window of this session. Raises NonceInvalid."""
        return await self._windows.shown(visit.session.session, nonce)

    async def returned(self, visit: Visit, nonce: str, proof: str) -> None:
        """Back from the window: checks 2 to 12, then proof, binding, notice and line in one transaction.

        Raises TrueStep, ProofMissing, NonceInvalid, FinanceCertUnfinished, FinanceCertOutage, CheckFailed,
        StatusUnavailable, Foreign, FinanceBound, FinanceBoundToOther, ReplaceConfirm.
        """
        async with self._walks.turn_of(visit):
            here = await self._walks.settled(visit)
            walk = await self._walks.walk(visit, here)
            if not isinstance(here.state, Confirming) or walk.task.kind != REGISTER.kind:
                raise TrueStep
            try:
                came = await self._windows.claim(port.Purpose.REGISTER, visit.session.session, nonce, proof)
                beside = await self._registered(walk, came)
            except Failure as failure:
                await self._walks.refuse(walk, "register", failure)
            await self._finish(walk, "register", beside)

    async def release(self, visit: Visit, turn: Turn) -> None:
        """해제: the certificate itself stays what it is. Raises TrueStep, NothingBound, ProofMissing."""
        async with self._walks.turn_of(visit):
            walk = await self._walks.at(visit, turn, Confirming)
            if walk.task.kind != RELEASE.kind:
                raise TrueStep
            binding = await self._bindings.active(walk.customer)
            if binding is None:
                await self._walks.refuse(walk, "release", NothingBound())
            rows = self._bindings.release(binding, walk.now, visit.session.session)
            told = self._notices.tell(
                walk.customer, "finance-released", at=walk.now, dedup=f"finance-released:{walk.flow_id}"
            )
            await self._finish(walk, "release", With(rows=rows, outbox=told))

    async def _registered(self, walk: Walk, came: Returned) -> With:
        """Checks 3 to 11, and the rows of 12."""
        if came.bound != walk.flow_id:
            raise TrueStep
        customer = walk.customer
        proven = await prove(self._prover, came, fresh=True, at=self._clock.now())
        prove_ownership(proven, came.signed, customer)
        await self._bindings.check_10_owner(customer, proven.certificate)
        await self._bindings.refuse_suspended(customer)
        current: FinanceBinding | None = await self._bindings.in_place(customer)
        if (current.fingerprint if current else "") != came.challenge.replaces:
            raise ReplaceConfirm(check=11)
        new = await self._bindings.bind(customer, proven, current, walk.visit.session.session)
        told = self._notices.tell(
            customer, "finance-registered", at=walk.now, dedup=f"finance-registered:{walk.flow_id}",
            date=korean_day(proven.certificate.not_after),
        )  # fmt: skip
        watched = first(new.binding_id, walk.now)
        return With(rows=new.rows, outbox=[*told, *watched], facts={"source": str(proven.status.source)})
