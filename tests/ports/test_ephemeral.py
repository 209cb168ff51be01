"""What every ephemeral store promises (`ingam.ports.ephemeral`): in process, and on a Valkey that nodes share."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests import valkey
from tests.clocks import SetClock

from ingam.adapters.ephemeral.in_process import InProcessEphemeral
from ingam.adapters.ephemeral.valkey import ValkeyEphemeral
from ingam.ports.ephemeral import Ceiling, Ephemeral, EphemeralOutage

Make = Callable[[], "InProcessEphemeral | ValkeyEphemeral"]


@pytest.fixture(scope="module")
def valkey_server() -> Iterator[valkey.Server]:
    with valkey.server() as server:
        yield server


@pytest.fixture
def clock() -> SetClock:
    return SetClock()


@pytest.fixture(params=["in process", "valkey"])
def make(request: pytest.FixtureRequest, clock: SetClock) -> Make:
    """Makes a store; on Valkey every call makes a further node of the same one."""
    if request.param == "in process":
        return lambda: InProcessEphemeral(clock)
    server: valkey.Server = request.getfixturevalue("valkey_server")
    prefix = server.prefix()
    return lambda: ValkeyEphemeral(server.url, clock, prefix=prefix)


def played(scene: Callable[..., Awaitable[Any]], *stores: InProcessEphemeral | ValkeyEphemeral) -> Any:
    """One scene in one loop; the stores are closed after it."""

    async def whole() -> Any:
        try:
            async with asyncio.timeout(20):
                return await scene(*stores)
        finally:
            for store in stores:
                await store.close()

    return asyncio.run(whole())


def test_hits_pass_up_to_the_ceiling_of_the_window(make: Make, clock: SetClock) -> None:
    async def scene(store: Ephemeral) -> None:
        assert [await store.hit("k", 10, 3) for _ in range(5)] == [True, True, True, False, False]
        assert await store.hit("other", 10, 3)
        clock.forward(9.9)
        assert not await store.hit("k", 10, 3)
        clock.forward(0.1)
        assert await store.hit("k", 10, 3)

    played(scene, make())


def test_a_ceiling_of_nothing_lets_nothing_through(make: Make) -> None:
    async def scene(store: Ephemeral) -> None:
        assert not await store.hit("k", 10, 0)

    played(scene, make())


def test_F9_the_first_ceiling_that_was_reached_is_named_in_the_order_given(make: Make, clock: SetClock) -> None:
    person, device, network = (
        Ceiling("person", "p", 60, 2),
        Ceiling("device", "d", 60, 2),
        Ceiling("network", "n", 60, 3),
    )

    async def scene(store: Ephemeral) -> None:
        assert await store.admit(person, device, network) is None
        assert await store.admit(person, device, network) is None
        assert await store.admit(person, device, network) == person
        assert await store.admit(device, person) == device
        assert await store.admit(network) is None
        assert await store.admit(network, person) == network
        clock.forward(60)
        assert await store.admit(person, device, network) is None

    played(scene, make())


def test_F9_where_one_ceiling_was_reached_none_is_counted(make: Make) -> None:
    full, other = Ceiling("person", "full", 60, 1), Ceiling("network", "other", 60, 3)

    async def scene(store: Ephemeral) -> None:
        assert await store.admit(full) is None
        for _ in range(20):
            assert await store.admit(other, full) == full
        assert [await store.admit(other) for _ in range(4)] == [None, None, None, other]

    played(scene, make())


def test_F9_concurrent_hits_let_no_more_through_than_the_ceiling(make: Make) -> None:
    async def scene(store: Ephemeral) -> None:
        assert sum(await asyncio.gather(*(store.hit("k", 10, 7) for _ in range(50)))) == 7

    played(scene, make())


def test_a_value_is_there_until_its_time_is_over_or_it_is_dropped(make: Make, clock: SetClock) -> None:
    async def scene(store: Ephemeral) -> None:
        assert await store.get("k") is None
        await store.put("k", b"\x00one", 10)
        await store.put("k", b"two", 5)
        clock.forward(4.9)
        assert await store.get("k") == b"two"
        clock.forward(0.1)
        assert await store.get("k") is None
        await store.put("k", b"three", 5)
        await store.drop("k")
        await store.drop("missing")
        assert await store.get("k") is None
        await store.put("k", b"four", 5)
        await store.put("k", b"over", 0)
        assert await store.get("k") is None

    played(scene, make())


def test_counters_and_values_of_one_key_are_two_things(make: Make) -> None:
    async def scene(store: Ephemeral) -> None:
        await store.put("k", b"value", 5)
        assert await store.hit("k", 5, 1)
        await store.drop("k")
        assert not await store.hit("k", 5, 1)

    played(scene, make())


def test_F9_full_of_live_counters_it_refuses_counts_nothing_and_recovers_when_they_end(clock: SetClock) -> None:
    async def scene(store: Ephemeral) -> None:
        for key in "abc":
            assert await store.hit(key, 10, 5)
        with pytest.raises(EphemeralOutage):
            await store.hit("d", 10, 5)
        for _ in range(10):
            with pytest.raises(EphemeralOutage):
                await store.admit(Ceiling("", "a", 10, 5), Ceiling("", "d", 10, 5))
        assert [await store.hit("a", 10, 5) for _ in range(5)] == [True, True, True, True, False]
        clock.forward(10)
        assert await store.hit("d", 10, 5)

    played(scene, InProcessEphemeral(clock, counters=3))


def test_values_beyond_the_bound_push_out_the_oldest(clock: SetClock) -> None:
    async def scene(store: Ephemeral) -> None:
        for key in "abc":
            await store.put(key, bytes(10), 60)
        assert [await store.get(key) is not None for key in "abc"] == [False, True, True]
        await store.put("big", bytes(100), 60)
        assert await store.get("big") is None
        assert await store.get("c") is not None

    played(scene, InProcessEphemeral(clock, value_bytes=22))


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


_CEILINGS = st.lists(st.tuples(st.sampled_from("abcd"), st.integers(1, 5), st.integers(0, 4)), min_size=1, max_size=3)


@given(st.lists(st.tuples(_CEILINGS, st.integers(0, 2)), max_size=25))
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_both_stores_decide_alike_whatever_is_asked(
    valkey_server: valkey.Server, walk: list[tuple[list[tuple[str, int, int]], int]]
) -> None:
    clock = SetClock()

    async def scene(one: Ephemeral, other: Ephemeral) -> None:
        for bounds, wait in walk:
            ceilings = {key: Ceiling(key, key, window, hits) for key, window, hits in bounds}.values()
            assert await one.admit(*ceilings) == await other.admit(*ceilings)
            clock.forward(wait)

    prefix = valkey_server.prefix()
    played(scene, InProcessEphemeral(clock), ValkeyEphemeral(valkey_server.url, clock, prefix=prefix))


def test_F9_two_nodes_on_one_valkey_hold_one_ceiling_and_share_values(
    valkey_server: valkey.Server, clock: SetClock
) -> None:
    async def scene(one: Ephemeral, other: Ephemeral) -> None:
        asked = [(one, other)[number % 2].hit("k", 10, 7) for number in range(200)]
        assert sum(await asyncio.gather(*asked)) == 7
        await one.put("v", b"kept", 10)
        assert await other.get("v") == b"kept"

    prefix = valkey_server.prefix()
    played(scene, *(ValkeyEphemeral(valkey_server.url, clock, prefix=prefix) for _ in range(2)))


def test_every_key_on_valkey_ends_by_itself(valkey_server: valkey.Server, clock: SetClock) -> None:
    prefix = valkey_server.prefix()

    async def scene(store: Ephemeral) -> None:
        await store.hit("k", 10, 7)
        await store.put("k", b"v", 10)

    played(scene, ValkeyEphemeral(valkey_server.url, clock, prefix=prefix))
    for kind in "cv":
        assert 10_000 < int(valkey_server.command("PTTL", f"{prefix}{kind}:k")[1:]) <= 70_000


def test_F9_a_valkey_that_is_down_or_full_is_an_outage_and_serves_again_afterwards(clock: SetClock) -> None:
    async def scene(store: Ephemeral, server: valkey.Server) -> None:
        assert await store.hit("k", 10, 1)
        server.stop()
        calls: list[Callable[[], Awaitable[object]]] = [
            lambda: store.hit("k", 10, 5), lambda: store.admit(Ceiling("", "k", 10, 5)), lambda: store.get("k"),
            lambda: store.put("k", b"", 5), lambda: store.drop("k"),
        ]  # fmt: skip
        for call in calls:
            with pytest.raises(EphemeralOutage):
                await call()
        server.start()
        assert await store.hit("k", 10, 1)  # what vanished is counted anew: durable limits stand in the database (F1)
        server.command("CONFIG", "SET", "maxmemory", "1")
        with pytest.raises(EphemeralOutage):
            await store.hit("other", 10, 5)

    with valkey.server() as server:
        store = ValkeyEphemeral(server.url, clock)
        played(lambda store: scene(store, server), store)


def test_F9_a_valkey_that_does_not_answer_in_time_is_an_outage(clock: SetClock) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        store = ValkeyEphemeral(f"valkey://127.0.0.1:{silent.getsockname()[1]}/0", clock, answer_s=0.1)

        async def scene(store: Ephemeral) -> None:
            with pytest.raises(EphemeralOutage):
                await store.hit("k", 10, 5)

        played(scene, store)
