"""Circuit breaker of one outside party: after a row of outages it is left alone for a while, then tried with one call.

`EDGES` is the specification: {state: {event: {state, …}}}. An outcome counts only for the state its call was admitted
in, so a late answer from before the breaker opened moves nothing.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from enum import Enum
from typing import Final, NamedTuple

IN_A_ROW: Final = 5
"""Outages that open it."""

OPEN_S: Final = 20.0
"""Seconds that it stays open."""


class State(Enum):
    """Calls pass; none passes; one is under way to see."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half-open"


class Event(Enum):
    """`WAITED`: a call was asked for and the open time is over. `GAVE_UP`: a call ended without telling anything."""

    ANSWERED = "answered"
    OUTAGE = "outage"
    GAVE_UP = "gave-up"
    WAITED = "waited"


EDGES: Final[Mapping[State, Mapping[Event, frozenset[State]]]] = {
    State.CLOSED: {
        Event.ANSWERED: frozenset({State.CLOSED}),
        Event.OUTAGE: frozenset({State.CLOSED, State.OPEN}),
        Event.GAVE_UP: frozenset({State.CLOSED}),
    },
    State.OPEN: {Event.WAITED: frozenset({State.HALF_OPEN})},
    State.HALF_OPEN: {
        Event.ANSWERED: frozenset({State.CLOSED}),
        Event.OUTAGE: frozenset({State.OPEN}),
        Event.GAVE_UP: frozenset({State.OPEN}),
    },
}


class Pass(NamedTuple):
    """Leave for one call. `turn`: how often the state had changed when it was given."""

    turn: int


class Breaker:
    """Of one party, in one event loop. `clock`: seconds that only grow."""

    def __init__(
        self, *, in_a_row: int = IN_A_ROW, open_s: float = OPEN_S, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._in_a_row = in_a_row
        self._open_s = open_s
        self._clock = clock
        self._state = State.CLOSED
        self._turn = 0
        self._outages = 0
        self._until = 0.0

    @property
    def state(self) -> State:
        """Where it stands; an open one stays open until somebody calls."""
        return self._state

    def admit(self) -> Pass | None:
        """Leave for a call, None while the party is left alone. Each leave is followed by one `settle`."""
        if self._state is State.OPEN and self._clock() >= self._until:
            self._go(State.HALF_OPEN)
        elif self._state is not State.CLOSED:
            return None
        return Pass(self._turn)

    def settle(self, given: Pass, event: Event) -> None:
        """What became of the call."""
        if given.turn != self._turn:
            return
        if event is Event.GAVE_UP:
            self._gave_up()
        elif event is Event.ANSWERED:
            self._answered()
        else:
            self._outage()

    def _answered(self) -> None:
        self._outages = 0
        if self._state is State.HALF_OPEN:
            self._go(State.CLOSED)

    def _outage(self) -> None:
        self._outages += 1
        if self._state is State.HALF_OPEN or self._outages >= self._in_a_row:
            self._until = self._clock() + self._open_s
            self._go(State.OPEN)

    def _gave_up(self) -> None:
        """A probe that told nothing: the open time stays over, so the next call is the probe."""
        if self._state is State.HALF_OPEN:
            self._go(State.OPEN)

    def _go(self, state: State) -> None:
        self._state = state
        self._turn += 1
        if state is State.CLOSED:
            self._outages = 0
