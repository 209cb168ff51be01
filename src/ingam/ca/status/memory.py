"""Answers that were signed ahead, found by whatever asked for them: a request's bytes, a path, or a CertID's bytes.

Bounded; what was signed longest ago and not asked since goes first. All that is said of a serial is dropped at once.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from itertools import count
from typing import Final, Generic, TypeVar

from ingam.ca.status.framing import Framing, Signed
from ingam.ca.status.limits import SLACK_S
from ingam.protocols.ocsp.answering import CertId

R = TypeVar("R")
MOST_NAMES: Final = 6
"""Ways of asking that are remembered for one answer; a stranger's seventh is read anew each time."""

LONGEST_NAME: Final = 512
"""Bytes of a way of asking that is remembered; who asks at greater length is read anew each time."""

_LOOKED_AT: Final = 16


class Kept(Generic[R]):
    """One answer about one certificate. `until`, `refresh`: seconds since 1970; `asked`: questions since it was signed.

    `gone`: it is not kept any more, so that no change would find it; whoever still holds it lets go of it.
    """

    __slots__ = ("_framing", "_get", "answer", "asked", "gone", "names", "one", "post", "refresh", "until")

    def __init__(self, one: CertId, answer: Signed, framing: Framing[R]) -> None:
        self.one, self.answer = one, answer
        self.until = answer.next_update - answer.max_age - SLACK_S
        self.refresh = min(self.until, (answer.this_update + answer.next_update) / 2)
        self.asked, self.gone = 0, False
        self.names: list[bytes] = []
        self.post = framing.posted(answer)
        self._get: R | None = None
        self._framing = framing

    @property
    def get(self) -> R:
        """For a GET; made when first needed."""
        if self._get is None:
            self._get = self._framing.fetched(self.answer)
        return self._get


class Memory(Generic[R]):
    """`found`: by every remembered way of asking; read it, and change it through the methods only."""

    def __init__(self, most: int) -> None:
        self._most = most
        self.found: dict[bytes, Kept[R]] = {}
        self._asked_of_the_gone = 0
        self._by_identity: dict[bytes, Kept[R]] = {}
        self._by_serial: dict[int, list[Kept[R]]] = {}
        self._due: list[tuple[float, int, Kept[R]]] = []
        self._order = count()

    def __len__(self) -> int:
        return len(self._by_identity)

    def of(self, identity: bytes) -> Kept[R] | None:
        """The answer about a CertID."""
        return self._by_identity.get(identity)

    @property
    def asked(self) -> int:
        """How many questions were answered with what is or was kept."""
        return self._asked_of_the_gone + sum(kept.asked for kept in self._by_identity.values())

    def keep(self, kept: Kept[R]) -> None:
        """Keep an answer in place of an older one, whose names it takes over."""
        older = self._by_identity.get(kept.one.raw)
        if older is not None:
            self._forget(older)
        elif len(self._by_identity) >= self._most:
            self._make_room()
        self._by_identity[kept.one.raw] = kept
        self._by_serial.setdefault(kept.one.serial, []).append(kept)
        for name in older.names if older is not None else ():
            self.name(name, kept)
        heapq.heappush(self._due, (kept.refresh, next(self._order), kept))
        if len(self._due) > 2 * self._most + _LOOKED_AT:  # what was dropped since hangs on it
            self._due = [(one.refresh, next(self._order), one) for one in self._by_identity.values()]
            heapq.heapify(self._due)

    def name(self, name: bytes, kept: Kept[R]) -> None:
        """Remember a way of asking for it."""
        if len(kept.names) < MOST_NAMES and len(name) <= LONGEST_NAME and name not in self.found:
            kept.names.append(name)
            self.found[name] = kept

    def drop(self, serial: int) -> int:
        """Forget all that is said of a serial; how many answers that were."""
        gone = list(self._by_serial.get(serial, ()))
        for kept in gone:
            self._forget(kept)
        return len(gone)

    def clear(self) -> None:
        """Forget everything."""
        self._asked_of_the_gone = self.asked
        for kept in self._by_identity.values():
            kept.gone = True
        for known in (self.found, self._by_identity, self._by_serial, self._due):
            known.clear()

    def due(self, now: float, often: int) -> Iterator[Kept[R]]:
        """Answers that are to be signed anew by now because they are asked often; others go when they have ended."""
        while self._due and self._due[0][0] <= now:
            _, order, kept = heapq.heappop(self._due)
            if self._by_identity.get(kept.one.raw) is not kept:
                continue
            if now >= kept.until:
                self._forget(kept)
            elif kept.asked >= often:
                heapq.heappush(self._due, (kept.until, order, kept))
                yield kept
            else:
                # Looked at once more on the way to its end: it may be asked often only now.
                halfway = max(now + 1, (now + kept.until) / 2) if kept.until - now > 60 else kept.until
                heapq.heappush(self._due, (halfway, order, kept))

    def _make_room(self) -> None:
        """The first of the oldest that nobody asked for twice, or the oldest."""
        oldest = [kept for _, kept in zip(range(_LOOKED_AT), self._by_identity.values(), strict=False)]
        self._forget(next((kept for kept in oldest if kept.asked < 2), oldest[0]))

    def _forget(self, kept: Kept[R]) -> None:
        kept.gone = True
        self._asked_of_the_gone += kept.asked
        del self._by_identity[kept.one.raw]
        for name in kept.names:
            del self.found[name]
        same = self._by_serial[kept.one.serial]
        same.remove(kept)
        if not same:
            del self._by_serial[kept.one.serial]
