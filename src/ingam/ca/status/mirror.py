"""The responder on another node: no keys, no books; it keeps what the origin signed for as long as nothing contradicts.

A question that it cannot answer from memory goes to the origin as it came, and the origin's answer is verified against
the configured responders before it is passed on or kept. What the change feed names is dropped; a mirror that lost
contact for two seconds says tryLater to everything, because it can no longer know.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from typing import Final, Generic, Protocol, TypeVar

from ingam.ca.status import feed
from ingam.ca.status.answers import Counts
from ingam.ca.status.feed import Follower
from ingam.ca.status.framing import Bare, Carrier, Framing, Signed
from ingam.ca.status.limits import SLACK_S, StatusLimits
from ingam.ca.status.memory import Kept, Memory
from ingam.kernel.errors import Outage, Refusal
from ingam.kernel.secret import Secret
from ingam.npki.certificate import Certificate
from ingam.protocols import ocsp
from ingam.protocols.ocsp import OcspUnusable, answering
from ingam.protocols.ocsp.answering import OcspRequestMalformed, Question

R = TypeVar("R")

ATTEMPTS: Final = 4
PAUSE_S: Final = 0.1
_ERRORS: Final = frozenset(
    (answering.MALFORMED_REQUEST, answering.INTERNAL_ERROR, answering.TRY_LATER, answering.UNAUTHORIZED)
)


class Origin(Protocol):
    """The way to the responder beside the books. Each raises Outage for silence and for anything but a whole answer."""

    async def ask(self, raw: bytes) -> bytes:
        """The OCSPResponse to an OCSPRequest; at most `ocsp.MAX_ANSWER` bytes."""

    async def follow(self, after: int, nonce: bytes, mac: str) -> bytes:
        """The next batch of the change feed; at most `feed.MAX_BATCH` bytes."""


class _Flight:
    """A question on its way to the origin; `void` once a status in it changed."""

    __slots__ = ("serials", "void")

    def __init__(self, serials: frozenset[int]) -> None:
        self.serials, self.void = serials, False


class Mirror(Generic[R]):
    """Questions to replies, as `Answers` does. `responders`: whose signatures are passed on (local configuration)."""

    def __init__(
        self,
        origin: Origin,
        responders: Sequence[Certificate],
        framing: Framing[R],
        secret: Secret[bytes],
        authority: str,
        clock: Callable[[], float],
        nonces: Callable[[int], bytes],
        limits: StatusLimits | None = None,
        steady: Callable[[], float] = time.monotonic,
    ) -> None:
        self.limits = limits or StatusLimits()
        self.counts = Counts()
        self._origin, self._responders, self._framing = origin, tuple(responders), framing
        self._secret, self._authority, self._nonces = secret, authority, nonces
        self._clock, self._steady = clock, steady
        self._memory: Memory[R] = Memory(self.limits.kept)
        self._found = self._memory.found
        self._flights: set[_Flight] = set()
        self._firsts: dict[bytes, asyncio.Task[Kept[R] | bytes]] = {}
        self._passing = 0
        self.follower = Follower(steady, self._untrue, self._empty)

    # Questions

    def carried(self, carrier: Carrier) -> R | Awaitable[R]:
        """The reply to what carries the OCSPRequest of a POST."""
        kept: Kept[R] | None = carrier.memo
        if kept is None or kept.gone:
            kept = carrier.memo = self._found.get(carrier.body)
        if kept is not None and self._clock() < kept.until and self.follower.in_contact():
            kept.asked += 1
            return kept.post
        return self._ask(carrier.body, carrier.body, posted=True)

    def ask(self, raw: bytes) -> R | Awaitable[R]:
        """The reply to an OCSPRequest."""
        return self.carried(Bare(raw))

    def ask_path(self, text: bytes) -> R | Awaitable[R]:
        """The reply to a GET; `text`: the path behind the responder's own."""
        kept = self._found.get(text)
        if kept is not None and self._clock() < kept.until and self.follower.in_contact():
            kept.asked += 1
            return kept.get
        try:
            return self._ask(answering.asked_in_path(text), text, posted=False)
        except OcspRequestMalformed:
            return self._malformed()

    def _ask(self, raw: bytes, name: bytes, *, posted: bool) -> R | Awaitable[R]:
        try:
            question = answering.question(raw)
        except OcspRequestMalformed:
            return self._malformed()
        if not self.follower.in_contact():
            return self._later()
        alone = question.nonce is None and len(question.asked) == 1
        kept = self._memory.of(question.asked[0].raw) if alone else None
        if kept is not None and self._clock() < kept.until:
            self._memory.name(name, kept)
            return kept.post if posted else kept.get
        if not alone:
            if self._passing >= self.limits.demand_queue:
                return self._later()
            self._passing += 1
            return self._passed_on(raw, question)
        if question.asked[0].raw not in self._firsts and len(self._firsts) >= self.limits.first_queue:
            return self._later()
        return self._arrived(raw, question, name, posted=posted)

    def _malformed(self) -> R:
        self.counts.malformed += 1
        return self._framing.once(answering.MALFORMED_REQUEST)

    def _later(self) -> R:
        self.counts.try_later += 1
        return self._framing.once(answering.TRY_LATER)

    # By way of the origin

    async def _passed_on(self, raw: bytes, question: Question) -> R:
        """A nonce, or several certificates: nobody else is told the answer."""
        try:
            found = await self._true(raw, question)
        finally:
            self._passing -= 1
        self.counts.demanded += 1
        return self._framing.once(found[0])

    async def _arrived(self, raw: bytes, question: Question, name: bytes, *, posted: bool) -> R:
        for _ in range(ATTEMPTS):
            found = await asyncio.shield(self._begin(raw, question))
            if isinstance(found, bytes):
                return self._framing.once(found)
            if not found.gone and self.follower.in_contact():
                self._memory.name(name, found)
                found.asked += 1
                return found.post if posted else found.get
        return self._later()

    def _begin(self, raw: bytes, question: Question) -> asyncio.Task[Kept[R] | bytes]:
        key = question.asked[0].raw
        task = self._firsts.get(key)
        if task is None:
            task = self._firsts[key] = asyncio.create_task(self._first(raw, question))
            task.add_done_callback(lambda _done: self._firsts.pop(key, None))
        return task

    async def _first(self, raw: bytes, question: Question) -> Kept[R] | bytes:
        """The answer to be kept; or bytes for this question alone: an error, or what was never issued."""
        der, statuses = await self._true(raw, question)
        (one,) = question.asked
        if not statuses or statuses[0].status == "unknown":
            self.counts.demanded += 1
            return der
        this, until = (int(at.timestamp()) for at in (statuses[0].this_update, statuses[0].next_update))
        max_age = max(0, min(self.limits.cdn_max_age_s, until - int(self._clock()) - SLACK_S))
        kept = Kept(one, Signed(der, this, until, max_age), self._framing)
        self.counts.signed += 1
        self._memory.keep(kept)
        return kept

    async def _true(self, raw: bytes, question: Question) -> tuple[bytes, tuple[ocsp.CertStatus, ...]]:
        """The origin's answer, verified, and asked for anew where a change came meanwhile; else tryLater."""
        try:
            for _ in range(ATTEMPTS):
                flight = _Flight(frozenset(one.serial for one in question.asked))
                self._flights.add(flight)
                try:
                    der = await self._origin.ask(raw)
                finally:
                    self._flights.discard(flight)
                if der in _ERRORS:
                    return der, ()
                statuses = self._verified(der, question)
                if not flight.void:
                    return der, statuses
        except Outage:
            pass
        self.counts.try_later += 1
        return answering.TRY_LATER, ()

    def _verified(self, der: bytes, question: Question) -> tuple[ocsp.CertStatus, ...]:
        answer = ocsp.parse(der)
        if answer.nonce != question.nonce:
            raise OcspUnusable("status-nonce-mismatch")
        return ocsp.verify_relayed(
            answer,
            asked=tuple(one.raw for one in question.asked),
            responders=self._responders,
            at=datetime.fromtimestamp(self._clock(), UTC),
        )

    # Changes

    def _untrue(self, serial: int) -> None:
        self.counts.changes += 1
        self._memory.drop(serial)
        for flight in self._flights:
            if serial in flight.serials:
                flight.void = True

    def _empty(self) -> None:
        self._memory.clear()
        for flight in self._flights:
            flight.void = True

    # What goes on beside the questions

    async def follow(self) -> None:
        """Follow the feed until cancelled."""
        while True:
            if not await self.hear():
                await asyncio.sleep(PAUSE_S)

    async def hear(self) -> bool:
        """One batch of the feed; False for silence."""
        after, nonce, asked_at = self.follower.after, self._nonces(feed.NONCE_BYTES), self._steady()
        try:
            mac = feed.ask(self._secret, self._authority, after, nonce)
            octets = await self._origin.follow(after, nonce, mac)
            self.follower.heard(feed.read(self._secret, self._authority, octets, nonce), asked_at)
        except (Outage, Refusal):
            return False
        return True

    async def tend(self) -> None:
        """Ask anew, ahead of its end, for what is asked often; until cancelled."""
        while True:
            await asyncio.sleep(1)
            self.refresh()

    def refresh(self) -> None:
        """Begin to ask the origin anew for what is asked often and past half its time, a few at once."""
        if not self.follower.in_contact():
            return
        for number, kept in enumerate(self._memory.due(self._clock(), self.limits.often)):
            self._begin(ocsp.request(kept.one.raw, None), Question((kept.one,), None))
            self.counts.refreshed += 1
            if number >= 32:
                break

    def counted(self) -> Counts:
        """What happened since the start."""
        self.counts.presigned = self._memory.asked
        return self.counts

    @property
    def kept(self) -> int:
        """How many answers are kept."""
        return len(self._memory)

    def troubles(self) -> list[str]:
        """Codes of what stands in the way of answering; empty: ready."""
        now = self._clock() + self.limits.ready_days * 86_400
        found = ["ocsp-responder-ending" for one in self._responders if one.not_after.timestamp() < now][:1]
        return [*found, *([] if self.follower.in_contact() else ["feed-lost"])]

    def close(self) -> None:
        """Nothing is held but the way to the origin, which is its owner's to close."""
