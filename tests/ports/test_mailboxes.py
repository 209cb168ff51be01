"""What every store of the relay promises (`ingam.ports.mailboxes`): in process, and on a Valkey."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import replace
from itertools import count
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests import valkey

from ingam.adapters.mailboxes.fading import Fading
from ingam.adapters.mailboxes.in_process import InProcessMailboxes
from ingam.adapters.mailboxes.valkey import ValkeyMailboxes
from ingam.kernel.errors import Refusal
from ingam.ports.mailboxes import (
    REST_S,
    Ceiling,
    Change,
    Changed,
    Ended,
    Mailboxes,
    Missed,
    NetworkCeilings,
    News,
    Opening,
    RelayOutage,
    Showing,
    SpaceFull,
    TicketUsed,
    TooMany,
    WrongClaims,
)
from ingam.protocols.mailbox.mailbox import Joined, Live, Opened, Relaying
from ingam.protocols.mailbox.ticket import TicketInvalid

AT = 1_795_000_000.25
NETWORK = NetworkCeilings(connections=4, window_s=60)
WRONG = WrongClaims(most=3, window_s=60, pause_s=600)
_numbers = count(1)

Make = Callable[..., Mailboxes]


@pytest.fixture(scope="session")
def valkey_server() -> Iterator[valkey.Server]:
    with valkey.server() as server:
        yield server


@pytest.fixture(params=["in process", "valkey"])
def make(request: pytest.FixtureRequest) -> Make:
    """Makes a store; on Valkey every call makes a further node of the same one."""
    if request.param == "in process":
        return InProcessMailboxes
    server: valkey.Server = request.getfixturevalue("valkey_server")
    prefix = server.prefix()
    return lambda **words: ValkeyMailboxes(server.url, prefix=prefix, **words)


@pytest.fixture
def node(valkey_server: valkey.Server) -> Make:
    prefix = valkey_server.prefix()
    return lambda **words: ValkeyMailboxes(valkey_server.url, prefix=prefix, **words)


def played(scene: Callable[..., Awaitable[Any]], *stores: Mailboxes) -> Any:
    """One scene in one loop, with the stores started and closed around it; they keep what they hear in `heard`."""

    async def whole() -> Any:
        for store in stores:
            store.heard = []  # type: ignore[attr-defined]
            await store.start(store.heard.append, AT - 60)  # type: ignore[attr-defined]
        try:
            async with asyncio.timeout(20):
                return await scene(*stores)
        finally:
            for store in stores:
                await store.close()

    return asyncio.run(whole())


def heard(store: Mailboxes) -> list[News]:
    found: list[News] = store.heard  # type: ignore[attr-defined]
    return found


async def until(true: Callable[[], object]) -> None:
    while not true():
        await asyncio.sleep(0.005)


def showing(until: float = AT + 180) -> Showing:
    return Showing(f"{next(_numbers):032x}", int(AT), until)


def opening(*draws: str, at: float = AT, person: str = "", **other: Any) -> Opening:
    who = person or f"{next(_numbers):064x}"
    state = Opened(ticket="0" * 32, who=who, role="receiver", ends=at + 180)
    made = Opening(
        at, draws or ("41234",), state, at + 180, f"token {next(_numbers)}".encode(), who, showing(at + 180),
        Ceiling(who, "open", 600, 3),
    )  # fmt: skip
    return made._replace(**other)


def joined(at: float = AT) -> Joined:
    return Joined("0" * 32, "f" * 64, "receiver", at + 180)


def change(version: int, state: Live, seat: Any = 0, at: float = AT, **other: Any) -> Change:
    return Change(at, "41234", version, state, at + 180, seat, **other)


def test_a_mailbox_is_opened_found_changed_and_forgotten(make: Make) -> None:
    async def scene(store: Mailboxes) -> None:
        asked = opening()
        assert await store.open(asked) == "41234"
        found = await store.find("41234")
        assert found is not None
        assert found == (1, asked.state, ((), ()))
        assert await store.seat(asked.token) == ("41234", 0)
        assert await store.change(change(1, joined(), 1, token=b"second", takes=True, showing=showing()))
        assert await store.seat(b"second") == ("41234", 1)
        relaying = Relaying("0" * 32, "f" * 64, "receiver", AT + 180, (1, 1), (None, AT))
        assert await store.change(change(2, joined(), 0, body=b"\x00sealed\xff"))
        assert await store.change(change(3, relaying, 1, body=b"other"))
        assert await store.find("41234") == (4, relaying, ((b"\x00sealed\xff",), (b"other",)))
        assert await store.end("41234", 4, "done", AT + 1)
        assert await store.find("41234") is None
        assert await store.seat(asked.token) is await store.seat(b"second") is None
        assert heard(store) == []

    played(scene, make())


def test_bodies_stand_in_the_order_of_their_seats(make: Make) -> None:
    async def scene(store: Mailboxes) -> None:
        await store.open(opening())
        for version in range(1, 17):
            assert await store.change(change(version, joined(), version % 2, body=bytes([version]) * 16_402))
        found = await store.find("41234")
        assert found is not None
        assert [[body[0] for body in of] for of in found.bodies] == [list(range(2, 17, 2)), list(range(1, 17, 2))]

    played(scene, make())


def test_of_two_changes_of_one_version_one_is_carried_out(make: Make) -> None:
    async def scene(store: Mailboxes) -> None:
        await store.open(opening())
        told = await asyncio.gather(*(store.change(change(1, joined(), body=b"%d" % n)) for n in range(8)))
        assert sum(told) == 1
        assert not await store.change(change(1, joined()))
        assert not await store.end("41234", 1, "done", AT)
        assert not await store.change(change(2, joined())._replace(mailbox="41235"))
        assert not await store.end("41235", 2, "done", AT)

    played(scene, make())


def test_C12_a_ticket_is_used_once_whatever_came_of_it(make: Make) -> None:
    async def scene(store: Mailboxes) -> None:
        asked = opening("00001")
        await store.open(asked)
        with pytest.raises(TicketUsed):
            await store.open(opening("00002", showing=asked.showing))
        with pytest.raises(TicketUsed):
            await store.show(asked.showing, AT)
        refused = showing()
        await store.show(refused, AT)
        await store.open(opening())
        with pytest.raises(TicketUsed):
            await store.change(change(1, joined(), 1, showing=refused))
        found = await store.find("41234")
        assert found is not None
        assert found.version == 1
        stale = showing()
        assert not await store.change(change(7, joined(), 1, showing=stale))
        assert await store.change(change(1, joined(), 1, showing=stale))

    played(scene, make())


def test_F1_a_ticket_from_before_the_memory_is_invalid_whether_it_was_used_or_not(make: Make) -> None:
    async def scene(store: Mailboxes) -> None:
        before, after = (Showing(f"{number:032x}", int(AT) - 60 + number, AT + 180) for number in (0, 1))
        await store.start(lambda _news: None, AT + 600)  # another node begins; the memory is older
        for call in (store.show(before, AT), store.open(opening("00001", showing=before))):
            with pytest.raises(TicketInvalid):
                await call
        await store.open(opening(showing=after))
        with pytest.raises(TicketInvalid):
            await store.change(change(1, joined(), 1, showing=before))

    played(scene, make())


def test_C12_concurrent_showings_of_a_ticket_let_one_through(make: Make) -> None:
    async def scene(store: Mailboxes) -> None:
        one = showing()
        told = await asyncio.gather(*(store.show(one, AT) for _ in range(20)), return_exceptions=True)
        assert [type(t) for t in told].count(TicketUsed) == 19

    played(scene, make())


def test_C12_a_person_has_one_open_mailbox(make: Make) -> None:
    async def scene(store: Mailboxes) -> None:
        first = opening("00001", person="a" * 64)
        await store.open(first)
        await store.open(opening("00002", person="b" * 64))
        await store.open(opening("00003", person="a" * 64))
        assert await store.find("00001") is None
        assert await store.seat(first.token) is None
        assert await store.find("00002") is not None
        await until(lambda: heard(store))
        assert heard(store) == [Ended("00001", "cancelled")]

    played(scene, make())


def test_C12_a_persons_acts_are_counted_in_every_window(make: Make) -> None:
    async def scene(store: Mailboxes) -> None:
        for number in range(3):
            await store.open(opening(f"0000{number}", at=AT + 100 * number, person="a" * 64))
        with pytest.raises(TooMany) as told:
            await store.open(opening("00009", at=AT + 300, person="a" * 64))
        assert told.value.facts == {"s": 300}
        await store.open(opening("00009", at=AT + 300))
        await store.open(opening("00008", at=AT + 601, person="a" * 64))
        with pytest.raises(TooMany):
            await store.open(opening("00007", at=AT + 602, person="a" * 64))

    played(scene, make())


def test_C12_runs_are_counted_with_the_change_that_begins_one(make: Make) -> None:
    async def scene(store: Mailboxes) -> None:
        await store.open(opening())
        runs = Ceiling("a" * 64, "run", 600, 2)
        for version in (1, 2):
            assert await store.change(change(version, joined(), 1, ceiling=runs))
        with pytest.raises(TooMany):
            await store.change(change(3, joined(), 1, ceiling=runs))
        found = await store.find("41234")
        assert found is not None
        assert found.version == 3

    played(scene, make())


def test_C4_a_number_that_is_taken_or_rests_is_not_given(make: Make) -> None:
    async def scene(store: Mailboxes) -> None:
        assert await store.open(opening("00001", "00002")) == "00001"
        assert await store.open(opening("00001", "00002", "00003")) == "00002"
        assert await store.end("00001", 1, "done", AT)
        assert await store.open(opening("00001", "00003", at=AT + REST_S - 1)) == "00003"
        with pytest.raises(SpaceFull):
            await store.open(opening("00001", at=AT + REST_S - 1))
        assert await store.open(opening("00001", at=AT + REST_S)) == "00001"

    played(scene, make())


def test_C4_space_half_full_opens_nothing_until_numbers_have_rested(make: Make) -> None:
    async def scene(store: Mailboxes) -> None:
        for number in range(4):
            await store.open(opening(f"0000{number}"))
        assert await store.end("00000", 1, "gone", AT)
        with pytest.raises(SpaceFull):
            await store.open(opening("77777"))
        with pytest.raises(SpaceFull):
            await store.open(opening("77777", at=AT + REST_S - 0.5))
        assert await store.open(opening("77777", at=AT + REST_S)) == "77777"

    played(scene, make(taken_most=4))


def test_C12_a_networks_connections_have_a_ceiling_in_a_window(make: Make) -> None:
    async def scene(store: Mailboxes) -> None:
        for _ in range(4):
            await store.admit("192.0.2.1", AT, NETWORK)
        with pytest.raises(TooMany) as told:
            await store.admit("192.0.2.1", AT + 20, NETWORK)
        assert told.value.facts == {"s": 40}
        await store.admit("192.0.2.2", AT + 20, NETWORK)
        await store.admit("192.0.2.1", AT + 60, NETWORK)

    played(scene, make())


def test_C12_wrong_claims_pause_a_persons_claims_and_nothing_else(make: Make) -> None:
    async def scene(store: Mailboxes) -> None:
        for at in (AT, AT + 61, AT + 62):
            await store.wrong(PEOPLE[0], at, WRONG)
        await store.claim(PEOPLE[0], AT + 63)
        await store.wrong(PEOPLE[0], AT + 63, WRONG)
        for call in (store.claim(PEOPLE[0], AT + 64), store.wrong(PEOPLE[0], AT + 64, WRONG)):
            with pytest.raises(TooMany) as told:
                await call
            assert told.value.facts == {"s": 599}
        await store.claim(PEOPLE[1], AT + 64)
        await store.wrong(PEOPLE[1], AT + 64, WRONG)
        await store.claim(PEOPLE[0], AT + 663)

    played(scene, make())


def test_F9_wrong_claims_at_once_are_all_counted(make: Make) -> None:
    async def scene(store: Mailboxes) -> None:
        calls = (store.wrong(PEOPLE[0], AT, WRONG) for _ in range(30))
        told = await asyncio.gather(*calls, return_exceptions=True)
        assert [type(t) for t in told].count(TooMany) == 27

    played(scene, make())


def test_F9_concurrent_connections_pass_up_to_the_ceiling(make: Make) -> None:
    async def scene(store: Mailboxes) -> None:
        calls = (store.admit("192.0.2.1", AT, NETWORK) for _ in range(30))
        told = await asyncio.gather(*calls, return_exceptions=True)
        assert [type(t) for t in told].count(TooMany) == 26

    played(scene, make())


def test_two_nodes_hear_of_each_other(node: Make) -> None:
    async def scene(here: Mailboxes, there: Mailboxes) -> None:
        await here.open(opening())
        assert await there.change(change(1, joined(), 1, token=b"second", takes=True))
        await until(lambda: heard(here))
        assert heard(here) == [Changed("41234", 2, joined(), 1, None, takes=True)]
        assert await here.change(change(2, joined(), 0, body=b"\xffsealed"))
        await until(lambda: heard(there))
        assert heard(there) == [Changed("41234", 3, joined(), 0, b"\xffsealed", takes=False)]
        assert await there.end("41234", 3, "wrong", AT)
        await until(lambda: len(heard(here)) == 2)
        assert heard(here)[1] == Ended("41234", "wrong")
        assert len(heard(there)) == 1

    played(scene, node(), node())


def test_a_node_that_loses_a_seat_hears_it_and_nothing_after_it(node: Make) -> None:
    async def scene(here: Mailboxes, there: Mailboxes) -> None:
        await here.open(opening())
        assert await there.change(change(1, joined(), 0, takes=True))
        assert await there.change(change(2, joined(), 0, body=b"one"))
        assert await there.end("41234", 3, "done", AT)
        await here.open(opening("00001", person="a" * 64))
        await there.open(opening("00002", person="a" * 64))
        await until(lambda: Ended("00001", "cancelled") in heard(here))
        assert heard(here) == [Changed("41234", 2, joined(), 0, None, takes=True), Ended("00001", "cancelled")]

    played(scene, node(), node())


def test_what_nobody_ends_is_gone_by_itself(node: Make, valkey_server: valkey.Server) -> None:
    async def scene(store: ValkeyMailboxes) -> None:
        await store.open(opening())
        await store.change(change(1, joined(), 1, token=b"second", showing=showing()))
        await store.admit("192.0.2.1", AT, NETWORK)
        await store.wrong(PEOPLE[0], AT, WRONG)
        keys = await store._client.keys(store._prefix + "*")
        lives = [await store._client.pttl(key) for key in keys if not key.endswith((b"taken", b"since"))]
        assert len(lives) == 9
        assert all(0 < life <= 900_000 for life in lives)

    played(scene, node())


def test_F9_a_store_that_is_down_refuses_everything_and_is_listened_to_again(node: Make) -> None:
    with valkey.server() as server:

        async def scene(store: Mailboxes) -> None:
            await store.ready()
            server.stop()
            calls: list[Awaitable[Any]] = [
                store.ready(), store.open(opening()), store.find("41234"), store.seat(b"x"), store.show(showing(), AT),
                store.change(change(1, joined())), store.end("41234", 1, "done", AT),
                store.admit("192.0.2.1", AT, NETWORK), store.wrong(PEOPLE[0], AT, WRONG), store.claim(PEOPLE[0], AT),
            ]  # fmt: skip
            for call in calls:
                with pytest.raises(RelayOutage):
                    await call
            server.start()
            await until(lambda: Missed() in heard(store))
            with pytest.raises(TicketInvalid):  # nobody knows any more which were used
                await store.open(opening())
            assert await store.open(opening(showing=Showing("0" * 32, int(AT) + 1, AT + 180))) == "41234"

        played(scene, ValkeyMailboxes(server.url))


def test_a_node_does_not_start_without_its_store() -> None:
    async def scene(_store: Mailboxes) -> None:
        raise AssertionError("it started")

    with pytest.raises(RelayOutage):
        played(scene, ValkeyMailboxes("valkey://127.0.0.1:1/0"))


def test_F9_full_of_live_entries_a_table_refuses_and_recovers_when_they_end() -> None:
    table: Fading[float] = Fading(float, 2)
    table.put("a", 10.0, 0)
    table.put("b", 20.0, 0)
    with pytest.raises(RelayOutage):
        table.put("c", 30.0, 9)
    table.put("a", 12.0, 9)
    with pytest.raises(RelayOutage):
        table.put("c", 30.0, 11)
    table.put("c", 30.0, 12)
    assert [table.get(key, 12) for key in "abc"] == [None, 20.0, 30.0]
    table.drop("b")
    table.put("b", 13.0, 12)
    table.fade(25)
    assert len(table) == 1


def test_states_come_back_as_they_were(make: Make) -> None:
    async def scene(store: Mailboxes) -> None:
        asked = opening()
        assert isinstance(asked.state, Opened)
        state = replace(asked.state, away=AT + 0.5)
        await store.open(asked._replace(state=state))
        found = await store.find("41234")
        assert found is not None
        assert found.state == state

    played(scene, make())


# Both decide alike.

DRAWN = ("00000", "00001", "00002", "00003")
PEOPLE = ("a" * 64, "b" * 64)
ACTS = st.one_of(
    st.tuples(
        st.just("open"), st.sampled_from(PEOPLE), st.permutations(DRAWN).map(lambda one: one[:2]), st.integers(0, 9)
    ),
    st.tuples(
        st.just("change"), st.sampled_from(DRAWN), st.integers(1, 4), st.integers(0, 1), st.sampled_from([None, b"x"]),
        st.sampled_from([None, 0, 1, 2, 3]), st.booleans(),
    ),
    st.tuples(st.just("end"), st.sampled_from(DRAWN), st.integers(1, 4)),
    st.tuples(st.just("find"), st.sampled_from(DRAWN)),
    st.tuples(st.just("seat"), st.integers(0, 30)),
    st.tuples(st.just("show"), st.integers(0, 9)),
    st.tuples(st.just("admit")),
    st.tuples(st.sampled_from(["wrong", "claim"]), st.sampled_from(PEOPLE)),
    st.tuples(st.just("wait"), st.sampled_from([1.5, 61.0, 599.0])),
)  # fmt: skip


def numbered(number: int) -> Showing:
    """A ticket; the first two are from before the memory."""
    return Showing(f"{number:032x}", int(AT) - 60 + number // 2, AT + 10**6)


async def done(store: Mailboxes, act: Any, step: int, at: float) -> Any:
    """What a store says to an act."""
    match act:
        case ("open", person, draws, ticket):
            state, shown = Opened("0" * 32, person, "receiver", at + 180), numbered(ticket)
            opens = Ceiling(person, "open", 600, 4)
            return await store.open(Opening(at, tuple(draws), state, at + 180, b"%d" % step, person, shown, opens))
        case ("change", mailbox, version, seat, body, ticket, counted):
            ceiling = Ceiling(PEOPLE[0], "run", 600, 2) if counted else None
            show = None if ticket is None else numbered(ticket)
            token = b"%d" % step if seat and ticket else None
            return await store.change(
                Change(at, mailbox, version, joined(at), at + 180, seat, body, token, seat == 1, show, ceiling)
            )
        case ("end", mailbox, version):
            return await store.end(mailbox, version, "done", at)
        case ("find", mailbox):
            return await store.find(mailbox)
        case ("seat", token):
            return await store.seat(b"%d" % token)
        case ("show", ticket):
            return await store.show(numbered(ticket), at)
        case ("admit",):
            return await store.admit("192.0.2.1", at, NETWORK)
        case ("wrong", person):
            return await store.wrong(person, at, WRONG)
        case ("claim", person):
            return await store.claim(person, at)


@given(st.lists(ACTS, min_size=3, max_size=30))
@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_both_stores_decide_alike(valkey_server: valkey.Server, walk: list[Any]) -> None:
    async def scene(here: Mailboxes, there: Mailboxes) -> None:
        at = AT
        for step, act in enumerate(walk):
            at += act[1] if act[0] == "wait" else 0.25
            if act[0] == "wait":
                await ended(at, here, there)
            told = [await said(done(store, act, step, at)) for store in (here, there)]
            assert told[0] == told[1], (act, told)

    on_valkey = ValkeyMailboxes(valkey_server.url, prefix=valkey_server.prefix(), taken_most=3)
    played(scene, InProcessMailboxes(taken_most=3), on_valkey)


async def ended(at: float, *stores: Mailboxes) -> None:
    """What time ends is ended by whoever serves it; only a node that died leaves it to the store."""
    for mailbox in DRAWN:
        for store in stores:
            kept = await store.find(mailbox)
            if kept is not None and kept.state.ends <= at:
                assert await store.end(mailbox, kept.version, "expired", at)


async def said(call: Awaitable[Any]) -> Any:
    """What comes of it, a refusal by its code and facts."""
    try:
        return await call
    except Refusal as refused:
        return (refused.code, refused.facts)
