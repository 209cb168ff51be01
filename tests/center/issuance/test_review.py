"""What a review of the phone's issuance found: retention, floods, and what one step says to another (H8, F9, F11)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable
from datetime import timedelta
from pathlib import Path

import pytest
from httpx2 import Response
from tests.center.issuance.phone import HERE, Refused
from tests.center.issuance.test_walk import begun
from tests.center.issuance.world import CENTER, World, photograph, told

from ingam.center.carrying import CARRIED, CARRYING_S
from ingam.center.issuance.account import LOOKING_S, LOOKUPS
from ingam.center.issuance.flow import ISSUANCE
from ingam.center.issuance.identity import DAY_S, LOOKS_A_DAY, REAL_NAMES_A_DAY
from ingam.center.issuance.products import ASKED
from ingam.center.issuance.states import Cancelled
from ingam.ports.card_reader import CardKind, Reading
from ingam.ports.store import Count, FlowSave, Save
from ingam.run.tidy import once as tidied
from ingam.sandbox.people import person

HONG = person("hong")


# ── H8: pictures of identity cards ──


@pytest.mark.parametrize("screen", ["card", "account", "key", "product"])
def test_H8_a_run_that_is_left_keeps_no_picture_of_a_card(sqlite_url: str, tmp_path: Path, screen: str) -> None:
    async def story(world: World) -> None:
        one = await begun(world, HONG, screen)
        if screen == "card":
            await one.shoot()
        assert len(await world.rows("id_card_image")) == 1
        await one.post("cancel")
        assert await world.rows("id_card_image") == []

    told(sqlite_url, tmp_path, story)


def test_H8_a_run_whose_time_is_over_keeps_no_picture_of_a_card(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        await begun(world, HONG, "account")
        world.clock.forward(world.settings.limits.flow_ttl_s + 1)
        later = world.phone(HONG)
        await later.log_in()
        await later.get()
        assert await world.rows("id_card_image") == []

    told(sqlite_url, tmp_path, story)


def test_H8_a_run_that_nobody_comes_back_to_keeps_no_picture_of_a_card(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        await begun(world, HONG, "account")
        world.clock.forward(86_401)
        await tidied(world.ports.store, world.clock.now(), world.settings.limits)
        assert await world.rows("id_card_image") == []

    told(sqlite_url, tmp_path, story)


def test_H8_what_was_asked_of_the_authority_keeps_its_picture_until_its_date(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        await begun(world, HONG, "issued")
        (image,) = await world.rows("id_card_image")
        assert image["delete_at"] == world.clock.now() + timedelta(seconds=world.settings.limits.idcard_keep_s)
        world.clock.forward(86_401)
        await tidied(world.ports.store, world.clock.now(), world.settings.limits)
        assert len(await world.rows("id_card_image")) == 1

    told(sqlite_url, tmp_path, story)


def test_H8_a_certificate_that_may_stand_keeps_its_evidence(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        await begun(world, HONG, "requested")
        world.clock.forward(world.settings.limits.issuance_fetch_s + 1)
        later = world.phone(HONG)
        await later.log_in()
        await later.get()
        assert later.screen == "password"
        assert len(await world.rows("id_card_image")) == 1

    told(sqlite_url, tmp_path, story)


def test_the_picture_that_is_kept_is_of_the_card_that_was_checked(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        one = await begun(world, HONG, "card")
        await one.shoot(CardKind.RESIDENT)
        await one.card(CardKind.LICENCE)
        assert (one.screen, one.status) == ("card", 422)
        assert "id-card-not-read" in await world.results("issuance.card")
        await one.shoot(CardKind.LICENCE)
        await one.card(CardKind.LICENCE)
        assert one.screen == "account"

    told(sqlite_url, tmp_path, story)


# ── F9: floods ──


async def spend(world: World, key: str, window_s: int, times: int) -> None:
    """As if it had been asked so often."""
    for _ in range(times):
        await world.ports.store.count(Count(key, window_s, 1_000, world.clock.now()))


def test_F9_a_person_with_very_many_runs_still_finds_the_last_one(sqlite_url: str, tmp_path: Path) -> None:
    """Whoever has ID and password begins and leaves runs by the thousand: the person is not shut out by it."""

    async def story(world: World) -> None:
        at = world.clock.now()
        for run in range(1_000, 2_001):
            gone = FlowSave(
                f"issuance:c-hong:{run}", ISSUANCE.name, 0, ISSUANCE.dump(Cancelled()), "0" * 64, "c-hong",
                at + timedelta(seconds=run - 1_000),
            )  # fmt: skip
            await world.ports.store.save(Save(flow=gone))
        world.clock.forward(1_200)
        one = await begun(world, HONG, "identity")
        assert one.turn["run"] == "2001"

    told(sqlite_url, tmp_path, story)


def test_F9_the_real_name_of_one_person_is_asked_so_often_in_a_day(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        one = await begun(world, HONG, "identity")
        await one.post("back")
        await spend(world, "real-name:c-hong", DAY_S, REAL_NAMES_A_DAY - 2)
        await one.name()
        assert one.screen == "identity"
        await one.post("back")
        await one.name()
        assert (one.screen, one.status) == ("consents", 429)

    told(sqlite_url, tmp_path, story)


def test_F9_the_agency_is_asked_so_often_whether_the_app_confirmed(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        one = await begun(world, HONG, "identity")
        await one.ask_code(method="APP")
        await spend(world, "identity-look:c-hong", DAY_S, LOOKS_A_DAY)
        await one.prove_phone("")
        assert (one.screen, one.status) == ("otp", 429)

    told(sqlite_url, tmp_path, story)


def test_F9_addresses_are_looked_up_so_often_by_one_person(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        one = await begun(world, HONG, "details")
        await spend(world, "address:c-hong", LOOKING_S, LOOKUPS - 1)
        await one.tell("address", {"keyword": "시험로"})
        with pytest.raises(Refused) as refused:
            await one.tell("address", {"keyword": "시험로"})
        assert (refused.value.status, refused.value.code) == (429, "too-many-requests")

    told(sqlite_url, tmp_path, story)


def test_F9_one_run_does_not_carry_messages_without_end(sqlite_url: str, tmp_path: Path) -> None:
    """To the authority the center is one source, and its bound is everybody's."""

    async def story(world: World) -> None:
        one = await begun(world, HONG, "requested")
        ir = one.vault.ask(one.vault.registered)
        await spend(world, f"carry:issuance:c-hong:{one.turn['run']}", CARRYING_S, CARRIED)
        sent = len(world.wire.sent)
        with pytest.raises(Refused) as refused:
            await one.carry(ir)
        assert (refused.value.status, len(world.wire.sent)) == (429, sent)
        await one.get()
        assert one.screen == "requested"  # nothing ended by it

    told(sqlite_url, tmp_path, story)


def test_F9_the_screen_of_the_choice_asks_the_authority_so_often(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        one = await begun(world, HONG, "product")
        await spend(world, "ever-issued:c-hong", CARRYING_S, ASKED)
        before = len(world.wire.sent)
        await one.get()
        assert (one.screen, one.status) == ("product", 200)
        assert len(world.wire.sent) == before

    told(sqlite_url, tmp_path, story)


def test_F11_one_photograph_of_a_person_at_a_time_lies_in_memory(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        one = await begun(world, HONG, "card")
        reading, looked = asyncio.Event(), asyncio.Event()
        read = world.reader.read

        async def slowly(image: bytes, kind: CardKind) -> Reading:
            reading.set()
            await looked.wait()
            return await read(image, kind)

        world.reader.read = slowly  # type: ignore[method-assign]
        received: list[int] = []

        async def photograph_of(number: int) -> AsyncIterator[bytes]:
            received.append(number)
            yield photograph(HONG, CardKind.RESIDENT)

        def post(number: int) -> Awaitable[Response]:
            path = f"{HERE}/card?run={one.turn['run']}&kind=resident"
            told = {"Origin": CENTER, "X-Ingam-CSRF": one.csrf, "Content-Type": "image/jpeg"}
            return one.client.post(path, content=photograph_of(number), headers=told)

        every = asyncio.gather(*(post(number) for number in range(4)))
        await reading.wait()
        for _ in range(20):
            await one.client.get("/healthz")  # everything else goes on
        assert len(received) == 1
        looked.set()
        assert [answer.status_code for answer in await every] == [200] * 4
        await one.get()
        await one.card()
        assert one.screen == "account"

    told(sqlite_url, tmp_path, story)


# ── consents ──

REFUSING = [
    ("consents", "real-name", "wrong-holder", 6),
    ("identity", "phone-identity", "carrier-mismatch", 1),
    ("card", "id-card", "lost", 1),
    ("account", "bank", "wrong-holder", 1),
]


@pytest.mark.parametrize(("screen", "party", "position", "many"), REFUSING)
def test_what_a_party_was_told_has_its_consent_although_it_refused(
    sqlite_url: str, tmp_path: Path, screen: str, party: str, position: str, many: int
) -> None:
    async def story(world: World) -> None:
        one = await begun(world, HONG, screen)
        before = len(await world.rows("consent"))
        world.around.switches.turn("party", party, position)
        if screen == "card":
            await one.shoot()
            await one.card()
        else:
            await one.on()
        assert (one.screen, one.status) == (screen, 422)
        assert len(await world.rows("consent")) - before == many

    told(sqlite_url, tmp_path, story)
