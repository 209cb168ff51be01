"""타기관인증서등록, carried out: load the flow, advance it, save it with all that goes with it, in ONE transaction.

Every public method takes a `Visit` and answers with nothing or with facts; the screen always follows from the stored
state (flows.md W3). Posts of one session take turns, so that a double click finds what the first one did.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

from ingam.center.registration.checks import (
    FlowExpired,
    RegistrationLocked,
    TwelveChecks,
    bound,
)
from ingam.center.registration.flow import (
    AwaitingCertificate,
    AwaitingFactor,
    ChoosingFactor,
    FactorProved,
    FactorRequested,
    Identifying,
    Left,
    Registered,
    ReplacementAgreed,
    WentBack,
)
from ingam.center.registration.forms import Presented
from ingam.center.registration.identity import Identification
from ingam.center.registration.steps import STEPS
from ingam.center.registration.walks import Here, Limits, Walk, Walks
from ingam.center.task import factor
from ingam.center.walks import Ports, TrueStep, Turn, Visit, With, told
from ingam.customer.account.accounts import Accounts
from ingam.customer.additional_auth import Method, Purpose
from ingam.customer.additional_auth.ars import ArsRefused, Calling
from ingam.customer.additional_auth.medium import MediumTyped
from ingam.customer.additional_auth.proof import Verified
from ingam.customer.additional_auth.service import AdditionalAuth, Offered, Typed
from ingam.customer.binding.bindings import STALE, Binding, Bindings, Details, ReplaceConfirm
from ingam.customer.binding.challenges import Challenges
from ingam.customer.binding.proof import (
    Prover,
    SealOpener,
)
from ingam.customer.device import Devices
from ingam.customer.notice import Notices, Sender
from ingam.kernel.errors import Failure
from ingam.kernel.instants import korean_day
from ingam.kernel.steps import reach
from ingam.kernel.words import say
from ingam.npki.policies import Policy
from ingam.ports.ars import CallState
from ingam.ports.customers import Customer, Phone
from ingam.ports.store import AlreadyUsed, NotIssued
from ingam.protocols import challenge as protocol


@dataclass(frozen=True, slots=True)
class Old:
    """The binding that would be replaced, as ③ shows it and the signed text names it."""

    fingerprint: str
    use: str
    not_after: datetime


class Registration:
    """The service behind /registration."""

    def __init__(
        self,
        *,
        ports: Ports,
        accounts: Accounts,
        auth: AdditionalAuth,
        challenges: Challenges,
        prover: Prover,
        bindings: Bindings,
        seal_keys: SealOpener,
        notices: Notices,
        sender: Sender,
        limits: Limits,
    ) -> None:
        store = ports.store
        self._walks = walks = Walks(ports, notices, limits)
        self.identification = Identification(walks, store, accounts, bindings, limits)
        self._auth = auth
        self._challenges = challenges
        self._bindings = bindings
        self._prover = prover
        self._devices = Devices(store, ports.digests)
        self._checks = TwelveChecks(
            store, walks, challenges, prover, bindings, seal_keys, notices, self._devices, limits
        )  # fmt: skip
        self._sender = sender

    # ── where a session is ──────────────────────────────────────────────────────────────────────────────────────

    async def here(self, visit: Visit, *, anew: bool = False) -> Here:
        """The true step. Time that ran out is recorded now; `anew` leaves a finished run for the next one.

        Takes no turn: a look never waits for a post that is asking an authority for a status.
        """
        try:
            here = await self._walks.settled(visit, anew=anew)
        except TrueStep:
            here = await self._walks.settled(visit, anew=anew)
        if await self._stopped(visit, here):
            return await self._walks.settled(visit, anew=anew)
        return here

    async def _stopped(self, visit: Visit, here: Here) -> bool:
        """Whether `0` was keyed into the telephone meanwhile: then it is over, whoever looks (E4)."""
        call = await self._call(visit, here)
        if call is None or call.state != CallState.REFUSED:
            return False
        with suppress(ArsRefused, TrueStep):
            walk = await self._walks.at_run(visit, here.run, AwaitingFactor)
            await self._walks.lock(walk, "ars", ArsRefused())
        return True

    async def asked(self, visit: Visit) -> Customer:
        """Who is registering. Raises NotLoggedIn."""
        return await self._walks.head_at(visit, await self._walks.settled(visit))

    def accepted(self, customer: Customer) -> tuple[Policy, ...]:
        """What this kind of customer may register."""
        return self._prover.accepted(customer.kind)

    async def old(self, visit: Visit) -> Old | None:
        """The binding that a registration would replace, if there is one."""
        binding = await self._bindings.standing(await self.asked(visit))
        return None if binding is None else await self._old(binding, visit.lang)

    # ── ②비밀번호 등록 ──────────────────────────────────────────────────────────────────────────────────────────

    async def offered(self, visit: Visit) -> Offered:
        """The ways of ②, each with why it is closed, if it is."""
        return await self._auth.offered(await self.asked(visit), visit.lang)

    async def look(self, visit: Visit) -> Calling | None:
        """The call that is under way at ②, as it stands; None where there is none."""
        return await self._call(visit, await self._walks.settled(visit))

    async def _call(self, visit: Visit, here: Here) -> Calling | None:
        state = here.state
        if not isinstance(state, AwaitingFactor) or state.factor.method != Method.ARS:
            return None
        walk = await self._walks.walk(visit, here)
        wanted = bound(walk, await self.purpose(walk.customer))
        return await self._auth.look(wanted, state.factor.request_id)

    async def request_factor(self, visit: Visit, turn: Turn, method: Method, to: Phone | None) -> None:
        """A code by SMS, or a call; an older one is void.

        Raises TrueStep, and the refusals of AdditionalAuth.request; what STOPS locks.
        """
        async with self._walks.turn_of(visit):
            walk = await self._walks.at(visit, turn, ChoosingFactor, AwaitingFactor)
            reach("registration.4")
            wanted = bound(walk, await self.purpose(walk.customer))
            asking = self._auth.request(walk.customer, wanted, method, to, visit.lang)
            asked = await factor.heard(self._walks, walk, method, asking)
            reach("registration.5")
            await self._walks.save(walk, FactorRequested(asked.event), method, factor.asked(asked))
            reach("registration.6")

    async def prove_factor(self, visit: Visit, turn: Turn, typed: Typed) -> None:
        """다음 at ②: the additional authentication and what is asked beside it.

        Raises TrueStep, FactorsRefused, WayOff, and what STOPS, which locks.
        """
        async with self._walks.turn_of(visit):
            walk = await self._walks.at(visit, turn, ChoosingFactor, AwaitingFactor)
            state = walk.here.state
            assert isinstance(state, ChoosingFactor | AwaitingFactor)
            reach("registration.7")
            wanted = bound(walk, await self.purpose(walk.customer))
            proving = self._auth.prove(walk.customer, wanted, state.factor, typed, visit.lang)
            verified = await factor.heard(self._walks, walk, "factor", proving)
            reach("registration.8")
            await self._proved(walk, verified, str(typed.method))
            reach("registration.9")

    async def prove_by_device(self, visit: Visit, turn: Turn, answer: Mapping[str, str], medium: MediumTyped) -> None:
        """② on a designated device: the choice is skipped, 미소지고객 인증 stays (M-ADD-10).

        Raises TrueStep, FactorsRefused, the device's refusals, and what STOPS, which locks.
        """
        async with self._walks.turn_of(visit):
            walk = await self._walks.at(visit, turn, ChoosingFactor, AwaitingFactor)
            wanted = bound(walk, await self.purpose(walk.customer))
            proving = self._auth.by_device(walk.customer, wanted, answer, medium)
            verified = await factor.heard(self._walks, walk, "factor", proving)
            await self._proved(walk, verified, "device")

    async def _proved(self, walk: Walk, verified: Verified, method: str) -> None:
        answered, beside = await factor.proved(self._devices, walk, verified, method)
        await self._walks.save(walk, FactorProved(answered), "factor", beside)

    # ── ③인증서 등록 ────────────────────────────────────────────────────────────────────────────────────────────

    async def challenge(self, visit: Visit, run: int, *, replace: bool) -> dict[str, str | bool | None]:
        """What the certificate window signs. `replace`: the yes to replacing the binding there is.

        Raises TrueStep, FlowExpired (the proof ran out), ReplaceConfirm (no yes yet), TooManyChallenges.
        """
        async with self._walks.turn_of(visit):
            walk = await self._walks.at_run(visit, run, AwaitingCertificate)
            purpose = await self.purpose(walk.customer)
            await self._checks.check_1_proof(walk, purpose)
            binding = await self._bindings.standing(walk.customer)
            if binding is not None and not replace:
                raise ReplaceConfirm(check=11)
            replaces = binding.fingerprint if binding is not None else None
            walk = await self._agree(walk, replaces)
            reach("registration.11")
            given = await self._challenges.issue(
                protocol.Purpose(str(purpose)),
                visit.session.session,
                visit.address,
                body_text=await self._body_text(binding, visit.lang),
                notes={"flow": walk.flow_id, "replaces": replaces or ""},
                audit=self._walks.line(walk, "challenge"),
            )
            reach("registration.12")
            return given.for_window(seal=True, customer_kind=str(walk.customer.kind), lang=visit.lang)

    async def _agree(self, walk: Walk, replaces: str | None) -> Walk:
        """The yes is in the flow before the challenge is: "before signing" can be shown afterwards (check 11)."""
        state = walk.here.state
        if isinstance(state, AwaitingCertificate) and state.replaces == replaces:
            return walk
        reach("registration.10")
        await self._walks.save(walk, ReplacementAgreed(replaces), "replace", With())
        return await self._walks.at_run(walk.visit, walk.here.run, AwaitingCertificate)

    async def present(self, visit: Visit, run: int, presented: Presented) -> None:
        """The twelve checks, as `binding.proof.CHECKS` numbers them; ends in Registered, or in one recorded refusal.

        A second post of what already succeeded is a success. Raises TrueStep, NonceInvalid, FlowExpired, CheckFailed,
        BoundToOther, ReplaceConfirm, RegistrationLocked, SealUnreadable, and outages of the status.
        """
        async with self._walks.turn_of(visit):
            here = await self._walks.settled(visit)
            if here.run == run and isinstance(here.state, Registered):
                return
            walk = await self._walks.at_run(visit, run, AwaitingCertificate)
            try:
                await self._checks.run(walk, presented)
            except (AlreadyUsed, NotIssued):
                # The proof went into another transaction between check 1 and check 12.
                await self._walks.refuse(walk, "certificate", FlowExpired(check=1))
            except Failure as failure:
                if not isinstance(failure, RegistrationLocked | TrueStep):
                    await self._walks.record(walk, "certificate", failure.code, With(facts=told(failure)))
                raise

    # ── leaving and going back ──────────────────────────────────────────────────────────────────────────────────

    async def go_back(self, visit: Visit, turn: Turn) -> None:
        """이전: one screen back; a proof that was held is void. Raises TrueStep."""
        async with self._walks.turn_of(visit):
            walk = await self._walks.at(visit, turn, ChoosingFactor, AwaitingFactor, AwaitingCertificate)
            await self._walks.leave(walk, WentBack(), "back")

    async def cancel(self, visit: Visit, run: int) -> None:
        """나가기 before the end; nothing was registered. Raises TrueStep."""
        async with self._walks.turn_of(visit):
            walk = await self._walks.at_run(
                visit, run, Identifying, ChoosingFactor, AwaitingFactor, AwaitingCertificate
            )  # fmt: skip
            if walk.here.version:
                await self._walks.leave(walk, Left(), "cancel")

    # ── small facts ─────────────────────────────────────────────────────────────────────────────────────────────

    async def purpose(self, customer: Customer) -> Purpose:
        """Registering again is `rebind`: its own purpose for code, proof and signature (A17, E1).

        Again: in place of what is registered, after it ended by itself (reissued elsewhere, over), or after an import.
        """
        binding = await self._bindings.standing(customer)
        again = binding is not None or await self._before(customer)
        return Purpose.REBIND if again else Purpose.REGISTRATION

    async def _before(self, customer: Customer) -> bool:
        every = await self._bindings.history(customer.customer_id)
        history = [one for one in every if one.slot == customer.slot]
        if not history:
            return customer.slot == 1 and await self._bindings.awaited(customer.customer_id)
        return history[0].status == STALE

    async def _old(self, binding: Binding, lang: str) -> Old:
        details: Details = await self._bindings.details(binding)
        return Old(binding.fingerprint, details.use_ko if lang == "ko" else details.use_en, binding.not_after)

    async def _body_text(self, binding: Binding | None, lang: str) -> str:
        """The exact text that the window shows; its SHA-256 is signed as `body` (A19)."""
        name = self._sender.name(lang)
        if binding is None:
            return say("registration.body", lang, institution=name)
        old = await self._old(binding, lang)
        return say(
            "registration.body_replace",
            lang,
            institution=name,
            use=old.use,
            date=korean_day(old.not_after),
            fingerprint=old.fingerprint,
        )


__all__ = ["STEPS", "Old", "Registration"]
