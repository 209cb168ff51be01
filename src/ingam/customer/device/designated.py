"""단말기(PC지정): designated devices, each a key that stays in one browser and signs a challenge at every use (E8).

A hardware key is WebAuthn's, with the person verified; a software key is WebCrypto's and labelled so, and an
institution may bar it. Either counts only together with the device cookie of the browser that it was made in, so that a
key which the person's other devices share makes none of them designated. What a designation exempts from is a list.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from typing import Any, Final, Protocol

from ingam.customer.additional_auth import Purpose
from ingam.customer.additional_auth.proof import Bound
from ingam.customer.binding.bindings import SealDetails
from ingam.customer.binding.challenges import Challenges, Given
from ingam.customer.device.keys import Answer, Key, Keys, KeyUnknown, Used, read_answer
from ingam.customer.device.protection import stands
from ingam.customer.session import Session
from ingam.kernel.errors import Refusal
from ingam.kernel.instants import rfc3339
from ingam.ports.clock import Clock
from ingam.ports.customers import Customer
from ingam.ports.keys import Digests
from ingam.ports.store import Change, Insert, LedgerMove, Save, Store
from ingam.protocols import challenge as protocol
from ingam.protocols import device, webauthn
from ingam.protocols.webauthn import Credential, RelyingParty

TABLE: Final = "designated_device"
ID_BYTES: Final = 16

EXEMPTS: Final = frozenset(Purpose) - {Purpose.DEVICE_ADD, Purpose.DEVICE_REMOVE, Purpose.CONTACT_CHANGE}
"""What additional authentication may be skipped for: never what changes who may skip it (E8)."""


class Kind(StrEnum):
    """Where the key lies."""

    HARDWARE = "hardware"  # WebAuthn: it does not leave the device, or only to the person's own others
    SOFTWARE = "software"  # WebCrypto in the browser's storage: whoever copies the whole profile has it


class DeviceBarred(Refusal):
    """Software keys are not allowed here, or a designation does not exempt from this; fact `cause`."""

    code = "device-barred"


class DeviceLimits(Protocol):
    """How many devices a person may designate."""

    @property
    def device_max(self) -> int: ...


class Designated:
    """Designated devices. `software`: whether software keys count; `token` gives random bytes."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        digests: Digests,
        fields: SealDetails,
        challenges: Challenges,
        rp: RelyingParty,
        limits: DeviceLimits,
        *,
        software: bool = True,
        token: Callable[[int], bytes] = secrets.token_bytes,
    ) -> None:
        self.keys = Keys(store, fields, digests, TABLE, "device_id", limits.device_max)
        self._store = store
        self._clock = clock
        self._challenges = challenges
        self._rp = rp
        self._software = software
        self._token = token

    @property
    def software(self) -> bool:
        """Whether software keys may be designated."""
        return self._software

    async def here(self, customer: Customer, session: Session) -> Key | None:
        """The device that this browser says it is: by its cookie, which proves nothing until the key has signed."""
        return await self._here(customer, session.device)

    async def _here(self, customer: Customer, mark: str | None) -> Key | None:
        if mark is None or not await stands(self._store, customer.customer_id):
            return None
        found = [key for key in await self.keys.active(customer) if key.mark == mark]
        allowed = [key for key in found if self._software or key.kind == Kind.HARDWARE]
        return allowed[-1] if allowed else None

    # ── in place of additional authentication ───────────────────────────────────────────────────────────────────

    async def challenge(
        self, customer: Customer, session: Session, address: str, purpose: Purpose
    ) -> Mapping[str, object]:
        """What this browser's key is to sign, as the page's script takes it; for one purpose in one session.

        Raises KeyUnknown where this browser is no designated one, DeviceBarred, TooManyChallenges.
        """
        key = await self.here(customer, session)
        if key is None:
            raise KeyUnknown
        if purpose not in EXEMPTS:
            raise DeviceBarred(cause="purpose")
        given = await self._challenges.issue(
            protocol.Purpose.DEVICE, session.session, address, notes={"act": str(purpose)}
        )
        return self.asks(given, key, str(purpose))

    async def prove(self, customer: Customer, bound: Bound, answer: Mapping[str, str]) -> Sequence[LedgerMove]:
        """Whether the designated device of this session's browser signed for exactly this purpose and session.

        `answer`: the form's fields; `device_answer` is what the page's script left. The nonce is used up whatever comes
        of it, and that the key was used is on record before this returns, so that nothing is left to save. Raises
        NonceInvalid, KeyUnknown, DeviceBarred, WebAuthnRefused, DeviceKeyRefused, Stale.
        """
        told = read_answer(answer.get("device_answer", ""))
        given = await self._challenges.claim(protocol.Purpose.DEVICE, bound.session, told.nonce)
        if bound.purpose not in EXEMPTS or given.notes["act"] != bound.purpose:
            raise DeviceBarred(cause="purpose")
        row = await self._store.one("session", {"session": bound.session, "customer_id": customer.customer_id})
        mark = None if row is None or row["device"] is None else str(row["device"])
        used = await self._signed(customer, mark, given, told, str(bound.purpose))
        await self._store.save(Save(rows=used.changes))
        return ()

    # ── signing of any kind ─────────────────────────────────────────────────────────────────────────────────────

    def asks(self, given: Given, key: Key, act: str | None = None) -> dict[str, object]:
        """The challenge for one device: the fields of the text, and WebAuthn's options where it is a hardware key."""
        text = device.text(given.challenge, act)
        told = fields_of(given, act) | {"kind": key.kind, "key": webauthn.encode(key.credential.credential_id)}
        if key.kind == Kind.HARDWARE:
            allow = [key.credential.credential_id]
            told["options"] = webauthn.request_options(self._rp, device.in_webauthn(text), allow)
        return told

    async def signed(
        self, customer: Customer, session: Session, given: Given, answer: Answer, act: str | None = None
    ) -> Used:
        """Whether this browser's own device signed a challenge that was claimed; save `changes`. Raises as `prove`."""
        return await self._signed(customer, session.device, given, answer, act)

    async def _signed(
        self, customer: Customer, mark: str | None, given: Given, answer: Answer, act: str | None
    ) -> Used:
        key = await self._here(customer, mark)
        if key is None:
            raise KeyUnknown
        text, counter = device.text(given.challenge, act), key.credential.counter
        if key.kind == Kind.HARDWARE:
            challenge = device.in_webauthn(text)
            counter = webauthn.check(self._rp, challenge, key.credential, answer.webauthn or {})
        else:
            device.check_software(key.credential.public_key, octets(answer.signature), text)
        return Used(key, (self.keys.used(key, counter, self._clock.now()),))

    # ── designating and removing ────────────────────────────────────────────────────────────────────────────────

    async def offer(
        self, customer: Customer, session: Session, address: str, alias: str, body_text: str, kind: Kind
    ) -> dict[str, object]:
        """What a new key is to sign. `body_text`: what is done, in the words that the page shows (F5).

        Raises DeviceBarred (software), KeyUnknown (no device cookie), KeyLimit, TooManyChallenges.
        """
        if kind is Kind.SOFTWARE and not self._software:
            raise DeviceBarred(cause="software")
        if session.device is None:
            raise KeyUnknown
        await self.keys.room(customer)
        device_id = self._token(ID_BYTES).hex()
        notes = {"device_id": device_id, "kind": str(kind)}
        given = await self._challenges.issue(
            protocol.Purpose.DEVICE_ADD, session.session, address, body_text=body_text, notes=notes
        )
        told: dict[str, object] = fields_of(given, None) | {"kind": str(kind)}
        if kind is Kind.HARDWARE:
            known = [key.credential.credential_id for key in await self.keys.active(customer)]
            challenge = device.in_webauthn(device.text(given.challenge))
            told["options"] = webauthn.registration_options(
                self._rp, bytes.fromhex(device_id), alias, challenge, known, platform=True, resident=False
            )
        return told

    async def designate(
        self, customer: Customer, session: Session, alias: str, browser: str, body_text: str, answer: Answer
    ) -> tuple[Insert, Kind]:
        """The row of a device whose new key signed what was offered; save it with the proof that allows it.

        Raises NonceInvalid, DeviceBarred, KeyUnknown, KeyLimit, WebAuthnRefused, DeviceKeyRefused.
        """
        given = await self._challenges.claim(protocol.Purpose.DEVICE_ADD, session.session, answer.nonce)
        if session.device is None or given.notes.get("device_id") is None:
            raise KeyUnknown
        same_body(given, body_text)
        kind = Kind(given.notes["kind"])
        if kind is Kind.SOFTWARE and not self._software:
            raise DeviceBarred(cause="software")
        credential = self._made(kind, given, answer)
        own: dict[str, Any] = {"kind": str(kind), "mark": session.device}
        row = await self.keys.added(
            customer, given.notes["device_id"], credential, alias, browser, self._clock.now(), own
        )
        return row, kind

    def _made(self, kind: Kind, given: Given, answer: Answer) -> Credential:
        text = device.text(given.challenge)
        if kind is Kind.HARDWARE:
            return webauthn.register(self._rp, device.in_webauthn(text), answer.webauthn or {})
        point = device.check_point(octets(answer.point))
        device.check_software(point, octets(answer.signature), text)
        return Credential(device.key_id(point), point, 0)

    def removed(self, key: Key) -> Change:
        """The change that ends a designation."""
        return self.keys.removed(key, self._clock.now())


class ActChanged(Refusal):
    """What was signed is not what was sent: another number, another device, another language; nothing happened (F5)."""

    code = "act-changed"


def same_body(given: Given, body_text: str) -> None:
    """Raises ActChanged."""
    if given.challenge.body != protocol.body_of(body_text):
        raise ActChanged


def fields_of(given: Given, act: str | None) -> dict[str, object]:
    """The fields that the browser builds the signed text from."""
    asked = given.challenge
    return {
        "purpose": str(asked.purpose),
        "act": act,
        "origin": asked.origin,
        "nonce": asked.nonce,
        "issued": rfc3339(asked.issued),
        "expires": rfc3339(asked.expires),
        "session": asked.session,
        "body": asked.body,
    }


def octets(text: str) -> bytes:
    """The bytes of base64url; b"" for anything else, which no check accepts."""
    try:
        return webauthn.decode(text)
    except ValueError:
        return b""
