"""The sending end: the person looks at the receiver and says whether they hold it (C3), proves themselves where it is
new to them (C2), and signs with the registered certificate for this very receiver (F5, A19). Only then a number counts.
"""

from __future__ import annotations

from typing import Final, Protocol

from ingam.center.copying.devices import device_text, region_text
from ingam.center.copying.flow import (
    Allowed,
    Announced,
    Arrived,
    AwaitingFactor,
    CertificateProved,
    Cleared,
    CodeSent,
    Confirmed,
    Copied,
    CopyReported,
    Device,
    FactorProved,
    LeftBy,
    Proved,
    ReceiverConfirmed,
    Role,
    Sender,
    State,
)
from ingam.center.copying.flow import ReceiverDenied as Denied
from ingam.center.copying.mailboxes import Mailboxes
from ingam.center.copying.refusals import NotRegistered, OtherCertificate, ReceiverChanged, ReceiverDenied, SameDevice
from ingam.center.copying.walks import Walk, Walks
from ingam.center.walks import Visit, With
from ingam.customer.additional_auth import Purpose, proof
from ingam.customer.additional_auth.proof import Bound
from ingam.customer.additional_auth.sms import SmsCodes
from ingam.customer.binding.bindings import ACTIVE, Binding, Bindings
from ingam.customer.binding.challenges import Challenges, NonceInvalid
from ingam.customer.binding.proof import Prover, UnverifiedPresentation
from ingam.customer.device import Devices
from ingam.customer.notice import Sender as Signatory
from ingam.kernel.instants import korean_minute
from ingam.kernel.secret import Secret
from ingam.kernel.steps import reach
from ingam.kernel.words import say
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
        sms: SmsCodes,
        challenges: Challenges,
        prover: Prover,
        signatory: Signatory,
    ) -> None:
        self._store = store
        self._walks = walks
        self._mailboxes = mailboxes
        self._bindings = bindings
        self._devices = devices
        self._sms = sms
        self._challenges = challenges
        self._prover = prover
        self._signatory = signatory

    # ── ① 받는 기기 ──

    async def confirm(self, visit: Visit, receiver: str, device: Device) -> bool:
        """Yes: the person has this very receiver in hand. Whether ② is asked for (C2).

        Raises NoReceiver, ReceiverChanged, SameDevice, NotRegistered, OutOfOrder, TrueStep.
        """
        async with self._walks.acting(visit, "copying.confirmed"):
            walk = await self._asked(visit, receiver)
            if await self._bindings.active(walk.customer.customer_id) is None:
                raise NotRegistered
            known = await self._devices.known(walk.customer, walk.receiver.mark)
            sender = Sender(visit.session.session, device, visit.lang)
            beside = With(ledger=_voided(walk), facts={"known": int(known)})
            reach("copying.9")
            await self._walks.save(walk, ReceiverConfirmed(sender, known), "copying.confirmed", beside)
            reach("copying.10")
            return not known

    async def deny(self, visit: Visit, receiver: str) -> None:
        """No: somebody else has it. The copy is over and so is the session that announced it (C3).

        Whoever held that session knew ID and password. Raises NoReceiver, ReceiverChanged, SameDevice, OutOfOrder,
        TrueStep.
        """
        async with self._walks.acting(visit, "copying.denied"):
            walk = await self._asked(visit, receiver)
            where: Row = {"session": walk.receiver.session}
            live = await self._store.one("session", {**where, "ended_at": None})
            over: Row = {"ended_at": walk.now, "ended_by": "denied"}
            rows = [] if live is None else [Update("session", {**where, "ended_at": None}, over)]
            beside = With(rows=rows, ledger=_voided(walk))
            reach("copying.24")
            await self._walks.save(walk, Denied(ReceiverDenied.code), "copying.denied", beside)
            reach("copying.25")

    async def _asked(self, visit: Visit, receiver: str) -> Walk:
        walk = await self._walks.announced(visit, *ASKABLE)
        if walk.receiver.id != receiver:
            raise ReceiverChanged
        if walk.receiver.session == visit.session.session:
            raise SameDevice
        return walk

    # ── ② 추가인증 ──

    async def send_code(self, visit: Visit) -> AwaitingFactor:
        """A code to the registered number, whose message names the purpose; an older one is void (E2).

        Raises the refusals of SmsCodes.request, OutOfOrder, OtherSession, CopyOver, TrueStep.
        """
        async with self._walks.acting(visit, "copying.sms"):
            walk = await self._walks.at(visit, Role.SENDER, Confirmed, AwaitingFactor)
            state = walk.here.state
            assert isinstance(state, Confirmed | AwaitingFactor)
            asked = await self._sms.request(walk.customer, Purpose.COPY_OUT, visit.lang)
            event = CodeSent(asked.request_id, asked.sent_at, asked.expires_at)
            reach("copying.11")
            await self._walks.save(walk, event, "copying.sms", With(ledger=asked.ledger, outbox=asked.outbox))
            reach("copying.12")
            return AwaitingFactor(
                state.receiver, state.sender, asked.request_id, asked.sent_at, asked.expires_at, state.opening
            )

    async def prove_factor(self, visit: Visit, code: Secret[str]) -> None:
        """The code: used up, and its proof issued, in one transaction.

        Raises the refusals of SmsCodes.verify, OutOfOrder, OtherSession, CopyOver, TrueStep.
        """
        async with self._walks.acting(visit, "copying.factor"):
            walk = await self._walks.at(visit, Role.SENDER, AwaitingFactor)
            state = walk.here.state
            assert isinstance(state, AwaitingFactor)
            verified = await self._sms.verify(walk.customer, _bound(walk), state.request_id, code)
            event = FactorProved(verified.proof.proof_id, verified.proof.expires_at)
            reach("copying.13")
            await self._walks.save(walk, event, "copying.factor", With(ledger=verified.ledger))
            reach("copying.14")

    # ── ③ 인증서 ──

    async def challenge(self, visit: Visit) -> dict[str, object]:
        """What the vault shows and signs, and which certificate may leave.

        Raises NotRegistered, TooManyChallenges, OutOfOrder, OtherSession, CopyOver.
        """
        async with self._walks.acting(visit, "copying.challenge"):
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
        async with self._walks.acting(visit, "copying.proved"):
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
            await self._walks.save(walk, CertificateProved(fingerprint), "copying.proved", beside)
            reach("copying.23")

    async def _consumed(self, walk: Walk) -> list[LedgerMove]:
        state = walk.here.state
        if not isinstance(state, Cleared) or state.proof_id is None:
            return []
        return [await proof.consume(self._store, state.proof_id, _bound(walk), walk.now)]

    async def _registered(self, walk: Walk) -> Binding:
        bound = await self._bindings.active(walk.customer.customer_id)
        if bound is None:
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
        async with self._walks.acting(visit, "copying.reported"):
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
            await self._walks.save(walk, CopyReported(), "copying.reported", With(rows=known))
            reach("copying.27")

    async def leave(self, visit: Visit) -> None:
        """취소 on the sender; nothing is sent any more. Raises OtherSession, CopyOver, OutOfOrder, TrueStep."""
        async with self._walks.acting(visit, "copying.sender.leave"):
            walk = await self._walks.at(visit, Role.SENDER, *AGREED)
            reach("copying.19")
            await self._walks.save(walk, LeftBy(Role.SENDER), "copying.sender.leave", With(ledger=_voided(walk)))
            reach("copying.20")


def _bound(walk: Walk) -> Bound:
    """What a proof of this copy is good for."""
    return Bound(walk.customer.customer_id, Purpose.COPY_OUT, walk.copy_id, walk.visit.session.session)


def _voided(walk: Walk) -> list[LedgerMove]:
    """A proof that was held is worthless once the copy goes another way."""
    state = walk.here.state
    held = state.proof_id if isinstance(state, Cleared) else None
    return [] if held is None else [proof.void(held, walk.now)]
