"""What stands behind /protection: begin a task, prove who it is, and carry it out in ONE transaction (W8, E8, F5, F6).

Who may skip what: another device or passkey, the last device, the end of the service and another number always follow
additional authentication; a device among others is removed by a signature of one of the person's keys, unless this
browser is new to the person (F6). Another number wants both.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, NoReturn

from ingam.center.protection.flow import (
    AuthenticatedInstead,
    AwaitingFactor,
    ChoosingFactor,
    Confirming,
    FactorAnswered,
    FactorAsked,
    Finished,
    Kind,
    Left,
    Task,
)
from ingam.center.protection.looking import Looking, Overview
from ingam.center.protection.walks import PURPOSES, Here, Limits, Walk, Walks
from ingam.center.walks import Turn, Visit, With, told
from ingam.customer.additional_auth import Method, proof
from ingam.customer.additional_auth.ars import Calling
from ingam.customer.additional_auth.flow import Answered
from ingam.customer.additional_auth.numbers import Number
from ingam.customer.additional_auth.proof import ProofMissing
from ingam.customer.additional_auth.service import STOPS, AdditionalAuth, FactorsRefused, Typed
from ingam.customer.device import Devices
from ingam.customer.device.acts import ActProofs, By, Signed
from ingam.customer.device.designated import Designated
from ingam.customer.device.designated import Kind as KeyKind
from ingam.customer.device.keys import Answer, Key, KeyTaken, KeyUnknown
from ingam.customer.device.passkeys import Passkeys
from ingam.customer.device.protection import Happened, Protection
from ingam.customer.notice import Notices, Sender
from ingam.customer.session import Level
from ingam.kernel.errors import Failure, Refusal
from ingam.kernel.instants import korean_day
from ingam.kernel.words import say
from ingam.ports.clock import Clock
from ingam.ports.customers import Customer, Customers, Phone
from ingam.ports.keys import Digests
from ingam.ports.store import AlreadyUsed, Change, Conflict, LedgerMove, NotIssued, Outgoing, Store
from ingam.protocols.challenge import Purpose

HIDDEN: Final = 4
ENDED: Final = {Kind.REMOVE_DEVICE: Happened.DEVICE_REMOVED, Kind.REMOVE_PASSKEY: Happened.PASSKEY_REMOVED}


class NotApplied(Refusal):
    """A device is designated in the service, and the person has not applied for it."""

    code = "protection-not-applied"


class CertificateFirst(Refusal):
    """A passkey is made by a person who is logged in by certificate."""

    code = "passkey-certificate-first"


class AlreadyHere(Refusal):
    """This browser is a designated device already."""

    code = "device-already"


class NoKey(Refusal):
    """Another number wants a signature, and the person has nothing to sign with."""

    code = "contact-no-key"


class SameNumber(Refusal):
    """The number that is registered already."""

    code = "contact-same"


@dataclass(frozen=True, slots=True)
class Made:
    """What a last step saves."""

    rows: Sequence[Change]
    outbox: Sequence[Outgoing] = field(repr=False, default=())


@dataclass(frozen=True, slots=True)
class Ports:
    """What the service works on."""

    store: Store
    clock: Clock
    customers: Customers
    digests: Digests


class ProtectionService:
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
    ) -> None:
        self._store = ports.store
        self._clock = ports.clock
        self._customers = ports.customers
        self._digests = ports.digests
        self._limits = limits
        self._auth = auth
        self._protection = protection
        self._designated = designated
        self._passkeys = passkeys
        self._acts = acts
        self._notices = notices
        self._sender = sender
        self._devices = Devices(ports.store, ports.digests)
        self._looking = Looking(ports.clock, limits, protection, designated, passkeys)
        self._walks = Walks(ports.store, ports.clock, ports.customers, notices, ports.digests, limits)

    @property
    def software(self) -> bool:
        """Whether software keys may be designated."""
        return self._designated.software

    # ── looking ─────────────────────────────────────────────────────────────────────────────────────────────────

    async def here(self, visit: Visit) -> Here:
        """The true step."""
        return await self._walks.settled(visit)

    async def customer(self, visit: Visit) -> Customer:
        """The customer of this session. Raises NotLoggedIn."""
        return await self._walks.customer(visit.session)

    async def overview(self, visit: Visit) -> Overview:
        """The page while nothing is under way."""
        return await self._looking.overview(visit, await self.customer(visit), await self._walks.last_end(visit))

    async def target(self, visit: Visit, task: Task) -> Key | None:
        """The device or passkey that a task removes; None where it is gone or there is none."""
        customer_id = (await self.customer(visit)).customer_id
        if task.kind is Kind.REMOVE_DEVICE:
            return await self._designated.keys.by_id(customer_id, task.target)
        if task.kind is Kind.REMOVE_PASSKEY:
            return await self._passkeys.keys.by_id(customer_id, task.target)
        return None

    async def ways(self, visit: Visit) -> tuple[By, ...]:
        """What the person could sign with."""
        return await self._acts.ways(await self.customer(visit), visit.session)

    async def look(self, visit: Visit) -> Calling | None:
        """The call that is under way in this flow, or None."""
        here = await self._walks.settled(visit)
        if not isinstance(here.state, AwaitingFactor) or here.state.factor.method != Method.ARS:
            return None
        walk = await self._walks.walk(visit, here)
        return await self._auth.look(walk.bound, here.state.factor.request_id)

    # ── 신청, and beginning a task ──────────────────────────────────────────────────────────────────────────────

    async def apply(self, visit: Visit) -> None:
        """신청: nothing is weaker by it, so that it needs no more than the login."""
        async with self._walks.turn_of(visit.session):
            walk = await self._walks.walk(visit, await self._walks.settled(visit))
            rows = await self._protection.applied(walk.customer, walk.now)
            await self._walks.record(walk, "protection.apply", "ok", With(rows=rows))

    async def begin(self, visit: Visit, task: Task) -> None:
        """A task; one that was under way is left.

        Raises NotApplied, AlreadyHere, KeyLimit, CertificateFirst, KeyUnknown (nothing of this id), NoKey.
        """
        async with self._walks.turn_of(visit.session):
            customer = await self.customer(visit)
            await self._refuse_vain(visit, customer, task)
            await self._walks.begin(visit, task, signs=await self._signs(visit, customer, task))

    async def _refuse_vain(self, visit: Visit, customer: Customer, task: Task) -> None:
        """What could not be carried out is refused before anybody is asked for a code."""
        applied = await self._protection.since(customer.customer_id) is not None
        if task.kind in (Kind.DEVICE, Kind.CANCEL) and not applied:
            raise NotApplied
        if task.kind is Kind.DEVICE:
            if await self._designated.here(customer, visit.session) is not None:
                raise AlreadyHere
            await self._designated.keys.room(customer.customer_id)
        if task.kind is Kind.PASSKEY:
            if visit.session.level is not Level.CERT:
                raise CertificateFirst
            await self._passkeys.keys.room(customer.customer_id)
        if task.kind in ENDED and await self.target(visit, task) is None:
            raise KeyUnknown
        if task.kind is Kind.CONTACT and not await self._acts.ways(customer, visit.session):
            raise NoKey

    async def _signs(self, visit: Visit, customer: Customer, task: Task) -> bool:
        """Whether a key may do without additional authentication: a device among others, in a browser not new (F6)."""
        if task.kind not in ENDED or not await self._acts.ways(customer, visit.session):
            return False
        keys = self._designated.keys if task.kind is Kind.REMOVE_DEVICE else self._passkeys.keys
        if len(await keys.active(customer.customer_id)) < 2:
            return False
        return await self._devices.is_confirmed(customer, visit.session.device)

    async def instead(self, visit: Visit, turn: Turn) -> None:
        """None of the keys is at hand. Raises TrueStep."""
        async with self._walks.turn_of(visit.session):
            walk = await self._walks.at(visit, turn, Confirming)
            await self._walks.leave(walk, AuthenticatedInstead(), "protection.instead")

    async def cancel(self, visit: Visit, turn: Turn) -> None:
        """취소. Raises TrueStep."""
        async with self._walks.turn_of(visit.session):
            walk = await self._walks.at(visit, turn, ChoosingFactor, AwaitingFactor, Confirming)
            await self._walks.leave(walk, Left(), "protection.leave")

    # ── additional authentication ───────────────────────────────────────────────────────────────────────────────

    async def request_factor(self, visit: Visit, turn: Turn, method: Method, to: Phone | None) -> None:
        """A code or a call. Raises TrueStep, and what AdditionalAuth.request refuses; what STOPS locks."""
        async with self._walks.turn_of(visit.session):
            walk = await self._walks.at(visit, turn, ChoosingFactor, AwaitingFactor)
            action = f"protection.{method}"
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
                await self._walks.lock(walk, "protection.factor", stopped)
            except FactorsRefused as refused:
                causes = {name: one.code for name, one in refused.errors.items()}
                beside = With(resets=refused.resets, facts=causes)
                await self._walks.refuse(walk, "protection.factor", refused, beside)
            confirmed = await self._devices.confirmed(walk.customer, visit.session.device, walk.now)
            beside = With(
                rows=[*verified.rows, *confirmed],
                ledger=verified.ledger,
                resets=verified.resets,
                facts={"method": str(typed.method)},
            )
            event = FactorAnswered(Answered(verified.proof.proof_id, verified.proof.expires_at))
            await self._walks.save(walk, event, "protection.factor", beside)

    # ── a new key ───────────────────────────────────────────────────────────────────────────────────────────────

    async def offer(self, visit: Visit, turn: Turn, alias: str, kind: KeyKind) -> dict[str, object]:
        """What the new device key or passkey is to sign. Raises TrueStep, DeviceBarred, KeyLimit, TooManyChallenges."""
        async with self._walks.turn_of(visit.session):
            walk = await self._walks.at(visit, turn, Confirming)
            body = self.new_text(walk.task, alias, visit.lang)
            if walk.task.kind is Kind.PASSKEY:
                return await self._passkeys.offer(walk.customer, visit.session, visit.address, body)
            if walk.task.kind is not Kind.DEVICE:
                raise KeyUnknown
            return await self._designated.offer(walk.customer, visit.session, visit.address, alias, body, kind)

    async def add(self, visit: Visit, turn: Turn, alias: str, browser: str, answer: Answer) -> Kind:
        """The new key is saved with the proof that allows it, a line of the history and a notice (M-DEV-01).

        Raises TrueStep, NonceInvalid, ActChanged, KeyUnknown, KeyLimit, DeviceBarred, and what the key's checks refuse.
        """
        async with self._walks.turn_of(visit.session):
            walk = await self._walks.at(visit, turn, Confirming)
            kind, now = walk.task.kind, walk.now
            try:
                row, event = await self._new_key(walk, alias, browser, answer)
            except Failure as failure:
                await self._walks.refuse(walk, f"protection.{kind}", failure)
            told = await self._protection.event(walk.customer, event, alias, now)
            notice = self._notices.device_changed(
                walk.customer, str(event), browser or "-", now, f"protection:{walk.flow_id}"
            )
            await self._finish(walk, Made([row, told], [notice]))
            return kind

    async def _new_key(self, walk: Walk, alias: str, browser: str, answer: Answer) -> tuple[Change, Happened]:
        customer, session, body = walk.customer, walk.visit.session, self.new_text(walk.task, alias, walk.visit.lang)
        if walk.task.kind is Kind.PASSKEY:
            made = await self._passkeys.made(customer, session, alias, browser, body, answer)
            return made, Happened.PASSKEY_ADDED
        if walk.task.kind is not Kind.DEVICE:
            raise KeyUnknown
        row, _ = await self._designated.designate(customer, session, alias, browser, body, answer)
        return row, Happened.DEVICE_ADDED

    def new_text(self, task: Task, alias: str, lang: str) -> str:
        """What a new key signs, in words."""
        return say(f"protection.body_{task.kind}", lang, institution=self._sender.name(lang), alias=alias)

    # ── removing, and the end of the service ────────────────────────────────────────────────────────────────────

    async def remove(self, visit: Visit, turn: Turn, signed: Signed | None) -> Kind:
        """해지 of a device, of a passkey or of the service: by the proof that is held, or by a signature of a key.

        Raises TrueStep, KeyUnknown (gone meanwhile, or no signature), and what ActProofs.check refuses.
        """
        async with self._walks.turn_of(visit.session):
            walk = await self._walks.at(visit, turn, Confirming)
            kind = walk.task.kind
            try:
                made = await self._removal(walk, signed)
            except Failure as failure:
                await self._walks.refuse(walk, f"protection.{kind}", failure)
            await self._finish(walk, made)
            return kind

    async def _removal(self, walk: Walk, signed: Signed | None) -> Made:
        state, kind = walk.here.state, walk.task.kind
        assert isinstance(state, Confirming)
        if kind is Kind.CANCEL:
            return await self._end(walk)
        key = await self.target(walk.visit, walk.task)
        if key is None or kind not in ENDED:
            raise KeyUnknown
        proved = [] if state.proof_id is not None else await self._signature(walk, self.remove_text(key, walk), signed)
        keys = self._designated.keys if kind is Kind.REMOVE_DEVICE else self._passkeys.keys
        event = await self._protection.event(walk.customer, ENDED[kind], key.alias, walk.now)
        notice = self._notices.device_changed(
            walk.customer, str(ENDED[kind]), key.browser or "-", walk.now, f"protection:{walk.flow_id}"
        )
        return Made([*_without(proved, key, keys.column), keys.removed(key, walk.now), event], [notice])

    async def _end(self, walk: Walk) -> Made:
        keys = self._designated.keys
        devices = [keys.removed(key, walk.now) for key in await keys.active(walk.customer.customer_id)]
        ended = await self._protection.cancelled(walk.customer, walk.now)
        notice = self._notices.protection_cancelled(walk.customer, walk.now, f"protection:{walk.flow_id}")
        return Made([*devices, *ended], [notice])

    async def _signature(self, walk: Walk, body: str, signed: Signed | None) -> list[Change]:
        if signed is None:
            raise KeyUnknown
        purpose = Purpose(str(PURPOSES[walk.task.kind]))
        return await self._acts.check(walk.customer, walk.visit.session, purpose, body, signed)

    def remove_text(self, key: Key, walk: Walk) -> str:
        """What is signed to remove a key, in words."""
        lang = walk.visit.lang
        return say(
            f"protection.body_{walk.task.kind}",
            lang,
            institution=self._sender.name(lang),
            alias=key.alias,
            date=korean_day(key.added_at),
        )

    # ── another number ──────────────────────────────────────────────────────────────────────────────────────────

    async def contact_text(self, visit: Visit, turn: Turn, number: str) -> str:
        """What is signed for another number, in words. Raises TrueStep, SameNumber."""
        walk = await self._walks.at(visit, turn, Confirming)
        return self._contact_text(walk, number)

    def _contact_text(self, walk: Walk, number: str) -> str:
        phone, lang = _phone(walk.task), walk.visit.lang
        if (phone.of(walk.customer) or "") == number:
            raise SameNumber
        return say(
            "protection.body_contact",
            lang,
            institution=self._sender.name(lang),
            which=say(f"protection.number_{phone}", lang),
            number=number or say("protection.number_none", lang),
        )

    async def challenge(self, visit: Visit, turn: Turn, number: str, by: By) -> dict[str, object]:
        """What a key of the person is to sign for the task. Raises TrueStep, KeyUnknown, TooManyChallenges."""
        async with self._walks.turn_of(visit.session):
            walk = await self._walks.at(visit, turn, Confirming)
            body = await self._body(walk, number)
            purpose = Purpose(str(PURPOSES[walk.task.kind]))
            return await self._acts.challenge(
                walk.customer, visit.session, visit.address, purpose, body, by, visit.lang
            )

    async def _body(self, walk: Walk, number: str) -> str:
        if walk.task.kind is Kind.CONTACT:
            return self._contact_text(walk, number)
        key = await self.target(walk.visit, walk.task)
        if key is None:
            raise KeyUnknown
        return self.remove_text(key, walk)

    async def change_number(self, visit: Visit, turn: Turn, number: str, signed: Signed | None) -> Kind:
        """Another number, by the proof and a signature; used for codes after the quarantine, told to old and new (E9).

        Raises TrueStep, SameNumber, and what ActProofs.check refuses.
        """
        async with self._walks.turn_of(visit.session):
            walk = await self._walks.at(visit, turn, Confirming)
            try:
                made = await self._number(walk, number, signed)
            except Failure as failure:
                await self._walks.refuse(walk, "protection.contact", failure)
            await self._finish(walk, made)
            return walk.task.kind

    async def _number(self, walk: Walk, number: str, signed: Signed | None) -> Made:
        phone, state = _phone(walk.task), walk.here.state
        if not isinstance(state, Confirming) or state.proof_id is None:
            raise ProofMissing
        proved = await self._signature(walk, self._contact_text(walk, number), signed)
        change = await self._customers.new_number(walk.customer, phone, number or None, walk.now)
        which = say(f"protection.number_{phone}", "ko")
        shown = f"{which} {masked(number)}" if number else which
        event = await self._protection.event(walk.customer, Happened.CONTACT_CHANGED, shown, walk.now)
        told_to = dict.fromkeys(one for one in (walk.customer.mobile, number) if one.startswith("01"))
        hours = self._limits.contact_quarantine_s // 3600
        notices = self._notices.contact_changed(told_to, which, hours, walk.now, f"protection:{walk.flow_id}")
        return Made([*proved, change, event], notices)

    # ── the one transaction ─────────────────────────────────────────────────────────────────────────────────────

    async def _finish(self, walk: Walk, made: Made) -> None:
        action = f"protection.{walk.task.kind}"
        try:
            ledger = await self._used(walk)
            await self._walks.save(walk, Finished(), action, With(rows=made.rows, ledger=ledger, outbox=made.outbox))
        except Conflict:
            await self._walks.refuse(walk, action, KeyTaken())
        except (ProofMissing, AlreadyUsed, NotIssued):
            await self._lapsed(walk, action)

    async def _used(self, walk: Walk) -> list[LedgerMove]:
        state = walk.here.state
        if not isinstance(state, Confirming) or state.proof_id is None:
            return []
        return [await proof.consume(self._store, state.proof_id, walk.bound, walk.now)]

    async def _lapsed(self, walk: Walk, action: str) -> NoReturn:
        await self._walks.refuse(walk, action, ProofMissing(), With(facts=told(ProofMissing())))


def _phone(task: Task) -> Phone:
    if task.kind is not Kind.CONTACT or task.target not in list(Phone):
        raise KeyUnknown
    return Phone(task.target)


def _without(changes: Sequence[Change], key: Key, column: str) -> list[Change]:
    """A key that signs its own removal is changed once."""
    return [change for change in changes if getattr(change, "where", {}).get(column) != key.key_id]


def masked(number: str) -> str:
    """`010-8513-****`."""
    return Number(Phone.MOBILE, number).masked if len(number) > HIDDEN else "*" * HIDDEN
