"""How outside parties fare, as this process sees it: every port to one is watched, whatever adapter stands behind it.

An Outage is a party that fails; an answer or a Refusal is one that speaks. What was seen is kept in memory and told to
the store now and then (`run.party_health`), where the console reads it.
"""

from __future__ import annotations

import inspect
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar, cast

from ingam.kernel.errors import Outage, Refusal
from ingam.ports.clock import Clock

P = TypeVar("P")


@dataclass(frozen=True, slots=True)
class Seen:
    """What was seen of a party. `cause`: the code of its last failure."""

    well_at: datetime | None = None
    failed_at: datetime | None = None
    cause: str = ""

    @property
    def failing(self) -> bool:
        """Whether its last call failed."""
        return self.failed_at is not None and (self.well_at is None or self.well_at < self.failed_at)


class Board:
    """What was seen of each party, by its name."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._seen: dict[str, Seen] = {}
        self._told: dict[str, Seen] = {}

    def well(self, party: str) -> None:
        """It answered."""
        seen = self._seen.get(party, Seen())
        self._seen[party] = Seen(self._clock.now(), seen.failed_at, seen.cause)

    def failed(self, party: str, cause: str) -> None:
        """It did not."""
        seen = self._seen.get(party, Seen())
        self._seen[party] = Seen(seen.well_at, self._clock.now(), cause)

    def news(self) -> dict[str, Seen]:
        """What has changed since the last time that it was told."""
        return {party: seen for party, seen in self._seen.items() if self._told.get(party) != seen}

    def told(self, news: dict[str, Seen]) -> None:
        """This stands in the store now."""
        self._told |= news


def watched(board: Board, party: str, port: P) -> P:
    """The same port, whose calls are seen by the board."""
    return cast(P, _Watched(board, party, port))


class _Watched:
    """Passes everything on; only methods that wait for the party are looked at."""

    def __init__(self, board: Board, party: str, port: object) -> None:
        self._board, self._party, self._port = board, party, port

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._port, name)
        if name == "aclose":
            return value
        if inspect.iscoroutinefunction(value):
            return self._called(value)
        return self._streamed(value) if inspect.isasyncgenfunction(value) else value

    def _called(self, method: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
        async def called(*args: Any, **kwargs: Any) -> Any:
            with _Watch(self._board, self._party):
                return await method(*args, **kwargs)

        return called

    def _streamed(self, method: Callable[..., AsyncIterator[Any]]) -> Callable[..., AsyncIterator[Any]]:
        async def streamed(*args: Any, **kwargs: Any) -> AsyncIterator[Any]:
            with _Watch(self._board, self._party):
                async for one in method(*args, **kwargs):
                    yield one

        return streamed


class _Watch:
    """One call. A call that is given up, or breaks by our own fault, says nothing of the party."""

    def __init__(self, board: Board, party: str) -> None:
        self._board, self._party = board, party

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        if isinstance(error, Outage):
            cause = error.facts.get("cause")
            self._board.failed(self._party, error.code if cause is None else f"{error.code}/{cause}")
        elif error is None or isinstance(error, Refusal):
            self._board.well(self._party)
