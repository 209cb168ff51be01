"""Fees of 범용: allowed before anything is issued, charged once when it stands, and nothing charged where none does."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.center.issuance.phone import Phone, Refused
from tests.center.issuance.test_walk import bound
from tests.center.issuance.world import World, told

from ingam.kernel.words import say
from ingam.ports.books import State
from ingam.sandbox.payment import Paid
from ingam.sandbox.people import person

HONG = person("hong")
BOTH = ("gold", "universal")


async def paying(world: World, screen: str, key: int = 3) -> Phone:
    one = world.phone(HONG, key)
    one.product = "universal"
    await one.log_in()
    await one.until(screen)
    return one


def taken(world: World) -> list[Paid]:
    return list(world.around.box.payments.rows.values())


def charges(world: World) -> int:
    return sum(one.charges for one in taken(world) if one.stage == "captured")


async def stages(world: World) -> list[str]:
    return [str(row["stage"]) for row in await world.ports.store.many("payment", {}, order="opened_at")]


async def window(one: Phone) -> str:
    """What choosing 범용 gives before it is paid."""
    told_ = await one.tell("product", {"product": "universal", "revoke": "yes"})
    assert set(told_) == {"pay"}
    return str(told_["pay"])


def test_it_is_charged_once_when_the_certificate_stands_and_the_receipt_says_so(
    sqlite_url: str, tmp_path: Path
) -> None:
    async def story(world: World) -> None:
        one = await paying(world, "requested")
        assert [row.stage for row in taken(world)] == ["authorised"] and charges(world) == 0
        await one.until("issued")
        assert charges(world) == 0  # nothing leaves before the transaction that tells of it
        await world.deliver()
        assert charges(world) == 1 and await stages(world) == ["captured"]
        page = await one.get("/issuance/progress")
        assert "4,400" in page and say("payment.stage_captured") in page and taken(world)[0].approval in page
        world.clock.forward(7200)
        await world.deliver()
        assert (charges(world), [row.charges for row in taken(world)]) == (1, [1])

    told(sqlite_url, tmp_path, story, products=BOTH)


def test_nothing_is_registered_before_the_person_allowed_it(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        one = await paying(world, "product")
        first = await window(one)
        await one.get()
        assert await window(one) == first  # one payment, however often it is pressed
        assert one.screen == "product" and await world.results("issuance.product") == []
        one.pay(first)
        await one.get()
        assert say("payment.allowed", n="4,400", means="시험카드 ****-4321") in one.page

    told(sqlite_url, tmp_path, story, products=BOTH)


def test_a_payment_that_was_not_allowed_may_be_tried_anew_or_left_for_the_free_one(
    sqlite_url: str, tmp_path: Path
) -> None:
    async def story(world: World) -> None:
        one = await paying(world, "product")
        first = await window(one)
        one.pay(first, allowed=False)
        with pytest.raises(Refused) as refused:
            await one.tell("product", {"product": "universal", "revoke": "yes"})
        assert refused.value.code == "payment-declined"
        second = await window(one)
        assert second != first
        one.product = "gold"
        await one.get()
        await one.until("issued")
        await world.deliver()
        assert (charges(world), sorted(await stages(world))) == (0, ["cancelled", "refused"])

    told(sqlite_url, tmp_path, story, products=BOTH)


@pytest.mark.parametrize("leave", ["cancel", "never-comes-back", "declined"])
def test_where_nothing_is_issued_nothing_is_charged(sqlite_url: str, tmp_path: Path, leave: str) -> None:
    async def story(world: World) -> None:
        one = await paying(world, "product")
        one.pay(await window(one))
        if leave == "cancel":
            await one.post("cancel")
        elif leave == "never-comes-back":
            world.clock.forward(3600)
        else:
            await one.get()
            await one.until("requested")
            one.vault.issue = await one.issue()
            answer = await one.carry(one.vault.ask(one.vault.registered))
            await one.carry(one.vault.decline(answer))
        await world.deliver()
        assert (charges(world), await stages(world)) == (0, ["cancelled"])
        assert [row.stage for row in taken(world)] == ["cancelled"]
        assert await bound(world, HONG) == []

    told(sqlite_url, tmp_path, story, products=BOTH)


def test_one_that_stands_is_charged_though_the_center_never_heard_of_its_confirmation(
    sqlite_url: str, tmp_path: Path
) -> None:
    async def story(world: World) -> None:
        one = await paying(world, "requested")
        one.vault.issue = await one.issue()
        confirmation = one.vault.confirm(await one.carry(one.vault.ask(one.vault.registered)))
        world.wire.lost = True
        with pytest.raises(Refused):
            await one.carry(confirmation)
        world.wire.lost = False
        assert await world.certificates(HONG) == [State.VALID]
        world.clock.forward(3 * 3600)
        await world.deliver()
        assert (charges(world), await stages(world)) == (1, ["captured"])

    told(sqlite_url, tmp_path, story, products=BOTH)


def test_an_unclear_answer_charges_once(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        one = await paying(world, "issued")
        world.around.box.switches.turn("party", "payment", "unclear")
        await world.deliver()
        assert [row.charges for row in taken(world)] == [1] and await stages(world) == ["authorised"]
        world.around.box.switches.turn("party", "payment", "normal")
        world.clock.forward(120)
        await world.deliver()
        assert [row.charges for row in taken(world)] == [1] and await stages(world) == ["captured"]
        assert one.screen == "issued"

    told(sqlite_url, tmp_path, story, products=BOTH)


def test_a_provider_that_is_away_stops_before_anything_is_issued(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        one = await paying(world, "product")
        world.around.box.switches.turn("party", "payment", "off")
        with pytest.raises(Refused) as refused:
            await one.choose()
        assert (refused.value.status, refused.value.code) == (503, "payment-outage")
        await one.get()
        assert one.screen == "product"

    told(sqlite_url, tmp_path, story, products=BOTH)


def test_a_capture_that_is_refused_for_good_is_told_to_the_operators(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        await paying(world, "issued")
        world.around.box.switches.turn("party", "payment", "refusing")
        await world.deliver()
        assert await stages(world) == ["unpaid"]
        assert await world.results("payment.captured") == ["payment-refused"]

    told(sqlite_url, tmp_path, story, products=BOTH)


def test_the_progress_page_says_what_to_do_next(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        one = await paying(world, "card")
        page = await one.get("/issuance/progress")
        assert say("progress.state_going") in page and 'href="/issuance/new"' in page
        await one.log_in()
        page = await one.get("/issuance/progress")
        assert say("progress.until", time="18:10") in page and say("progress.go_on") in page
        world.clock.forward(660)
        await one.log_in()
        page = await one.get("/issuance/progress")
        assert say("progress.over") in page

    told(sqlite_url, tmp_path, story, products=BOTH)
