"""The twelve checks of a registration, as `binding.proof.CHECKS` numbers them, and the one transaction at the end."""

from __future__ import annotations

from typing import Final

from ingam.center.registration.flow import AwaitingCertificate, CertificateBound
from ingam.center.registration.forms import Presented
from ingam.center.registration.walks import Limits, Walk, Walks
from ingam.center.walks import TrueStep, With
from ingam.customer.additional_auth import Purpose, proof
from ingam.customer.additional_auth.proof import Bound, ProofMissing
from ingam.customer.binding.bindings import AlreadyBound, Bindings, ReplaceConfirm, ToBind
from ingam.customer.binding.challenges import Challenges, Given, NonceInvalid
from ingam.customer.binding.proof import (
    CheckFailed,
    OwnedCertificate,
    Prover,
    SealOpener,
    UnverifiedPresentation,
    prove_ownership,
    vid_of,
)
from ingam.customer.device import Devices
from ingam.customer.heads import counter, number_counter
from ingam.customer.notice import Notices, Words
from ingam.kernel.errors import Refusal
from ingam.kernel.steps import reach
from ingam.ports.store import Conflict, Count, LedgerMove, Store
from ingam.protocols import challenge as protocol

DAY_S: Final = 86_400
_PURPOSES: Final = frozenset({protocol.Purpose.REGISTRATION, protocol.Purpose.REBIND})


class FlowExpired(Refusal):
    """Check 1: the state, or the proof of additional authentication, is over (M-SYS-04)."""

    code = "flow-expired"


class RegistrationLocked(Refusal):
    """Too many certificates of other people were shown; registration (not login) is stopped for a day (A16)."""

    code = "registration-locked"


class TwelveChecks:
    """Checks 1, 2 and 9-12 with what they need; 3-8 are the prover's."""

    def __init__(
        self,
        store: Store,
        walks: Walks,
        challenges: Challenges,
        prover: Prover,
        bindings: Bindings,
        seal_keys: SealOpener,
        notices: Notices,
        devices: Devices,
        limits: Limits,
    ) -> None:
        self._store = store
        self._devices = devices
        self._walks = walks
        self._challenges = challenges
        self._prover = prover
        self._bindings = bindings
        self._seal_keys = seal_keys
        self._notices = notices
        self._limits = limits

    async def run(self, walk: Walk, presented: Presented) -> None:
        """Checks 2, 1, 3-12 of one presentation; ends in a saved Registered or raises what refused it."""
        session = walk.visit.session
        reach("registration.13")
        # 2. First of all, so that a nonce is spent whatever comes of the rest (A6).
        given = await self._challenges.claim(_PURPOSES, session.session, presented.nonce)
        if given.notes.get("flow") != walk.flow_id:
            raise NonceInvalid(check=2, cause="other-flow")
        reach("registration.14")
        # 1. The state was asked for; the proof has to be for this very purpose.
        use = await self.check_1_proof(walk, Purpose(str(given.challenge.purpose)))
        # 3-8. Fresh: registration never lives on a cached status (A11).
        presentation = UnverifiedPresentation(given.challenge, presented.signed, presented.sealed)
        proven = await self._prover.prove(presentation, kind=walk.customer.kind, fresh=True, at=walk.now)
        reach("registration.15")
        # 9. A certificate without a VID is nobody's guess at a number; all else is counted before the work (A16, F9).
        vid_of(proven)
        counted = await self._store.count(Count(vid_key(walk), DAY_S, self._limits.vid_max_fail, walk.now))
        if counted > self._limits.vid_max_fail:
            await self._walks.lock(walk, "certificate", RegistrationLocked())
        try:
            owned = prove_ownership(proven, walk.customer, self._seal_keys)
        except CheckFailed:
            if counted == self._limits.vid_max_fail:
                await self._walks.lock(walk, "certificate", RegistrationLocked())
            raise
        reach("registration.16")
        await self._bind(walk, given, owned, use)

    async def _bind(self, walk: Walk, given: Given, owned: OwnedCertificate, use: LedgerMove) -> None:
        fingerprint = owned.proven.certificate.fingerprint.hex()
        resets = [vid_key(walk)]
        known = await self._devices.proved(walk.customer, walk.visit.session.device, walk.now)
        try:
            # 10. Asked only now that the certificate is proven to be this person's (H5).
            await self._bindings.check_10_owner(owned)
        except AlreadyBound as same:
            event = CertificateBound(fingerprint, replaced=False, already=True)
            await self._finish(walk, event, same.code, With(rows=known, ledger=[use], resets=resets))
            return
        # 11. What the signed text named, not what a form says now.
        replaces = await self._bindings.check_11_replacement(owned, given.notes["replaces"] or None)
        # 12.
        change = await self._bindings.change(ToBind.of(owned), replaces)
        event = CertificateBound(fingerprint, replaced=replaces is not None, already=False)
        notice = self._notices.registered(
            walk.customer,
            use=Words(owned.proven.policy.name_ko, owned.proven.policy.name_en),
            not_after=owned.proven.certificate.not_after,
            at=walk.now,
            replaced=replaces is not None,
            dedup=f"registered:{change.binding_id}",
        )
        status = owned.proven.status
        facts: dict[str, str | int] = {
            "policy": owned.proven.policy.oid,
            "source": str(status.source),
            "age_s": int((walk.now - status.produced).total_seconds()),
            "replaced": int(replaces is not None),
        }
        beside = With(rows=[*change.rows, *known], ledger=[use], outbox=notice, resets=resets, facts=facts)
        try:
            await self._finish(walk, event, "ok", beside)
        except Conflict:
            # Somebody else was bound to it, or this customer to another one, since checks 10 and 11.
            await self._bindings.check_10_owner(owned)
            raise ReplaceConfirm(check=11) from None

    async def _finish(self, walk: Walk, event: CertificateBound, result: str, beside: With) -> None:
        reach("registration.17")
        await self._walks.save(walk, event, "certificate", beside, result)
        reach("registration.18")

    async def check_1_proof(self, walk: Walk, purpose: Purpose) -> LedgerMove:
        """The move that uses the proof up. Raises FlowExpired."""
        state = walk.here.state
        if not isinstance(state, AwaitingCertificate):
            raise TrueStep
        try:
            return await proof.consume(self._store, state.proof_id, bound(walk, purpose), walk.now)
        except ProofMissing:
            raise FlowExpired(check=1) from None


def bound(walk: Walk, purpose: Purpose) -> Bound:
    """What a proof of this walk is good for."""
    session, whose = walk.visit.session.session, walk.customer
    return Bound(whose.customer_id, purpose, walk.flow_id, session, whose.slot)


def vid_key(walk: Walk) -> str:
    """The counter of VID mismatches of this person (A16)."""
    return counter("vid-fail", walk.customer)


def number_key(walk: Walk) -> str:
    """The counter of wrong numbers at ① of this person."""
    return number_counter(walk.customer)
