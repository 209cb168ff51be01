"""An authority that says nothing for long: one alarm, one all-clear, whoever of the processes notices."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from tests.center.world import HONG, KIM, World, party, told

from ingam.customer.binding.silence import ALARM, CLEAR, silences
from ingam.ports.status import StatusUnavailable
from ingam.run.recheck import Recheck, recheck
from ingam.settings import Limits, Settings

HONGS, KIMS = party(), party(KIM, key_name="rsa2048-03", serial=7)


def rounds(world: World) -> Recheck:
    return recheck(Settings(mode="test", limits=replace(Limits(), recheck_silent_h=30)), world.ports)


async def hours(world: World, count: int) -> None:
    """So many hours, with a round of two processes in each."""
    for _ in range(count):
        world.clock.at += timedelta(hours=1)
        await asyncio.gather(rounds(world).once(), rounds(world).once())


async def registered(world: World) -> None:
    await world.bind(HONG, HONGS)
    await world.bind(KIM, KIMS)
    await rounds(world).once()


def test_a_silence_that_lasts_is_one_alarm_and_the_first_answer_one_all_clear(store_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        await registered(world)
        for one in (HONGS, KIMS):
            world.statuses.answers[one.certificate.fingerprint] = StatusUnavailable("status-unreachable")
        await hours(world, 28)
        (silence,) = await silences(world.ports.store)
        assert (silence.authority, silence.cause, silence.alarm) == ("test", "status-unreachable", False)
        assert await world.results(ALARM) == []
        await hours(world, 28)
        (silence,) = await silences(world.ports.store)
        assert silence.alarm and world.clock.now() - silence.asked_at <= timedelta(hours=2)
        await hours(world, 40)
        assert await world.results(ALARM) == ["status-unreachable"] and await world.results(CLEAR) == []
        world.statuses.answers.clear()
        await hours(world, 2)
        assert await silences(world.ports.store) == [] and await world.results(CLEAR) == ["ok"]
        assert {str(row["status"]) for row in await world.rows("binding")} == {"ACTIVE"}

    told(store_url, tmp_path, story)


def test_an_authority_that_answers_about_anybody_is_not_silent(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        await registered(world)
        world.statuses.answers[KIMS.certificate.fingerprint] = StatusUnavailable("status-malformed")
        await hours(world, 26)
        found = await silences(world.ports.store)
        world.statuses.answers.clear()
        await hours(world, 26)
        assert [one.alarm for one in found] in ([], [False])
        assert await silences(world.ports.store) == [] and await world.results(ALARM) == []

    told(sqlite_url, tmp_path, story)
