"""What stands behind /protection: begin a task, prove who it is, and carry it out in ONE transaction (W8, E8, F5, F6).

Who may skip what: another device or passkey, the last device, the end of the service and another number always follow
additional authentication; a device among others is removed by a signature of one of the person's keys, unless this
browser is new to the person (F6). Another number wants both.
"""

from __future__ import annotations

from dataclasses import dataclass

from ingam.center.protection.flow import PROTECTION, PURPOSES, Kind
from ingam.center.protection.looking import Limits, Looking, Overview
from ingam.center.protection.making import ENDED, HeadsContact, Made, Making, NotApplied
from ingam.center.task.flow import Confirming, Task
from ingam.center.task.service import TaskService
from ingam.center.task.walks import Feature, Walk, Walks
from ingam.center.walks import Turn, Visit, With
from ingam.customer.additional_auth.service import AdditionalAuth
from ingam.customer.device import Devices
from ingam.customer.device.acts import ActProofs, By, Signed
from ingam.customer.device.designated import Designated
from ingam.customer.device.designated import Kind as KeyKind
from ingam.customer.device.keys import Answer, Key, KeyTaken, KeyUnknown
from ingam.customer.device.passkeys import Passkeys
from ingam.customer.device.protection import Protection
from ingam.customer.notice import Notices, Sender
from ingam.customer.notice.wishes import Wishes
from ingam.customer.session import Level
from ingam.customer.session.browsers import BrowserSessions
from ingam.kernel.errors import Failure, Refusal
from ingam.ports.clock import Clock
from ingam.ports.customers import Customer, Customers
from ingam.ports.keys import Digests
from ingam.ports.store import Conflict, Store
from ingam.protocols.challenge import Purpose


class CertificateFirst(Refusal):
    """A passkey is made by a person who is logged in by certificate."""

    code = "passkey-certificate-first"


class AlreadyHere(Refusal):
    """This browser is a designated device already."""

    code = "device-already"


class NoKey(Refusal):
    """Another number wants a signature, and the person has nothing to sign with."""

    code = "contact-no-key"


@dataclass(frozen=True, slots=True)
class Ports:
    """What the service works on."""

    store: Store
    clock: Clock
    customers: Customers
    digests: Digests


class ProtectionService(TaskService):
    """The service behind /protection."""

    def __init__(
        self,
        ports: Ports,
        limits: Limits,
        *,
        auth: AdditionalAuth,
        protection: Protection,
        designated: Designated,
        passkeys: Passkeys,
        acts: ActProofs,
        notices: Notices,
        sender: Sender,
        wishes: Wishes,
    ) -> None:
        feature = Feature(PROTECTION, PURPOSES, notices.protection_locked)
        walks, self._devices = Walks(ports, limits, feature), Devices(ports.store, ports.digests)
        super().__init__(walks, auth, self._devices)
        self._protection = protection
        self._designated = designated
        self._passkeys = passkeys
        self._acts = acts
        self._making = Making(
            ports.customers, limits, protection, designated, passkeys, acts, notices, sender, wishes,
            BrowserSessions(ports.store),
        )  # fmt: skip
        self._looking = Looking(ports.clock, limits, protection, designated, passkeys)

    @property
    def software(self) -> bool:
        """Whether software keys may be designated."""
        return self._designated.software

    # ── looking ─────────────────────────────────────────────────────────────────────────────────────────────────

    async def overview(self, visit: Visit) -> Overview:
        """The page while nothing is under way."""
        return await self._looking.overview(visit, await self.customer(visit), await self._walks.last_end(visit))

    async def target(self, visit: Visit, task: Task) -> Key | None:
        """The device or passkey that a task removes; None where it is gone or there is none."""
        return await self._making.target(await self.customer(visit), task)

    async def ways(self, visit: Visit) -> tuple[By, ...]:
        """What the person could sign with."""
        return await self._acts.ways(await self.customer(visit), visit.session)

    # ── 신청, and beginning a task ──────────────────────────────────────────────────────────────────────────────

    async def apply(self, visit: Visit) -> None:
        """신청: nothing is weaker by it, so that it needs no more than the login."""
        async with self._walks.turn_of(visit):
            walk = await self._walks.walk(visit, await self._walks.settled(visit))
            rows = await self._protection.applied(walk.customer, walk.now)
            await self._walks.record(walk, "apply", "ok", With(rows=rows))

    async def begin(self, visit: Visit, task: Task) -> None:
        """A task; one that was under way is left.

        Raises NotApplied, AlreadyHere, KeyLimit, CertificateFirst, KeyUnknown (nothing of this id), NoKey.
        """
        async with self._walks.turn_of(visit):
            customer = await self.customer(visit)
            await self._refuse_vain(visit, customer, task)
            await self._walks.begin(visit, task, signs=await self._signs(visit, customer, task))

    async def _refuse_vain(self, visit: Visit, customer: Customer, task: Task) -> None:
        """What could not be carried out is refused before anybody is asked for a code."""
        if task.kind == Kind.CONTACT and customer.slot != 1:
            raise HeadsContact
        applied = await self._protection.since(customer.customer_id) is not None
        if task.kind in (Kind.DEVICE, Kind.CANCEL) and not applied:
            raise NotApplied
        if task.kind == Kind.DEVICE:
            if await self._designated.here(customer, visit.session) is not None:
                raise AlreadyHere
            await self._designated.keys.room(customer)
        if task.kind == Kind.PASSKEY:
            if visit.session.level is not Level.CERT:
                raise CertificateFirst
            await self._passkeys.keys.room(customer)
        if task.kind in ENDED and await self.target(visit, task) is None:
            raise KeyUnknown
        if task.kind == Kind.CONTACT and not await self._acts.ways(customer, visit.session):
            raise NoKey

    async def _signs(self, visit: Visit, customer: Customer, task: Task) -> bool:
        """Whether a key may do without additional authentication: a device among others, in a browser not new (F6)."""
        if task.kind not in ENDED or not await self._acts.ways(customer, visit.session):
            return False
        keys = self._designated.keys if task.kind == Kind.REMOVE_DEVICE else self._passkeys.keys
        if len(await keys.active(customer)) < 2:
            return False
        return await self._devices.is_confirmed(customer, visit.session.device)

    # ── a new key ───────────────────────────────────────────────────────────────────────────────────────────────

    async def offer(self, visit: Visit, turn: Turn, alias: str, kind: KeyKind) -> dict[str, object]:
        """What the new device key or passkey is to sign. Raises TrueStep, DeviceBarred, KeyLimit, TooManyChallenges."""
        async with self._walks.turn_of(visit):
            walk = await self._walks.at(visit, turn, Confirming)
            body = self._making.new_text(walk, alias)
            if walk.task.kind == Kind.PASSKEY:
                return await self._passkeys.offer(walk.customer, visit.session, visit.address, body)
            if walk.task.kind != Kind.DEVICE:
                raise KeyUnknown
            return await self._designated.offer(walk.customer, visit.session, visit.address, alias, body, kind)

    async def add(self, visit: Visit, turn: Turn, alias: str, browser: str, answer: Answer) -> str:
        """The new key is saved with the proof that allows it, a line of the history and a notice (M-DEV-01).

        Raises TrueStep, NonceInvalid, ActChanged, KeyUnknown, KeyLimit, DeviceBarred, and what the key's checks refuse.
        """
        async with self._walks.turn_of(visit):
            walk = await self._walks.at(visit, turn, Confirming)
            kind = walk.task.kind
            try:
                made = await self._making.new_key(walk, alias, browser, answer)
            except Failure as failure:
                await self._walks.refuse(walk, kind, failure)
            await self._save(walk, made)
            return kind

    # ── removing, and the end of the service ────────────────────────────────────────────────────────────────────

    async def remove(self, visit: Visit, turn: Turn, signed: Signed | None) -> str:
        """해지 of a device, of a passkey or of the service: by the proof that is held, or by a signature of a key.

        Raises TrueStep, KeyUnknown (gone meanwhile, or no signature), and what ActProofs.check refuses.
        """
        async with self._walks.turn_of(visit):
            walk = await self._walks.at(visit, turn, Confirming)
            kind = walk.task.kind
            try:
                made = await self._making.removal(walk, signed)
            except Failure as failure:
                await self._walks.refuse(walk, kind, failure)
            await self._save(walk, made)
            return kind

    # ── another number ──────────────────────────────────────────────────────────────────────────────────────────

    async def contact_text(self, visit: Visit, turn: Turn, number: str) -> str:
        """What is signed for another number, in words. Raises TrueStep, SameNumber."""
        walk = await self._walks.at(visit, turn, Confirming)
        return self._making.contact_text(walk, number)

    async def challenge(self, visit: Visit, turn: Turn, number: str, by: By) -> dict[str, object]:
        """What a key of the person is to sign for the task. Raises TrueStep, KeyUnknown, TooManyChallenges."""
        async with self._walks.turn_of(visit):
            walk = await self._walks.at(visit, turn, Confirming)
            body = await self._making.body(walk, number)
            purpose = Purpose(str(walk.purpose))
            return await self._acts.challenge(
                walk.customer, visit.session, visit.address, purpose, body, by, visit.lang, about=walk.task.target
            )

    async def change_number(self, visit: Visit, turn: Turn, number: str, signed: Signed | None) -> str:
        """Another number, by the proof and a signature; used for codes after the quarantine, told to old and new (E9).

        Raises TrueStep, SameNumber, and what ActProofs.check refuses.
        """
        async with self._walks.turn_of(visit):
            walk = await self._walks.at(visit, turn, Confirming)
            try:
                made = await self._making.number(walk, number, signed)
            except Failure as failure:
                await self._walks.refuse(walk, Kind.CONTACT, failure)
            await self._save(walk, made)
            return walk.task.kind

    # ── the one transaction ─────────────────────────────────────────────────────────────────────────────────────

    async def _save(self, walk: Walk, made: Made) -> None:
        kind = walk.task.kind
        try:
            await self._finish(walk, kind, With(rows=made.rows, outbox=made.outbox))
        except Conflict:
            await self._walks.refuse(walk, kind, KeyTaken())
