"""1회용 인증번호 on a real store: what a branch issues, what is kept and counted, and that it is good once (E10)."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from tests.center.registration.world import HONG, KIM, World, opened

from ingam.customer.additional_auth import Purpose
from ingam.customer.additional_auth.branch import (
    BranchNumberOver,
    BranchNumberOwn,
    BranchNumbers,
    BranchNumberSpent,
    BranchNumberWrong,
    Issued,
)
from ingam.customer.additional_auth.proof import Bound
from ingam.customer.notice import Sender
from ingam.kernel.secret import Secret
from ingam.ports.store import AlreadyUsed, Save, Stale
from ingam.settings import Institution

Story = Callable[[World, BranchNumbers], Awaitable[None]]
BOUND = Bound(HONG.customer_id, Purpose.REGISTRATION, "flow", "session")


def told(url: str, folder: Path, story: Story) -> None:
    async def go() -> None:
        async with opened(url, folder) as world:
            sender = Sender(Institution())
            await story(world, BranchNumbers(world.store, world.clock, world.keys.digests, world.limits, sender))

    asyncio.run(go())


async def issued(numbers: BranchNumbers, purpose: Purpose = Purpose.REGISTRATION) -> Issued:
    return await numbers.issue(HONG, purpose, "E1001", "여의도")


def wrong(issued: Issued) -> Secret[str]:
    return Secret(f"{(int(issued.code.reveal()) + 1) % 10**8:08d}")


def test_E10_a_number_is_kept_as_a_digest_and_the_customer_is_told(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World, numbers: BranchNumbers) -> None:
        made = await issued(numbers)
        await world.deliver()
        text = world.phone.texts[-1]
        assert "타기관인증서등록" in text and "여의도" in text and made.code.reveal() not in text
        (row,) = await world.store.many("branch_number", {})
        assert made.code.reveal() not in str(row) and len(made.code) == 8
        assert (row["operator_id"], row["customer_id"], row["purpose"]) == ("E1001", "c-hong", "registration")

    told(sqlite_url, tmp_path, story)


def test_E10_nobody_issues_a_number_for_themselves(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World, numbers: BranchNumbers) -> None:
        with pytest.raises(BranchNumberOwn):
            await numbers.issue(HONG, Purpose.REGISTRATION, "E1001", "여의도", own=HONG.customer_id)
        assert await world.store.many("branch_number", {}) == []

    told(sqlite_url, tmp_path, story)


def test_E10_a_number_is_good_once(store_url: str, tmp_path: Path) -> None:
    async def story(world: World, numbers: BranchNumbers) -> None:
        made = await issued(numbers)
        first = await numbers.verify(HONG, BOUND, made.code)
        second = await numbers.verify(HONG, BOUND, made.code)
        await world.store.save(Save(ledger=first.ledger, rows=first.rows, resets=first.resets))
        with pytest.raises((AlreadyUsed, Stale)):
            await world.store.save(Save(ledger=second.ledger, rows=second.rows, resets=second.resets))
        with pytest.raises(BranchNumberWrong):
            await numbers.verify(HONG, BOUND, made.code)
        assert [one.state for one in await numbers.of_day("여의도")] == ["used"]

    told(store_url, tmp_path, story)


def test_E10_a_number_names_person_and_purpose(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World, numbers: BranchNumbers) -> None:
        made = await issued(numbers, Purpose.COPY_OUT)
        with pytest.raises(BranchNumberWrong):
            await numbers.verify(HONG, BOUND, made.code)
        other = Bound(KIM.customer_id, Purpose.COPY_OUT, "flow", "session")
        with pytest.raises(BranchNumberWrong):
            await numbers.verify(KIM, other, made.code)

    told(sqlite_url, tmp_path, story)


def test_a_newer_number_voids_the_older_and_a_day_ends_it(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World, numbers: BranchNumbers) -> None:
        first = await issued(numbers)
        second = await issued(numbers)
        with pytest.raises(BranchNumberWrong):
            await numbers.verify(HONG, BOUND, first.code)
        await numbers.verify(HONG, BOUND, second.code)
        world.clock.forward(24 * 3600)
        with pytest.raises(BranchNumberWrong):
            await numbers.verify(HONG, BOUND, second.code)
        assert {one.state for one in await numbers.of_day("여의도", "2026-11-22")} == {"void", "over"}
        with pytest.raises(BranchNumberOver):
            await numbers.void(second.number_id)

    told(sqlite_url, tmp_path, story)


def test_what_the_branch_takes_back_is_worth_nothing(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World, numbers: BranchNumbers) -> None:
        made = await issued(numbers)
        await numbers.void(made.number_id)
        with pytest.raises(BranchNumberWrong):
            await numbers.verify(HONG, BOUND, made.code)

    told(sqlite_url, tmp_path, story)


def test_E3_five_wrong_numbers_close_the_way_for_every_number_and_purpose(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World, numbers: BranchNumbers) -> None:
        made = await issued(numbers)
        for left in (4, 3, 2, 1):
            with pytest.raises(BranchNumberWrong) as refused:
                await numbers.verify(HONG, BOUND, wrong(made))
            assert refused.value.facts == {"n": left}
        with pytest.raises(BranchNumberSpent):
            await numbers.verify(HONG, BOUND, wrong(made))
        made = await issued(numbers)
        with pytest.raises(BranchNumberSpent):
            await numbers.verify(HONG, BOUND, made.code)
        assert await numbers.spent(HONG)
        world.clock.forward(24 * 3600 - 1)
        assert await numbers.spent(HONG)

    told(sqlite_url, tmp_path, story)


def test_many_guesses_at_once_get_five_tries(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World, numbers: BranchNumbers) -> None:
        made = await issued(numbers)
        guesses = [numbers.verify(HONG, BOUND, wrong(made)) for _ in range(50)]
        found = await asyncio.gather(*guesses, return_exceptions=True)
        assert sum(isinstance(one, BranchNumberWrong) for one in found) == 4
        assert sum(isinstance(one, BranchNumberSpent) for one in found) == 46

    told(sqlite_url, tmp_path, story)
