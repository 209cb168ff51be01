"""인증서관리: what is registered, 해제, 폐지 and 효력정지 (flows.md W4, W7; security E1, F5)."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from tests.center.management.manager import TASK, Authority, Manager, manager
from tests.center.world import KIM, World, party, told

SERIAL = party().certificate.serial


def test_whoever_is_not_logged_in_reads_what_can_be_done(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        one = await manager(world)
        visitor = world.browser()
        page = (await visitor.get("/management")).text
        assert "로그인하면 등록된 인증서와" in page and "/incident" in page
        for kind in ("release", "revocation", "suspension"):
            assert f"/login?then=/management/{kind}" in (await visitor.get(f"/management/{kind}")).text
        assert (await visitor.get(TASK)).status_code == 303
        page = await one.look("/management")
        assert "정상" in page and "증권/보험용" in page

    told(sqlite_url, tmp_path, story)


def test_F5_a_release_is_proved_signed_told_and_history(store_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        one = await manager(world)
        other = world.browser()
        await other.present(party())
        page = await one.begin_task("release")
        assert "타기관인증서 해제" in page and "본인확인 추가인증" in page
        page = await one.prove()
        assert "SHA-256" in page and party().certificate.fingerprint.hex() in page
        page = await one.finish(**await one.signature())
        assert "타기관인증서를 해제했습니다." in page and await one.statuses() == ["RELEASED"]
        assert (await other.get("/loan")).status_code == 303  # whoever came in by the certificate is out
        assert any("해제했습니다" in text for text in await one.heard())
        (line,) = [row for row in await world.rows("audit") if row["action"] == "management.release"]
        assert '"certificate"' in str(line["facts"]) and line["result"] == "ok"
        assert "등록을 해제했습니다" in await one.look("/management")

    told(store_url, tmp_path, story)


def test_F5_whoever_lost_the_keys_releases_by_the_additional_authentication(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        one = await manager(world)
        await one.begin_task("release")
        assert "추가인증만으로 해제하기" in await one.prove()
        assert "해제했습니다." in await one.finish()
        (line,) = [row for row in await world.rows("audit") if row["action"] == "management.release"]
        assert '"none"' in str(line["facts"])

    told(sqlite_url, tmp_path, story)


@pytest.mark.parametrize("kind", ["release", "revocation"])
def test_E1_without_a_proof_nothing_ends(sqlite_url: str, tmp_path: Path, kind: str) -> None:
    async def story(world: World) -> None:
        one = await manager(world, Authority())
        await one.begin_task(kind, reason="unused")
        await one.finish()
        assert await one.statuses() == ["ACTIVE"]
        await one.look(TASK)
        await one.prove()
        world.clock.forward(301)  # the five minutes of the proof
        await one.finish()
        assert await one.statuses() == ["ACTIVE"] and "시간" in await one.look(TASK)

    told(sqlite_url, tmp_path, story)


@pytest.mark.parametrize(("reason", "number"), [("key", 1), ("facts", 3), ("unused", 5)])
def test_a_revocation_ends_the_binding_and_asks_the_authority_once(
    sqlite_url: str, tmp_path: Path, reason: str, number: int
) -> None:
    async def story(world: World) -> None:
        authority = Authority()
        one = await manager(world, authority)
        await one.begin_task("revocation", reason=reason)
        assert "폐지하면 되돌릴 수 없습니다. 이전에 한 서명은 효력이 유지됩니다." in await one.prove()
        before = one.page
        assert "폐지했습니다." in await one.finish() and await one.statuses() == ["STALE"]
        one.browser.page = before
        await one.finish()  # pressed twice
        authority.down = True
        assert any("폐지했습니다" in text for text in await one.heard())
        authority.down = False
        world.clock.at += timedelta(minutes=2)
        assert await one.heard() == [] and authority.asked == [(SERIAL, number)]
        assert await world.results("management.authority") == ["ok"]

    told(sqlite_url, tmp_path, story)


def test_what_the_authority_refuses_stands_in_the_audit(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        one = await manager(world, Authority(refuses=True))
        await one.begin_task("revocation", reason="key")
        await one.prove()
        await one.finish()
        await one.heard()
        assert await world.results("management.authority") == ["certification-refused"]
        assert await one.statuses() == ["STALE"]

    told(sqlite_url, tmp_path, story)


def test_a_certificate_of_another_authority_is_revoked_there(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        one = await manager(world)
        page = await one.look("/management/revocation")
        assert "118(24시간)" in page and "/management/release" in page and "reason" not in page
        page = await one.begin_task("revocation", reason="key")
        assert "다른 기관에서 발급한 인증서입니다" in page and one.status == 422
        assert await one.statuses() == ["ACTIVE"]

    told(sqlite_url, tmp_path, story)


def test_while_the_authority_is_silent_nothing_is_revoked(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        one = await manager(world, Authority(down=True))
        assert "응답하지 않아" in await one.look("/management/revocation")
        await one.begin_task("revocation", reason="key")
        assert one.status == 503 and await one.statuses() == ["ACTIVE"]

    told(sqlite_url, tmp_path, story)


def test_a_reason_is_asked_for(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        one = await manager(world, Authority())
        assert "폐지 사유를 골라 주세요." in await one.begin_task("revocation")
        assert one.status == 422

    told(sqlite_url, tmp_path, story)


def test_a_suspension_is_quick_and_its_way_back_is_the_one_of_a_report(store_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        authority = Authority()
        one = await manager(world, authority)
        page = await one.begin_task("suspension")
        assert "정지할 인증서를 확인해 주세요" in page
        page = await one.finish()
        assert "정지했습니다. 6개월 안에 회복하지 않으면 자동으로 폐지됩니다." in page
        assert "/incident/resume" in page and await one.statuses() == ["SUSPENDED"]
        assert any("정지했습니다" in text for text in await one.heard()) and authority.asked == [(SERIAL, 6)]
        refused = await world.browser().present(party())
        assert "효력이 정지된" in refused.text
        await one.look("/incident/resume")
        await one.post("/incident/resume/begin")
        await one.post("/incident/resume/factor/request", {"method": "sms"})
        await one.heard()
        await one.post("/incident/resume/factor", one.proof())
        await one.post("/incident/resume/resume")
        await one.heard()
        assert await one.statuses() == ["ACTIVE"] and authority.asked[-1] == (SERIAL, 8)

    told(store_url, tmp_path, story)


def test_nobody_ends_somebody_elses_registration(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        one = await manager(world)
        (row,) = await world.rows("binding")
        stranger = Manager(world, world.browser(), who=KIM)
        await stranger.log_in()
        await stranger.look("/management/release")
        page = await stranger.post(f"{TASK}/begin", {"kind": "release", "binding": str(row["binding_id"])})
        assert "등록되어 있지 않습니다" in page and await one.statuses() == ["ACTIVE"]

    told(sqlite_url, tmp_path, story)


def test_leaving_gives_the_proof_up(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        one = await manager(world)
        await one.begin_task("release")
        await one.prove()
        await one.post(f"{TASK}/leave")
        assert await one.statuses() == ["ACTIVE"] and "하던 작업" not in await one.look("/management/release")

    told(sqlite_url, tmp_path, story)
