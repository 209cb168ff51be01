"""What every ephemeral store promises (`ingam.ports.ephemeral`), and that the one in memory stays small."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import TypeVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.clocks import SetClock

from ingam.adapters.ephemeral.in_process import InProcessEphemeral
from ingam.ports.ephemeral import Ephemeral, EphemeralOutage

T = TypeVar("T")


def run(call: Awaitable[T]) -> T:
    async def once() -> T:
        return await call

    return asyncio.run(once())


def both() -> tuple[Ephemeral, SetClock]:
    clock = SetClock()
    return InProcessEphemeral(clock), clock


def test_hits_pass_up_to_the_ceiling_of_the_window() -> None:
    store, clock = both()
    assert [run(store.hit("k", 10, 3)) for _ in range(5)] == [True, True, True, False, False]
    assert run(store.hit("other", 10, 3))
    clock.forward(9.9)
    assert not run(store.hit("k", 10, 3))
    clock.forward(0.1)
    assert run(store.hit("k", 10, 3))


def test_a_ceiling_of_nothing_lets_nothing_through() -> None:
    store, _ = both()
    assert not run(store.hit("k", 10, 0))


def test_F9_concurrent_hits_let_no_more_through_than_the_ceiling() -> None:
    store, _ = both()

    async def many() -> list[bool]:
        return list(await asyncio.gather(*(store.hit("k", 10, 7) for _ in range(50))))

    assert sum(asyncio.run(many())) == 7


def test_a_value_is_there_until_its_time_is_over_or_it_is_dropped() -> None:
    store, clock = both()
    assert run(store.get("k")) is None
    run(store.put("k", b"\x00one", 10))
    run(store.put("k", b"two", 5))
    clock.forward(4.9)
    assert run(store.get("k")) == b"two"
    clock.forward(0.1)
    assert run(store.get("k")) is None
    run(store.put("k", b"three", 5))
    run(store.drop("k"))
    run(store.drop("missing"))
    assert run(store.get("k")) is None


def test_F9_full_of_live_counters_it_refuses_and_recovers_when_they_end() -> None:
    clock = SetClock()
    store = InProcessEphemeral(clock, counters=3)
    for key in "abc":
        assert run(store.hit(key, 10, 5))
    with pytest.raises(EphemeralOutage):
        run(store.hit("d", 10, 5))
    assert run(store.hit("a", 10, 5))
    clock.forward(10)
    assert run(store.hit("d", 10, 5))


def test_values_beyond_the_bound_push_out_the_oldest() -> None:
    store = InProcessEphemeral(SetClock(), value_bytes=22)
    for key in "abc":
        run(store.put(key, bytes(10), 60))
    assert [run(store.get(key)) is not None for key in "abc"] == [False, True, True]
    run(store.put("big", bytes(100), 60))
    assert run(store.get("big")) is None
    assert run(store.get("c")) is not None


@given(st.lists(st.tuples(st.sampled_from("abcdef"), st.integers(1, 4), st.integers(0, 2)), max_size=60))
@settings(max_examples=100, deadline=None)
def test_memory_stays_bounded_whatever_is_asked(walk: list[tuple[str, int, int]]) -> None:
    async def walked() -> None:
        clock = SetClock()
        store = InProcessEphemeral(clock, counters=4, value_bytes=30)
        for key, size, wait in walk:
            try:
                await store.hit(key, size, 2)
            except EphemeralOutage:
                assert len(store._counters) == 4
            await store.put(key, bytes(size * 5), size)
            clock.forward(wait)
            assert len(store._counters) == len(store._ends) <= 4
            assert store._bytes == sum(len(k) + len(v) for k, (_, v) in store._values.items()) <= 30

    asyncio.run(walked())
