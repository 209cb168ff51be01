"""The pictures of the day are drawn from the audit's counts: right heights, right hours, nothing of anybody."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.console.world import KIM, World, told

from ingam.console.pictures.charts import HEIGHT, WIDTH, by_hour, ceiling, longest_first
from ingam.console.pictures.service import PicturesOfTheDay
from ingam.ports.store import Audit, Insert, Outgoing, Save


async def acted(world: World, action: str, result: str, times: int, hours_ago: int = 0) -> None:
    subject = world.ports.digests.digest("banking-id", KIM.banking_id)
    at = world.clock.now() - timedelta(hours=hours_ago)
    await world.ports.store.save(Save(audit=[Audit(at, action, result, subject, None, None) for _ in range(times)]))


def test_a_day_is_counted_by_hour_and_by_code(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        await acted(world, "registration.certificate", "ok", 3)
        await acted(world, "issuance.issued", "ok", 2, hours_ago=1)
        for action in ("finance.register", "issuance.reissued", "renewal.renewed", "renewal.renewed"):
            await acted(world, action, "ok", 1)
        for action in ("management.revocation", "revocation.on-behalf"):
            await acted(world, action, "ok", 1, hours_ago=1)
        await acted(world, "revocation.on-behalf", "revocation-refused", 1)
        await acted(world, "registration.factor", "sms-wrong", 4)
        await acted(world, "registration.certificate", "cert-expired", 1)
        await acted(world, "registration.certificate", "ok", 9, hours_ago=24)
        desk = await world.signed_in("clerk")
        await desk.get("/pictures")
        assert "등록 3 금융인증서 등록 1 발급 2 재발급 1 갱신 2 폐지 2 복사 0 로그인 0 실패 5" in desk.text
        assert desk.text.index("sms-wrong") < desk.text.index("cert-expired")
        assert (
            "19시 3 1 0 1 2 0" in desk.text and "18시 0 0 2 0 0 2" in desk.text
        )  # the test's clock stands at 19:00 in Korea
        assert desk.page.count("<rect") == 4 + 2
        await desk.get("/pictures?back=1")
        assert "등록 9" in desk.text and "실패가 없습니다" in desk.text
        for odd in ("-1", "x", "9999"):
            assert (await desk.get(f"/pictures?back={odd}")).status_code == 200

    told(tmp_path, story)


def test_outside_parties_are_shown_as_the_worst_that_any_process_saw_lately(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        now = world.clock.now()

        def seen(party: str, node: str, state: str, ago: int = 0) -> Insert:
            row = {"well_at": now, "failed_at": now if state == "failing" else None, "cause": "sms-outage/timeout"}
            at = now - timedelta(minutes=ago)
            return Insert("party_health", {"party": party, "node": node, "state": state, "told_at": at, **row})

        rows = [seen("sms", "a", "well"), seen("sms", "b", "failing"), seen("bank", "a", "failing", ago=61)]
        await world.ports.store.save(Save(rows=[*rows, seen("ars", "a", "well")]))
        desk = await world.signed_in("auditor")
        await desk.get("/pictures")
        assert "문자 응답 없음" in desk.text and "sms-outage/timeout" in desk.text
        assert "1원 이체 모름" in desk.text and "ARS 전화 정상" in desk.text and "주소 검색 모름" in desk.text

    told(tmp_path, story)


@given(st.lists(st.lists(st.integers(0, 10**6), min_size=24, max_size=24), min_size=1, max_size=3))
def test_every_bar_lies_inside_of_its_picture(series: list[list[int]]) -> None:
    chart = by_hour(series)
    assert len(chart.bars) == sum(1 for one in series for count in one if count)
    for bar in chart.bars:
        assert chart.left <= bar.x and bar.x + bar.width <= WIDTH
        assert bar.y >= 0 and bar.y + bar.height == chart.base <= HEIGHT and bar.width > 0


@pytest.mark.parametrize(
    ("most", "top"), [(0, 1), (1, 1), (2, 2), (3, 4), (5, 10), (10, 10), (11, 20), (21, 40), (41, 50), (99, 100)]
)
def test_the_scale_is_a_round_number_above_the_tallest_bar(most: int, top: int) -> None:
    assert ceiling(most) == top


def test_codes_are_ordered_by_how_often_they_were_met() -> None:
    rows = longest_first({"b": 5, "a": 5, "c": 10, "d": 0})
    assert [(row.code, row.length) for row in rows] == [("c", 100), ("a", 50), ("b", 50), ("d", 1)]


def test_what_waits_for_a_later_night_hides_nothing_of_what_is_due(tmp_path: Path) -> None:
    """Each registered finance certificate has two messages in the outbox that are due some night."""

    async def story(world: World) -> None:
        now = world.clock.now()
        later = [Outgoing("finance-look", b"{}", f"look:{one}", now + timedelta(days=1)) for one in range(1_000)]
        await world.ports.store.save(Save(outbox=later))
        due = [Outgoing("sms", b"{}", f"sms:{one}", now - timedelta(minutes=1)) for one in range(3)]
        await world.ports.store.save(Save(outbox=due))
        assert (await PicturesOfTheDay(world.ports.store, world.clock).of()).waiting == 3

    told(tmp_path, story)
