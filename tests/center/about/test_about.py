"""공동인증서란? tells kinds, fees, the loss report and where to read on (flows.md W2)."""

from __future__ import annotations

import asyncio

import httpx2
import pytest
from tests.page import gallery

from ingam.page import set_up_log


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
