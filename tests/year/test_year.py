"""A year of many customers, day by day, compared at the end with what their plan alone says it has to be."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from pathlib import Path
from time import perf_counter
from typing import Any

import pytest
from tests.year.model import Expected, expected
from tests.year.plan import AWAY, DAYS, SILENT, Authority, Buying, Kind, Life, drawn
from tests.year.world import DAWN, EVENING, LOST, MORNING, NIGHT, NOON, World, opened

from ingam.ports.books import BooksOutage

READINGS = (120, 240, 364, 385, DAYS - 1)
"""Days on whose evening the revocation lists are read."""

BESIDE = 24
"""Customers that something happens to at a time; each such group a few seconds after the one before."""

SHOWN = 12

ASKED_FOR = {
    ("incident.authority", "certification-refused"),  # held and resumed while the authority was away
    ("incident.authority", "not-ours"),
    ("issuance.carry", "issuance-declined-by-device"),
    ("recheck.authority", "status-unreachable"),
    ("recheck.binding", "found-expired"),
    ("recheck.binding", "found-revoked"),
    ("recheck.binding", "found-suspended"),
}
"""Action and result of audit lines that are no success, and that the plan itself asks for."""


async def lived(world: World, lives: list[Life], stride: int) -> dict[int, dict[str, dict[int, int]]]:
    """The year; what the lists said on the days that they were read."""
    world.at(-1, EVENING)
    for life in lives:
        await world.enrol(life)
    begins, events, follows = (_by_day(lives, name) for name in ("begins", "at", "then"))
    lists = {}
    for day in range(DAYS):
        world.at(day, DAWN)
        world.wire.away = day in AWAY
        await _each(world, world.dawn, [life for life in events.get(day, []) if life.kind is Kind.ISSUED_LATE])
        world.at(day, NIGHT)
        if day % stride == 0:
            await world.night(silent=day in SILENT)
        world.at(day, MORNING)
        await world.morning()
        world.at(day, NOON)
        await _each(world, world.begin, begins.get(day, []))
        await _each(world, world.event, events.get(day, []))
        await _each(world, world.following, follows.get(day, []) if day else [])
        world.at(day, EVENING)
        await world.evening()
        if day in READINGS:
            lists[day] = world.lists()
    world.clock.forward(60)
    await world.deliver()
    return lists


async def _each(world: World, act: Any, lives: list[Life]) -> None:
    for start in range(0, len(lives), BESIDE):
        await asyncio.gather(*(act(life) for life in lives[start : start + BESIDE]))
        await world.deliver()
        world.clock.forward(10)


def _by_day(lives: list[Life], name: str) -> dict[int, list[Life]]:
    found: dict[int, list[Life]] = {}
    for life in lives:
        found.setdefault(getattr(life, name), []).append(life)
    return found


async def compared(world: World, lives: list[Life], stride: int, lists: dict[int, Any]) -> list[str]:
    """Every disagreement, in words."""
    ties, fees, by_authorities = await world.ties(), await world.fees(), world.told_by_authorities()
    wrong: list[str] = []
    known: dict[int, dict[str, dict[int, int]]] = {day: {"here": {}, "elsewhere": {}} for day in lists}
    for life in lives:
        held, model = world.people[life.number], expected(life, stride, READINGS)
        name = held.customer.customer_id
        prints = {paper.fingerprint.hex(): n for n, (paper, _) in enumerate(held.papers)}
        paid = fees.get(name, [])
        said: dict[int, dict[int, int]] = {}
        for day, both in lists.items():
            said[day] = {}
            for number, (paper, _) in enumerate(held.papers):
                issuer, serial = world.issuer(paper), paper.serial
                if serial in both[issuer]:
                    said[day][number] = known[day][issuer][serial] = both[issuer][serial]
        have = Expected(
            sorted((prints.get(tie, -1), status) for tie, status in ties.get(name, [])),
            [world.state(paper) for paper, _ in held.papers],
            said,
            world.phones.heard[held.customer.mobile],
            by_authorities[held.customer.mobile],
            sorted(stage for _, stage in paid),
            4_400 * sum(world.charges.get(key, 0) for key, _ in paid),
        )
        model.paid.sort()
        wrong += _differs(life, have, model)
    wrong += [
        f"{day}: {set(lists[day][name].items()) ^ set(found.items())} on the list of {name} are nobody's"
        for day, both in known.items()
        for name, found in both.items()
        if lists[day][name] != found
    ]
    again = {key for key, times in world.phones.references.items() if times > 1}
    if len(again) != len(world.phones.references) // LOST:
        wrong.append(f"{len(again)} messages came again whose answer was lost")
    nights = len([day for day in SILENT if day % stride == 0])
    if (told := await world.silences()) != nights:
        wrong.append(f"operators heard of a silent authority {told} times in {nights} nights")
    wrong += [f"{dedup} never left" for dedup in await world.undelivered()]
    wrong += [f"{one} {times} times" for one, times in (await world.refused()).items() if one not in ASKED_FOR]
    return wrong


def _differs(life: Life, have: Expected, model: Expected) -> Iterable[str]:
    for part in ("ties", "states", "lists", "notices", "by_authority", "paid", "charged"):
        found, wanted = getattr(have, part), getattr(model, part)
        if part in ("notices", "by_authority"):
            found, wanted = sorted((found - wanted).items()), sorted((wanted - found).items())
        if found != wanted:
            yield f"{life}\n    {part}: is {found}\n    {part}: should be {wanted}"


def year(url: str, folder: Path, customers: int, *, seed: int, stride: int) -> None:
    async def go() -> None:
        lives, began = drawn(customers, seed, stride), perf_counter()
        async with opened(url, folder) as world:
            lists = await lived(world, lives, stride)
            wrong = await compared(world, lives, stride, lists)
            heard = sum(sum(one.values()) for one in world.phones.heard.values())
            papers = sum(len(one.papers) for one in world.people.values())
            print(
                f"{customers} customers, {papers} certificates, {heard} notices, {world.statuses.asked} questions, "
                f"{sum(world.charges.values())} fees, {len(wrong)} disagreements: {perf_counter() - began:.1f} s"
            )
            assert not wrong, f"{len(wrong)} disagreements; the first:\n" + "\n".join(wrong[:SHOWN])

    asyncio.run(go())


def test_a_year_of_a_few_customers_ends_as_their_plan_says(sqlite_url: str, tmp_path: Path) -> None:
    year(sqlite_url, tmp_path, 60, seed=7, stride=7)


def test_a_revocation_that_the_authority_could_not_record_is_told_again(sqlite_url: str, tmp_path: Path) -> None:
    life = Life(
        1, Authority.HERE, "securities", Kind.REVOKED, 0, 40, 0, "key", by_report=False, silent=False,
        buying=Buying.AT_ONCE,
    )  # fmt: skip

    async def down(*_: object) -> None:
        raise BooksOutage

    async def go() -> None:
        async with opened(sqlite_url, tmp_path) as world:
            await world.enrol(life)
            world.at(life.begins, NOON)
            await world.begin(life)
            world.at(life.at, NOON)
            await world.event(life)
            with pytest.MonkeyPatch.context() as patched:
                patched.setattr(world.here.books, "answer", down)
                await world.deliver()
            world.clock.forward(60)
            await world.deliver()
            assert world.state(world.people[1].papers[0][0]) == "revoked"

    asyncio.run(go())


@pytest.mark.soak
def test_a_year_of_ten_thousand_customers_ends_as_their_plan_says(sqlite_url: str, tmp_path: Path) -> None:
    year(sqlite_url, tmp_path, 10_000, seed=2026, stride=14)
