"""공동인증서란? tells kinds, fees, the loss report and where to read on (flows.md W2)."""

from __future__ import annotations

import asyncio
from pathlib import Path

import httpx2
import pytest
from tests.center.registration.world import SettableClock, Statuses, authorities
from tests.center.world import World, told
from tests.page import gallery

from ingam.customer.binding.proof import Prover
from ingam.page import set_up_log
from ingam.ports.customers import CustomerKind


def read(path: str, lang: str) -> str:
    set_up_log()

    async def go() -> str:
        transport = httpx2.ASGITransport(app=gallery.app())
        async with httpx2.AsyncClient(transport=transport, base_url="http://localhost:8700") as client:
            return (await client.get(path, headers={"Cookie": f"lang={lang}"})).text

    return asyncio.run(go())


def test_the_kinds_their_fees_and_what_can_be_registered_here_are_told() -> None:
    text = read("/about", "ko")
    for word in ("증권용", "범용", "은행용", "개인 4,400원 / 법인 110,000원", "등록 가능", "등록할 수 없음"):
        assert word in text, word
    assert "은행에서 발급받은 인증서의 경우에는 범용 공동인증서만 인증서 등록이 가능합니다." in text


@pytest.mark.parametrize("lang", ["ko", "en"])
def test_a_loss_is_reported_to_118_and_the_authority_is_linked(lang: str) -> None:
    text = read("/about", lang)
    assert 'id="loss"' in text and "118" in text
    assert 'href="http://www.signkorea.co.kr"' in text


@pytest.mark.parametrize("path", ["/inquiry"])
@pytest.mark.parametrize("lang", ["ko", "en"])
def test_a_menu_that_comes_later_says_so_and_takes_nothing(path: str, lang: str) -> None:
    text = read(path, lang)
    assert (
        "아직 아무것도 접수하거나 저장하지 않습니다." if lang == "ko" else "Nothing is accepted or stored here yet."
    ) in text
    assert text.count("<form") == text.count('action="/language"')


def test_a_new_issue_is_warned_of_where_it_is_offered() -> None:
    assert "새로 발급할 때 기존 인증서가 폐지됩니다" in read("/issuance", "ko")


def test_A9_which_certificates_each_kind_of_customer_may_register_is_the_centers_own_word(
    sqlite_url: str, tmp_path: Path
) -> None:
    async def story(world: World) -> None:
        text = (await world.browser().get("/about")).text.partition('id="accepted"')[2].partition('id="validity"')[0]
        assert "코스콤: 범용(개인), 증권/보험용" in text and "코스콤: 범용(법인), 증권/보험용(법인)" in text
        assert "금융결제원" not in text  # an authority that this center does not trust

    told(sqlite_url, tmp_path, story)


class Approved:
    """Two operators withdrew 증권용 of persons."""

    def takes(self, authority: str, oid: str | None) -> bool:
        """All but one."""
        return (authority, oid) != ("signkorea", "1.2.410.200004.5.1.1.9")

    def trusts(self, fingerprint: bytes) -> bool:
        """Everybody."""
        return bool(fingerprint)


def test_G2_what_was_withdrawn_is_told_to_nobody() -> None:
    prover = Prover(authorities(), Statuses(SettableClock()), Approved())
    told = {kind: [row.name_ko for row in prover.accepted(kind)] for kind in CustomerKind}
    assert told[CustomerKind.PERSONAL] == told[CustomerKind.UNION_HEAD] == ["범용(개인)"]
    assert told[CustomerKind.CORPORATE] == ["범용(법인)", "증권/보험용(법인)"]
