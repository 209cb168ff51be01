"""The vault's process: what it serves, under which headers, and what it refuses (security B1-B4, B12-B14)."""

from __future__ import annotations

import asyncio
import json
import re
from pathlib import Path

import httpx2
import pytest

from ingam.kernel import words
from ingam.kernel.errors import Defect
from ingam.run import vault
from ingam.settings import Settings, read

ROOT = Path(__file__).resolve().parents[2]
SOURCES = sorted((ROOT / "browser" / "src").glob("vault/**/*.ts")) + sorted((ROOT / "browser/src/window").glob("*.ts"))
# These speak what the server wrote into their page.
COPYING = [path for path in SOURCES if path.parent.name == "window" and path.stem.startswith("copy")]
SCRIPT = b"self.x=1;" * 400
PAGE = b'<!doctype html><script type="module" src="/window-ABCDEFGH.js"></script>'
VOUCHED = PAGE.replace(b"></script>", b' integrity="sha384-AAAA"></script>')


def built(folder: Path, page: bytes = PAGE) -> Path:
    """What the build leaves, in small."""
    (folder / "vault").mkdir(exist_ok=True)
    (folder / "vault" / "window.html").write_bytes(page)
    (folder / "vault" / "window-ABCDEFGH.js").write_bytes(SCRIPT)
    (folder / "vault" / "a-12345678.woff2").write_bytes(b"wOF2")
    for name in ("scan-ABCDEFGH.js", "scan_wasm-ABCDEFGH.js", "worker-ABCDEFGH.js"):
        (folder / "vault" / name).write_bytes(SCRIPT)
    (folder / "vault" / "zxing_reader-ABCDEFGH.wasm").write_bytes(b"\0asm" * 400)
    return folder


def ask(
    folder: Path, path: str, method: str = "GET", base: str = "http://localhost:8701", settings: Settings | None = None
) -> httpx2.Response:
    """One request to the application in memory."""
    served = vault.app(settings or Settings(), folder)

    async def go() -> httpx2.Response:
        transport = httpx2.ASGITransport(app=served)
        async with httpx2.AsyncClient(transport=transport, base_url=base) as client:
            return await client.request(method, path)

    return asyncio.run(go())


def test_B3_the_window_comes_with_the_strict_policy(tmp_path: Path) -> None:
    answer = ask(built(tmp_path), "/window.html")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    policy = answer.headers["content-security-policy"].split("; ")
    assert policy[0] == "default-src 'none'"
    assert {
        "script-src 'self'",
        "worker-src 'self'",
        "style-src 'self'",
        "connect-src 'self' http://localhost:8700/seal-key ws://localhost:8705/copy http://localhost:8705/copy/",
        "form-action 'none'",
        "base-uri 'none'",
        "frame-ancestors http://localhost:8700",
        "require-trusted-types-for 'script'",
        "trusted-types ingam-worker",
    } <= set(policy)
    assert "unsafe" not in answer.headers["content-security-policy"]
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["cross-origin-opener-policy"] == "same-origin"
    assert answer.headers["cross-origin-resource-policy"] == "same-site"
    assert "camera=(self)" in answer.headers["permissions-policy"]
    assert "microphone=()" in answer.headers["permissions-policy"]
    assert answer.headers["cache-control"] == "no-store"


def test_the_licences_can_be_read_and_keep_their_name(tmp_path: Path) -> None:
    (built(tmp_path) / "vault" / "THIRD-PARTY.txt").write_bytes(b"MIT")
    answer = ask(tmp_path, "/THIRD-PARTY.txt")
    assert (answer.status_code, answer.content) == (200, b"MIT")
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert answer.headers["cache-control"] == "no-store"


def test_B3_the_worker_script_carries_the_policy_too(tmp_path: Path) -> None:
    answer = ask(built(tmp_path), "/window-ABCDEFGH.js")
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert answer.headers["content-encoding"] == "gzip"
    assert answer.content == SCRIPT


def test_B3_what_reads_pictures_has_no_network_and_one_worker_alone_compiles(tmp_path: Path) -> None:
    folder = built(tmp_path)
    policies = {
        name: ask(folder, f"/{name}-ABCDEFGH.js").headers["content-security-policy"]
        for name in ("window", "worker", "scan", "scan_wasm")
    }
    closed = "frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types"
    assert policies["scan"] == f"default-src 'none'; {closed}"
    assert policies["scan_wasm"] == (
        "default-src 'none'; script-src 'wasm-unsafe-eval'; "
        f"connect-src http://localhost:8701/zxing_reader-ABCDEFGH.wasm; {closed}"
    )
    assert [name for name, policy in policies.items() if "unsafe" in policy] == ["scan_wasm"]


def test_B3_the_policy_names_the_relay_of_the_settings_by_both_of_its_ways(tmp_path: Path) -> None:
    origins = {"CENTER": "https://a.example", "VAULT": "https://vault.a.example", "RELAY": "https://relay.a.example"}
    settings = read({f"INGAM_{name}_ORIGIN": origin for name, origin in origins.items()})
    policy = ask(built(tmp_path), "/window.html", base=origins["VAULT"], settings=settings).headers
    sources = "'self' https://a.example/seal-key wss://relay.a.example/copy https://relay.a.example/copy/"
    assert f"connect-src {sources};" in policy["content-security-policy"]


def test_webassembly_is_served_as_what_it_is_and_packed(tmp_path: Path) -> None:
    answer = ask(built(tmp_path), "/zxing_reader-ABCDEFGH.wasm")
    assert answer.headers["content-type"] == "application/wasm"
    assert answer.headers["content-encoding"] == "gzip"
    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"


def test_B3_integrity_is_asked_for_once_every_script_of_the_page_has_it(tmp_path: Path) -> None:
    assert "integrity-policy" not in ask(built(tmp_path), "/window.html").headers
    vouched = ask(built(tmp_path, VOUCHED), "/window.html")
    assert vouched.headers["integrity-policy"] == "blocked-destinations=(script)"


def test_B1_B2_the_origins_come_from_the_settings(tmp_path: Path) -> None:
    settings = read({"INGAM_PORT": "9000", "INGAM_VAULT_ROOTS": "ab" * 32, "INGAM_DESK_ROOTS": "cd" * 32})
    answer = ask(built(tmp_path), "/settings.json", base="http://localhost:9001", settings=settings)
    assert answer.json() == {
        "center": "http://localhost:9000",
        "vault": "http://localhost:9001",
        "relay": "http://localhost:9005",
        "roots": ["ab" * 32],
        "desk_roots": ["cd" * 32],
    }
    assert answer.headers["cache-control"] == "no-store"


UNWANTED = {"set-cookie", "clear-site-data", "service-worker-allowed", "access-control-allow-origin"}


def test_B1_B12_B13_no_answer_sets_a_cookie_clears_storage_or_brings_a_service_worker(tmp_path: Path) -> None:
    folder = built(tmp_path)
    for path in ("/window.html", "/window-ABCDEFGH.js", "/settings.json", "/healthz", "/", "/sw.js", "/missing"):
        headers = ask(folder, path).headers
        assert not {"set-cookie", "clear-site-data", "service-worker-allowed", "access-control-allow-origin"} & set(
            headers
        )
        assert "nosniff" in headers["x-content-type-options"]


@pytest.mark.parametrize(
    "path", ["/", "/vault/window.html", "/../manifest.json", "/%2e%2e/manifest.json", "/window.html/", "//window.html"]
)
def test_B1_only_files_of_the_bundle_exist(tmp_path: Path, path: str) -> None:
    assert ask(built(tmp_path), path).status_code == 404


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS"])
def test_B1_nothing_can_be_sent_to_the_vault(tmp_path: Path, method: str) -> None:
    answer = ask(built(tmp_path), "/window.html", method)
    assert answer.status_code == 405
    assert answer.headers["allow"] == "GET, HEAD"


def test_B1_an_address_leads_to_the_one_name_and_other_hosts_nowhere(tmp_path: Path) -> None:
    folder = built(tmp_path)
    moved = ask(folder, "/window.html", base="http://127.0.0.1:8701")
    assert (moved.status_code, moved.headers["location"]) == (308, "http://localhost:8701/window.html")
    assert ask(folder, "/window.html", base="http://evil.test:8701").status_code == 421
    assert ask(folder, "/window.html", base="http://localhost:8700").status_code == 421


def test_a_vault_without_a_bundle_does_not_start(tmp_path: Path) -> None:
    with pytest.raises(Defect) as refused:
        vault.app(Settings(), tmp_path)
    assert refused.value.code == "bundle-missing"


def test_head_answers_like_get_without_a_body(tmp_path: Path) -> None:
    answer = ask(built(tmp_path), "/settings.json", "HEAD")
    assert (answer.status_code, answer.content) == (200, b"")
    assert int(answer.headers["content-length"]) > 0


def test_B3_no_source_writes_markup_or_code_from_text() -> None:
    sinks = re.compile(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|srcdoc|\beval\(|new Function|DOMParser")
    assert [path.name for path in SOURCES if sinks.search(path.read_text(encoding="utf-8"))] == []


def test_B2_messages_never_go_to_just_any_origin() -> None:
    posts = [
        line.strip()
        for path in SOURCES
        for line in path.read_text(encoding="utf-8").splitlines()
        if "postMessage(" in line and "'*'" in line
    ]
    assert posts == []


def test_every_text_of_the_window_is_there_in_both_languages() -> None:
    written = "\n".join(path.read_text(encoding="utf-8") for path in SOURCES if path not in COPYING)
    named = set(re.findall(r"(?:say|this\.say|view\.say)\('([a-z0-9-]+)'", written))
    assert len(named) > 40
    for lang in words.LANGUAGES:
        missing = [name for name in sorted(named) if f"vault.{name}" not in words.table(lang)]
        assert missing == []


def test_every_text_that_the_pages_of_copying_say_by_script_is_written_into_them() -> None:
    written = "\n".join(path.read_text(encoding="utf-8") for path in COPYING)
    folder = ROOT / "src" / "ingam" / "center" / "copying" / "templates" / "copying"
    pages = "\n".join(path.read_text(encoding="utf-8") for path in folder.glob("*.html"))
    named = set(re.findall(r"\bsay\('([a-z0-9-]+)'", written))
    assert len(named) > 5
    assert [name for name in sorted(named) if f"data-say-{name}=" not in pages] == []


def _sentences(code: str) -> set[str]:
    """Where the window, its certificate desk, or everybody has the sentence of a code."""
    return {f"vault.why-{code}", f"vault.manage-why-{code}", f"refusal.{code}"}


def test_every_code_of_the_window_has_a_sentence_in_both_languages() -> None:
    written = "\n".join(path.read_text(encoding="utf-8") for path in SOURCES)
    codes = set(re.findall(r"Refusal\('([a-z-]+)'\)", written)) | set(re.findall(r"super\('([a-z-]+)'\)", written))
    codes |= set(re.findall(r"'((?:challenge|message|cert|record|vault|key-file|certificate-file)-[a-z-]+)'", written))
    codes -= {"certificate-window", "certificate-window-loading", "certificate-window-open", "certificate-window-note"}
    assert json.dumps(sorted(codes)).count("challenge-") >= 3
    for lang in words.LANGUAGES:
        table = words.table(lang)
        assert [code for code in sorted(codes) if not _sentences(code) & set(table)] == []
