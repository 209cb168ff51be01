"""B5: no page of the center loads, frames or posts to anything but our own origins."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import urlsplit

from starlette.routing import Route
from tests.center.world import HONG, World, party, told

# A link that a person may follow leaves us; a source never does.
_LOADED = re.compile(
    r"<(?:script|link|img|iframe|form|source|object|embed|use)[^>]*?(?:src|href|action|data)=\"([^\"]*)\""
)


def test_B5_nothing_of_a_third_party_is_loaded_on_any_page(sqlite_url: str, tmp_path: Path) -> None:
    async def story(world: World) -> None:
        await world.bind(HONG, party())
        browser = world.browser()
        await browser.present(party())
        paths = [
            r.path
            for r in world.app.routes
            # Streams of events are no pages, and do not end.
            if isinstance(r, Route)
            and "GET" in (r.methods or ())
            and "{" not in r.path
            and not r.path.endswith("/events")
        ]
        assert len(paths) > 10
        for path in paths:
            answer = await browser.get(path)
            if not answer.headers.get("content-type", "").startswith("text/html"):
                continue
            for address in _LOADED.findall(answer.text):
                assert urlsplit(address).netloc in ("", "localhost:8701"), (path, address)
            scripts = [
                one for one in answer.headers["content-security-policy"].split("; ") if one.startswith("script-src")
            ]
            assert re.fullmatch(r"script-src 'self' 'nonce-[^']+'", scripts[0]), path

    told(sqlite_url, tmp_path, story)
