"""A phone that trusts the trial's authority: a secure context, a worker, a login, and the vault's frame over TLS."""

from __future__ import annotations

import base64
import json
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from playwright.sync_api import Browser, expect
from tests.journeys.conftest import CHROMIUM, FLAGS, PATIENCE_MS, SIZES
from tests.run import over_tls


def spki(folder: Path) -> str:
    """SHA-256 of the server's public key: how Chromium is told whom to believe without touching this machine."""
    leaf = x509.load_pem_x509_certificate((folder / "server.pem").read_bytes())
    form = (serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    digest = hashes.Hash(hashes.SHA256())
    digest.update(leaf.public_key().public_bytes(*form))
    return base64.b64encode(digest.finalize()).decode()


def test_a_phone_logs_in_and_opens_the_certificate_window_over_tls(tmp_path: Path, chromium: Browser) -> None:
    with over_tls.running(tmp_path) as here:
        flags = [*FLAGS, f"--ignore-certificate-errors-spki-list={spki(here.data / 'tls')}"]
        browser = chromium.browser_type.launch(executable_path=CHROMIUM, args=flags)  # one driver for a process
        page = browser.new_context(viewport=SIZES[360], locale="ko-KR", is_mobile=True).new_page()
        page.set_default_timeout(PATIENCE_MS)
        page.goto(here.at.origin("center") + "/main")
        assert page.evaluate("() => isSecureContext && 'credentials' in navigator")
        page.evaluate("() => navigator.serviceWorker.ready.then(() => null)")
        person = json.loads((here.data / "sandbox" / "demo.json").read_text(encoding="utf-8"))["people"][0]
        page.goto(here.at.origin("center") + "/login")
        page.locator("#banking_id").fill(person["banking_id"])
        page.locator("#password").fill(person["password"])
        page.get_by_role("button", name="로그인", exact=True).click()
        expect(page).to_have_url(here.at.origin("center") + "/cert-center")
        cookies = {one["name"]: one for one in page.context.cookies()}
        assert cookies["__Host-ingam"]["secure"] and cookies["__Host-ingam"]["httpOnly"]
        page.goto(here.at.origin("center") + "/login?way=cert")
        page.get_by_role("button", name="공동인증서 로그인").click()
        frame = page.frame_locator("iframe")
        expect(frame.get_by_role("tab").first).to_be_visible()
        vault = next(one for one in page.frames if one.url.startswith(here.at.origin("vault")))
        assert vault.evaluate("() => isSecureContext && navigator.storage !== undefined")
        browser.close()
