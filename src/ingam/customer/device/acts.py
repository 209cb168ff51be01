"""A fresh signature over a sensitive act: what is done, the hash of its whole text, and a nonce, never a cookie alone.

The text that is hashed is the one that the person reads (security F5, A19). What signs it: this browser's designated
device, a passkey, or the registered certificate in the vault's window. Any of them answers the same challenge.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from ingam.customer.binding.bindings import ACTIVE, Bindings
from ingam.customer.binding.challenges import Challenges, Given
from ingam.customer.binding.proof import Prover, UnverifiedPresentation
from ingam.customer.device.designated import ActChanged, Designated, same_body
from ingam.customer.device.keys import Answer, KeyUnknown
from ingam.customer.device.passkeys import Passkeys
from ingam.customer.session import Session
from ingam.ports.clock import Clock
from ingam.ports.customers import Customer
from ingam.ports.store import Change, Row, Update
from ingam.protocols.challenge import Purpose

ACTS: Final = frozenset({Purpose.DEVICE_REMOVE, Purpose.CONTACT_CHANGE, Purpose.RELEASE})
"""Copying out has a signature of its own (`copy-out`), designating one by the new key."""


class By(StrEnum):
    """What may sign."""

    DEVICE = "device"
    PASSKEY = "passkey"
    CERTIFICATE = "certificate"


@dataclass(frozen=True, slots=True)
class Signed:
    """What a form brings: `answer` of a device or passkey, or `nonce` and CMS of the certificate window."""

    by: By
    answer: Answer | None = None
    nonce: str = ""
    cms: bytes = field(repr=False, default=b"")


class ActProofs:
    """Challenges of acts, and who signed them."""

    def __init__(
        self,
        challenges: Challenges,
        designated: Designated,
        passkeys: Passkeys,
        bindings: Bindings,
        prover: Prover,
        clock: Clock,
    ) -> None:
        self._challenges = challenges
        self._designated = designated
        self._passkeys = passkeys
        self._bindings = bindings
        self._prover = prover
        self._clock = clock

    async def ways(self, customer: Customer, session: Session) -> tuple[By, ...]:
        """What this person could sign with, the nearest first; none: there is nothing but the branch."""
        found = []
        if await self._designated.here(customer, session) is not None:
            found.append(By.DEVICE)
        if await self._passkeys.keys.active(customer):
            found.append(By.PASSKEY)
        if await self._bindings.active(customer) is not None:
            found.append(By.CERTIFICATE)
        return tuple(found)

    async def challenge(
        self, customer: Customer, session: Session, address: str, act: Purpose, body_text: str, by: By, lang: str,
        *, about: str = "",
    ) -> dict[str, object]:  # fmt: skip
        """What is to be signed, for the page's script or for the certificate window.

        `about`: the id of what it is done to; two things may have the same name in the text.
        Raises KeyUnknown where the person has nothing of this kind, TooManyChallenges.
        """
        assert act in ACTS
        if by not in await self.ways(customer, session):
            raise KeyUnknown
        given = await self._challenges.issue(act, session.session, address, body_text=body_text, notes={"about": about})
        if by is By.CERTIFICATE:
            return dict(given.for_window(seal=False, customer_kind=str(customer.kind), lang=lang))
        if by is By.PASSKEY:
            return self._passkeys.asks(given, await self._passkeys.keys.active(customer))
        key = await self._designated.here(customer, session)
        assert key is not None
        return self._designated.asks(given, key)

    async def check(
        self, customer: Customer, session: Session, act: Purpose, body_text: str, signed: Signed, *, about: str = ""
    ) -> list[Change]:
        """The changes to save with the act, if this person signed this very text for it just now.

        The nonce is used up first, whatever comes of the answer. Raises NonceInvalid, ActChanged, KeyUnknown,
        WebAuthnRefused, DeviceKeyRefused, CheckFailed, StatusUnavailable.
        """
        nonce = signed.nonce if signed.by is By.CERTIFICATE else (signed.answer.nonce if signed.answer else "")
        given = await self._challenges.claim(act, session.session, nonce)
        same_body(given, body_text)
        if given.notes.get("about", "") != about:
            raise ActChanged
        if signed.by is By.CERTIFICATE:
            return [await self._by_certificate(customer, given, signed.cms)]
        if signed.answer is None:
            raise KeyUnknown
        if signed.by is By.PASSKEY:
            return list((await self._passkeys.signed(customer, given, signed.answer)).changes)
        return list((await self._designated.signed(customer, session, given, signed.answer)).changes)

    async def _by_certificate(self, customer: Customer, given: Given, cms: bytes) -> Change:
        """Checks 3-8, and that it is the one registered for this person still when the act is saved (A17)."""
        presentation = UnverifiedPresentation(given.challenge, cms)
        proven = await self._prover.prove(presentation, kind=customer.kind, fresh=True, at=self._clock.now())
        binding = await self._bindings.by_fingerprint(proven.certificate.fingerprint.hex())
        if binding is None or not await self._bindings.belongs(binding, customer):
            await self._bindings.refuse_suspended(customer)
            raise KeyUnknown
        held: Row = {"fingerprint": binding.fingerprint, "status": ACTIVE}
        return Update("binding", held, {"status": ACTIVE})
