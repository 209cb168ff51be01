"""The installable web app: its manifest, icons, page without a network, and the service worker's rules and end."""

from __future__ import annotations

import io
import json
import re
import struct
import zlib
from dataclasses import dataclass, fields

import pytest
from tests.page import gallery
from tests.page.test_shell import SOMEBODY, ask

from ingam.page import Bundle, set_up_log
from ingam.page.icon import icon
from ingam.run.service_page import service_app
from ingam.settings import Settings

WORKER = "/static/service-worker.js"
HASHED = re.compile(r"/static/[\w.-]+-[0-9A-F]{8}\.\w+")


@dataclass(frozen=True)
class Switched(Settings):
    """Settings with the switch of the service worker."""

    service_worker: bool = True


@pytest.fixture(autouse=True)
def log() -> io.StringIO:
    stream = io.StringIO()
    set_up_log(stream)
    return stream


def linked(text: str, rel: str) -> str:
    found = re.search(rf'<link rel="{rel}"[^>]*href="([^"]+)"', text)
    assert found is not None
    return found[1]


def switched(on: bool) -> Settings:
    given = {one.name: getattr(Settings(mode="test"), one.name) for one in fields(Settings)}
    return Switched(**given | {"service_worker": on})


def test_the_manifest_is_a_hash_named_file_of_this_origin_with_icons_that_are_there() -> None:
    made = gallery.app()
    page = ask(made, "GET", "/about").text
    address = linked(page, "manifest")
    assert HASHED.fullmatch(address)
    answer = ask(made, "GET", address)
    assert answer.headers["content-type"] == "application/manifest+json"
    told = answer.json()
    assert (told["start_url"], told["scope"], told["display"], told["id"]) == ("/", "/", "standalone", "/")
    assert told["name"] == "증권금융 우리사주뱅킹" and told["short_name"] == "우리사주뱅킹"
    assert {one["url"] for one in told["shortcuts"]} == {"/issuance/new", "/cert-center"}
    for one in told["icons"]:
        body = ask(made, "GET", one["src"]).content
        assert f"{struct.unpack('>II', body[16:24])[0]}x{struct.unpack('>II', body[16:24])[1]}" == one["sizes"]
    assert {one["sizes"] for one in told["icons"]} == {"192x192", "512x512"}
    assert "maskable" in {one["purpose"] for one in told["icons"]}
    assert ask(made, "GET", linked(page, "apple-touch-icon")).headers["content-type"] == "image/png"


def test_an_icon_is_a_whole_png_and_an_institutions_own_mark_gets_a_plain_seal() -> None:
    for size, maskable in ((180, False), (192, False), (512, True)):
        body = icon(size, maskable=maskable)
        assert body.startswith(b"\x89PNG\r\n\x1a\n") and body.endswith(b"IEND\xaeB`\x82")
        at = body.index(b"IDAT")
        rows = zlib.decompress(body[at + 4 : at + 4 + struct.unpack(">I", body[at - 4 : at])[0]])
        assert len(rows) == size * (size + 1)
        # 0 is the seal's red, 255 the paper: a mask may cut everything but the middle, so its corners are red.
        assert rows[1] == (0 if maskable else 255)
    assert icon(192) != icon(192, "社")


def test_B13_the_worker_keeps_hash_named_files_only_and_the_page_without_a_network_is_one() -> None:
    made = gallery.app()
    answer = ask(made, "GET", WORKER)
    assert answer.headers["cache-control"] == "no-cache" and answer.headers["service-worker-allowed"] == "/"
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy and "connect-src 'self'" in policy and "script-src" not in policy
    first = answer.text.partition("\n")[0]
    kept = json.loads(first.removeprefix("const KEPT = "))
    assert kept["offline"] in kept["files"]
    ours = [one for one in kept["files"] if HASHED.fullmatch(one)]
    assert {one.rpartition("-")[0] for one in ours} >= {"/static/institution", "/static/icon-192", "/static/offline"}
    for one in kept["files"]:
        found = ask(made, "GET", one)
        assert found.status_code == 200 and "immutable" in found.headers["cache-control"]
        assert "set-cookie" not in found.headers


def test_B13_the_page_without_a_network_says_so_in_both_languages_and_knows_nobody() -> None:
    made = gallery.app(SOMEBODY)
    kept = json.loads(ask(made, "GET", WORKER).text.partition("\n")[0].removeprefix("const KEPT = "))
    text = ask(made, "GET", kept["offline"]).text
    assert "인터넷에 연결되어 있지 않습니다" in text and "not connected to the internet" in text
    assert "홍길동" not in text and "<script" not in text and "csrf" not in text and "style=" not in text


def test_B13_the_kill_switch_serves_a_worker_that_answers_nothing_and_goes() -> None:
    made = gallery.app(settings=switched(on=False))
    text = ask(made, "GET", WORKER).text
    assert "unregister()" in text and "caches.delete" in text and "'fetch'" not in text
    assert 'data-service-worker="off"' in ask(made, "GET", "/about").text
    assert 'data-service-worker="on"' in ask(gallery.app(settings=switched(on=True)), "GET", "/about").text


def test_B13_no_other_process_has_a_worker_or_a_manifest() -> None:
    settings = Settings(mode="test")
    base = f"http://localhost:{settings.port('console')}"
    made = service_app(settings, "console", Bundle.empty())
    assert ask(made, "GET", WORKER, base=base).status_code == 404
    page = ask(made, "GET", "/", base=base)
    assert "data-service-worker" not in page.text and "manifest" not in page.text
    policy = page.headers["content-security-policy"]
    assert "trusted-types 'none'" in policy and "worker-src" not in policy and "manifest-src" not in policy
