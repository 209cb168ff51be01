"""Every flow is held to its table: every event in every state, every edge walked, every state through the store."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from types import UnionType
from typing import Any, get_args, get_origin, get_type_hints

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingam.center.finance_cert.flow import FINANCE
from ingam.center.heads.flow import HEADS
from ingam.center.incident.flow import INCIDENT
from ingam.center.login import flow as login
from ingam.center.management.flow import MANAGEMENT
from ingam.center.oidc import flow as oidc
from ingam.center.protection.flow import PROTECTION
from ingam.center.registration import flow as registration
from ingam.customer.additional_auth import flow as additional_auth
from ingam.kernel.errors import Defect
from ingam.kernel.flow import IllegalMove, Machine

MACHINES: list[Machine[Any, Any]] = [
    login.MACHINE, registration.REGISTRATION, additional_auth.FACTOR, PROTECTION, INCIDENT, MANAGEMENT, FINANCE, HEADS,
    oidc.OIDC,
]  # fmt: skip
EVERY = pytest.mark.parametrize("machine", MACHINES, ids=lambda machine: machine.name)

BY_TYPE: dict[type[Any], st.SearchStrategy[Any]] = {
    str: st.text(max_size=40),
    bool: st.booleans(),
    int: st.integers(0, 2**31),
    datetime: st.datetimes(datetime(2020, 1, 1), datetime(2040, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
    timedelta: st.timedeltas(timedelta(0), timedelta(days=400)),
    type(None): st.none(),
}


def values(annotation: Any) -> st.SearchStrategy[Any]:
    """Any value of a field's type."""
    if get_origin(annotation) is tuple:
        return st.lists(values(get_args(annotation)[0]), max_size=3).map(tuple)
    if isinstance(annotation, UnionType) or get_origin(annotation) is not None:
        return st.one_of([values(one) for one in get_args(annotation)])
    if isinstance(annotation, type) and dataclasses.is_dataclass(annotation):
        return any_of(annotation)
    return BY_TYPE[annotation]


def any_of(kind: type[Any]) -> st.SearchStrategy[Any]:
    """Any instance of a state or an event."""
    hints = get_type_hints(kind)
    return st.builds(kind, **{field.name: values(hints[field.name]) for field in dataclasses.fields(kind)})


def events(machine: Machine[Any, Any]) -> set[type[Any]]:
    """Every event of a machine's table."""
    return {event for row in machine.edges.values() for event in row}


def pairs(machine: Machine[Any, Any]) -> st.SearchStrategy[tuple[Any, Any]]:
    """Any state with any event."""
    return st.tuples(
        st.one_of([any_of(one) for one in machine.states().values()]),
        st.one_of([any_of(one) for one in events(machine)]),
    )


def held(machine: Machine[Any, Any], examples: int, check: Callable[[Any], None], of: st.SearchStrategy[Any]) -> None:
    """Try a check on so many examples."""
    settings(max_examples=examples, deadline=None, database=None)(given(of)(lambda one: check(one)))()


@EVERY
def test_states_and_events_are_frozen_values(machine: Machine[Any, Any]) -> None:
    for kind in {*machine.states().values(), *events(machine)}:
        parameters: Any = kind.__dataclass_params__
        assert parameters.frozen and parameters.eq
        assert kind.__doc__ and not kind.__doc__.startswith(f"{kind.__name__}("), kind


@EVERY
def test_every_state_is_reached_from_the_first_one_and_some_are_ends(machine: Machine[Any, Any]) -> None:
    every = set(machine.states().values())
    reached = {next(iter(machine.edges))}
    for _ in every:
        reached |= {t for state in reached for targets in machine.edges.get(state, {}).values() for t in targets}
    assert reached == every
    assert machine.ends()


@EVERY
def test_every_event_in_every_state_does_what_the_table_says(machine: Machine[Any, Any]) -> None:
    def check(pair: tuple[Any, Any]) -> None:
        state, event = pair
        targets = machine.edges.get(type(state), {}).get(type(event))
        assert machine.allows(state, event) is (targets is not None)
        if targets is None:
            with pytest.raises(IllegalMove):
                machine.advance(state, event)
        else:
            assert type(machine.advance(state, event).state) in targets

    held(machine, 100, check, pairs(machine))


@EVERY
def test_every_edge_is_walked(machine: Machine[Any, Any]) -> None:
    table = {(s, e, t) for s, row in machine.edges.items() for e, targets in row.items() for t in targets}
    walked = set()

    def walk(pair: tuple[Any, Any]) -> None:
        state, event = pair
        walked.add((type(state), type(event), type(machine.advance(state, event).state)))

    for state, event in {(s, e) for s, e, _ in table}:
        held(machine, 20, walk, st.tuples(any_of(state), any_of(event)))
    assert walked == table


@EVERY
def test_every_state_comes_back_from_the_store_as_it_was(machine: Machine[Any, Any]) -> None:
    def check(state: Any) -> None:
        text = machine.dump(state)
        assert json.loads(text)["version"] == machine.version
        assert machine.load(text) == state

    for kind in machine.states().values():
        held(machine, 20, check, any_of(kind))


@EVERY
def test_a_state_that_no_code_knows_is_a_defect(machine: Machine[Any, Any]) -> None:
    with pytest.raises(Defect):
        machine.load(json.dumps({"state": "Dreaming", "version": machine.version, "facts": {}}))
