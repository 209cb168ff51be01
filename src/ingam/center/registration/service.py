"""타기관인증서등록, carried out: load the flow, advance it, save it with all that goes with it, in ONE transaction.

Every public method takes a `Visit` and answers with nothing or with facts; the screen always follows from the stored
state (flows.md W3). Posts of one session take turns, so that a double click finds what the first one did.
"""

from __future__ import annotations

from collections.abc import Awaitable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Protocol

from ingam.center.registration.checks import (
    DAY_S,
    FlowExpired,
    RegistrationLocked,
    TwelveChecks,
    bound,
    number_key,
    vid_key,
)
from ingam.center.registration.flow import (
    AwaitingCertificate,
    AwaitingFactor,
    ChoosingFactor,
    FactorProved,
    FactorRequested,
    Identified,
    Identifying,
    Left,
    Registered,
    ReplacementAgreed,
    WentBack,
)
from ingam.center.registration.forms import Identify, Presented
from ingam.center.registration.steps import STEPS
from ingam.center.registration.walks import Here, Limits, Walk, Walks
from ingam.center.walks import Ports, TrueStep, Turn, Visit, With, told
from ingam.customer.account.accounts import LoginLocked, LoginWrong
from ingam.customer.additional_auth import Method, Purpose
from ingam.customer.additional_auth.ars import ArsRefused, Calling
from ingam.customer.additional_auth.flow import Answered
from ingam.customer.additional_auth.medium import MediumTyped
from ingam.customer.additional_auth.proof import Verified
from ingam.customer.additional_auth.service import STOPS, AdditionalAuth, FactorsRefused, Offered, Typed
from ingam.customer.binding.bindings import ACTIVE, STALE, SUSPENDED, Binding, Bindings, Details, ReplaceConfirm
from ingam.customer.binding.challenges import Challenges
from ingam.customer.binding.proof import (
    Prover,
    SealOpener,
)
from ingam.customer.device import Devices
from ingam.customer.notice import Notices, Sender
from ingam.customer.session import Level, Session
from ingam.kernel.errors import Failure, Refusal
from ingam.kernel.instants import korean_day
from ingam.kernel.secret import Secret
from ingam.kernel.steps import reach
from ingam.kernel.words import say
from ingam.npki.policies import Policy
from ingam.ports.ars import CallState
from ingam.ports.customers import Customer, HeadsFull, Phone
from ingam.ports.store import AlreadyUsed, Count, NotIssued
from ingam.protocols import challenge as protocol

KNOWN: Final = timedelta(minutes=10)
"""So long ID and password count as just shown."""


class Accounts(Protocol):
    """ID and password with their lock: `customer.account`."""

    async def check_password(self, banking_id: str, password: Secret[str], session: Session, address: str) -> Customer:
        """The customer; raises LoginWrong, LoginLocked. The failure is counted until `forgive` is saved."""

    async def forgive(self, banking_id: str, session: Session) -> list[str]:
        """The counters that a full match clears."""


class CustomerMismatch(Refusal):
    """ID, password or number do not fit, and it is not said which (M-CUST-01)."""

    code = "customer-mismatch"


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
        self._store = store = ports.store
        self._clock = ports.clock
        self._walks = Walks(ports, notices, limits)
        self._accounts = accounts
        self._auth = auth
        self._challenges = challenges
        self._bindings = bindings
        self._prover = prover
        self._devices = Devices(store, ports.digests)
        self._checks = TwelveChecks(
            store, self._walks, challenges, prover, bindings, seal_keys, notices, self._devices, limits
        )  # fmt: skip
        self._sender = sender
        self._limits = limits

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

    async def customer(self, visit: Visit) -> Customer:
        """Who is registering. Raises NotLoggedIn."""
        return await self._walks.head_at(visit, await self._walks.settled(visit))

    def accepted(self, customer: Customer) -> tuple[Policy, ...]:
        """What this kind of customer may register."""
        return self._prover.accepted(customer.kind)

    async def old(self, visit: Visit) -> Old | None:
        """The binding that a registration would replace, if there is one."""
        binding = await self._bindings.standing(await self.customer(visit))
        return None if binding is None else await self._old(binding, visit.lang)

    # ── ①본인확인 ───────────────────────────────────────────────────────────────────────────────────────────────

    async def identify(self, visit: Visit, turn: Turn, command: Identify) -> None:
        """ID, password and number of the session's own customer.

        Raises TrueStep, CustomerMismatch (counted toward the lock), LoginLocked, RegistrationLocked.
        """
        async with self._walks.turn_of(visit):
            walk = await self._walks.at(visit, turn, Identifying)
            reach("registration.1")
            slot, resets = await self._match(walk, command)
            locked = await self._store.counted(vid_key(walk), DAY_S, walk.now) >= self._limits.vid_max_fail
            if locked:
                await self._walks.lock(walk, "identify", RegistrationLocked())
            reach("registration.2")
            await self._walks.save(walk, Identified(slot), "identify", With(resets=resets))
            reach("registration.3")

    async def known(self, visit: Visit) -> bool:
        """Whether ① is behind this person: registered before, and logged in by ID and password moments ago (A17).

        Registered before is also who an import brought by the names of a certificate (decision 0016).
        """
        fresh = self._clock.now() - visit.session.created_at <= KNOWN
        if not fresh or visit.session.level is not Level.ID or visit.session.customer_id is None:
            return False
        if (await self._walks.customer(visit)).heads:
            return False  # which of them it is, the number at ① says
        history = await self._bindings.history(visit.session.customer_id)
        if not history:
            return await self._bindings.awaited(visit.session.customer_id)
        return history[0].status in (ACTIVE, SUSPENDED, STALE)

    async def again(self, visit: Visit, turn: Turn) -> None:
        """The short path of a certificate that was reissued elsewhere: ② and ③ only.

        The number is not typed: the certificate's own VID is held against it at ③. Raises TrueStep.
        """
        async with self._walks.turn_of(visit):
            walk = await self._walks.at(visit, turn, Identifying)
            if not await self.known(visit):
                raise TrueStep
            if await self._store.counted(vid_key(walk), DAY_S, walk.now) >= self._limits.vid_max_fail:
                await self._walks.lock(walk, "again", RegistrationLocked())
            reach("registration.2")
            await self._walks.save(walk, Identified(), "again", With())
            reach("registration.3")

    async def _match(self, walk: Walk, command: Identify) -> tuple[int, list[str]]:
        """Which head of a union it is (1: the customer of the account), and the counters that this clears."""
        session, address = walk.visit.session, walk.visit.address
        try:
            entered = await self._accounts.check_password(command.banking_id, command.password, session, address)
        except LoginWrong:
            await self._count_guess(walk)  # one counter, and the same work, whatever was wrong (F8)
            raise CustomerMismatch from None
        except LoginLocked as locked:
            await self._walks.lock(walk, "identify", locked)
            raise
        await self._count_guess(walk)
        # Both are compared whatever the first one says; the failure stays counted unless all of it fits (F9).
        slots = [slot for slot, idn in _numbers(entered, session) if idn == command.idn]
        if not slots or entered.customer_id != walk.customer.customer_id:
            await self._walks.refuse(walk, "identify", CustomerMismatch())
        if entered.as_head(slots[0]) is None:
            await self._walks.refuse(walk, "identify", HeadsFull())
        return slots[0], [*await self._accounts.forgive(command.banking_id, session), number_key(walk)]

    async def _count_guess(self, walk: Walk) -> None:
        """Guesses have a counter of their own, by person, that only the right number clears (A16, F9).

        Whoever has an ID and its password may log in, and that forgives the failures of the login.
        """
        guesses = Count(number_key(walk), DAY_S, self._limits.vid_max_fail, walk.now)
        if await self._store.count(guesses) > self._limits.vid_max_fail:
            await self._walks.lock(walk, "identify", RegistrationLocked())

    # ── ②비밀번호 등록 ──────────────────────────────────────────────────────────────────────────────────────────

    async def offered(self, visit: Visit) -> Offered:
        """The ways of ②, each with why it is closed, if it is."""
        return await self._auth.offered(await self.customer(visit), visit.lang)

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
            action = str(method)
            try:
                wanted = bound(walk, await self.purpose(walk.customer))
                asked = await self._auth.request(walk.customer, wanted, method, to, visit.lang)
            except STOPS as stopped:
                await self._walks.lock(walk, action, stopped)
            except Refusal as refused:
                await self._walks.refuse(walk, action, refused)
            reach("registration.5")
            beside = With(rows=asked.rows, ledger=asked.ledger, outbox=asked.outbox)
            await self._walks.save(walk, FactorRequested(asked.event), action, beside)
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
            verified = await self._answered(walk, proving)
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
            verified = await self._answered(walk, self._auth.by_device(walk.customer, wanted, answer, medium))
            await self._proved(walk, verified, "device")

    async def _answered(self, walk: Walk, proving: Awaitable[Verified]) -> Verified:
        """What was proved; a refusal is recorded with its causes, and what STOPS locks."""
        try:
            return await proving
        except STOPS as stopped:
            await self._walks.lock(walk, "factor", stopped)
        except FactorsRefused as refused:
            causes = {name: one.code for name, one in refused.errors.items()}
            beside = With(resets=refused.resets, facts=causes)
            await self._walks.record(walk, "factor", refused.code, beside)
            raise
        except Refusal as refused:
            await self._walks.refuse(walk, "factor", refused)

    async def _proved(self, walk: Walk, verified: Verified, method: str) -> None:
        event = FactorProved(Answered(verified.proof.proof_id, verified.proof.expires_at))
        confirmed = await self._devices.confirmed(walk.customer, walk.visit.session.device, walk.now)
        rows = [*verified.rows, *confirmed]
        beside = With(rows=rows, ledger=verified.ledger, resets=verified.resets, facts={"method": method})
        await self._walks.save(walk, event, "factor", beside)

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


def _numbers(entered: Customer, session: Session) -> list[tuple[int, Secret[str]]]:
    """Whose number may be shown at ①: any head's, but after a login with a certificate that head's alone."""
    every = [(entered.slot, entered.idn), *((one.slot, one.idn) for one in entered.heads)]
    return [(slot, idn) for slot, idn in every if session.slot in (None, slot)]


__all__ = ["STEPS", "CustomerMismatch", "Old", "Registration"]
