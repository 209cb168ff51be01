"""A machine held to its table: the same three questions for every flow (house.md, "Flows are machines")."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest

from ingam.kernel.flow import IllegalMove, Machine


def follows(machine: Machine[Any, Any], state: Any, event: Any) -> None:
    """The event moves the state where the table says, or is refused where the table says nothing."""
    targets = machine.edges.get(type(state), {}).get(type(event))
    if targets is None:
        with pytest.raises(IllegalMove):
            machine.advance(state, event)
        return
    assert type(machine.advance(state, event).state) in targets


def is_walked(machine: Machine[Any, Any], states: Iterable[Any], events: Iterable[Any], ends: set[type]) -> None:
    """These states and events walk every edge of the table, and no other one; `ends`: where it leads to nothing."""
    states, events = list(states), list(events)
    walked = {
        (type(state), type(event), type(machine.advance(state, event).state))
        for state in states
        for event in events
        if machine.allows(state, event)
    }
    assert walked == {(s, e, t) for s, found in machine.edges.items() for e, targets in found.items() for t in targets}
    assert {type(state) for state in states} == set(machine.states().values())
    assert machine.ends() == ends
