"""타기관인증서등록 from ① to ④ over HTTP, with real bytes everywhere but outside."""

from __future__ import annotations

import asyncio
from pathlib import Path

from tests.center.registration.world import opened, party


def test_a_customer_registers_a_certificate_from_the_first_screen_to_the_last(sqlite_url: str, tmp_path: Path) -> None:
    async def go() -> None:
        async with opened(sqlite_url, tmp_path) as world:
            browser = await world.browser()
            page = await browser.get()
            assert "증권금융 인터넷뱅킹 ID" in page
            page = await browser.identify()
            assert "751005-2******" in page and "010-8513" in page
            page = await browser.request_code()
            assert "인증번호를 보냈습니다" in page
            page = await browser.prove()
            assert "data-certificate-window" in page
            page = await browser.register(party())
            assert "고객님의 인증서 등록이 완료 되었습니다." in page, page

    asyncio.run(go())
