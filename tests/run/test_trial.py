"""`make run HTTPS=1 HOST=name`: every origin over TLS under the trial's own authority, and an honest front."""

from __future__ import annotations

import asyncio
import http.client
import json
import ssl
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.request import urlopen

import httpx2
import pytest
from tests.run import over_tls
from tests.run.over_tls import Running
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus
from websockets.typing import Origin

from ingam.run import demo, tls, trial
from ingam.run.trial import FRONTED, Front, Trial, Way
from ingam.settings import read


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """The whole demo over TLS."""
    with over_tls.running(tmp_path_factory.mktemp("trial")) as started:
        yield started


def trusting(data: Path) -> ssl.SSLContext:
    """As on a phone that has installed the authority, and nothing else."""
    return ssl.create_default_context(cafile=str(data / "tls" / "ca.crt"))


def asked(at: Trial, data: Path, process: str, path: str = "/", **headers: str) -> http.client.HTTPResponse:
    line = http.client.HTTPSConnection("localhost", at.ports[process], context=trusting(data), timeout=20)
    line.request("GET", path, headers={name.replace("_", "-"): value for name, value in headers.items()})
    answer = line.getresponse()
    answer.body = answer.read()  # type: ignore[attr-defined]
    line.close()
    return answer


def test_every_origin_answers_over_tls_under_the_authority_that_is_handed_out(here: Running) -> None:
    at, data = here.at, here.data
    with urlopen(at.welcome + "ca.crt", timeout=10) as answer:
        assert answer.headers["content-type"] == "application/x-x509-ca-cert"
        assert ssl.DER_cert_to_PEM_cert(answer.read()).strip() == (data / "tls" / "ca.crt").read_text().strip()
    pages = {"center": "/cert-center", "vault": "/window.html", "console": "/login"}
    pages |= {"relay": "/healthz", "sandbox": "/", "finance_cloud": "/"}
    assert set(pages) == set(FRONTED)
    for process, path in pages.items():
        answer = asked(at, data, process, path)
        assert answer.status == 200, process
        assert answer.headers["strict-transport-security"] is None, process
    with pytest.raises(URLError, match="CERTIFICATE_VERIFY_FAILED"):
        urlopen(at.origin("center") + "/", timeout=10, context=ssl.create_default_context())


@pytest.mark.anyio
async def test_a_websocket_goes_through_to_the_relay_and_its_refusal_comes_back(here: Running) -> None:
    at = here.at
    address = at.origin("relay").replace("https", "wss") + "/copy"
    options: dict[str, Any] = {"ssl": trusting(here.data), "subprotocols": ["ingam-copy.1"], "proxy": None}
    async with connect(address, origin=Origin(at.origin("vault")), **options) as line:
        assert line.subprotocol == "ingam-copy.1"
        await line.send('{"act":"open","ticket":"none"}')
        told = json.loads(await line.recv())
        assert (told["told"], told["code"]) == ("refused", "ticket-invalid")
    with pytest.raises(InvalidStatus):
        async with connect(address, origin=Origin("https://elsewhere.example"), **options):
            pass


def test_F2_cookies_are_secure_there_and_the_center_knows_its_origins(here: Running) -> None:
    at, data = here.at, here.data
    answer = asked(at, data, "center", "/cert-center")
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith("__Host-ingam=") and "; Secure" in cookie
    assert f"frame-src {at.origin('vault')}" in answer.headers["content-security-policy"]
    assert (
        f"frame-ancestors {at.origin('center')}"
        in asked(at, data, "vault", "/window.html").headers["content-security-policy"]
    )
    moved = asked(at, data, "center", "/", User_Agent="x Mobile")
    assert (moved.status, moved.headers["location"]) == (303, "/main")
    assert asked(at, data, "center", "/cert-center", Host="evil.example").status == 421


def test_the_terminal_tells_where_and_by_which_fingerprint(here: Running) -> None:
    at, data, log = here.at, here.data, here.log
    told = log.read_text(encoding="utf-8")
    made = tls.prepare(data / "tls", "localhost", datetime.now(UTC))
    for word in (at.origin("center"), at.welcome, made.fingerprint[:47], made.fingerprint[48:], "이 컴퓨터에서만", "█"):
        assert word in told
    with urlopen(at.welcome, timeout=10) as answer:
        page = answer.read().decode()
        assert "default-src 'none'" in answer.headers["content-security-policy"]
    for word in (made.fingerprint, "/ca.crt", at.origin("center"), "설치", "Install", "삭제하세요"):
        assert word in page
    with pytest.raises(HTTPError, match="404"):
        urlopen(at.welcome + "tls/ca.key", timeout=10)


def through(way: Way, scope: dict[str, Any], body: bytes = b"") -> tuple[httpx2.Request, list[dict[str, Any]]]:
    """One request through the front to a process in memory: what arrived there, and what came back."""
    arrived: list[httpx2.Request] = []

    async def process(request: httpx2.Request) -> httpx2.Response:
        await request.aread()
        arrived.append(request)
        headers = {"Strict-Transport-Security": "max-age=1", "X-Own": "kept", "Connection": "keep-alive"}
        return httpx2.Response(200, headers=headers, stream=httpx2.ByteStream(b"answer"))

    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Any) -> None:
        sent.append(message)

    async def go() -> None:
        async with httpx2.AsyncClient(transport=httpx2.MockTransport(process)) as client:
            await Front({8700: way}, client)(scope, receive, send)

    asyncio.run(go())
    return arrived[0], sent


def scope(*headers: tuple[bytes, bytes], method: str = "GET", path: bytes = b"/") -> dict[str, Any]:
    return {"type": "http", "method": method, "raw_path": path, "query_string": b"", "headers": list(headers),
            "server": ("127.0.0.1", 8700), "client": ("::ffff:192.0.2.9", 5)}  # fmt: skip


def test_F9_only_the_front_says_whose_request_it_is() -> None:
    told = [(b"host", b"h:8700"), (b"x-forwarded-for", b"198.51.100.1"), (b"forwarded", b"for=1"), (b"x-real-ip", b"1")]
    arrived, _ = through(Way(8710), scope(*told))
    assert arrived.headers.get_list("x-forwarded-for") == ["192.0.2.9"]
    assert "forwarded" not in arrived.headers and "x-real-ip" not in arrived.headers
    assert arrived.headers["host"] == "h:8700"


def test_bodies_and_odd_paths_pass_unchanged_and_hsts_does_not_come_back() -> None:
    path = b"/a%2Fb//c%00?x"
    given = scope((b"host", b"h:8700"), (b"content-length", b"5"), method="POST", path=path)
    arrived, sent = through(Way(8710), given, b"12345")
    assert (arrived.content, arrived.url.raw_path) == (b"12345", path)
    names = {name.lower() for name, _ in sent[0]["headers"]}
    assert b"x-own" in names and not names & {b"strict-transport-security", b"connection"}
    assert b"".join(one.get("body", b"") for one in sent[1:]) == b"answer"


def test_a_process_with_an_origin_of_its_own_is_told_that_one_and_no_other_is_turned_into_it() -> None:
    way = Way(8712, b"https://h:8702", b"http://localhost:8712")
    arrived, _ = through(way, scope((b"host", b"h:8702"), (b"origin", b"https://h:8702")))
    assert (arrived.headers["host"], arrived.headers["origin"]) == ("localhost:8712", "http://localhost:8712")
    arrived, _ = through(way, scope((b"host", b"h:8702"), (b"origin", b"https://evil.example")))
    assert arrived.headers["origin"] == "https://evil.example"


def test_a_process_that_is_gone_is_told() -> None:
    sent: list[dict[str, Any]] = []

    async def send(message: Any) -> None:
        sent.append(message)

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def go() -> None:
        def away(request: httpx2.Request) -> httpx2.Response:
            raise httpx2.ConnectError("away", request=request)

        async with httpx2.AsyncClient(transport=httpx2.MockTransport(away)) as client:
            await Front({8700: Way(8710)}, client)(scope(), receive, send)

    asyncio.run(go())
    assert sent[0]["status"] == 502


def test_every_interface_is_listened_on_for_a_name_of_the_network_only() -> None:
    for host, local in (("localhost", True), ("127.0.0.1", True), ("demo-pc.local", False), ("192.0.2.7", False)):
        at = Trial(host, 8700)
        with trial.listening(at, 0) as bound:
            assert (bound.getsockname()[0] == "127.0.0.1") is local
        made = tls.Tls(Path("a"), Path("b"), b"x", datetime.max.replace(tzinfo=UTC))
        assert ("이 컴퓨터에서만" in trial.lines(at, made)[0]) is local
        assert ("anyone on this network" in trial.lines(at, made)[0]) is not local


def test_without_https_nothing_changes() -> None:
    settings = read({"INGAM_PORT": "8700"})
    assert demo._origin(settings, None, "center") == "http://localhost:8700"
    over = read(Trial("demo-pc.local", 8700).environment())
    assert (over.center_origin, over.port("center")) == ("https://demo-pc.local:8700", 8710)
    assert over.secure and over.vault_origin == "https://demo-pc.local:8701"
