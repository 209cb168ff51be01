"""What stands behind /management/task: begin, prove who it is, and end the binding in ONE transaction (W4, W7).

해제 wants the signature of a key of the person beside the additional authentication (F5). Whoever has lost every key
may go on without one: releasing opens nothing to anybody, and the person hears of it; the audit says what signed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final, TypeAlias

from ingam.center.management.flow import CRL_REASONS, MANAGEMENT, PURPOSES, Kind, Reason
from ingam.center.management.issued import Issued, IssuedElsewhere, NotValid
from ingam.center.management.looking import NOBODY, Looking, Overview, Registered
from ingam.center.management.revoking import to_authority, to_authority_by_serial
from ingam.center.pin import keys
from ingam.center.task.flow import Confirming, Task
from ingam.center.task.service import TaskService
from ingam.center.task.walks import Feature, Limits, Walk, Walks
from ingam.center.walks import TrueStep, Turn, Visit, With
from ingam.customer.additional_auth.service import AdditionalAuth
from ingam.customer.binding.bindings import ACTIVE, RELEASED, STALE, SUSPENDED, Binding, Bindings
from ingam.customer.binding.ending import ended
from ingam.customer.device import Devices
from ingam.customer.device.acts import ActProofs, By, Signed
from ingam.customer.notice import Notices, Sender, Words
from ingam.customer.payment.owing import fees_owed
from ingam.customer.session import Level
from ingam.kernel.errors import Failure, Refusal
from ingam.kernel.instants import korean_day
from ingam.kernel.words import say
from ingam.ports.certification import Certification, CertificationOutage, CertificationRefused
from ingam.ports.clock import Clock
from ingam.ports.customers import Customer, Customers
from ingam.ports.keys import Digests
from ingam.ports.store import Change, Delete, Outgoing, Store
from ingam.protocols.challenge import Purpose

FINGERPRINT_DIGITS: Final = 64

Hold: TypeAlias = Callable[[Binding, Customer, datetime], Outgoing]
"""The word to the authority that a binding's certificate is suspended."""


class NothingRegistered(Refusal):
    """The certificate is not registered any more: released, replaced or ended meanwhile."""

    code = "management-nothing"


class AnotherHeads(Refusal):
    """The certificate is another head's of this union; theirs is managed with their own, or after the ID login."""

    code = "union-head-other"


class FormerHeads(Refusal):
    """A former head of this place registered the certificate: here it is released, and no more."""

    code = "union-head-former"


class NotOurs(Refusal):
    """Another authority issued the certificate; only there it is revoked."""

    code = "management-not-ours"


@dataclass(frozen=True, slots=True)
class Ports:
    """What the service works on. `certification` None: nothing is issued here."""

    store: Store
    clock: Clock
    customers: Customers
    digests: Digests
    certification: Certification | None


class Management(TaskService):
    """The service behind /management."""

    def __init__(
        self, ports: Ports, limits: Limits, *, auth: AdditionalAuth, acts: ActProofs, bindings: Bindings,
        notices: Notices, sender: Sender, hold: Hold,
    ) -> None:  # fmt: skip
        feature = Feature(MANAGEMENT, PURPOSES, _locked(notices))
        super().__init__(Walks(ports, limits, feature), auth, Devices(ports.store, ports.digests))
        self._store = ports.store
        self._acts = acts
        self._bindings = bindings
        self._looking = Looking(bindings, ports.certification, ports.clock)
        self._issued = IssuedElsewhere(ports.store, bindings, ports.certification, ports.clock)
        self._notices = notices
        self._sender = sender
        self._hold = hold

    # ── looking ─────────────────────────────────────────────────────────────────────────────────────────────────

    async def overview(self, visit: Visit) -> Overview:
        """What is registered. Raises NotLoggedIn."""
        return await self._looking.overview(await self.customer(visit), visit.session.slot)

    async def owed(self, visit: Visit) -> int:
        """Won of the fees that the person owes, by our own books."""
        customer = await self.customer(visit)
        return sum(fee.amount for fee in await fees_owed(self._store, customer.customer_id, visit.began))

    async def about(self, visit: Visit, task: Task) -> Registered | None:
        """The certificate of a task; None where it is not registered any more."""
        return await self._looking.one(await self.customer(visit), visit.session.slot, binding_of(task))

    async def issued(self, visit: Visit) -> tuple[Issued, ...] | None:
        """What our own authority issued to the person and is not registered here; None: it does not answer."""
        try:
            return await self._issued.of(await self.customer(visit))
        except CertificationRefused:
            return ()
        except CertificationOutage:
            return None

    async def about_issued(self, visit: Visit, task: Task) -> Issued | None:
        """The certificate of a task that is about one of them; None where it is none or valid no more.

        Raises CertificationOutage.
        """
        if not of_issued(task):
            return None
        try:
            return await self._issued.one(await self.customer(visit), binding_of(task))
        except NotValid:
            return None

    async def ways(self, visit: Visit) -> tuple[By, ...]:
        """What the person could sign with."""
        return await self._acts.ways(await self.asked(visit), visit.session)

    async def text(self, visit: Visit, task: Task) -> str:
        """What is signed for 해제, in words. Raises NothingRegistered."""
        return self._text(await self._registered(visit, task), visit.lang)

    def _text(self, one: Registered, lang: str) -> str:
        return say(
            "life.body_release",
            lang,
            institution=self._sender.name(lang),
            use=one.use_ko if lang == "ko" else one.use_en,
            date=korean_day(one.binding.not_after),
            fingerprint=one.binding.fingerprint,
        )

    async def _registered(self, visit: Visit, task: Task) -> Registered:
        found = await self.about(visit, task)
        if found is None:
            raise NothingRegistered
        return found

    # ── the tasks ───────────────────────────────────────────────────────────────────────────────────────────────

    async def begin(self, visit: Visit, task: Task) -> None:
        """A task; one that was under way is left.

        Raises NothingRegistered, NotValid, NotOurs, AnotherHeads, FormerHeads, CertificationOutage.
        """
        async with self._walks.turn_of(visit):
            if of_issued(task):
                await self._issued.one(await self.customer(visit), binding_of(task))
                await self._walks.begin(visit, task)
                return
            found = await self._registered(visit, task)
            if not found.mine:
                raise AnotherHeads
            _must_not_be_formers(found, task)
            if found.head and found.head != NOBODY:  # the additional authentication and the notices are that head's
                task = replace(task, slot=found.binding.slot)
            if task.kind == Kind.SUSPENSION and found.binding.status != ACTIVE:
                raise NothingRegistered
            if task.kind == Kind.REVOCATION:
                _must_be_ours(found)
            # A password, or one's own passkey, says too little of which head of several asks for it.
            alone = not found.head or visit.session.level is Level.CERT
            await self._walks.begin(visit, task, signs=task.kind == Kind.SUSPENSION and alone)

    async def challenge(self, visit: Visit, turn: Turn, by: By) -> dict[str, object]:
        async with self._walks.turn_of(visit):
            walk = await self._walks.at(visit, turn, Confirming)
            if walk.task.kind != Kind.RELEASE:
                raise TrueStep
            body = await self.text(visit, walk.task)
            return await self._acts.challenge(
                walk.customer, visit.session, visit.address, Purpose.RELEASE, body, by, visit.lang,
                about=walk.task.target,
            )  # fmt: skip

    async def finish(self, visit: Visit, turn: Turn, signed: Signed | None) -> str:
        """The last press; the kind that is done. A key that was there when it was shown is not asked for twice.

        Raises TrueStep (also where the binding moved meanwhile), NothingRegistered, NotValid, NotOurs, FormerHeads,
        ProofMissing, and what ActProofs.check refuses.
        """
        async with self._walks.turn_of(visit):
            walk = await self._walks.at(visit, turn, Confirming)
            kind = walk.task.kind
            if kind != Kind.SUSPENSION and walk.proof_id is None:
                raise TrueStep
            try:
                beside = await self._made(walk, signed)
            except Failure as failure:
                await self._walks.refuse(walk, kind, failure)
            await self._finish(walk, kind, beside)
            return kind

    async def _made(self, walk: Walk, signed: Signed | None) -> With:
        if of_issued(walk.task):
            return await self._revocation_of_issued(walk)
        found = await self._registered(walk.visit, walk.task)
        _must_not_be_formers(found, walk.task)
        match walk.task.kind:
            case Kind.RELEASE:
                return await self._release(walk, found, signed)
            case Kind.REVOCATION:
                return await self._revocation(walk, found)
            case _:
                return await self._suspension(walk, found)

    async def _release(self, walk: Walk, found: Registered, signed: Signed | None) -> With:
        proved: list[Change] = []
        if signed is not None:
            body = self._text(found, walk.visit.lang)
            proved = await self._acts.check(
                walk.customer, walk.visit.session, Purpose.RELEASE, body, signed, about=walk.task.target
            )
        rows = _ended(walk, found, RELEASED, "released")
        facts: dict[str, str | int] = {"signed": str(signed.by) if signed else "none"}
        return With(rows=[*proved, *rows], outbox=self._told(walk, found, "released"), facts=facts)

    async def _revocation(self, walk: Walk, found: Registered) -> With:
        _must_be_ours(found)
        reason = CRL_REASONS[reason_of(walk.task)]
        details = await self._bindings.details(found.binding)
        word = to_authority(found.binding, details, walk.customer, reason, walk.now)
        pins = await self._pins_gone(walk)
        return With(
            rows=[*_ended(walk, found, STALE, "revoked"), *pins.rows],
            outbox=[*self._told(walk, found, "revoked"), *pins.outbox, word],
            facts={"reason": reason, **pins.facts},
        )

    async def _revocation_of_issued(self, walk: Walk) -> With:
        """One that was registered meanwhile is none of these any more: it is revoked from its own card."""
        one = await self._issued.one(walk.customer, binding_of(walk.task))
        reason, use = CRL_REASONS[reason_of(walk.task)], Words(one.use_ko, one.use_en)
        told = self._notices.tell(walk.customer, "revoked", at=walk.now, dedup=f"revoked:{walk.flow_id}", use=use)
        word = to_authority_by_serial(one, walk.customer, reason, walk.now, walk.flow_id)
        pins = await self._pins_gone(walk)
        facts = {"reason": reason, "serial": one.serial, **pins.facts}
        return With(rows=pins.rows, outbox=[*told, *pins.outbox, word], facts=facts)

    async def _pins_gone(self, walk: Walk) -> With:
        """Of a key that was lost or leaked: every 간편비밀번호 of the person ends, for a device may be lost (0022)."""
        if reason_of(walk.task) != Reason.KEY:
            return With()
        where = keys.all_of(walk.customer)
        count = await self._store.how_many(keys.TABLE, where)
        if not count:
            return With()
        told = self._notices.tell(walk.customer, "pin-revoked", at=walk.now, dedup=f"pin-revoked:{walk.flow_id}")
        return With(rows=[Delete(keys.TABLE, where)], outbox=told, facts={"pins": count})

    async def _suspension(self, walk: Walk, found: Registered) -> With:
        if found.binding.status != ACTIVE:
            raise NothingRegistered
        return With(
            rows=_ended(walk, found, SUSPENDED, "suspended"),
            outbox=[*self._told(walk, found, "held"), self._hold(found.binding, walk.customer, walk.now)],
        )

    def _told(self, walk: Walk, found: Registered, key: str) -> Sequence[Outgoing]:
        use = Words(found.use_ko, found.use_en)
        return self._notices.tell(walk.customer, key, at=walk.now, dedup=f"{key}:{walk.flow_id}", use=use)


def _ended(walk: Walk, found: Registered, status: str, why: str) -> list[Change]:
    return ended(found.binding, status, walk.now, why=why, keep=walk.visit.session.session)


def of_issued(task: Task) -> bool:
    """Whether a task is about a certificate that is not registered here: its target is a fingerprint."""
    return len(binding_of(task)) == FINGERPRINT_DIGITS


def binding_of(task: Task) -> str:
    """The id of the binding that a task is about, or the fingerprint of a certificate that has none."""
    return task.target.partition(":")[0]


def reason_of(task: Task) -> str:
    """Why it is revoked."""
    return task.target.partition(":")[2]


def _must_not_be_formers(found: Registered, task: Task) -> None:
    if found.former and task.kind != Kind.RELEASE:
        raise FormerHeads


def _must_be_ours(found: Registered) -> None:
    if found.ours is None:
        raise CertificationOutage
    if not found.ours:
        raise NotOurs


def _locked(notices: Notices) -> Callable[[Customer, datetime, str], list[Outgoing]]:
    def told(customer: Customer, at: datetime, dedup: str) -> list[Outgoing]:
        return notices.tell(customer, "management-locked", at=at, dedup=dedup)

    return told
