"""도움말: every code has an anchor and can be found by its words; a failure page leads to its own."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.center.world import World, told

from ingam.center.about.web import entries
from ingam.kernel import words


@pytest.mark.parametrize("lang", words.LANGUAGES)
def test_every_code_is_there_once_and_no_hole_of_its_text_is_left(lang: str) -> None:
    found = entries(lang)
    codes = [one.code for one in found]
    assert codes == sorted(set(codes))
    assert {f"refusal.{code}" for code in codes} == {key for key in words.table(lang) if key.startswith("refusal.")}
    assert not [one.code for one in found if "{" in one.text]


def test_a_code_is_found_by_itself_and_by_its_words_and_a_failure_leads_to_it(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        browser = world.browser()
        page = (await browser.get("/help/codes")).text
        assert 'id="cert-expired"' in page and 'id="not-found"' in page
        page = (await browser.get("/help/codes?q=cert-expired")).text
        assert 'id="cert-expired"' in page and 'id="not-found"' not in page
        page = (await browser.get("/help/codes?q=만료된 인증서")).text
        assert 'id="cert-expired"' in page
        page = (await browser.get("/help/codes?q=<b>nothing</b>")).text
        assert "<b>nothing" not in page and "찾는 코드가 없습니다" in page
        assert 'href="/help/codes#not-found"' in (await browser.get("/no-such-page")).text
        assert "signCert.der" in (await browser.get("/help")).text

    told(sqlite_url, tmp_path, story)
