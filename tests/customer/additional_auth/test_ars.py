"""2채널 인증 (ARS승인) on a real store, with telephones that do what a test says (E1, E4, E9)."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from tests.center.registration.world import HONG, KIM, World, opened

from ingam.customer.additional_auth import Purpose, calling
from ingam.customer.additional_auth.ars import (
    TURN_S,
    ArsCalls,
    ArsExpired,
    ArsNotApproved,
    ArsNotYet,
    ArsRefused,
    ArsTooMany,
    ArsUnderWay,
)
from ingam.customer.additional_auth.numbers import NumberTooNew, numbers_of
from ingam.customer.additional_auth.proof import Bound
from ingam.customer.additional_auth.requesting import Requesting
from ingam.customer.notice import Sender
from ingam.customer.session.sessions import Sessions, Times
from ingam.kernel.words import say
from ingam.ports.ars import CallState
from ingam.ports.customers import Customer, Phone
from ingam.ports.store import AlreadyUsed, Save, Stale, StoreOutage, Update
from ingam.settings import Institution

BOUND = Bound(HONG.customer_id, Purpose.REGISTRATION, "flow", "session")
LANDLINE = replace(HONG, home_phone="027801234")


class Line:
    """A world with its calls."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.calls = ArsCalls(world.store, world.clock, world.keys.digests, world.limits, Sender(Institution()))

    async def asked(self, customer: Customer = LANDLINE, bound: Bound = BOUND, phone: Phone = Phone.HOME) -> Requesting:
        """A call that was asked for and saved; the outbox has not placed it."""
        number = next(one for one in numbers_of(customer) if one.phone is phone)
        asked = await self.calls.request(customer, bound, number, "ko")
        await self.world.store.save(Save(ledger=asked.ledger, outbox=asked.outbox, rows=asked.rows))
        return asked

    async def called(self, *states: CallState, bound: Bound = BOUND) -> Requesting:
        """A call that was placed and came to its end."""
        self.world.telephone.does = list(states) or self.world.telephone.does
        asked = await self.asked(bound=bound)
        await self.world.deliver()
        await self.world.calls.settled()
        return asked

    async def state(self, asked: Requesting) -> str:
        looked = await self.calls.look(BOUND, asked.request_id)
        assert looked is not None
        return looked.state


Story = Callable[[World, Line], Awaitable[None]]


def told(url: str, folder: Path, story: Story, **limits: int) -> None:
    async def go() -> None:
        async with opened(url, folder, **limits) as world:
            await story(world, Line(world))
            await world.calls.aclose()

    asyncio.run(go())


def test_E4_the_call_says_institution_and_purpose_and_asks_for_the_digits_of_the_screen(
    sqlite_url: str, tmp_path: Path
) -> None:
    async def story(world: World, line: Line) -> None:
        asked = await line.asked()
        shown = await line.calls.look(BOUND, asked.request_id)
        assert shown is not None and shown.code is not None and shown.state == "queued"
        assert len(shown.code) == 2 and "0" not in shown.code.reveal()
        await world.deliver()
        await world.calls.settled()
        (call,) = world.telephone.calls
        assert (call.institution, call.purpose) == ("증권금융", "타기관인증서등록")
        assert (call.to, call.code.reveal(), call.call_id) == ("027801234", shown.code.reveal(), asked.request_id)
        (row,) = await world.store.many("ars_call", {})
        assert "027801234" not in str(row) and shown.code.reveal() not in [str(value) for value in row.values()]

    told(sqlite_url, tmp_path, story)


def test_E1_an_approved_call_gives_one_proof(store_url: str, tmp_path: Path) -> None:
    async def story(world: World, line: Line) -> None:
        asked = await line.called(CallState.RINGING, CallState.ANSWERED, CallState.APPROVED)
        first = await line.calls.verify(LANDLINE, BOUND, asked.request_id)
        second = await line.calls.verify(LANDLINE, BOUND, asked.request_id)
        await world.store.save(Save(ledger=first.ledger))
        with pytest.raises(AlreadyUsed):
            await world.store.save(Save(ledger=second.ledger))
        with pytest.raises(ArsExpired):
            await line.calls.verify(LANDLINE, BOUND, asked.request_id)

    told(store_url, tmp_path, story)


@pytest.mark.parametrize(
    ("changed", "customer"),
    [
        ({"purpose": Purpose.COPY_OUT}, LANDLINE),
        ({"flow_id": "another"}, LANDLINE),
        ({"session": "another"}, LANDLINE),
        ({"customer_id": KIM.customer_id}, KIM),
    ],
    ids=["purpose", "flow", "session", "person"],
)
def test_E1_an_approved_call_proves_nothing_for_anything_else(
    sqlite_url: str, tmp_path: Path, changed: dict[str, str], customer: Customer
) -> None:
    async def story(world: World, line: Line) -> None:
        asked = await line.called(CallState.APPROVED)
        with pytest.raises(ArsExpired):
            await line.calls.verify(customer, replace(BOUND, **changed), asked.request_id)  # type: ignore[arg-type]

    told(sqlite_url, tmp_path, story)


def test_nothing_is_proved_while_it_rings(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World, line: Line) -> None:
        world.telephone.held.clear()
        asked = await line.asked()
        with pytest.raises(ArsNotYet):
            await line.calls.verify(LANDLINE, BOUND, asked.request_id)
        await world.deliver()
        with pytest.raises(ArsNotYet):
            await line.calls.verify(LANDLINE, BOUND, asked.request_id)
        world.telephone.held.set()
        await world.calls.settled()
        await line.calls.verify(LANDLINE, BOUND, asked.request_id)

    told(sqlite_url, tmp_path, story)


@pytest.mark.parametrize(
    ("end", "code"),
    [
        (CallState.WRONG, "ars-wrong"),
        (CallState.NO_ANSWER, "ars-no-answer"),
        (CallState.BUSY, "ars-busy"),
        (CallState.FAILED, "ars-failed"),
    ],
)
def test_E4_one_wrong_entry_ends_the_call_and_its_digits_as_does_every_other_end(
    sqlite_url: str, tmp_path: Path, end: CallState, code: str
) -> None:
    async def story(world: World, line: Line) -> None:
        asked = await line.called(CallState.RINGING, end, CallState.APPROVED)
        assert await line.state(asked) == end
        with pytest.raises(ArsNotApproved) as refused:
            await line.calls.verify(LANDLINE, BOUND, asked.request_id)
        assert refused.value.code == code
        shown = await line.calls.look(BOUND, asked.request_id)
        assert shown is not None and shown.code is None
        issued = await world.store.issued(f"ars-call:{HONG.customer_id}", asked.request_id)
        assert issued is not None and issued.used_at is not None

    told(sqlite_url, tmp_path, story)


def test_E4_zero_refuses_stops_the_flow_and_alarms(store_url: str, tmp_path: Path) -> None:
    async def story(world: World, line: Line) -> None:
        asked = await line.called(CallState.RINGING, CallState.ANSWERED, CallState.REFUSED)
        with pytest.raises(ArsRefused):
            await line.calls.verify(LANDLINE, BOUND, asked.request_id)
        with pytest.raises(ArsRefused):
            await line.calls.refuse_stopped(BOUND)
        await line.calls.refuse_stopped(replace(BOUND, flow_id="another"))
        await world.deliver()
        assert "0번을 눌러" in world.phone.texts[-1] and "1544-0000" in world.phone.texts[-1]
        assert await world.results("factor.ars") == ["ars-refused"]
        assert "alarm.ars-refused" in world.log.getvalue()
        assert HONG.mobile not in world.log.getvalue() and "027801234" not in world.log.getvalue()

    told(store_url, tmp_path, story)


def test_E4_three_calls_a_day_and_one_at_a_time(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World, line: Line) -> None:
        for number in range(3):
            await line.called(CallState.NO_ANSWER, bound=replace(BOUND, flow_id=f"flow {number}"))
        with pytest.raises(ArsTooMany):
            await line.asked()
        assert await line.calls.spent(LANDLINE)
        world.clock.forward(24 * 3600)
        await line.asked()
        with pytest.raises(ArsUnderWay):
            await line.asked()

    told(sqlite_url, tmp_path, story)


def test_E4_many_at_once_get_three_calls(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World, line: Line) -> None:
        found = await asyncio.gather(*(line.asked() for _ in range(30)), return_exceptions=True)
        assert sum(isinstance(one, Requesting) for one in found) <= 3
        assert all(isinstance(one, Requesting | ArsTooMany | ArsUnderWay) for one in found)

    told(sqlite_url, tmp_path, story)


def test_a_call_that_could_not_be_placed_is_not_counted(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World, line: Line) -> None:
        world.telephone.away = True
        for _ in range(2):
            asked = await line.called()
            assert await line.state(asked) == "outage"
            with pytest.raises(ArsNotApproved) as refused:
                await line.calls.verify(LANDLINE, BOUND, asked.request_id)
            assert refused.value.code == "ars-outage"
        world.telephone.away = False
        for _ in range(3):
            await line.called(CallState.NO_ANSWER)
        with pytest.raises(ArsTooMany):
            await line.asked()

    told(sqlite_url, tmp_path, story)


def test_E9_a_number_changed_within_three_days_is_not_called(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World, line: Line) -> None:
        lately = world.clock.now() - timedelta(hours=71)
        with pytest.raises(NumberTooNew):
            await line.asked(replace(LANDLINE, home_phone_changed_at=lately))
        await line.asked(replace(LANDLINE, home_phone_changed_at=lately - timedelta(hours=1)))

    told(sqlite_url, tmp_path, story)


def test_an_order_that_is_handed_over_twice_or_too_late_rings_at_most_once(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World, line: Line) -> None:
        await line.asked()
        (claimed,) = await world.store.claim(world.clock.now(), 60, 50)
        await asyncio.gather(*(world.calls.deliver(claimed) for _ in range(3)))
        await world.calls.settled()
        assert len(world.telephone.calls) == 1
        await world.store.delivered(claimed.id, world.clock.now())
        world.clock.forward(61)
        late = await line.asked()
        (claimed,) = await world.store.claim(world.clock.now(), 60, 50)
        world.clock.forward(91)
        await world.calls.deliver(claimed)
        assert len(world.telephone.calls) == 1 and await line.state(late) == "failed"

    told(sqlite_url, tmp_path, story)


def test_who_dies_while_it_rings_leaves_a_call_that_ends_by_its_time(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World, line: Line) -> None:
        world.telephone.held.clear()
        asked = await line.asked()
        await world.deliver()
        await asyncio.sleep(0)
        world.clock.forward(180)
        assert await line.state(asked) == "failed"
        with pytest.raises(ArsNotApproved):
            await line.calls.verify(LANDLINE, BOUND, asked.request_id)

    told(sqlite_url, tmp_path, story)


def test_a_call_that_nothing_more_is_heard_of_gives_way_to_another_of_the_same_session(
    store_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It blocked every other one until its whole time was over, also where its provider had lost it."""
    monkeypatch.setattr(calling, "LOOK_S", 0.01)

    async def story(world: World, line: Line) -> None:
        world.telephone.held.clear()
        dead = await line.asked()
        await world.deliver()
        await world.telephone.holding.wait()
        world.clock.forward(TURN_S + 1)
        again = await line.asked(bound=replace(BOUND, flow_id="begun anew"))
        assert await line.state(dead) == "failed"
        await world.calls.settled()
        assert world.telephone.hung_up == [dead.request_id]
        with pytest.raises(ArsNotApproved):
            await line.calls.verify(LANDLINE, BOUND, dead.request_id)
        world.telephone.held.set()
        await world.deliver()
        await world.calls.settled()
        await line.calls.verify(LANDLINE, replace(BOUND, flow_id="begun anew"), again.request_id)

    told(store_url, tmp_path, story)


def test_a_call_that_was_replaced_before_it_was_placed_never_rings(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World, line: Line) -> None:
        await line.asked()
        world.clock.forward(TURN_S + 1)
        again = await line.asked()
        await world.deliver()
        await world.calls.settled()
        assert [call.call_id for call in world.telephone.calls] == [again.request_id]

    told(sqlite_url, tmp_path, story)


def test_E4_a_call_of_another_session_is_hung_up_only_when_that_session_is_over(
    sqlite_url: str, tmp_path: Path
) -> None:
    """Of a union with two heads one does not cut the other's call."""

    async def story(world: World, line: Line) -> None:
        sessions = Sessions(world.store, world.clock, Times(600, 4 * 3600))
        theirs = (await sessions.open_pre(None)).session
        first = replace(BOUND, session=theirs.session)
        asked = await line.asked(bound=first)
        world.clock.forward(TURN_S + 1)
        with pytest.raises(ArsUnderWay):
            await line.asked()
        looked = await line.calls.look(first, asked.request_id)
        assert looked is not None and looked.state == "queued"
        await sessions.end(theirs, "logout")
        world.clock.forward(TURN_S + 1)
        await line.asked()

    told(sqlite_url, tmp_path, story)


def test_E4_an_approval_that_comes_in_the_same_moment_is_not_lost(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World, line: Line) -> None:
        asked = await line.asked()
        world.clock.forward(TURN_S + 1)
        number = next(one for one in numbers_of(LANDLINE) if one.phone is Phone.HOME)
        another = await line.calls.request(LANDLINE, BOUND, number, "ko")
        await world.deliver()
        await world.calls.settled()
        with pytest.raises(Stale):
            await world.store.save(Save(ledger=another.ledger, outbox=another.outbox, rows=another.rows))
        await line.calls.verify(LANDLINE, BOUND, asked.request_id)

    told(sqlite_url, tmp_path, story)


def test_E4_a_zero_in_a_call_that_was_just_replaced_stops_the_flow_all_the_same(
    sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(calling, "LOOK_S", 3600)

    async def story(world: World, line: Line) -> None:
        world.telephone.does = [CallState.RINGING, CallState.ANSWERED, CallState.REFUSED]
        world.telephone.held.clear()
        asked = await line.asked()
        await world.deliver()
        await world.telephone.holding.wait()
        world.clock.forward(TURN_S + 1)
        await line.asked()
        world.telephone.held.set()
        await world.calls.settled()
        assert await line.state(asked) == "refused"
        with pytest.raises(ArsRefused):
            await line.calls.refuse_stopped(BOUND)

    told(sqlite_url, tmp_path, story)


def test_every_state_of_a_call_has_its_words() -> None:
    for state in ("queued", "outage", "none", *CallState):
        assert say(f"factor.call-{state}", "ko") and say(f"factor.call-{state}", "en")


def test_E4_a_zero_that_meets_a_store_that_is_away_is_not_lost(
    sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(calling, "WAITS_S", (0.0, 0.0, 0.0))

    async def story(world: World, line: Line) -> None:
        saving, away = world.store.save, [True, True]

        async def save(save: Save) -> None:
            values = [row.values.get("state") for row in save.rows if isinstance(row, Update)]
            if CallState.REFUSED in values and away:
                away.pop()
                raise StoreOutage
            await saving(save)

        monkeypatch.setattr(world.store, "save", save)
        asked = await line.called(CallState.RINGING, CallState.REFUSED)
        assert await line.state(asked) == "refused" and away == []

    told(sqlite_url, tmp_path, story)
