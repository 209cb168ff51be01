"""Passkeys to log in with: resident WebAuthn keys, made by a person who was logged in by certificate (F7).

They may be shared by the person's own devices, so that they name a person and no device; they unlock what a certificate
unlocks, and sign sensitive acts (F5).
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Callable, Sequence
from typing import Final, Protocol

from ingam.customer.binding.bindings import SealDetails
from ingam.customer.binding.challenges import Challenges, Given
from ingam.customer.device.designated import same_body
from ingam.customer.device.keys import Answer, Key, Keys, KeyUnknown, Used
from ingam.customer.session import Session
from ingam.ports.clock import Clock
from ingam.ports.customers import Customer
from ingam.ports.keys import Digests
from ingam.ports.store import Insert, Store
from ingam.protocols import challenge as protocol
from ingam.protocols import device, webauthn
from ingam.protocols.webauthn import RelyingParty

TABLE: Final = "passkey"
ID_BYTES: Final = 16


class PasskeyLimits(Protocol):
    """How many passkeys a person may have."""

    @property
    def passkey_max(self) -> int: ...


class Passkeys:
    """Passkeys of the center. `token` gives random bytes."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        digests: Digests,
        fields: SealDetails,
        challenges: Challenges,
        rp: RelyingParty,
        limits: PasskeyLimits,
        token: Callable[[int], bytes] = secrets.token_bytes,
    ) -> None:
        self.keys = Keys(store, fields, digests, TABLE, "passkey_id", limits.passkey_max)
        self._clock = clock
        self._digests = digests
        self._challenges = challenges
        self._rp = rp
        self._token = token

    # ── logging in ──────────────────────────────────────────────────────────────────────────────────────────────

    async def ask_login(self, session: Session, address: str) -> dict[str, object]:
        """A challenge that any passkey of this center may answer. Raises TooManyChallenges."""
        given = await self._challenges.issue(protocol.Purpose.LOGIN, session.session, address, notes={"by": "passkey"})
        return self.asks(given, ())

    async def login(self, session: Session, answer: Answer) -> Used:
        """The passkey that signed; whose it is stands in its key. The nonce is used up whatever comes of it (A6).

        Raises NonceInvalid, KeyUnknown, WebAuthnRefused.
        """
        given = await self._challenges.claim(protocol.Purpose.LOGIN, session.session, answer.nonce)
        if given.notes.get("by") != "passkey":
            raise KeyUnknown
        return await self._signed(given, answer)

    # ── signing an act ──────────────────────────────────────────────────────────────────────────────────────────

    def asks(self, given: Given, keys: Sequence[Key]) -> dict[str, object]:
        """WebAuthn's options for one of these keys, or for any resident one."""
        allow = [key.credential.credential_id for key in keys]
        options = webauthn.request_options(self._rp, device.in_webauthn(device.text(given.challenge)), allow)
        return {"nonce": given.challenge.nonce, "kind": "hardware", "options": options}

    async def signed(self, customer: Customer, given: Given, answer: Answer) -> Used:
        """Whether a passkey of this person signed a challenge that was claimed. Raises as `login`."""
        used = await self._signed(given, answer)
        if not self.keys.of(used.key, customer):
            raise KeyUnknown
        return used

    async def _signed(self, given: Given, answer: Answer) -> Used:
        told = answer.webauthn or {}
        key = await self.keys.by_credential(webauthn.credential_id(told))
        if key is None:
            raise KeyUnknown
        handle = webauthn.user_handle(told)
        if handle is not None and not hmac.compare_digest(handle, self._handle(key.customer_id, key.head_slot)):
            raise KeyUnknown
        challenge = device.in_webauthn(device.text(given.challenge))
        counter = webauthn.check(self._rp, challenge, key.credential, told)
        return Used(key, (self.keys.used(key, counter, self._clock.now()),))

    # ── making one ──────────────────────────────────────────────────────────────────────────────────────────────

    async def offer(self, customer: Customer, session: Session, address: str, body_text: str) -> dict[str, object]:
        """What a new passkey is to sign. Raises KeyLimit, TooManyChallenges."""
        await self.keys.room(customer)
        notes = {"passkey_id": self._token(ID_BYTES).hex()}
        given = await self._challenges.issue(
            protocol.Purpose.DEVICE_ADD, session.session, address, body_text=body_text, notes=notes
        )
        known = [key.credential.credential_id for key in await self.keys.active(customer)]
        options = webauthn.registration_options(
            self._rp,
            self._handle(customer.customer_id, customer.slot),
            customer.banking_id,
            device.in_webauthn(device.text(given.challenge)),
            known,
            platform=False,
            resident=True,
        )
        return {"nonce": given.challenge.nonce, "kind": "hardware", "options": options}

    async def made(
        self, customer: Customer, session: Session, alias: str, browser: str, body_text: str, answer: Answer
    ) -> Insert:
        """The row of a new passkey; save it with the proof that allows it.

        Raises NonceInvalid, KeyUnknown, KeyLimit, WebAuthnRefused.
        """
        given = await self._challenges.claim(protocol.Purpose.DEVICE_ADD, session.session, answer.nonce)
        passkey_id = given.notes.get("passkey_id")
        if passkey_id is None:
            raise KeyUnknown
        same_body(given, body_text)
        challenge = device.in_webauthn(device.text(given.challenge))
        credential = webauthn.register(self._rp, challenge, answer.webauthn or {})
        own = {"backed_up": credential.backed_up}
        return await self.keys.added(customer, passkey_id, credential, alias, browser, self._clock.now(), own)

    def _handle(self, customer_id: str, slot: int) -> bytes:
        """32 bytes that say nothing of the person to whoever reads the authenticator (WebAuthn L3, 14.6.1).

        Each head of a union has their own: an authenticator keeps one passkey of a handle.
        """
        whose = customer_id if slot == 1 else f"{customer_id}:{slot}"
        return bytes.fromhex(self._digests.digest("passkey-handle", whose))
