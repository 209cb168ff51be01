"""The sending end: the person looks at the receiver and says whether they hold it (C3), proves themselves where it is
new to them (C2), and signs with the registered certificate for this very receiver (F5, A19). Only then a number counts.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import Final, Protocol

from ingam.center.copying.devices import device_text, region_text
from ingam.center.copying.flow import (
    CertificateProved,
    CopyReported,
    FactorProved,
    FactorRequested,
    FactorStopped,
    LeftBy,
    ReceiverConfirmed,
)
from ingam.center.copying.flow import ReceiverDenied as Denied
from ingam.center.copying.mailboxes import Mailboxes
from ingam.center.copying.refusals import NotRegistered, OtherCertificate, ReceiverChanged, ReceiverDenied, SameDevice
from ingam.center.copying.states import (
    Allowed,
    Announced,
    Arrived,
    AwaitingFactor,
    Cleared,
    Confirmed,
    Copied,
    Device,
    Proved,
    Role,
    Sender,
    State,
    factor_of,
)
from ingam.center.copying.walks import Walk, Walks
from ingam.center.task import factor
from ingam.center.walks import Visit, With
from ingam.customer.additional_auth import Method, Purpose, proof
from ingam.customer.additional_auth.ars import Calling
from ingam.customer.additional_auth.flow import Requested
from ingam.customer.additional_auth.following import Followed
from ingam.customer.additional_auth.proof import Bound, Verified
from ingam.customer.additional_auth.service import STOPS, AdditionalAuth, FactorsRefused, Offered, Typed
from ingam.customer.binding.bindings import ACTIVE, Binding, Bindings
from ingam.customer.binding.challenges import Challenges, NonceInvalid
from ingam.customer.binding.proof import Prover, UnverifiedPresentation
from ingam.customer.device import Devices
from ingam.customer.notice import Sender as Signatory
from ingam.kernel.errors import Refusal
from ingam.kernel.instants import korean_minute
from ingam.kernel.steps import reach
from ingam.kernel.words import say
from ingam.ports.customers import Phone
from ingam.ports.store import LedgerMove, Row, Store, Update
from ingam.protocols import challenge as protocol

ASKABLE: Final[tuple[type[State], ...]] = (Announced, Confirmed, AwaitingFactor, Cleared, Proved)
AGREED: Final[tuple[type[State], ...]] = (Confirmed, AwaitingFactor, Cleared, Proved, Allowed, Arrived)
SIGNABLE: Final[tuple[type[State], ...]] = (Cleared, Proved, Allowed, Arrived)


class Presented(Protocol):
    """What the vault signed."""

    @property
    def nonce(self) -> str: ...
    @property
    def signed(self) -> bytes: ...


class Sending:
    """What a sender posts."""

    def __init__(
        self,
        store: Store,
        walks: Walks,
        mailboxes: Mailboxes,
        bindings: Bindings,
        devices: Devices,
        auth: AdditionalAuth,
        challenges: Challenges,
        prover: Prover,
        signatory: Signatory,
    ) -> None:
        self._store = store
        self._walks = walks
        self._mailboxes = mailboxes
        self._bindings = bindings
        self._devices = devices
        self._auth = auth
        self._challenges = challenges
        self._prover = prover
        self._signatory = signatory

    # ── ① 받는 기기 ──

    async def confirm(self, visit: Visit, receiver: str, device: Device) -> bool:
        """Yes: the person has this very receiver in hand. Whether ② is asked for (C2).

        Raises NoReceiver, ReceiverChanged, SameDevice, NotRegistered, OutOfOrder, TrueStep.
        """
        async with self._walks.acting(visit, "confirmed"):
            walk = await self._asked(visit, receiver)
            await self._registered(walk)
            known = await self._devices.known(walk.customer, walk.receiver.mark)
            sender = Sender(visit.session.session, device, visit.lang)
            beside = With(ledger=_voided(walk), facts={"known": int(known)})
            reach("copying.9")
            await self._walks.save(walk, ReceiverConfirmed(sender, known), "confirmed", beside)
            reach("copying.10")
            return not known

    async def deny(self, visit: Visit, receiver: str) -> None:
        """No: somebody else has it. The copy is over and so is the session that announced it (C3).

        Whoever held that session knew ID and password. Raises NoReceiver, ReceiverChanged, SameDevice, OutOfOrder,
        TrueStep.
        """
        async with self._walks.acting(visit, "denied"):
            walk = await self._asked(visit, receiver)
            where: Row = {"session": walk.receiver.session}
            live = await self._store.one("session", {**where, "ended_at": None})
            over: Row = {"ended_at": walk.now, "ended_by": "denied"}
            rows = [] if live is None else [Update("session", {**where, "ended_at": None}, over)]
            beside = With(rows=rows, ledger=_voided(walk))
            reach("copying.24")
            await self._walks.save(walk, Denied(ReceiverDenied.code), "denied", beside)
            reach("copying.25")

    async def _asked(self, visit: Visit, receiver: str) -> Walk:
        walk = await self._walks.announced(visit, *ASKABLE)
        if walk.receiver.id != receiver:
            raise ReceiverChanged
        if walk.receiver.session == visit.session.session:
            raise SameDevice
        return walk

    # ── ② 추가인증 ──

    async def offered(self, visit: Visit) -> Offered:
        """The ways of ②, each with why it is closed, if it is."""
        return await self._auth.offered(await self._walks.customer(visit), visit.lang)

    async def request_factor(self, visit: Visit, method: Method, to: Phone) -> Requested:
        """A code or a call, which name the purpose; an older one is void (E2, E4).

        Raises the refusals of AdditionalAuth.request, OutOfOrder, OtherSession, CopyOver, TrueStep.
        """
        async with self._walks.acting(visit, str(method)):
            walk = await self._walks.at(visit, Role.SENDER, Confirmed, AwaitingFactor)
            try:
                asked = await self._auth.request(walk.customer, _bound(walk), method, to, visit.lang)
            except STOPS as stopped:
                await self._stop(walk, stopped)
                raise
            event = FactorRequested(asked.event)
            reach("copying.11")
            await self._walks.save(walk, event, str(method), factor.asked(asked))
            reach("copying.12")
            return Requested(asked.method, asked.request_id, asked.sent_at, asked.expires_at, asked.to)

    async def call(self, visit: Visit) -> Calling | None:
        """The call that is under way at ②, as it stands."""
        walk = await self._walks.at(visit, Role.SENDER, Confirmed, AwaitingFactor)
        state = walk.here.state
        if not isinstance(state, AwaitingFactor) or state.factor.method != Method.ARS:
            return None
        return await self._auth.look(_bound(walk), state.factor.request_id)

    def follow(self, visit: Visit) -> AsyncIterator[Followed[Calling] | None]:
        """Every change of that call."""
        return self._auth.follow(visit.session.session, lambda: self.call(visit))

    async def prove_factor(self, visit: Visit, typed: Typed) -> None:
        """The answer: used up, and its proof issued, in one transaction.

        Raises the refusals of AdditionalAuth.prove, OutOfOrder, OtherSession, CopyOver, TrueStep.
        """
        async with self._walks.acting(visit, "factor"):
            walk = await self._walks.at(visit, Role.SENDER, Confirmed, AwaitingFactor)
            state = walk.here.state
            assert isinstance(state, Confirmed | AwaitingFactor)
            try:
                verified = await self._auth.prove(walk.customer, _bound(walk), factor_of(state), typed, visit.lang)
            except FactorsRefused as refused:  # there is one field here
                raise next(iter(refused.errors.values())) from None
            except STOPS as stopped:
                await self._stop(walk, stopped)
                raise
            reach("copying.13")
            await self._proved(walk, verified, str(typed.method))
            reach("copying.14")

    async def device_challenge(self, visit: Visit) -> dict[str, object]:
        """What this browser's designated device is to sign. Raises the refusals of AdditionalAuth.device_challenge."""
        async with self._walks.acting(visit, "device"):
            walk = await self._walks.at(visit, Role.SENDER, Confirmed, AwaitingFactor)
            return dict(
                await self._auth.device_challenge(walk.customer, visit.session, visit.address, Purpose.COPY_OUT)
            )

    async def exempt(self, visit: Visit) -> bool:
        """Whether this browser says that it is a designated device."""
        return await self._auth.exempt(await self._walks.customer(visit), visit.session, Purpose.COPY_OUT)

    async def prove_by_device(self, visit: Visit, answer: Mapping[str, str]) -> None:
        """A designated device takes the place of ② (M-ADD-10, C2).

        Raises the refusals of AdditionalAuth.by_device, OutOfOrder, OtherSession, CopyOver, TrueStep.
        """
        async with self._walks.acting(visit, "factor"):
            walk = await self._walks.at(visit, Role.SENDER, Confirmed, AwaitingFactor)
            try:
                verified = await self._auth.by_device(walk.customer, _bound(walk), answer, None)
            except STOPS as stopped:
                await self._stop(walk, stopped)
                raise
            await self._proved(walk, verified, "device")

    async def _proved(self, walk: Walk, verified: Verified, method: str) -> None:
        answered, beside = await factor.proved(self._devices, walk, verified, method)
        await self._walks.save(walk, FactorProved(answered), "factor", beside)

    async def _stop(self, walk: Walk, stopped: Refusal) -> None:
        """`0` was keyed in, or too much was wrong: this copy is over (E4)."""
        await self._walks.save(walk, FactorStopped(stopped.code), "factor", With(), stopped.code)

    # ── ③ 인증서 ──

    async def challenge(self, visit: Visit) -> dict[str, object]:
        """What the vault shows and signs, and which certificate may leave.

        Raises NotRegistered, TooManyChallenges, OutOfOrder, OtherSession, CopyOver.
        """
        async with self._walks.acting(visit, "challenge"):
            walk = await self._walks.at(visit, Role.SENDER, *SIGNABLE)
            bound = await self._registered(walk)
            given = await self._challenges.issue(
                protocol.Purpose.COPY_OUT,
                visit.session.session,
                visit.address,
                body_text=self._body(walk, visit.lang),
                notes={"copy": walk.copy_id},
            )
            told = given.for_window(seal=False, customer_kind=str(walk.customer.kind), lang=visit.lang)
            return {**told, "bound": [bound.fingerprint]}

    def _body(self, walk: Walk, lang: str) -> str:
        """The exact text that the vault shows before the password; its SHA-256 is signed as `body` (A19, F5)."""
        receiver = walk.receiver
        return say(
            "copying.body",
            lang,
            institution=self._signatory.name(lang),
            device=device_text(receiver.device, lang),
            region=region_text(receiver.device, lang),
            time=korean_minute(receiver.opened_at),
        )

    async def prove(self, visit: Visit, presented: Presented) -> None:
        """The registered certificate signed for this receiver: the proof of ② is used up in the same transaction (E1).

        The nonce is claimed first, whatever comes of the rest (A6). Raises NonceInvalid, CheckFailed, NotRegistered,
        StatusUnavailable, ProofMissing, OutOfOrder, OtherSession, CopyOver, TrueStep.
        """
        async with self._walks.acting(visit, "proved"):
            given = await self._challenges.claim(protocol.Purpose.COPY_OUT, visit.session.session, presented.nonce)
            walk = await self._walks.at(visit, Role.SENDER, *SIGNABLE)
            if given.notes.get("copy") != walk.copy_id:
                raise NonceInvalid(check=2, cause="other-copy")
            shown = UnverifiedPresentation(given.challenge, presented.signed)
            proven = await self._prover.prove(shown, kind=walk.customer.kind, fresh=False, at=walk.now)
            fingerprint = proven.certificate.fingerprint.hex()
            if (await self._registered(walk)).fingerprint != fingerprint:
                raise NotRegistered
            # It must still be the registered one when this is saved: a replacement in between ends in Stale.
            where: Row = {"fingerprint": fingerprint, "status": ACTIVE}
            beside = With(rows=[Update("binding", where, {"status": ACTIVE})], ledger=await self._consumed(walk))
            reach("copying.22")
            await self._walks.save(walk, CertificateProved(fingerprint), "proved", beside)
            reach("copying.23")

    async def _consumed(self, walk: Walk) -> list[LedgerMove]:
        state = walk.here.state
        if not isinstance(state, Cleared) or state.proof_id is None:
            return []
        return [await proof.consume(self._store, state.proof_id, _bound(walk), walk.now)]

    async def _registered(self, walk: Walk) -> Binding:
        bound = await self._bindings.active(walk.customer)
        if bound is None:
            await self._bindings.refuse_suspended(walk.customer)
            raise NotRegistered
        return bound

    # ── ④ 번호 ──

    async def open(self, visit: Visit) -> str:
        """A ticket for a mailbox whose QR code this end shows; see Mailboxes."""
        return await self._mailboxes.open(visit)

    async def opened(self, visit: Visit, ticket: str, mailbox: str) -> None:
        """The mailbox of that code."""
        await self._mailboxes.opened(visit, None, ticket, mailbox)

    async def join(self, visit: Visit, mailbox: str) -> str:
        """A ticket for the number that the receiver shows."""
        return await self._mailboxes.join(visit, None, mailbox)

    async def reported(self, visit: Visit, fingerprint: str) -> None:
        """This end has the receiver's sealed word that it is stored. It completes nothing (C13).

        The receiver's device becomes known by its own word and this one together, whichever comes first (C2): who only
        claims an arrival makes none known. A second word of it changes nothing. Raises OtherCertificate, OutOfOrder,
        OtherSession, CopyOver, TrueStep.
        """
        async with self._walks.acting(visit, "reported"):
            walk = await self._walks.at(visit, Role.SENDER, Arrived, Copied)
            state = walk.here.state
            assert isinstance(state, Arrived | Copied)
            if fingerprint != state.fingerprint:
                raise OtherCertificate
            if state.reported:
                return
            both = isinstance(state, Copied)
            known = await self._devices.proved(walk.customer, state.receiver.mark, walk.now) if both else []
            reach("copying.26")
            await self._walks.save(walk, CopyReported(), "reported", With(rows=known))
            reach("copying.27")

    async def leave(self, visit: Visit) -> None:
        """취소 on the sender; nothing is sent any more. Raises OtherSession, CopyOver, OutOfOrder, TrueStep."""
        async with self._walks.acting(visit, "sender.leave"):
            walk = await self._walks.at(visit, Role.SENDER, *AGREED)
            reach("copying.19")
            await self._walks.save(walk, LeftBy(Role.SENDER), "sender.leave", With(ledger=_voided(walk)))
            reach("copying.20")


def _bound(walk: Walk) -> Bound:
    """What a proof of this copy is good for."""
    session, whose = walk.visit.session.session, walk.customer
    return Bound(whose.customer_id, Purpose.COPY_OUT, walk.copy_id, session, whose.slot)


def _voided(walk: Walk) -> list[LedgerMove]:
    """A proof that was held is worthless once the copy goes another way."""
    state = walk.here.state
    held = state.proof_id if isinstance(state, Cleared) else None
    return [] if held is None else [proof.void(held, walk.now)]
