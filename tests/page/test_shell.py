"""The shell around every request: headers, host, size, id, log, and what happens to failures."""

from __future__ import annotations

import asyncio
import html
import io
import json
import re
from pathlib import Path
from typing import Any

import httpx2
import pytest
from starlette.applications import Starlette
from tests.page import gallery

from ingam.kernel.errors import Defect, Outage, Refusal
from ingam.page import Bundle, Viewer, set_up_log, status_of
from ingam.page.shell import BODY_MAX
from ingam.run.service_page import service_app
from ingam.settings import Settings

BASE = "http://localhost:8700"
SOMEBODY = Viewer("ko", gallery.CSRF, "홍길동", "id", 581)
SAME_SITE = {"Sec-Fetch-Site": "same-origin"}


@pytest.fixture
def log() -> io.StringIO:
    """What the process logs, from here on."""
    stream = io.StringIO()
    set_up_log(stream)
    return stream


def ask(made: Starlette, method: str, path: str, base: str = BASE, **facts: Any) -> httpx2.Response:
    """One request to an application in memory."""

    async def go() -> httpx2.Response:
        transport = httpx2.ASGITransport(app=made)
        async with httpx2.AsyncClient(transport=transport, base_url=base) as client:
            return await client.request(method, path, **facts)

    return asyncio.run(go())


def test_B3_every_document_carries_the_closed_policy_with_a_fresh_nonce(log: io.StringIO) -> None:
    made = gallery.app()
    first, second = ask(made, "GET", "/about"), ask(made, "GET", "/about")
    policy = first.headers["content-security-policy"]
    for part in (
        "default-src 'none'", "style-src 'self'", "connect-src 'self'", "base-uri 'none'", "form-action 'self'",
        "frame-src http://localhost:8701", "frame-ancestors 'none'", "require-trusted-types-for 'script'",
        "manifest-src 'self'", "worker-src 'self'", "trusted-types ingam-sw",
    ):  # fmt: skip
        assert part in policy.split("; "), part
    nonces = [re.search(r"'nonce-([^']+)'", r.headers["content-security-policy"]) for r in (first, second)]
    assert nonces[0] is not None and nonces[1] is not None
    assert nonces[0][1] != nonces[1][1]
    assert f'nonce="{nonces[0][1]}"' in first.text
    assert "unsafe" not in policy


@pytest.mark.parametrize("path", ["/about", "/nope", "/fail/defect", "/fail/value", "/healthz", "/static/center.css"])
def test_B3_no_answer_forgets_the_fixed_headers(path: str, log: io.StringIO) -> None:
    headers = ask(gallery.app(), "GET", path).headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "same-origin"
    assert headers["cross-origin-opener-policy"] == "same-origin"
    assert headers["cross-origin-resource-policy"] == "same-origin"
    assert "camera=()" in headers["permissions-policy"]
    assert "content-security-policy" in headers
    assert "strict-transport-security" not in headers


def test_B3_over_tls_the_browser_is_told_to_stay_there(log: io.StringIO) -> None:
    settings = Settings(mode="test", center_origin="https://center.example", vault_origin="https://vault.example")
    answer = ask(gallery.app(settings=settings), "GET", "/about", base="https://center.example")
    assert answer.headers["strict-transport-security"].startswith("max-age=")


@pytest.mark.parametrize("path", ["/about", "/nope", "/static/center.css", "/healthz"])
def test_B12_nothing_clears_the_storage_of_our_origins(path: str, log: io.StringIO) -> None:
    assert "clear-site-data" not in ask(gallery.app(), "GET", path).headers


def test_B13_documents_are_not_kept_and_hash_names_are_kept_for_ever(log: io.StringIO) -> None:
    made = gallery.app()
    assert ask(made, "GET", "/about").headers["cache-control"] == "no-store"
    assert ask(made, "GET", "/fail/defect").headers["cache-control"] == "no-store"
    style = re.search(r"/static/institution-[0-9A-F]{8}\.css", ask(made, "GET", "/about").text)
    assert style is not None
    kept = ask(made, "GET", style[0])
    assert kept.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert kept.text == ":root{--institution:#14509b}\n"


def test_127_0_0_1_is_sent_to_localhost_and_any_other_host_is_refused(log: io.StringIO) -> None:
    made = gallery.app()
    sent = ask(made, "GET", "/about?a=b", base="http://127.0.0.1:8700")
    assert (sent.status_code, sent.headers["location"]) == (308, "http://localhost:8700/about?a=b")
    assert ask(made, "GET", "/about", base="http://[::1]:8700").status_code == 308
    assert ask(made, "GET", "//evil.example/x", base="http://127.0.0.1:8700").headers["location"].startswith(BASE + "/")
    for host in ("http://evil.example:8700", "http://localhost:8701", "http://127.0.0.1:9999", "http://localhost"):
        assert ask(made, "GET", "/about", base=host).status_code == 421
    assert ask(made, "POST", "/gallery", base="http://127.0.0.1:8700").status_code == 421
    assert ask(made, "GET", "/healthz", base="http://127.0.0.1:8700").text == "ok\n"


def test_a_body_over_64_KiB_is_refused_by_its_announcement_and_by_its_bytes(log: io.StringIO) -> None:
    made = gallery.app(SOMEBODY)
    large = b"csrf=" + b"x" * (64 * 1024)
    kind = {"Content-Type": "application/x-www-form-urlencoded", **SAME_SITE}
    assert ask(made, "POST", "/gallery", content=large, headers=kind).status_code == 413

    async def chunks() -> Any:
        for start in range(0, len(large), 4096):
            yield large[start : start + 4096]

    assert ask(made, "POST", "/gallery", content=chunks(), headers=kind).status_code == 413
    assert ask(made, "POST", "/gallery", content=b"", headers={**kind, "Content-Length": "-5"}).status_code == 413


def test_the_photograph_of_a_card_may_have_six_megabytes_and_nothing_else_may(log: io.StringIO) -> None:
    made, most = gallery.app(SOMEBODY), 6 * 1024 * 1024

    def post(path: str, kind: str, size: int, method: str = "POST") -> int:
        headers = {"Content-Type": kind, **SAME_SITE}
        return ask(made, method, path, content=b"x" * size, headers=headers).status_code

    card = "/issuance/new/card"
    assert post(card, "image/jpeg", most) == post(card, "image/png", most) == 200
    assert post(card, "image/jpeg", most + 1) == 413
    assert post(card, "application/octet-stream", BODY_MAX + 1) == 413
    assert post(card, "application/x-www-form-urlencoded", BODY_MAX + 1) == 413
    assert post(card, "text/plain; image/jpeg", BODY_MAX + 1) == 413
    assert post(card, "image/jpeg", BODY_MAX + 1, "PUT") == 413
    for path in ("/issuance/new", "/issuance/new/card/", "/issuance/new/cards", "/gallery"):
        assert post(path, "image/jpeg", BODY_MAX + 1) == 413

    async def chunks() -> Any:
        for _ in range(most // 65536 + 1):
            yield b"x" * 65536

    headers = {"Content-Type": "image/jpeg", **SAME_SITE}
    assert ask(made, "POST", card, content=chunks(), headers=headers).status_code == 413


@pytest.mark.parametrize(
    ("path", "allowed"),
    [
        ("/issuance/new", "(self)"),
        ("/issuance/new/card", "(self)"),
        ("/issuance/new/issue", "(self)"),
        ("/copying/receive", '(self "http://localhost:8701")'),
        ("/copying/send", '(self "http://localhost:8701")'),
        ("/copying", "()"),
        ("/issuance", "()"),
        ("/issuance/newer", "()"),
        ("/about", "()"),
        ("/static/center.css", "()"),
    ],
)
def test_the_camera_is_for_the_pages_that_photograph_or_scan_only(path: str, allowed: str, log: io.StringIO) -> None:
    permissions = ask(gallery.app(), "GET", path).headers["permissions-policy"].split(", ")
    assert f"camera={allowed}" in permissions
    assert sum(one.startswith("camera=") for one in permissions) == 1
    for name in ("publickey-credentials-create", "publickey-credentials-get"):
        assert f'{name}=(self "http://localhost:8701")' in permissions


def test_F3_a_post_needs_the_origin_and_the_token(log: io.StringIO) -> None:
    made = gallery.app(SOMEBODY)

    def post(token: str | None, **headers: str) -> int:
        data = {} if token is None else {"csrf": token}
        return ask(
            made, "POST", "/gallery", data=data, headers={k.replace("_", "-"): v for k, v in headers.items()}
        ).status_code

    assert post(gallery.CSRF, Origin=BASE) == 303
    assert post(gallery.CSRF, Origin=BASE, Sec_Fetch_Site="same-origin") == 303
    assert post(gallery.CSRF, Origin="null", Sec_Fetch_Site="same-origin") == 303
    assert post(None, Sec_Fetch_Site="same-origin", X_Ingam_CSRF=gallery.CSRF) == 303
    assert post(gallery.CSRF) == 403
    assert post(gallery.CSRF, Origin="null") == 403
    assert post(gallery.CSRF, Origin="http://localhost:8701") == 403
    assert post(gallery.CSRF, Origin="http://localhost:8701", Sec_Fetch_Site="same-origin") == 403
    assert post(gallery.CSRF, Origin=BASE, Sec_Fetch_Site="same-site") == 403
    assert post(gallery.CSRF, Origin=BASE, Sec_Fetch_Site="cross-site") == 403
    assert post("wrong", Origin=BASE) == 403
    assert post("틀린", Origin=BASE) == 403
    assert post(None, Origin=BASE) == 403


def test_F3_without_a_session_there_is_no_token_to_be_right(log: io.StringIO) -> None:
    answer = ask(gallery.app(), "POST", "/gallery", data={"csrf": ""}, headers={"Origin": BASE})
    assert answer.status_code == 403


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/fail/refusal", 403, "csrf-refused"),
        ("/fail/outage", 503, "outage"),
        ("/fail/value", 500, "defect"),
        ("/nope", 404, "not-found"),
    ],
)
def test_a_failure_is_a_page_for_people_and_json_for_scripts(
    path: str, status: int, code: str, log: io.StringIO
) -> None:
    made = gallery.app()
    page = ask(made, "GET", path, headers={"Accept": "text/html,application/xhtml+xml"})
    assert page.status_code == status
    assert '<html lang="ko"' in page.text and "<h1>" in page.text
    script = ask(made, "GET", path, headers={"Accept": "application/json"})
    assert script.status_code == status
    assert script.json()["code"] == code
    assert script.json()["message"] in page.text.replace("&#39;", "'")


def test_the_wrong_method_is_told_with_what_is_allowed(log: io.StringIO) -> None:
    answer = ask(gallery.app(), "DELETE", "/about")
    assert answer.status_code == 405
    assert "GET" in answer.headers["allow"]


def test_every_family_has_its_status_and_a_code_may_have_its_own() -> None:
    assert status_of(Refusal("something-new")) == 422
    assert status_of(Outage("something-new")) == 503
    assert status_of(Defect("something-new")) == 500
    assert status_of(Refusal("login-required")) == 401


def test_H9_the_log_has_id_route_status_and_time_and_nothing_of_the_person(log: io.StringIO) -> None:
    made = gallery.app(SOMEBODY)
    answer = ask(
        made, "GET", "/fail/value?rrn=7510052123456", headers={"Cookie": "session=abcdef", "User-Agent": "Mozilla"}
    )
    ask(made, "GET", "/홍길동/7510052123456")
    text = log.getvalue()
    lines = [json.loads(line) for line in text.splitlines()]
    request = next(line for line in lines if line.get("route") == "/fail/{kind}")
    assert (request["method"], request["status"], request["code"]) == ("GET", 500, "defect")
    assert request["request_id"] == answer.headers["x-request-id"]
    assert next(line for line in lines if line["event"] == "defect")["kind"] == "ValueError"
    for personal in ("7510052123456", "751005-2123456", "홍길동", "abcdef", "Mozilla", "127.0.0.1"):
        assert personal not in text, personal


def test_H1_the_page_of_a_defect_shows_a_reference_and_never_the_exception(log: io.StringIO) -> None:
    answer = ask(gallery.app(), "GET", "/fail/value")
    assert answer.headers["x-request-id"] in answer.text
    assert "751005-2123456" not in answer.text and "ValueError" not in answer.text


def test_language_is_korean_until_chosen_and_returns_to_the_same_page(log: io.StringIO) -> None:
    made = gallery.app(SOMEBODY)
    assert '<html lang="ko"' in ask(made, "GET", "/about").text
    data = {"csrf": gallery.CSRF, "lang": "en", "back": "/about"}
    chosen = ask(made, "POST", "/language", data=data, headers={"Origin": BASE})
    assert (chosen.status_code, chosen.headers["location"]) == (303, "/about")
    cookie = chosen.headers["set-cookie"]
    assert cookie.startswith("lang=en;") and "HttpOnly" in cookie and "SameSite=lax" in cookie
    assert '<html lang="en"' in ask(made, "GET", "/about", headers={"Cookie": "a=b; lang=en"}).text
    assert '<html lang="ko"' in ask(made, "GET", "/about", headers={"Cookie": "lang=xx"}).text


def test_the_language_switch_keeps_where_a_login_leads_and_what_was_done(log: io.StringIO) -> None:
    made = gallery.app()
    for query in ("way=id&then=/management/notices", "done=1"):
        page = ask(made, "GET", f"/gallery?{query}&code=123456").text
        assert f'name="back" value="{html.escape(f"/gallery?{query}")}"' in page
        chosen = ask(
            made, "POST", "/language", data={"lang": "en", "back": f"/gallery?{query}"}, headers={"Origin": BASE}
        )
        assert chosen.headers["location"] == f"/gallery?{query}"
    assert 'name="back" value="/gallery"' in ask(made, "GET", "/gallery?new=1").text


@pytest.mark.parametrize(
    "back", ["//evil.example", "/\\evil.example", "https://evil.example", "/a\r\nX: y", "evil", "/" + "a" * 300, ""]
)
def test_the_language_switch_never_leads_to_another_site(back: str, log: io.StringIO) -> None:
    data = {"csrf": gallery.CSRF, "lang": "en", "back": back}
    answer = ask(gallery.app(SOMEBODY), "POST", "/language", data=data, headers={"Origin": BASE})
    assert answer.headers["location"] == "/"


def test_F3_the_language_switch_checks_the_origin_too(log: io.StringIO) -> None:
    assert (
        ask(gallery.app(), "POST", "/language", data={"lang": "en"}, headers={"Origin": "http://x"}).status_code == 403
    )
    assert ask(gallery.app(), "POST", "/language", data={"lang": "en"}, headers={"Origin": BASE}).status_code == 303


def test_static_files_have_no_paths_and_are_packed_on_request(tmp_path: Path, log: io.StringIO) -> None:
    folder = tmp_path / "center"
    folder.mkdir()
    (folder / "center-A.css").write_bytes(b"body{color:red}" * 100)
    (folder / "main-B.js").write_bytes(b"1;")
    manifest = {"center": {"center.css": "center-A.css", "main.js": "main-B.js"}, "vault": {"bundle": "ab" * 32}}
    (tmp_path / "manifest.json").write_text(json.dumps(manifest))
    made = gallery.app(bundle=Bundle.read(tmp_path))
    assert "ab" * 32 in ask(made, "GET", "/about").text
    packed = ask(made, "GET", "/static/center-A.css", headers={"Accept-Encoding": "gzip"})
    assert packed.headers["content-encoding"] == "gzip" and packed.content == b"body{color:red}" * 100
    assert "content-encoding" not in ask(made, "GET", "/static/center-A.css", headers={"Accept-Encoding": "br"}).headers
    for name in ("..%2Fmanifest.json", "manifest.json", "../manifest.json", "%00"):
        assert ask(made, "GET", f"/static/{name}").status_code == 404


def test_a_missing_bundle_is_named(tmp_path: Path) -> None:
    with pytest.raises(Defect, match="bundle-missing"):
        Bundle.read(tmp_path)


@pytest.mark.parametrize("process", ["console", "ca", "va"])
def test_the_later_processes_say_that_they_come(process: str, log: io.StringIO) -> None:
    settings = Settings(mode="test")
    base = f"http://localhost:{settings.port(process)}"
    made = service_app(settings, process, Bundle.empty())
    answer = ask(made, "GET", "/", base=base)
    assert answer.status_code == 200 and "준비 중" in answer.text
    assert "frame-src 'none'" in answer.headers["content-security-policy"]
    assert ask(made, "POST", "/language", base=base, data={"lang": "en"}, headers={"Origin": base}).status_code == 303
    assert ask(made, "POST", "/language", base=base, data={"lang": "en"}, headers={"Origin": BASE}).status_code == 403


@pytest.mark.parametrize("charset", ["punycode", "unicode_escape", "utf-8"])
def test_F9_a_body_in_parts_is_refused_before_it_is_read(charset: str, log: io.StringIO) -> None:
    kind = f'multipart/form-data; boundary=x; charset="{charset}"'
    body = b'--x\r\nContent-Disposition: form-data; name="csrf"\r\n\r\n\\ud800\r\n--x--\r\n'
    answer = ask(gallery.app(), "POST", "/language", content=body, headers={"Content-Type": kind} | SAME_SITE)
    assert answer.status_code == 400


@pytest.mark.parametrize("length", ["²", "-1", "+5", "9" * 5000])
def test_F9_a_length_that_is_no_number_is_too_large_and_no_defect(length: str, log: io.StringIO) -> None:
    headers = [(b"host", b"localhost:8700"), (b"content-length", length.encode("latin-1"))]
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {"type": "http", "method": "POST", "path": "/language", "raw_path": b"/language", "query_string": b"",
             "headers": headers, "http_version": "1.1", "scheme": "http", "server": ("localhost", 8700),
             "client": ("127.0.0.1", 1), "root_path": "", "state": {}}  # fmt: skip
    asyncio.run(gallery.app()(scope, receive, send))
    assert sent[0]["status"] == 413
