"""A masked field is shown one at a time, for a reason, in words without numbers, a few a day, and written down (G4)."""

from __future__ import annotations

from pathlib import Path

from tests.console.world import HONG, Desk, World, told

from ingam.customer.masking import mask_phone

WHY = {"field": "mobile", "reason": "callback", "note": "고객이 다시 전화를 부탁했습니다"}
HERE = f"/customers/{HONG.customer_id}/fields"


async def opened(world: World, who: str = "other-clerk") -> Desk:
    """The desk of an operator who has opened the customer with a reason."""
    desk = await world.signed_in(who)
    await desk.get("/desk")
    answer = await desk.send("/desk", {"banking_id": HONG.banking_id, "reason": "counter"})
    assert answer.status_code == 303, desk.text
    await desk.get(HERE)
    return desk


def test_G4_a_search_gives_masked_fields_and_one_is_unmasked_for_a_reason(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        desk = await opened(world)
        await desk.get(f"/customers/{HONG.customer_id}")
        for page in (desk.page, (await desk.get(HERE)).text):
            assert mask_phone(HONG.mobile) in page
            assert not any(clear in page for clear in (HONG.name, HONG.idn.reveal(), HONG.mobile))
        answer = await desk.send(HERE, WHY)
        assert answer.status_code == 200 and HONG.mobile in desk.page and HONG.idn.reveal() not in desk.page
        assert "no-store" in answer.headers["cache-control"]
        await desk.get(HERE)
        assert HONG.mobile not in desk.page
        ((result, facts),) = await world.audit("console.field-unmask")
        assert result == "ok" and facts["field"] == "mobile" and facts["reason"] == "callback"
        assert facts["operator"] == "E2002" and facts["note"] == WHY["note"]

    told(tmp_path, story)


REFUSED = (
    ({"note": ""}, "unmask-form"),
    ({"reason": "curiosity"}, "unmask-form"),
    ({"field": "password_hash"}, "unmask-form"),
    ({"note": "751005-2123456 확인"}, "unmask-note"),
    ({"note": "고객 번호 010 8513 1234"}, "unmask-note"),
    ({"note": "계좌 １２３４５６７８９０ 확인"}, "unmask-note"),
    ({"note": "hong@example.test 확인"}, "unmask-note"),
)


def test_G4_no_reason_or_a_note_with_numbers_shows_nothing(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        desk = await opened(world)
        for changed, code in REFUSED:
            assert (await desk.send(HERE, WHY | changed)).status_code == 422
            assert HONG.mobile not in desk.page
            assert f'"code": "{code}"' in world.log.getvalue().splitlines()[-1]
        assert await world.audit("console.field-unmask") == []

    told(tmp_path, story)


def test_G4_a_days_ceiling_ends_it_and_alarms_the_officers(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        desk = await opened(world)
        for _ in range(2):
            assert (await desk.send(HERE, WHY)).status_code == 200
        assert (await desk.send(HERE, WHY)).status_code == 429 and HONG.mobile not in desk.page
        officer = await world.signed_in("security")
        await officer.get("/")
        assert "가린 항목을 모두" in officer.text
        clerk = await world.signed_in("clerk")
        await clerk.get("/")
        assert "오늘의 알림" not in clerk.text
        world.clock.forward(24 * 3600 + 1)
        again = await opened(world)
        assert (await again.send(HERE, WHY)).status_code == 200

    told(tmp_path, story, unmaskings_a_day=2)


def test_G4_nobody_sees_a_field_of_a_customer_whom_they_did_not_open(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        desk = await world.signed_in("other-clerk")
        await desk.get("/")
        assert (await desk.send(HERE, WHY)).status_code == 422 and HONG.mobile not in desk.page
        auditor = await world.signed_in("auditor")
        await auditor.get("/")
        assert (await auditor.send(HERE, WHY)).status_code == 403

    told(tmp_path, story)


def test_G4_a_days_look_ups_end_as_well_and_alarm_the_officers(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        desk = await world.signed_in("other-clerk")
        await desk.get("/desk")
        form = {"banking_id": HONG.banking_id, "reason": "counter"}
        assert [(await desk.send("/desk", form)).status_code for _ in range(3)] == [303, 303, 429]
        auditor = await world.signed_in("auditor")
        await auditor.get("/")
        assert "고객 조회를 모두" in auditor.text

    told(tmp_path, story, searches_a_day=2)
