"""What the last step of each task saves: rows, a line of the history, notices; and the texts that are signed (F5)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

from ingam.center.protection.flow import Kind
from ingam.center.protection.looking import Limits
from ingam.center.task.flow import Confirming, Task
from ingam.center.task.walks import Walk
from ingam.customer.additional_auth.numbers import Number
from ingam.customer.additional_auth.proof import ProofMissing
from ingam.customer.device.acts import ActProofs, Signed
from ingam.customer.device.designated import Designated
from ingam.customer.device.keys import ACTIVE, Answer, Key, Keys, KeyUnknown
from ingam.customer.device.passkeys import Passkeys
from ingam.customer.device.protection import Happened, Protection
from ingam.customer.heads import every_head
from ingam.customer.notice import Notices, Sender, Words
from ingam.customer.notice.wishes import Wishes
from ingam.customer.session.browsers import BrowserSessions
from ingam.kernel.errors import Refusal
from ingam.kernel.instants import korean_day
from ingam.kernel.words import say
from ingam.ports.customers import Customer, Customers, Phone
from ingam.ports.store import Change, Outgoing, Update
from ingam.protocols.challenge import Purpose

HIDDEN: Final = 4
ENDED: Final[Mapping[str, Happened]] = {
    Kind.REMOVE_DEVICE: Happened.DEVICE_REMOVED,
    Kind.REMOVE_PASSKEY: Happened.PASSKEY_REMOVED,
}


class NotApplied(Refusal):
    """A device is designated in the service, and the person has not applied for it."""

    code = "protection-not-applied"


class LastDevice(Refusal):
    """The last one is removed only after additional authentication (M-DEV-03)."""

    code = "device-last"


class HeadsContact(Refusal):
    """The contact of a second or further head of a union is the institution's to change."""

    code = "union-head-contact"


class SameNumber(Refusal):
    """The number that is registered already."""

    code = "contact-same"


@dataclass(frozen=True, slots=True)
class Made:
    """What a last step saves."""

    rows: Sequence[Change]
    outbox: Sequence[Outgoing] = field(repr=False, default=())


class Making:
    """Reads, checks signatures, and gives what is to be saved; saves nothing itself."""

    def __init__(
        self,
        customers: Customers,
        limits: Limits,
        protection: Protection,
        designated: Designated,
        passkeys: Passkeys,
        acts: ActProofs,
        notices: Notices,
        sender: Sender,
        wishes: Wishes,
        sessions: BrowserSessions,
    ) -> None:
        self._customers = customers
        self._limits = limits
        self._protection = protection
        self._designated = designated
        self._passkeys = passkeys
        self._acts = acts
        self._notices = notices
        self._sender = sender
        self._wishes = wishes
        self._sessions = sessions

    async def target(self, customer: Customer, task: Task) -> Key | None:
        """The device or passkey that a task removes; None where it is gone or there is none."""
        return await self._keys(task.kind).by_id(customer, task.target) if task.kind in ENDED else None

    def _keys(self, kind: str) -> Keys:
        return self._designated.keys if kind == Kind.REMOVE_DEVICE else self._passkeys.keys

    async def new_key(self, walk: Walk, alias: str, browser: str, answer: Answer) -> Made:
        """The row of a new device or passkey, its line and its notice."""
        customer, session, body = walk.customer, walk.visit.session, self.new_text(walk, alias)
        row: Change
        if walk.task.kind == Kind.PASSKEY:
            row = await self._passkeys.made(customer, session, alias, browser, body, answer)
            return await self._told(walk, Happened.PASSKEY_ADDED, alias, browser, [row])
        if walk.task.kind != Kind.DEVICE:
            raise KeyUnknown
        if await self._protection.since(customer.customer_id) is None:
            raise NotApplied  # 해지 in another browser, after this task was begun
        row, _ = await self._designated.designate(customer, session, alias, browser, body, answer)
        held = self._protection.held(customer.customer_id)
        return await self._told(walk, Happened.DEVICE_ADDED, alias, browser, [held, row])

    async def _told(self, walk: Walk, event: Happened, alias: str, browser: str, rows: Sequence[Change]) -> Made:
        line = await self._protection.event(walk.customer, event, alias, walk.now)
        notice = self._notices.device_changed(
            walk.customer, str(event), browser or "-", walk.now, f"protection:{walk.flow_id}"
        )
        return Made([*rows, line], notice)

    def new_text(self, walk: Walk, alias: str) -> str:
        """What a new key signs, in words."""
        lang = walk.visit.lang
        return say(f"protection.body_{walk.task.kind}", lang, institution=self._sender.name(lang), alias=alias)

    async def removal(self, walk: Walk, signed: Signed | None) -> Made:
        """The end of a device, a passkey or the service. Raises KeyUnknown, LastDevice, and what signing refuses."""
        state, kind = walk.here.state, walk.task.kind
        assert isinstance(state, Confirming)
        if kind == Kind.CANCEL:
            return await self._end(walk)
        key = await self.target(walk.customer, walk.task)
        if key is None:
            raise KeyUnknown
        keys, rows = self._keys(kind), []
        if state.proof_id is None:
            left = await self._another(walk, keys, key)
            signed_by = await self._signature(walk, self.remove_text(key, walk), signed)
            rows = [*_without(signed_by, key, keys.column), left]
        over = await self._sessions.over(walk.customer.customer_id, [key.mark], walk.visit.session, walk.now)
        gone = keys.removed(key, walk.now)
        return await self._told(walk, ENDED[kind], key.alias, key.browser, [*rows, gone, *over])

    async def _another(self, walk: Walk, keys: Keys, key: Key) -> Change:
        """Another one that is still there when this one goes: two that leave at once are not both without a proof."""
        others = [one for one in await keys.active(walk.customer) if one.key_id != key.key_id]
        if not others:
            raise LastDevice
        return Update(keys.table, {keys.column: others[0].key_id, "status": ACTIVE}, {"status": ACTIVE})

    async def _end(self, walk: Walk) -> Made:
        keys = self._designated.keys
        heads = every_head(walk.customer)
        found = [key for head in heads for key in await keys.active(head)]
        devices = [keys.removed(key, walk.now) for key in found]
        marks = [key.mark for key in found]
        over = await self._sessions.over(walk.customer.customer_id, marks, walk.visit.session, walk.now)
        ended = await self._protection.cancelled(walk.customer, walk.now)
        return Made([*devices, *ended, *over], [one for head in heads for one in self._cancelled(walk, head)])

    def _cancelled(self, walk: Walk, head: Customer) -> Sequence[Outgoing]:
        """The service is the account's: each head whose devices go with it is told."""
        dedup = f"protection:{walk.flow_id}" + ("" if head.slot == walk.customer.slot else f":{head.slot}")
        return self._notices.protection_cancelled(head, walk.now, dedup)

    async def _signature(self, walk: Walk, body: str, signed: Signed | None) -> list[Change]:
        if signed is None:
            raise KeyUnknown
        purpose = Purpose(str(walk.purpose))
        about = walk.task.target
        return await self._acts.check(walk.customer, walk.visit.session, purpose, body, signed, about=about)

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

    async def number(self, walk: Walk, number: str, signed: Signed | None) -> Made:
        """Another number. Raises ProofMissing, SameNumber, and what signing refuses."""
        phone, state = _phone(walk.task), walk.here.state
        if not isinstance(state, Confirming) or state.proof_id is None:
            raise ProofMissing
        proved = await self._signature(walk, self.contact_text(walk, number), signed)
        change = await self._customers.new_number(walk.customer, phone, number or None, walk.now)
        about = f"{phone} {masked(number)}" if number else str(phone)
        event = await self._protection.event(walk.customer, Happened.CONTACT_CHANGED, about, walk.now)
        told, hours = walk.customer.told, self._limits.contact_quarantine_s // 3600
        former = told.former_mobile if told.former_until is not None and told.former_until > walk.now else ""
        numbers = dict.fromkeys(one for one in (walk.customer.mobile, number, former) if one.startswith("01"))
        called = Words(*(say(f"protection.number_{phone}", lang) for lang in ("ko", "en")))
        notices = self._notices.contact_changed(
            numbers, called, hours, walk.now, f"protection:{walk.flow_id}", told.lang
        )  # fmt: skip
        kept = await self._former(walk, phone)
        return Made([*proved, change, event, *kept], notices)

    async def _former(self, walk: Walk, phone: Phone) -> list[Change]:
        """The mobile number before hears what happens, for as long as the new one is not used for codes (E9)."""
        if phone is not Phone.MOBILE:
            return []
        until = walk.now + timedelta(seconds=self._limits.contact_quarantine_s)
        return [await self._wishes.keep_former(walk.customer, until, walk.now)]

    def contact_text(self, walk: Walk, number: str) -> str:
        """What is signed for another number, in words. Raises SameNumber."""
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

    async def body(self, walk: Walk, number: str) -> str:
        """What is signed for the task, in words. Raises KeyUnknown where it is gone."""
        if walk.task.kind == Kind.CONTACT:
            return self.contact_text(walk, number)
        key = await self.target(walk.customer, walk.task)
        if key is None:
            raise KeyUnknown
        return self.remove_text(key, walk)


def _phone(task: Task) -> Phone:
    if task.kind != Kind.CONTACT or task.target not in list(Phone):
        raise KeyUnknown
    return Phone(task.target)


def _without(changes: Sequence[Change], key: Key, column: str) -> list[Change]:
    """A key that signs its own removal is changed once."""
    return [change for change in changes if getattr(change, "where", {}).get(column) != key.key_id]


def masked(number: str) -> str:
    """`010-8513-****`."""
    return Number(Phone.MOBILE, number).masked if len(number) > HIDDEN else "*" * HIDDEN
