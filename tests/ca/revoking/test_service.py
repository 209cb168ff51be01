"""Ending, holding and releasing: what the books, the list and the person hear of it, and what time does by itself."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from tests.ca.revoking.test_statement import NOW, OPERATORS, STATED, signed
from tests.ca.world import HONG, KIM, World, by_code, enrolled, held, only_certificate, request, vid_of, world

from ingam.ca import notices
from ingam.ca.issuing.service import CONFIRM_WITHIN
from ingam.ca.revoking.service import ON_BEHALF_AN_HOUR, CertificateUnknown, OnBehalfCeiling, six_months_before
from ingam.ca.revoking.statement import Statement, StatementRefused
from ingam.kernel.instants import KST
from ingam.npki import certificate
from ingam.ports.books import Certificate, StandingRefused, State

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
async def ca(tmp_path: Path) -> AsyncIterator[World]:
    made = world(tmp_path)
    made.clock.at = NOW
    yield made
    await made.shut()


async def issued(ca: World, key: int = 3) -> Certificate:
    return ca.revoking.find(1, certificate.parse(await enrolled(ca, key=key)).serial)


def told(ca: World) -> list[str]:
    """The texts of the notices that wait."""
    return [notices.opened(ca.office, one).text for _, one in ca.books.notices(ca.clock.now() + timedelta(days=400))]


async def test_a_revocation_is_in_books_list_log_and_the_persons_phone(ca: World) -> None:
    one = await issued(ca)
    leaves = ca.books.size()
    ended = await ca.revoking.revoke(one, 1, by="operator")
    assert (ended.state, ended.reason, ended.changed_at) == (State.REVOKED, 1, NOW)
    assert len(next(ca.books.entries(1, one.partition, NOW))) == 1
    assert ca.books.size() == leaves + 1
    assert "폐지되었습니다" in told(ca)[-1]


async def test_what_ended_does_not_end_again(ca: World) -> None:
    one = await issued(ca)
    await ca.revoking.revoke(one, 1, by="operator")
    with pytest.raises(StandingRefused):
        await ca.revoking.revoke(one, 1, by="operator")
    with pytest.raises(StandingRefused):
        await ca.revoking.suspend(one, by="operator")


async def test_a_held_one_is_resumed_with_the_same_end_date(ca: World) -> None:
    one = await issued(ca)
    assert (await ca.revoking.suspend(one, by="holder")).reason == 6
    ca.clock.forward(86_400 * 30)
    back = await ca.revoking.resume(ca.revoking.find(1, one.serial), by="registrar")
    assert (back.state, back.reason, back.not_after) == (State.VALID, None, one.not_after)
    assert list(ca.books.entries(1, one.partition, NOW)) == []
    assert [("정지" in text, "회복되었습니다" in text) for text in told(ca)[-2:]] == [(True, False), (False, True)]


async def test_after_six_months_a_hold_cannot_be_resumed_and_is_swept_away(ca: World) -> None:
    one = await issued(ca)
    await ca.revoking.suspend(one, by="holder")
    ca.clock.at = datetime(2027, 5, 26, 8, 59, 59, tzinfo=UTC)
    assert await ca.revoking.sweep() == 0
    ca.clock.at = datetime(2027, 5, 26, 9, 0, 0, tzinfo=UTC)
    with pytest.raises(StandingRefused):
        ca.revoking.resumption(ca.revoking.find(1, one.serial), by="registrar")
    assert await ca.revoking.sweep() == 1
    assert ca.revoking.find(1, one.serial).state is State.REVOKED
    assert await ca.revoking.sweep() == 0


@pytest.mark.parametrize(
    ("day", "before"),
    [((2026, 11, 26), (2026, 5, 26)), ((2026, 8, 31), (2026, 2, 28)), ((2028, 8, 31), (2028, 2, 29)),
     ((2026, 3, 1), (2025, 9, 1)), ((2026, 6, 30), (2025, 12, 30))],
)  # fmt: skip
def test_six_months_are_calendar_months_in_korea(day: tuple[int, int, int], before: tuple[int, int, int]) -> None:
    at = datetime(*day, 0, 30, tzinfo=KST)
    assert six_months_before(at).astimezone(KST) == datetime(*before, 0, 30, tzinfo=KST)


async def test_an_unconfirmed_one_is_given_up_and_the_old_one_stands(ca: World) -> None:
    old = await issued(ca)
    holder = by_code(ca, await ca.register("securities", HONG))
    new = certificate.parse(
        only_certificate(await ca.ask(holder.compose(request(held("hong", 4), encrypted=vid_of(ca)))))
    )
    ca.clock.forward(CONFIRM_WITHIN.total_seconds() - 1)
    assert await ca.revoking.sweep() == 0
    ca.clock.forward(1)
    assert await ca.revoking.sweep() == 1
    assert ca.revoking.find(1, new.serial).state is State.REVOKED
    assert ca.revoking.find(1, old.serial).state is State.VALID


async def test_a_serial_that_was_never_issued_is_refused(ca: World) -> None:
    with pytest.raises(CertificateUnknown):
        ca.revoking.find(1, 12345)


async def test_D14_two_operators_end_it_and_the_audit_line_names_them(ca: World) -> None:
    one = await issued(ca)
    text = Statement("ingam", 1, one.serial, "cessationOfOperation", "death", NOW).text()
    ended = await ca.revoking.on_behalf(text, signed(text, "han", "seo"), OPERATORS)
    assert (ended.state, ended.reason) == (State.REVOKED, 5)
    assert ca.books.audited("revoke-on-behalf", NOW) == 1


async def test_D14_a_refused_statement_revokes_nothing_and_leaves_a_line(ca: World) -> None:
    one = await issued(ca)
    text = Statement("ingam", 1, one.serial, "cessationOfOperation", "death", NOW).text()
    with pytest.raises(StatementRefused):
        await ca.revoking.on_behalf(text, signed(text, "han"), OPERATORS)
    assert ca.revoking.find(1, one.serial).state is State.VALID
    assert ca.books.audited("revoke-on-behalf", NOW) == 1


async def test_D14_a_statement_about_nobody_revokes_nobody(ca: World) -> None:
    text = STATED.text()
    with pytest.raises(CertificateUnknown):
        await ca.revoking.on_behalf(text, signed(text, "han", "seo"), OPERATORS)


async def test_D14_many_in_an_hour_meet_a_ceiling_and_raise_the_alarm(ca: World) -> None:
    one = await issued(ca)
    await enrolled(ca, KIM, key=4)
    text = Statement("ingam", 1, one.serial, "cessationOfOperation", "death", NOW).text()
    for _ in range(ON_BEHALF_AN_HOUR):
        with pytest.raises(StatementRefused):
            await ca.revoking.on_behalf(text, [], OPERATORS)
    with pytest.raises(OnBehalfCeiling):
        await ca.revoking.on_behalf(text, signed(text, "han", "seo"), OPERATORS)
    assert ca.revoking.alarms == 1
    assert ca.revoking.find(1, one.serial).state is State.VALID
    ca.clock.forward(3601)
    await ca.revoking.on_behalf(text, signed(text, "han", "seo"), OPERATORS)
    assert ca.revoking.find(1, one.serial).state is State.REVOKED
