"""감사 로그 조회: by customer, operator or action, with a reason, and the look itself is a line (W11)."""

from __future__ import annotations

from pathlib import Path

from tests.console.world import HONG, Desk, World, told

WHY = {"reason": "incident", "note": "로그인 사고를 조사합니다", "banking_id": "", "employee": "", "action": ""}


async def looking(world: World, who: str = "security") -> Desk:
    """The page of an officer, after a clerk opened a customer."""
    await world.at_customer(HONG, "other-clerk")
    desk = await world.signed_in(who)
    await desk.get("/audit")
    return desk


def test_the_lines_of_a_customer_an_operator_and_an_action_are_found_and_the_look_is_a_line(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        desk = await looking(world)
        for asked in ({"banking_id": HONG.banking_id}, {"employee": "E2002"}, {"action": "console.customer-open"}):
            assert (await desk.send("/audit", WHY | asked)).status_code == 200
            assert "console.customer-open" in desk.page.partition('id="found"')[2], asked
            await desk.get("/audit")
        by = [facts["by"] for _, facts in await world.audit("console.audit-look")]
        assert sorted(by) == ["action", "operator", "subject"]

    told(tmp_path, story)


def test_an_id_that_nobody_has_finds_nothing_and_says_no_more(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        desk = await looking(world)
        assert (await desk.send("/audit", WHY | {"banking_id": "nobody99"})).status_code == 200
        assert "맞는 기록이 없습니다" in desk.page

    told(tmp_path, story)


def test_G4_without_a_reason_or_with_numbers_in_it_nothing_is_shown(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        desk = await looking(world)
        wrong = (
            {"reason": ""},
            {"note": "왜"},
            {"note": "010 8513 1234 고객"},
            {"banking_id": ""},
            {"action": "login%"},
        )
        for changed in wrong:
            assert (await desk.send("/audit", WHY | {"banking_id": HONG.banking_id} | changed)).status_code == 422
            assert 'id="found"' not in desk.page
        assert await world.audit("console.audit-look") == []

    told(tmp_path, story)


def test_a_clerk_does_not_look(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        clerk = await world.signed_in("clerk")
        assert (await clerk.get("/audit")).status_code == 403
        assert (await (await world.signed_in("auditor")).get("/audit")).status_code == 200

    told(tmp_path, story)
