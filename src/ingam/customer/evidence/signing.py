"""An act that a person signs with the registered certificate, to be kept as evidence (security F5, A19).

The window shows the very text whose hash is signed. Nothing but the certificate signs here: a device's key or a passkey
is nobody's signature before a court. What comes out goes into the ONE transaction of the act.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Final

import msgspec

from ingam.customer.binding.bindings import ACTIVE, Bindings
from ingam.customer.binding.challenges import Challenges, Given
from ingam.customer.binding.proof import ProvenCertificate, Prover, UnverifiedPresentation
from ingam.customer.device.designated import same_body
from ingam.customer.evidence import Evidences
from ingam.customer.session import Session
from ingam.kernel.errors import Defect, Refusal
from ingam.ports.clock import Clock
from ingam.ports.customers import Customer
from ingam.ports.store import Change, Row, Update
from ingam.ports.timestamps import Timestamps
from ingam.protocols import evidence as form
from ingam.protocols.challenge import Purpose
from ingam.protocols.evidence import Evidence

ACTS: Final = frozenset({Purpose.LOAN})
"""What is signed to be kept; a closed list."""


class NotYours(Refusal):
    """The certificate that signed is not the one that is registered for this person."""

    code = "sign-other-certificate"


@dataclass(frozen=True, slots=True)
class Done:
    """The evidence of an act, and the rows that go with it."""

    evidence: Evidence
    rows: tuple[Change, ...]

    @property
    def digest(self) -> str:
        """For the audit line."""
        return form.digest(self.evidence)


class Signing:
    """Challenges of acts, and the evidence of the signed ones. `timestamps`: None where none is configured."""

    def __init__(
        self,
        challenges: Challenges,
        bindings: Bindings,
        prover: Prover,
        evidences: Evidences,
        clock: Clock,
        timestamps: Timestamps | None = None,
    ) -> None:
        self._challenges = challenges
        self._bindings = bindings
        self._prover = prover
        self._evidences = evidences
        self._clock = clock
        self._timestamps = timestamps

    async def challenge(
        self, customer: Customer, session: Session, address: str, act: Purpose, text: str, lang: str
    ) -> dict[str, object]:
        """What the certificate window is to show and sign. Raises TooManyChallenges."""
        assert act in ACTS
        given = await self._challenges.issue(act, session.session, address, body_text=text)
        return dict(given.for_window(seal=False, customer_kind=str(customer.kind), lang=lang))

    async def signed(
        self, customer: Customer, session: Session, act: Purpose, text: str, number: str, nonce: str, cms: bytes
    ) -> Done:
        """The evidence, if this person's registered certificate signed this very text for this act just now.

        `number`: of the receipt; the text holds it.

        The nonce is used up first, whatever comes of the answer. Raises NonceInvalid, ActChanged, CheckFailed,
        NotYours, BindingSuspended, StatusUnavailable, TimestampOutage, TimestampInvalid.
        """
        assert form.numbered(text, number)
        given = await self._challenges.claim(act, session.session, nonce)
        same_body(given, text)
        presentation = UnverifiedPresentation(given.challenge, cms)
        proven = await self._prover.prove(presentation, kind=customer.kind, fresh=True, at=self._clock.now())
        held = await self._held(customer, proven)
        evidence = await self._stamped(self._evidence(given, proven, text, number))
        return Done(evidence, (held, await self._evidences.change(customer.customer_id, evidence)))

    async def _held(self, customer: Customer, proven: ProvenCertificate) -> Change:
        """It is the one registered for this person, and is so still when the act is saved (A17)."""
        binding = await self._bindings.by_fingerprint(proven.certificate.fingerprint.hex())
        if binding is None or not await self._bindings.belongs(binding, customer):
            await self._bindings.refuse_suspended(customer)
            raise NotYours
        held: Row = {"fingerprint": binding.fingerprint, "status": ACTIVE}
        return Update("binding", held, {"status": ACTIVE})

    def _evidence(self, given: Given, proven: ProvenCertificate, text: str, number: str) -> Evidence:
        told, authority = given.challenge, proven.authority
        if not proven.status.answer:
            raise Defect("evidence-without-status")
        return Evidence(
            number=number,
            act=str(told.purpose),
            at=proven.at.replace(microsecond=0),
            text=text,
            signed=form.Signed(told.origin, told.nonce, told.issued, told.expires, told.session),
            cms=proven.presentation.signed,
            authority=authority.certificate.der,
            root=None if authority.root is None else authority.root.der,
            responders=tuple(one.der for one in authority.responders),
            source=str(proven.status.source),
            status=proven.status.answer,
        )

    async def _stamped(self, evidence: Evidence) -> Evidence:
        if self._timestamps is None:
            return evidence
        stamp = await asyncio.to_thread(self._timestamps.stamp, form.stamped(evidence))
        return msgspec.structs.replace(evidence, stamp=stamp.der)
