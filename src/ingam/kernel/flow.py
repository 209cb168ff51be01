"""A flow is a machine: states and events are frozen dataclasses, and the table of edges is the specification.

`advance(state, event) -> Step(state, effects)` is pure. A generic test holds every machine to its table. States go
to the store as tagged, versioned JSON, so that new code reads old states.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import msgspec

from ingam.kernel.errors import Defect

S = TypeVar("S")
E = TypeVar("E")


class IllegalMove(Defect):
    """An event that the table does not allow in this state; the state is unchanged."""

    code = "flow-illegal-move"


@dataclass(frozen=True, slots=True)
class Step(Generic[S]):
    """What a move gives: the next state, and effects (frozen dataclasses) that the service carries out or stores."""

    state: S
    effects: tuple[object, ...] = ()


@dataclass(frozen=True, slots=True)
class Machine(Generic[S, E]):
    """A flow's name, version, edges {State: {Event: {State, …}}} and its pure `move`.

    `ends` are the states without edges. `upgrade(version, name, facts)` reads states of older code.
    """

    name: str
    version: int
    edges: Mapping[type[Any], Mapping[type[Any], frozenset[type[Any]]]]
    move: Callable[[S, E], Step[S]]
    upgrade: Callable[[int, str, dict[str, Any]], tuple[str, dict[str, Any]]] | None = None

    def states(self) -> dict[str, type[Any]]:
        """Every state by its name."""
        found = {state.__name__: state for state in self.edges}
        for events in self.edges.values():
            for targets in events.values():
                # A set has no order, and what is printed from it needs one.
                found.update({one.__name__: one for one in sorted(targets, key=lambda kind: kind.__name__)})
        return found

    def ends(self) -> frozenset[type[Any]]:
        """States that nothing leaves."""
        return frozenset(s for s in self.states().values() if not self.edges.get(s))

    def allows(self, state: S, event: E) -> bool:
        """Whether the table has this event in this state."""
        return type(event) in self.edges.get(type(state), {})

    def advance(self, state: S, event: E) -> Step[S]:
        """The next step; raises IllegalMove where the table has none, Defect where `move` leaves the table."""
        targets = self.edges.get(type(state), {}).get(type(event))
        if targets is None:
            raise IllegalMove(machine=self.name, state=type(state).__name__, event=type(event).__name__)
        step = self.move(state, event)
        if type(step.state) not in targets:
            raise Defect("flow-off-table", machine=self.name, state=type(step.state).__name__)
        return step

    def dump(self, state: S) -> str:
        """Tagged, versioned JSON of a state."""
        tagged = {"state": type(state).__name__, "version": self.version, "facts": msgspec.to_builtins(state)}
        return msgspec.json.encode(tagged).decode()

    def load(self, text: str) -> S:
        """The state of stored JSON; raises Defect for a state that no code knows."""
        tagged = msgspec.json.decode(text, type=dict[str, Any])
        name, facts = tagged["state"], tagged["facts"]
        if tagged["version"] != self.version and self.upgrade is not None:
            name, facts = self.upgrade(tagged["version"], name, facts)
        kind = self.states().get(name)
        if kind is None:
            raise Defect("flow-state-unknown", machine=self.name, state=name)
        state: S = msgspec.convert(facts, kind)
        return state
