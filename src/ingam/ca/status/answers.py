"""The responder beside the books: pre-signed at the first question, kept ready to send, dropped when it is untrue.

Every question looks first whether any status changed; if one did, what was said of it is dropped before anything is
answered, so that a revocation is in the very next answer. An answer that was being signed meanwhile is signed anew.
What has to be signed for one question alone (a nonce, several certificates, a serial that was never issued) has a rate
and a queue of its own, and beyond them the answer is tryLater (security D13).
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final, Generic, TypeVar

from ingam.ca.status.framing import Bare, Carrier, Framing, Signed
from ingam.ca.status.limits import Rate, StatusLimits
from ingam.ca.status.making import ATTEMPTS, Maker
from ingam.ca.status.memory import Kept, Memory
from ingam.ca.status.responders import Generations, Responder
from ingam.kernel.errors import Failure, Outage
from ingam.ports.books import BooksOutage, Change, Standings
from ingam.protocols.ocsp import answering
from ingam.protocols.ocsp.answering import CertId, OcspRequestMalformed, Question

R = TypeVar("R")

MANY_CHANGES: Final = 2000
"""More changes than this at once, and everything is forgotten instead: one question pays for it."""

_TROUBLED_S: Final = 10


class Counts:
    """What happened since the start; read by metrics."""

    __slots__ = ("changes", "demanded", "malformed", "presigned", "refreshed", "signed", "try_later", "unauthorized")

    def __init__(self) -> None:
        self.presigned = self.signed = self.demanded = self.refreshed = 0
        self.try_later = self.malformed = self.unauthorized = self.changes = 0


class Answers(Generic[R]):
    """Questions to replies. `clock`: seconds since 1970; `standings` is asked on the loop only.

    `carried` and `ask_path` never raise: what cannot be answered is tryLater. `on_defect` hears of what should not be.
    """

    def __init__(
        self,
        standings: Standings,
        generations: Generations,
        framing: Framing[R],
        clock: Callable[[], float],
        limits: StatusLimits | None = None,
        on_defect: Callable[[BaseException], None] = lambda _error: None,
    ) -> None:
        self.limits = limits or StatusLimits()
        self.counts = Counts()
        self._standings, self._generations, self._framing, self._clock = standings, generations, framing, clock
        self._changed = standings.changed
        self._memory: Memory[R] = Memory(self.limits.kept)
        self._found = self._memory.found
        self._maker = Maker(standings, clock, self.limits, self._look, on_defect)
        self._rate = Rate(self.limits.demand_rate, self.limits.demand_burst)
        self._demanding = 0
        self._firsts: dict[bytes, asyncio.Future[Kept[R] | None]] = {}
        self._watchers: set[asyncio.Future[None]] = set()
        self._behind = True
        self._begun = False
        self.seen = 0
        """The newest change that no kept answer contradicts."""

    # Questions

    def carried(self, carrier: Carrier) -> R | Awaitable[R]:
        """The reply to what carries the OCSPRequest of a POST."""
        # As `ask_path`, step by step: most questions of a busy responder end here, and each call would cost as much.
        try:
            if self._changed() or self._behind:
                self._catch_up()
        except BooksOutage as outage:
            return self._later(outage)
        kept: Kept[R] | None = carrier.memo
        if kept is None or kept.gone:
            kept = carrier.memo = self._found.get(carrier.body)
        if kept is not None and self._clock() < kept.until:
            kept.asked += 1
            return kept.post
        return self._ask(carrier.body, carrier.body, posted=True)

    def ask(self, raw: bytes) -> R | Awaitable[R]:
        """The reply to an OCSPRequest."""
        return self.carried(Bare(raw))

    def ask_path(self, text: bytes) -> R | Awaitable[R]:
        """The reply to a GET; `text`: the path behind the responder's own, without the slash between."""
        try:
            if self._changed() or self._behind:
                self._catch_up()
        except BooksOutage as outage:
            return self._later(outage)
        kept = self._found.get(text)
        if kept is not None and self._clock() < kept.until:
            kept.asked += 1
            return kept.get
        try:
            return self._ask(answering.asked_in_path(text), text, posted=False)
        except OcspRequestMalformed:
            self.counts.malformed += 1
            return self._framing.once(answering.MALFORMED_REQUEST)

    def _ask(self, raw: bytes, name: bytes, *, posted: bool) -> R | Awaitable[R]:
        try:
            question = answering.question(raw)
        except OcspRequestMalformed:
            self.counts.malformed += 1
            return self._framing.once(answering.MALFORMED_REQUEST)
        speaker = self._generations.of(question.asked)
        if speaker is None:
            self.counts.unauthorized += 1
            return self._framing.once(answering.UNAUTHORIZED)
        responder, generations = speaker
        if question.nonce is not None or len(question.asked) > 1:
            return self._on_demand(question, responder, generations)
        return self._ahead(question, responder, generations, name, posted=posted)

    # Signed ahead

    def _ahead(
        self, question: Question, responder: Responder, generations: list[int], name: bytes, *, posted: bool
    ) -> R | Awaitable[R]:
        (one,) = question.asked
        kept = self._memory.of(one.raw)
        if kept is not None and self._clock() < kept.until:
            self._memory.name(name, kept)
            kept.asked += 1
            return kept.post if posted else kept.get
        if one.raw not in self._firsts:
            try:
                if self._maker.status(generations[0], one.serial) is answering.UNKNOWN:
                    return self._on_demand(question, responder, generations)
            except BooksOutage as outage:
                return self._later(outage)
            if len(self._firsts) >= self.limits.first_queue:
                return self._later()
        first = self._firsts.get(one.raw) or self._begin(one, responder, generations[0])
        if first.done():  # on the spot
            kept = first.result()
            if kept is None:
                return self._later()
            if not kept.gone:
                self._memory.name(name, kept)
                kept.asked += 1
                return kept.post if posted else kept.get
        return self._arrived(one, responder, generations[0], name, posted=posted)

    def _begin(self, one: CertId, responder: Responder, generation: int) -> asyncio.Future[Kept[R] | None]:
        """The one signature that everybody who asks about it now waits for."""
        future: asyncio.Future[Kept[R] | None] = asyncio.get_running_loop().create_future()
        self._firsts[one.raw] = future

        def done(answer: Signed | None) -> None:
            del self._firsts[one.raw]
            kept = None if answer is None else Kept(one, answer, self._framing)
            if kept is not None:
                self.counts.signed += 1
                self._memory.keep(kept)
            future.set_result(kept)

        self._maker.make((one,), responder, [generation], None, self.limits.valid_s, done)
        return future

    async def _arrived(self, one: CertId, responder: Responder, generation: int, name: bytes, *, posted: bool) -> R:
        for _ in range(ATTEMPTS):
            kept = await asyncio.shield(self._firsts.get(one.raw) or self._begin(one, responder, generation))
            if kept is None:
                break
            if not kept.gone:  # else a change came between its signature and this question's turn
                self._memory.name(name, kept)
                kept.asked += 1
                return kept.post if posted else kept.get
        return self._later()

    # Signed for one question alone

    def _on_demand(self, question: Question, responder: Responder, generations: list[int]) -> R | Awaitable[R]:
        if self._demanding >= self.limits.demand_queue or not self._rate.take(self._clock()):
            return self._later()
        self._demanding += 1
        future: asyncio.Future[R] = asyncio.get_running_loop().create_future()

        def done(answer: Signed | None) -> None:
            self._demanding -= 1
            if answer is None:
                future.set_result(self._later())
            else:
                self.counts.demanded += 1
                future.set_result(self._framing.once(answer.der))

        valid_s = self.limits.unknown_valid_s
        self._maker.make(question.asked, responder, generations, question.nonce, valid_s, done)
        return future.result() if future.done() else future

    def _later(self, outage: Outage | None = None) -> R:
        if outage is not None:
            self._maker.failed(outage)
        self.counts.try_later += 1
        return self._framing.once(answering.TRY_LATER)

    # Changes

    def _look(self) -> None:
        if self._standings.changed() or self._behind:
            self._catch_up()

    def _catch_up(self) -> None:
        """Drop what the changes behind the last one seen made untrue. Raises BooksOutage, and then stays behind."""
        self._behind = True
        if not self._begun:
            self.seen, self._begun = self._standings.last_change(), True
        newest = self._standings.last_change()
        if not 0 <= newest - self.seen <= MANY_CHANGES:  # or the books were put back: nothing kept is known to be true
            self._forget_all(newest)
        while self.seen < newest:
            for change in self._standings.changes(self.seen):
                self._untrue(change.ca, change.serial)
                self.seen = change.seq
                self.counts.changes += 1
        self._behind = False
        for watcher in self._watchers:
            if not watcher.done():
                watcher.set_result(None)

    def _forget_all(self, newest: int) -> None:
        self._memory.clear()
        self._maker.all_untrue()
        self.seen = newest

    def _untrue(self, ca: int, serial: int) -> None:
        self._memory.drop(serial)
        self._maker.untrue(ca, serial)

    async def change_after(self, seen: int, seconds: float) -> None:
        """Until there is a change behind `seen`, or the time is over. Raises BooksOutage."""
        self._look()
        if self.seen != seen:
            return
        watcher = asyncio.get_running_loop().create_future()
        self._watchers.add(watcher)
        try:
            await asyncio.wait((watcher,), timeout=seconds)
        finally:
            self._watchers.discard(watcher)

    def changes(self, after: int, limit: int) -> list[Change]:
        """Changes behind a number, as the books have them. Raises BooksOutage."""
        return self._standings.changes(after, limit)

    # What goes on beside the questions

    async def tend(self, step_s: float = 0.02) -> None:
        """Look for changes while somebody waits for them, and refresh what is asked often; until cancelled."""
        steps = 0
        while True:
            await asyncio.sleep(step_s)
            steps += 1
            try:
                if self._watchers:
                    self._look()
                if steps % 50 == 0:
                    self.refresh()
            except Failure as failure:
                self._maker.failed(failure)

    def refresh(self) -> list[asyncio.Future[Kept[R] | None]]:
        """Begin to sign anew what is asked often and past half its time, a few at once."""
        begun = []
        for kept in self._memory.due(self._clock(), self.limits.often):
            speaker = self._generations.of((kept.one,))
            if speaker is not None and kept.one.raw not in self._firsts:
                begun.append(self._begin(kept.one, speaker[0], speaker[1][0]))
                self.counts.refreshed += 1
            if len(begun) >= 32:
                break
        return begun

    def replace(self, generations: Generations) -> None:
        """From now on these answer: a new responder's certificate, or a new generation of the CA."""
        self._generations = generations
        self._forget_all(self.seen)

    def counted(self) -> Counts:
        """What happened since the start."""
        self.counts.presigned = self._memory.asked
        return self.counts

    @property
    def kept(self) -> int:
        """How many answers are kept."""
        return len(self._memory)

    def troubles(self) -> list[str]:
        """Codes of what stands in the way of answering; empty: ready. An outage counts for ten seconds."""
        now = self._clock()
        last = now + self.limits.ready_days * 86_400
        found = ["ocsp-responder-ending" for one in self._generations.all if one.responder.until < last][:1]
        try:
            self._look()
        except BooksOutage as outage:
            return [*found, outage.code]
        latest = self._maker.outage
        if latest is not None and now - latest[1] < _TROUBLED_S:
            found.append(latest[0])
        return found

    def close(self) -> None:
        """End the signing threads; the books are their owner's to close."""
        self._maker.close()
