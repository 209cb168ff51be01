"""A party that is down, slow or closed: the person is told, the run stays where it was, nothing is used up by it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from tests.center.issuance.phone import Phone, Refused
from tests.center.issuance.test_attacks import flow, words
from tests.center.issuance.test_walk import begun
from tests.center.issuance.world import WAIT_S, World, told

from ingam.ports.books import State
from ingam.sandbox.people import person

HONG = person("hong")

PARTIES = [
    ("real-name", "consents", "identity", "real-name-outage"),
    ("phone-identity", "identity", "otp", "phone-identity-outage"),
    ("phone-identity", "otp", "card", "phone-identity-outage"),
    ("id-card", "card", "account", "id-card-outage"),
    ("bank", "account", "onewon", "bank-outage"),
]
"""Which party a screen asks, where its answer leads, and what is said where there is none."""

GOING: dict[str, Callable[[Phone], Awaitable[str]]] = {
    "consents": lambda one: one.name(),
    "identity": lambda one: one.ask_code(),
    "otp": lambda one: one.prove_phone(),
    "card": lambda one: one.card(),
    "account": lambda one: one.ask_one_won(),
}


async def standing(world: World, screen: str) -> Phone:
    one = await begun(world, HONG, screen)
    if screen == "card":
        await one.shoot()
    return one


@pytest.mark.parametrize("position", ["off", "timeout"])
@pytest.mark.parametrize(("party", "screen", "then", "code"), PARTIES)
def test_a_party_that_is_down_is_said_to_be_and_the_run_goes_on_afterwards(
    sqlite_url: str, tmp_path: Path, party: str, screen: str, then: str, code: str, position: str
) -> None:
    async def story(world: World) -> None:
        one = await standing(world, screen)
        before = dict(await flow(world))
        world.around.switches.turn("party", party, position)
        await GOING[screen](one)
        assert (one.screen, one.status) == (screen, 503)
        assert words(code) in one.page
        assert dict(await flow(world)) == before
        world.around.switches.reset()
        await GOING[screen](one)
        assert one.screen == then, one.errors()

    told(sqlite_url, tmp_path, story, answer_s=WAIT_S if position == "timeout" else 5.0)


@pytest.mark.parametrize(("party", "screen", "then", "code"), PARTIES)
def test_pressing_again_while_a_party_is_down_uses_up_nothing(
    sqlite_url: str, tmp_path: Path, party: str, screen: str, then: str, code: str
) -> None:
    async def story(world: World) -> None:
        one = await standing(world, screen)
        world.around.switches.turn("party", party, "off")
        for _ in range(7):  # more than a person's guesses, an issuer's checks or a bank's transfers of a day
            await GOING[screen](one)
            assert (one.screen, one.status) == (screen, 503)
            assert words(code) in one.page
        world.around.switches.reset()
        await world.restart()  # the breakers of the adapters stay open for twenty seconds
        await one.get()
        if screen == "card":
            await one.shoot()
        await GOING[screen](one)
        assert one.screen == then, one.errors()

    told(sqlite_url, tmp_path, story)


def test_a_bank_that_is_closed_says_so_and_costs_no_transfer(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        one = await begun(world, HONG, "account")
        world.around.switches.turn("party", "bank", "closed")
        for _ in range(6):
            await one.ask_one_won()
            assert (one.screen, one.status) == ("account", 422)
            assert words("bank-closed") in one.page
        world.around.switches.reset()
        for _ in range(3):
            await one.ask_one_won()
            assert one.screen == "onewon"
            await one.post("back")
        assert len(world.deposits(HONG)) == 3

    told(sqlite_url, tmp_path, story)


def test_F9_askings_of_a_party_that_is_down_have_an_end(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        one = await begun(world, HONG, "account")
        world.around.switches.turn("party", "bank", "closed")
        for _ in range(15):
            await one.ask_one_won()
            assert words("bank-closed") in one.page
        await one.ask_one_won()
        assert words("onewon-too-many") in one.page

    told(sqlite_url, tmp_path, story)


def test_an_unclear_transfer_is_asked_about_and_never_sent_twice(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        one = await begun(world, HONG, "account")
        world.around.switches.turn("party", "bank", "unclear")
        await one.ask_one_won()
        assert one.screen == "onewon"
        assert len(world.deposits(HONG)) == 1
        await one.prove_one_won()
        assert one.screen == "details"

    told(sqlite_url, tmp_path, story)


def test_no_address_is_found_where_the_book_is_away_and_the_details_may_be_typed(
    sqlite_url: str, tmp_path: Path
) -> None:
    async def story(world: World) -> None:
        one = await begun(world, HONG, "details")
        world.around.switches.turn("party", "address", "off")
        with pytest.raises(Refused) as refused:
            await one.tell("address", {"keyword": "시험로 1"})
        assert (refused.value.status, refused.value.code) == (503, "address-outage")
        assert refused.value.message.startswith(words("address-outage"))
        await one.describe()
        assert one.screen == "key"

    told(sqlite_url, tmp_path, story)


def test_a_reader_that_is_busy_costs_no_photograph(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        one = await begun(world, HONG, "card")
        world.reader.away = True
        for _ in range(6):
            with pytest.raises(Refused) as refused:
                await one.shoot()
            assert (refused.value.status, refused.value.code) == (503, "card-reader-outage")
        assert await world.rows("id_card_image") == []
        world.reader.away = False
        for _ in range(5):
            await one.shoot()
        await one.card()
        assert one.screen == "account"

    told(sqlite_url, tmp_path, story)


def test_mail_and_sms_that_do_not_leave_leave_later(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        one = await begun(world, HONG, "issued")
        world.around.switches.turn("party", "email", "off")
        await world.deliver()
        assert one.screen == "issued" and world.mails(HONG) == []
        world.around.switches.reset()
        world.clock.forward(5)
        await world.deliver()
        assert len(world.mails(HONG)) == 1

    told(sqlite_url, tmp_path, story)


def test_the_warning_is_general_where_the_authority_cannot_be_asked(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        await world.holds(HONG, 4)
        one = await begun(world, HONG, "details")
        world.wire.away = True
        await one.describe()
        assert one.screen == "key"
        assert "다른 증권사 증권용 인증서가 있으면" in one.page
        with pytest.raises(Refused) as refused:
            await one.issue()
        assert refused.value.status == 503
        world.wire.away = False
        await one.until("issued")
        assert await world.certificates(HONG) == [State.REVOKED, State.VALID]

    told(sqlite_url, tmp_path, story)
