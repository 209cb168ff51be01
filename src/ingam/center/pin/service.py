"""간편비밀번호: one evaluation per signed request, five unproved ones delete the key, one answer for what is not there.

Security B8. In this order: ceilings → the nonce is used up → the device's signature → the try is counted and stored →
the key is used. Nothing that arrives depends on the PIN in a way that could be tried out: a blinded element is a random
one, and a proof is signed by a key that the center knows the public half of and nothing else.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import msgspec

from ingam.center.pin import keys
from ingam.center.pin.keys import RECORDS_MOST, PinKey, PinKeys
from ingam.customer.binding.bindings import SealDetails
from ingam.customer.heads import in_session
from ingam.customer.notice import Notices
from ingam.customer.session import Level, Session
from ingam.kernel.errors import Refusal
from ingam.kernel.instants import to_micros
from ingam.ports.clock import Clock
from ingam.ports.customers import Customer, Customers
from ingam.ports.ephemeral import Ceiling, Ephemeral
from ingam.ports.keys import Digests
from ingam.ports.store import (
    AlreadyUsed,
    Audit,
    Claimed,
    Issue,
    NotIssued,
    Outgoing,
    Save,
    Stale,
    Store,
    Use,
)  # fmt: skip
from ingam.protocols import device, oprf, pin
from ingam.protocols.pin import Act

HANDLE_BYTES: Final = 16
NONCE_BYTES: Final = 32
NONCE_S: Final = 120
PROOF_S: Final = 60
"""The fifth try has so long to be proved; then the key goes, whether or not anybody asks again."""
WINDOW_S: Final = 600
OF_HANDLE: Final = 30
OF_SESSION: Final = 60
OF_ADDRESS: Final = 600
MEANWHILE: Final = 4
ENDING: Final = "pin-ending"
"""The outbox kind."""

HANDLE: Final = re.compile(r"[0-9a-f]{32}")
_NONCE: Final = re.compile(r"[0-9a-f]{64}")
# What is looked at where there is no such record, so that it takes as long: a valid point that nobody signs with.
_NOBODY: Final = bytes.fromhex(
    "046b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296"
    "4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5"
)


class PinGone(Refusal):
    """No such record, or not its device, or no key any more: one answer for all. The certificate's password works."""

    code = "pin-gone"


class PinNonce(Refusal):
    """The request is over, was used, or is of another visit."""

    code = "nonce-invalid"


class PinLogin(Refusal):
    """A 간편비밀번호 is set by somebody who is logged in, so that there is somebody to be told."""

    code = "login-required"


class PinCrowded(Refusal):
    """Asked too often: of this record, this visit, or this network."""

    code = "too-many-requests"


class PinMost(Refusal):
    """The person has as many as they may have (fact n); none of them is taken away for a further one."""

    code = "pin-most"


class PinMalformed(Refusal):
    """What was sent is not of its form."""

    code = "pin-malformed"


@dataclass(frozen=True, slots=True)
class Ports:
    """What the service works on."""

    store: Store
    ephemeral: Ephemeral
    clock: Clock
    customers: Customers
    digests: Digests
    fields: SealDetails


@dataclass(frozen=True, slots=True)
class Visit:
    """Whose request. `address`: its network."""

    session: Session
    address: str


@dataclass(frozen=True, slots=True)
class Asked:
    """What the device signed. `handle`: "" before there is one; `element`: what was blinded, b"" of a removal."""

    nonce: str
    signature: bytes
    handle: str = ""
    element: bytes = b""


@dataclass(frozen=True, slots=True)
class Evaluated:
    """The answer to a try. `number`: its own; `left`: how many may follow unless it is proved."""

    element: bytes
    number: int
    left: int


class _Ending(msgspec.Struct, frozen=True):
    """What the outbox carries: the try after which the key goes unless it was proved."""

    handle: str
    number: int


class Pins:
    """The service. `origin`: the center's; `random`: bytes."""

    def __init__(
        self, ports: Ports, notices: Notices, origin: str, random: Callable[[int], bytes] = secrets.token_bytes
    ) -> None:
        self._store, self._ephemeral, self._clock = ports.store, ports.ephemeral, ports.clock
        self._customers, self._digests = ports.customers, ports.digests
        self._keys = PinKeys(ports.store, ports.fields)
        self._notices, self._origin, self._random = notices, origin, random

    # ── challenge ─────────────────────────────────────────────────────────────────────────────────────────────

    async def challenge(self, visit: Visit) -> str:
        """A nonce (64 lower hex) of this visit. Raises PinCrowded."""
        await self._admit(visit, "")
        nonce, ends = self._random(NONCE_BYTES).hex(), self._clock.now() + timedelta(seconds=NONCE_S)
        await self._store.save(Save(ledger=[Issue(_kind(visit), nonce, ends)]))
        return nonce

    # ── set ───────────────────────────────────────────────────────────────────────────────────────────────────

    async def set(self, visit: Visit, asked: Asked, point: bytes, proves: bytes) -> tuple[str, bytes]:
        """A new key of a record: its handle, and the first evaluation, which is no try.

        `point`: the device key; `proves`: the slot's. Raises PinLogin, PinNonce, PinGone, PinMalformed, PinMost.
        """
        customer = await self._customer(visit)
        await self._admit(visit, "")
        await self._use(visit, asked.nonce)
        body = asked.element + pin.check_proof_key(proves)
        self._signed(Act.SET, asked, point, body)
        handle, key, now = self._random(HANDLE_BYTES).hex(), oprf.new_key(self._random), self._clock.now()
        evaluated = self._evaluated(key, asked.element)
        if len(await self._keys.all_of(customer)) >= RECORDS_MOST:
            await self._store.save(Save(audit=[self._line("pin.set", PinMost.code, customer, visit)]))
            raise PinMost(n=RECORDS_MOST)
        rows = [await self._keys.fresh(handle, customer, point, proves, key, now)]
        audit = [self._line("pin.set", "ok", customer, visit)]
        told = self._notices.tell(customer, "pin-set", at=now, dedup=f"pin-set:{handle}")
        await self._store.save(Save(rows=rows, outbox=told, audit=audit))
        return handle, evaluated

    # ── use ───────────────────────────────────────────────────────────────────────────────────────────────────

    async def ask(self, visit: Visit, asked: Asked) -> Evaluated:
        """One try. Raises PinCrowded, PinNonce, PinGone, PinMalformed, Stale."""
        one = await self._known(visit, asked, Act.ASK, asked.element)
        if one.left <= 0:
            await self._end(one, "pin-locked")
            raise PinGone
        now, number = self._clock.now(), one.asked + 1
        left = one.left - 1
        customer = await self._whose(one)
        line = self._line("pin.ask", "ok", customer, visit, left=left)
        ending = [] if left else [_ending(one.handle, number, now)]
        await self._store.save(Save(rows=[keys.counted(one, now)], outbox=ending, audit=[line]))
        return Evaluated(self._evaluated(await self._keys.key(one), asked.element), number, left)

    async def proved(self, visit: Visit, handle: str, number: int, signature: bytes) -> int:
        """The try of this number opened: how many before it did not. Raises PinCrowded, PinGone, Stale."""
        await self._admit(visit, handle)
        for _ in range(MEANWHILE):
            try:
                return await self._forgive(visit, handle, number, signature)
            except Stale:
                # Somebody asked meanwhile; that try stays counted, and this proof is as good as before.
                continue
        raise Stale

    async def _forgive(self, visit: Visit, handle: str, number: int, signature: bytes) -> int:
        one = await self._keys.of(handle) if HANDLE.fullmatch(handle) else None
        pin.check_proof(
            _NOBODY[1:33] if one is None else one.proves, signature, pin.proof_text(self._origin, handle, number)
        )
        if one is None or not one.proved < number <= one.asked:
            raise PinGone
        wrong = number - one.proved - 1
        customer = await self._whose(one)
        line = self._line("pin.proved", "ok", customer, visit, wrong=wrong)
        await self._store.save(Save(rows=[keys.forgiven(one, number)], audit=[line]))
        return wrong

    # ── end ───────────────────────────────────────────────────────────────────────────────────────────────────

    async def remove(self, visit: Visit, asked: Asked) -> None:
        """The person takes it away, or the vault after the last try. Raises PinCrowded, PinNonce, PinGone, Stale."""
        one = await self._known(visit, asked, Act.REMOVE, b"")
        await self._end(one, "pin-locked" if one.left <= 0 else "ok", visit)

    @property
    def deliveries(self) -> dict[str, Callable[[Claimed], Awaitable[None]]]:
        """For the worker."""
        return {ENDING: self._ending}

    async def _ending(self, claimed: Claimed) -> None:
        """The last try was not proved in its time: the key goes by itself."""
        told = msgspec.json.decode(claimed.payload, type=_Ending)
        one = await self._keys.of(told.handle)
        if one is not None and one.left <= 0:
            await self._end(one, "pin-locked")

    async def _end(self, one: PinKey, result: str, visit: Visit | None = None) -> None:
        customer, now = await self._whose(one), self._clock.now()
        locked = result != "ok"
        action, key = ("pin.ended", "pin-locked") if locked else ("pin.removed", "pin-removed")
        told: list[Outgoing] = []
        if customer is not None:
            told = self._notices.tell(customer, key, at=now, dedup=f"{key}:{one.handle}")
        await self._store.save(
            Save(rows=keys.deleted(one), outbox=told, audit=[self._line(action, result, customer, visit)])
        )  # fmt: skip

    # ── parts ─────────────────────────────────────────────────────────────────────────────────────────────────

    async def _known(self, visit: Visit, asked: Asked, act: Act, body: bytes) -> PinKey:
        """The record that this device speaks for; what it says is not looked at before that."""
        await self._admit(visit, asked.handle)
        await self._use(visit, asked.nonce)
        one = await self._keys.of(asked.handle) if HANDLE.fullmatch(asked.handle) else None
        self._signed(act, asked, _NOBODY if one is None else one.device, body)
        if one is None:
            raise PinGone
        return one

    def _signed(self, act: Act, asked: Asked, point: bytes, body: bytes) -> None:
        signed = pin.text(act, self._origin, asked.nonce, asked.handle or None, body)
        try:
            device.check_software(point, asked.signature, signed)
        except device.DeviceKeyRefused:
            raise PinGone from None

    def _evaluated(self, key: bytes, element: bytes) -> bytes:
        try:
            return oprf.evaluate(key, element, self._random)
        except oprf.ElementRefused:
            raise PinMalformed from None

    async def _admit(self, visit: Visit, handle: str) -> None:
        """By record, then visit, then network, before any work (F9)."""
        ceilings = [
            Ceiling("record", f"pin:{handle}", WINDOW_S, OF_HANDLE),
            Ceiling("visit", f"pin:{visit.session.session}", WINDOW_S, OF_SESSION),
            Ceiling("network", f"pin:{visit.address}", WINDOW_S, OF_ADDRESS),
        ]
        if await self._ephemeral.admit(*(ceilings if handle else ceilings[1:])) is not None:
            raise PinCrowded

    async def _use(self, visit: Visit, nonce: str) -> None:
        if not _NONCE.fullmatch(nonce):
            raise PinNonce
        try:
            await self._store.save(Save(ledger=[Use(_kind(visit), nonce, self._clock.now())]))
        except (NotIssued, AlreadyUsed):
            raise PinNonce from None

    async def _whose(self, one: PinKey) -> Customer | None:
        kept = await self._customers.by_id(one.customer_id)
        return None if kept is None else kept.as_head(one.slot)

    async def _customer(self, visit: Visit) -> Customer:
        session = visit.session
        logged_in = session.level is not Level.PRE and session.customer_id is not None
        kept = await self._customers.by_id(str(session.customer_id)) if logged_in else None
        customer = None if kept is None else in_session(self._digests, kept, session)
        if customer is None:
            raise PinLogin
        return customer

    def _line(
        self, action: str, result: str, customer: Customer | None, visit: Visit | None, **facts: str | int
    ) -> Audit:
        subject = None if customer is None else self._digests.digest("banking-id", customer.banking_id)
        session = None if visit is None else visit.session.session
        address = None if visit is None else self._digests.digest("address", visit.address)
        if customer is not None and customer.heads:
            facts["head"] = customer.slot
        return Audit(self._clock.now(), action, result, subject, session, address, facts)


def _kind(visit: Visit) -> str:
    return f"pin:{visit.session.session}"


def _ending(handle: str, number: int, at: datetime) -> Outgoing:
    payload = msgspec.json.encode(_Ending(handle, number))
    return Outgoing(ENDING, payload, f"{ENDING}:{handle}:{number}:{to_micros(at)}", at + timedelta(seconds=PROOF_S))
