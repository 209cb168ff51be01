"""A fee that the provider would not charge: the nights try again, the person may pay anew, and it is charged once."""

from __future__ import annotations

import asyncio
import html
import re
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.center.issuance.kill.death import Killed, Reaper
from tests.center.issuance.phone import Phone
from tests.center.issuance.test_fees import BOTH, charges, paying, stages, taken
from tests.center.issuance.world import World, told

from ingam.customer.payment.steps import STEPS
from ingam.kernel.words import say
from ingam.ports.books import State
from ingam.ports.payment import Order, Payment, PaymentRefused
from ingam.ports.store import Save, Update
from ingam.sandbox.people import person

HONG, KIM = person("hong"), person("kim")
HERE = "/issuance/progress"
OWED = 'id="owed"'
FORM = f'action="{HERE}/fee"'
DAY_S = 86_400
DAYS = 3


def soak(step: str) -> Any:
    return pytest.param(step, marks=pytest.mark.soak)


def provider(world: World, position: str) -> None:
    world.around.box.switches.turn("party", "payment", position)


def lapse(world: World) -> None:
    """What was held is held no more."""
    book = world.around.box.payments
    for one in list(book.rows.values()):
        if one.stage == "authorised":
            book.put(replace(one, stage="expired"))


async def owing(world: World, how: Callable[[World], None] = lapse) -> Phone:
    """홍길동 has a 범용 that stands, and its fee was not taken."""
    one = await paying(world, "issued")
    how(world)
    await world.deliver()
    assert await stages(world) == ["unpaid"]
    world.clock.forward(60)
    await one.log_in()
    return one


async def press(one: Phone) -> str:
    """수수료 결제; the window that stands on the page then."""
    page = await one.get(HERE)
    found = re.search(r'name="fee" value="([0-9a-f]{32})"', page)
    assert found is not None, page
    await one.send(f"{HERE}/fee", {"fee": found[1]})
    page = await one.get(HERE)
    window = re.search(r'<a class="primary" href="([^"]*/pay/[0-9a-f]{32})"', page)
    assert window is not None, page
    return html.unescape(window[1])


async def night(world: World) -> None:
    world.clock.forward(DAY_S)
    await world.deliver()


def run(url: str, folder: Path, story: Callable[[World], Awaitable[None]], **facts: Any) -> None:
    told(url, folder, story, products=BOTH, fee_unpaid_days=DAYS, **facts)


def test_the_person_hears_of_it_pays_anew_and_is_charged_once(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        one = await owing(world)
        assert len([text for text in world.texts(HONG) if "수수료 4,400원이" in text and "발급현황" in text]) == 1
        page = await one.get(HERE)
        assert say("payment.owed_text", title=say("payment.title_universal"), n="4,400") in page
        assert say("payment.owed_here", n="4,400") in await one.get("/management")
        first = await press(one)
        page = await one.get(HERE)
        assert first in html.unescape(page) and FORM not in page
        assert len(await stages(world)) == 2  # one payment, however often the page is opened
        one.pay(first)
        page = await one.get(HERE)  # where the provider's window leads back to
        assert OWED not in page and taken(world)[-1].approval in page
        assert say("payment.owed_paid", n="4,400") in page
        assert f'href="{HERE}#owed"' not in await one.get("/management")
        assert await stages(world) == ["replaced", "captured"]
        for _ in range(DAYS + 2):
            await night(world)
        assert (charges(world), [row.charges for row in taken(world)]) == (1, [0, 1])
        assert len([text for text in world.texts(HONG) if "한 번만 청구" in text]) == 1
        assert await world.certificates(HONG) == [State.VALID]

    run(sqlite_url, tmp_path, story)


def test_the_nights_try_again_and_a_provider_that_takes_it_then_is_told_once(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        one = await owing(world, lambda here: provider(here, "refusing"))
        await world.deliver()
        assert await world.results("payment.again") == []  # once a night
        await night(world)
        await world.deliver()
        assert await world.results("payment.again") == ["payment-refused"]
        provider(world, "normal")
        await night(world)
        assert (charges(world), await stages(world)) == (1, ["captured"])
        await night(world)
        assert [row.charges for row in taken(world)] == [1]
        assert len([text for text in world.texts(HONG) if "한 번만 청구" in text]) == 1
        await one.log_in()
        assert OWED not in await one.get(HERE)

    run(sqlite_url, tmp_path, story)


def test_the_nights_end_after_the_days_that_are_set_and_the_person_can_still_pay(
    sqlite_url: str, tmp_path: Path
) -> None:
    async def story(world: World) -> None:
        one = await owing(world)
        for _ in range(DAYS + 4):
            await night(world)
        assert await stages(world) == ["overdue"]
        assert len(await world.results("payment.again")) == DAYS - 1  # and the one that ended them
        assert await world.results("payment.overdue") == ["payment-refused"]
        assert await world.certificates(HONG) == [State.VALID]
        await one.log_in()
        one.pay(await press(one))
        await one.get(HERE)
        assert (charges(world), await stages(world)) == (1, ["replaced", "captured"])

    run(sqlite_url, tmp_path, story)


def test_who_allows_it_and_never_comes_back_to_the_page_is_charged_by_the_worker_and_who_does_nothing_is_not(
    sqlite_url: str, tmp_path: Path
) -> None:
    async def story(world: World) -> None:
        one = await owing(world)
        await press(one)
        world.clock.forward(3600)
        await world.deliver()
        assert (charges(world), await stages(world)) == (0, ["unpaid", "expired"])
        await one.log_in()
        one.pay(await press(one))
        world.clock.forward(3600)
        await world.deliver()
        assert (charges(world), await stages(world)) == (1, ["replaced", "expired", "captured"])

    run(sqlite_url, tmp_path, story)


def test_a_night_takes_nothing_beside_a_payment_that_the_person_has_begun_and_one_that_was_taken_after_all_is_kept(
    sqlite_url: str, tmp_path: Path
) -> None:
    async def story(world: World) -> None:
        one = await owing(world, lambda here: provider(here, "refusing"))
        provider(world, "normal")
        window = await press(one)
        (former,) = [row for row in taken(world) if row.stage == "authorised"]
        # The provider took it and nobody heard of it: then the new one is released, and nothing is charged twice.
        await world.ports.parties.payments.capture(former.key, former.amount)  # type: ignore[union-attr]
        one.pay(window)
        await one.get(HERE)
        assert (charges(world), await stages(world)) == (1, ["captured", "cancelled"])
        assert [row.stage for row in taken(world)] == ["captured", "cancelled"]

    run(sqlite_url, tmp_path, story)


def test_what_is_not_owed_or_is_somebody_elses_is_not_paid_and_a_provider_that_is_away_is_said(
    sqlite_url: str, tmp_path: Path
) -> None:
    async def story(world: World) -> None:
        one = await owing(world)
        page = await one.get(HERE)
        key = re.search(r'name="fee" value="([0-9a-f]{32})"', page)
        assert key is not None
        other = world.phone(KIM, 7)
        await other.log_in()
        assert OWED not in await other.get(HERE)
        for fee in (key[1], "0" * 32, "", "각"):
            assert say("refusal.fee-not-owed") in await answered(other, fee)
        provider(world, "off")
        assert say("refusal.fee-outage") in await answered(one, key[1])
        provider(world, "normal")
        await press(one)
        provider(world, "off")
        assert say("payment.owed_away") in await one.get(HERE)

    run(sqlite_url, tmp_path, story)


def test_a_provider_that_takes_no_payment_of_it_is_said_and_that_the_certificate_stands(
    sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def refusing(order: Order) -> Payment:
        raise PaymentRefused(stage="unknown")

    async def story(world: World) -> None:
        one = await owing(world)
        key = re.search(r'name="fee" value="([0-9a-f]{32})"', await one.get(HERE))
        assert key is not None and world.ports.parties is not None
        monkeypatch.setattr(world.ports.parties.payments, "open", refusing)
        page = await answered(one, key[1])
        assert say("refusal.fee-refused") in page and "발급된 것도 없습니다" not in page
        assert await world.certificates(HONG) == [State.VALID] and charges(world) == 0

    run(sqlite_url, tmp_path, story)


async def answered(one: Phone, fee: str) -> str:
    """The page that a press with this fee gives."""
    await one.get(HERE)
    sent = {"csrf": one.csrf, "fee": fee}
    answer = await one.client.post(f"{HERE}/fee", data=sent, headers={"Origin": "http://localhost:8700"})
    assert 400 <= answer.status_code < 600
    return answer.text


@pytest.fixture
def reaper(monkeypatch: pytest.MonkeyPatch) -> Reaper:
    return Reaper(monkeypatch)


@pytest.mark.parametrize(
    "step", ["payment.11", "payment.12", *(soak(f"payment.{number}") for number in (1, 2, 3, 10))]
)  # fmt: skip
def test_a_center_killed_while_the_person_pays_anew_charges_once(
    sqlite_url: str, tmp_path: Path, reaper: Reaper, step: str
) -> None:
    async def story(world: World) -> None:
        one = await owing(world)
        reaper.at(step, 1)
        with pytest.raises(Killed):
            one.pay(await press(one))
            await one.get(HERE)
        assert reaper.rest()
        await world.restart()
        world.clock.forward(30)
        await one.log_in()
        if "captured" not in await stages(world) and FORM in await one.get(HERE):
            one.pay(await press(one))
        elif step == "payment.3":
            one.pay(re.findall(r'href="([^"]*/pay/[0-9a-f]{32})"', await one.get(HERE))[0])
        await one.get(HERE)
        for _ in range(DAYS + 2):
            await night(world)
        assert (charges(world), await stages(world)) == (1, ["replaced", "captured"])
        assert len([text for text in world.texts(HONG) if "한 번만 청구" in text]) == 1

    run(sqlite_url, tmp_path, story)


@pytest.mark.parametrize("step", [soak("payment.8"), "payment.9"])
def test_a_center_killed_by_night_charges_once_also_where_the_person_pays_anew_before_it_is_up_again(
    sqlite_url: str, tmp_path: Path, reaper: Reaper, step: str
) -> None:
    async def story(world: World) -> None:
        one = await owing(world, lambda here: provider(here, "refusing"))
        provider(world, "normal")
        reaper.at(step, 1)
        with pytest.raises(Killed):
            await night(world)
        assert reaper.rest()
        await world.restart()
        await one.log_in()
        one.pay(await press(one))
        await one.get(HERE)
        world.clock.forward(30)
        await world.deliver()
        for _ in range(DAYS):
            await night(world)
        assert charges(world) == 1
        assert sorted(await stages(world)) in (["cancelled", "captured"], ["captured", "replaced"])

    run(sqlite_url, tmp_path, story)


def test_what_a_night_took_of_a_fee_that_was_paid_anew_meanwhile_is_given_back(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        await owing(world, lambda here: provider(here, "refusing"))
        provider(world, "normal")
        (row,) = await world.rows("payment")
        capture = world.ports.parties.payments.capture  # type: ignore[union-attr]

        async def meanwhile(key: str, amount: int) -> Any:
            found = await capture(key, amount)
            change = Update("payment", {"key": key, "stage": "unpaid"}, {"stage": "replaced"})
            await world.ports.store.save(Save(rows=[change]))
            return found

        world.ports.parties.payments.capture = meanwhile  # type: ignore[union-attr, method-assign]
        await night(world)
        assert (charges(world), [one.stage for one in taken(world)]) == (0, ["cancelled"])
        assert (await world.rows("payment", key=row["key"]))[0]["stage"] == "replaced"

    run(sqlite_url, tmp_path, story)


def test_two_pages_at_once_charge_once_and_give_nothing_back(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        one = await owing(world)
        one.pay(await press(one))
        assert world.ports.parties is not None
        payments = world.ports.parties.payments
        assert payments is not None
        look, heard, go_on = payments.look, asyncio.Event(), asyncio.Event()

        async def slow(key: str) -> Any:
            found = await look(key)
            if not heard.is_set():
                heard.set()
                await go_on.wait()
            return found

        payments.look = slow  # type: ignore[method-assign]
        late = asyncio.ensure_future(one.client.get(HERE))  # a tab that is a little slower
        await heard.wait()
        await one.get(HERE)  # the other one, which takes it
        assert (charges(world), await stages(world)) == (1, ["replaced", "captured"])
        go_on.set()
        await late
        assert (charges(world), await stages(world)) == (1, ["replaced", "captured"])
        assert [row.stage for row in taken(world)][-1] == "captured"

    run(sqlite_url, tmp_path, story)


def test_whoever_looks_while_it_is_being_charged_is_not_asked_to_pay_and_a_worker_ends_what_stopped(
    sqlite_url: str, tmp_path: Path
) -> None:
    async def story(world: World) -> None:
        one = await owing(world)
        one.pay(await press(one))
        assert world.ports.parties is not None
        payments = world.ports.parties.payments
        assert payments is not None
        capture, inside = payments.capture, asyncio.Event()

        async def never(_key: str, _amount: int) -> Any:
            inside.set()
            await asyncio.Event().wait()

        payments.capture = never  # type: ignore[method-assign, assignment]
        stuck = asyncio.ensure_future(one.client.get(HERE))
        await inside.wait()
        assert OWED not in await one.get(HERE)
        assert (charges(world), await stages(world)) == (0, ["unpaid", "taking"])
        stuck.cancel()
        payments.capture = capture  # type: ignore[method-assign]
        world.clock.forward(61)
        await world.deliver()
        assert (charges(world), await stages(world)) == (1, ["replaced", "captured"])

    run(sqlite_url, tmp_path, story)


def test_every_step_of_what_is_owed_has_a_walk_that_dies_there() -> None:
    assert {f"payment.{number}" for number in range(8, 13)} <= {name for name, _ in STEPS}
