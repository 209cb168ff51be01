"""1회용 인증번호: shown once, at the own branch, never for oneself, void and re-issued, listed by day (E10)."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path

import pytest
from tests.center.registration.test_heads import SECOND, UNION
from tests.console.world import FIRM, HONG, KIM, Desk, World, told

from ingam.adapters.customers.tables import TableCustomers
from ingam.customer.additional_auth import Purpose
from ingam.customer.additional_auth.branch import BranchNumbers, BranchNumberSpent, BranchNumberWrong
from ingam.customer.additional_auth.proof import Bound
from ingam.customer.availability import Way
from ingam.customer.availability.setting import Switch, switch
from ingam.customer.notice import Sender
from ingam.kernel.secret import Secret
from ingam.ports.customers import Customer, NewCustomer
from ingam.ports.store import Save
from ingam.settings import Institution, Limits

WANTED = {"purpose": "registration", "card": "resident"}


async def issue(desk: Desk, customer: Customer = KIM, **fields: str) -> str:
    """The digits that the clerk's screen shows."""
    await desk.get(f"/customers/{customer.customer_id}/number")
    await desk.send(f"/customers/{customer.customer_id}/number", WANTED | fields | {"once": once(desk)})
    found = re.search(r'class="slip-number"[^>]*>([0-9]{4})<[^>]*> </span>([0-9]{4})<', desk.page)
    assert found is not None, desk.text
    return found[1] + found[2]


def once(desk: Desk) -> str:
    found = re.search(r'name="once" value="([0-9a-f]+)"', desk.page)
    assert found is not None
    return found[1]


def center(world: World) -> BranchNumbers:
    """The same numbers, as the center asks about them."""
    return BranchNumbers(world.ports.store, world.clock, world.ports.digests, Limits(), Sender(Institution()))


async def use(world: World, code: str, purpose: Purpose = Purpose.REGISTRATION, customer: Customer = KIM) -> None:
    """The customer types the number at the center."""
    bound = Bound(customer.customer_id, purpose, "flow-1", "0" * 64)
    made = await center(world).verify(customer, bound, Secret(code))
    await world.ports.store.save(Save(ledger=made.ledger, rows=made.rows, resets=made.resets))


def test_E10_a_clerk_issues_a_number_the_customer_uses_it_once_and_the_second_use_fails(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        desk = await world.at_customer(KIM)
        code = await issue(desk)
        assert "여의도지점" in desk.text and "타기관인증서등록" in desk.text and "한 번만 보입니다" in desk.text
        await use(world, code)
        with pytest.raises(BranchNumberWrong):
            await use(world, code)
        await desk.get("/numbers")
        assert "사용함" in desk.text and "김*권" in desk.text and code not in desk.page
        ((result, facts),) = await world.audit("console.number-issue")
        assert (result, facts["card"], facts["purpose"]) == ("ok", "resident", "registration")

    told(tmp_path, story)


def test_E10_the_number_names_person_and_purpose_and_the_customer_is_told(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        desk = await world.at_customer(KIM)
        code = await issue(desk, purpose="copy-out")
        with pytest.raises(BranchNumberWrong):
            await use(world, code, Purpose.REGISTRATION)
        with pytest.raises(BranchNumberWrong):
            await use(world, code, Purpose.COPY_OUT, FIRM)
        await use(world, code, Purpose.COPY_OUT)
        (message,) = await world.ports.store.claim(world.clock.now(), 60, 10)
        text = message.payload.decode()
        assert "여의도지점" in text and code not in text

    told(tmp_path, story)


def test_E10_nobody_issues_for_their_own_record(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        # The clerk E2001 is the customer HONG.
        desk = await world.at_customer(HONG)
        path = f"/customers/{HONG.customer_id}/number"
        for answer in (await desk.get(path), await desk.send(path, WANTED | {"once": "0"})):
            assert answer.status_code == 422 and "slip-number" not in answer.text
        assert await world.rows("branch_number") == []
        assert {result for result, _ in await world.audit("console.number-issue")} == {"branch-number-own"}
        other = await world.at_customer(HONG, "other-clerk")
        assert await issue(other, HONG)

    told(tmp_path, story)


def test_E10_the_number_is_shown_once_and_kept_nowhere(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        desk = await world.at_customer(KIM)
        path = f"/customers/{KIM.customer_id}/number"
        await desk.get(path)
        form = WANTED | {"once": once(desk)}
        answer = await desk.send(path, form)
        assert answer.headers["cache-control"] == "no-store"
        code = "".join(re.findall(r'aria-label="([0-9 ]{15})"', desk.page)[0].split())
        again = await desk.send(path, form)  # the browser's own "again"
        assert again.status_code == 422 and "다시 보이지 않습니다" in again.text
        assert len(await world.rows("branch_number")) == 1
        kept = b"".join(one.read_bytes() for one in tmp_path.rglob("*") if one.is_file())
        assert code.encode() not in kept and code not in world.log.getvalue()

    told(tmp_path, story)


def test_a_newer_number_and_a_voided_one_are_worth_nothing(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        desk = await world.at_customer(KIM)
        first, second = await issue(desk), await issue(desk)
        with pytest.raises(BranchNumberWrong):
            await use(world, first)
        (live,) = [row for row in await world.rows("branch_number") if row["state"] == "issued"]
        await desk.get("/numbers")
        await desk.follow(await desk.send(f"/numbers/{live['number_id']!s}/void"))
        assert "무효로" not in desk.text and desk.text.count("무효") == 2
        with pytest.raises(BranchNumberWrong):
            await use(world, second)
        third = await issue(desk)
        await use(world, third)
        await desk.send(f"/numbers/{live['number_id']!s}/void")
        assert len(await world.audit("console.number-void")) == 1

    told(tmp_path, story)


def test_another_branch_neither_sees_nor_voids_a_number(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        await issue(await world.at_customer(KIM))
        (row,) = await world.rows("branch_number")
        other = await world.signed_in("other-clerk")
        await other.get("/numbers")
        assert "김*권" not in other.text
        answer = await other.send(f"/numbers/{row['number_id']!s}/void")
        assert answer.status_code == 422 and "다른 지점" in answer.text
        assert (await other.send("/numbers/none/void")).status_code == 404
        assert (await world.rows("branch_number"))[0]["state"] == "issued"

    told(tmp_path, story)


def test_without_an_identity_card_a_purpose_or_an_opening_there_is_no_number(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        desk = await world.at_customer(KIM)
        path = f"/customers/{KIM.customer_id}/number"
        for wrong in ({"card": ""}, {"purpose": "everything"}):
            await desk.get(path)
            answer = await desk.send(path, WANTED | wrong | {"once": once(desk)})
            assert answer.status_code == 422 and "신분증을 골라" in answer.text
        assert (await desk.get(f"/customers/{FIRM.customer_id}/number")).status_code == 422
        for who in ("security", "auditor", "administrator"):
            assert (await (await world.signed_in(who)).get(path)).status_code == 403
        assert await world.rows("branch_number") == []

    told(tmp_path, story)


def test_a_way_that_is_off_issues_no_number_and_says_why(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        off = Switch(Way.BRANCH_OTP, True, "발급을 점검하고 있습니다.", "Issuing is being checked.")
        await world.ports.store.save(Save(rows=await switch(world.ports.store, off, "E1001", world.clock.now())))
        desk = await world.at_customer(KIM)
        path = f"/customers/{KIM.customer_id}/number"
        await desk.get(path)
        assert off.reason_ko in desk.text
        answer = await desk.send(path, WANTED | {"once": once(desk)})
        assert answer.status_code == 503 and off.reason_ko in answer.text
        assert await world.rows("branch_number") == []

    told(tmp_path, story)


def test_E3_wrong_numbers_are_counted_over_all_of_them_until_a_branch_releases_the_count(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        desk = await world.at_customer(KIM)
        code = await issue(desk)
        wrong = f"{(int(code) + 1) % 10**8:08d}"
        for _ in range(4):
            with pytest.raises(BranchNumberWrong):
                await use(world, wrong)
        with pytest.raises(BranchNumberSpent):
            await use(world, wrong)
        with pytest.raises(BranchNumberSpent):
            await use(world, code)
        await desk.get(f"/customers/{KIM.customer_id}")
        assert "1회용 인증번호 오류 5 / 5 막힘" in desk.text
        await desk.send(f"/customers/{KIM.customer_id}/unlock", {"lock": ["branch-wrong"]})
        await use(world, code)

    told(tmp_path, story)


def test_a_number_lives_a_day(tmp_path: Path) -> None:
    async def story(world: World) -> None:
        code = await issue(await world.at_customer(KIM))
        world.clock.at += timedelta(days=1)
        with pytest.raises(BranchNumberWrong):
            await use(world, code)

    told(tmp_path, story)


def test_E10_of_a_union_with_several_heads_the_clerk_says_whose_card_it_was_and_that_head_is_told(
    tmp_path: Path,
) -> None:
    async def story(world: World) -> None:
        customers = world.ports.customers
        assert isinstance(customers, TableCustomers)
        customers._heads = 2
        await customers.enrol(NewCustomer(UNION, Secret("correct horse")))
        await customers.add_head(UNION, SECOND)
        desk = await world.at_customer(UNION)
        path = f"/customers/{UNION.customer_id}/number"
        await desk.get(path)
        assert "김*째" in desk.text and "이*합" in desk.text
        answer = await desk.send(path, WANTED | {"once": once(desk)})
        assert answer.status_code == 422 and await world.rows("branch_number") == []
        await issue(desk, UNION, head="2")
        (row,) = await world.rows("branch_number")
        assert row["slot"] == 2
        ((_, facts),) = [one for one in await world.audit("console.number-issue") if one[0] == "ok"]
        assert facts["head"] == 2
        (message,) = await world.ports.store.claim(world.clock.now(), 60, 10)
        assert SECOND.mobile in message.payload.decode()

    told(tmp_path, story)
