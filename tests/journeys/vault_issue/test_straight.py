"""⑤ and ⑥ without an interruption: one key, one certificate, kept, confirmed, backed up (security B10, M6, M7)."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect
from tests.ca import world as authority
from tests.journeys.person import enter, tick
from tests.journeys.screens import trouble
from tests.journeys.vault_issue.bench import PASSWORD, Bench, parsed
from tests.journeys.vault_issue.walk import Walk

from ingam.npki import pfx
from ingam.npki.vid import compute_vid
from ingam.protocols.cmp.message import BodyKind

LISTEN = "window.addEventListener('message', (event) => (window.heard ??= []).push(JSON.stringify(event.data)))"


def through(at: Walk) -> None:
    """⑤ and ⑥."""
    at.open()
    at.set_password()
    at.confirm()
    at.issued()


def test_a_certificate_is_made_on_the_phone_registered_issued_kept_and_confirmed(
    bench: Bench, phone: Callable[..., Page]
) -> None:
    at = Walk(phone(), bench)
    through(at)
    assert bench.kinds() == [BodyKind.IR, BodyKind.CERT_CONF]
    assert (bench.issued(), bench.state) == (1, "issued")
    (record,) = at.stored("records")
    assert (record["backup"], [slot["kind"] for slot in record["slots"]]) == ("due", ["password"])
    assert at.stored("drafts") == []
    found = parsed(bytes.fromhex(record["certificate"]))
    shown = at.vault.locator("[data-fact=serial]")
    expect(shown).to_have_text(f"{found.serial:X}")
    expect(at.vault.locator("[data-fact=owner]")).to_have_text("홍길동")
    expect(at.vault.locator(".persisted")).to_be_visible()
    enter(at.button("issue-done"))
    expect(at.page.locator("#done")).to_be_visible()


def test_B1_B17_neither_password_nor_key_nor_number_leaves_or_lies_in_the_clear(
    bench: Bench, phone: Callable[..., Page]
) -> None:
    page = phone(script=LISTEN)
    at = Walk(page, bench)
    sent: list[str] = []
    page.context.on("request", lambda one: sent.append(one.url + (one.post_data or "")))
    at.open()
    at.set_password()
    expect(at.page.locator("form[data-product]")).to_be_visible()
    drafts = json.dumps(at.stored("drafts"))
    bench.faults.down.add("carry")
    at.confirm()
    at.again()
    drafts += json.dumps(at.stored("drafts"))
    heard = page.evaluate("window.heard")
    bench.faults.down.clear()
    at.try_again()
    at.issued()
    frame = next(one for one in page.frames if one.url.startswith(bench.vault))
    storage = frame.evaluate("JSON.stringify([localStorage, sessionStorage]) + document.documentElement.outerHTML")
    everything = [drafts, json.dumps(heard), storage, json.dumps(at.stored("records")), *sent]
    assert bench.codes is not None
    for text in everything:
        assert PASSWORD not in text
        assert PASSWORD.encode().hex() not in text
    for text in (drafts, storage):
        assert bench.codes["code"] not in text and authority.IDN not in text
        assert bench.codes["code"].encode().hex() not in text and authority.IDN.encode().hex() not in text
    assert authority.IDN.encode() not in b"".join(bench.carried)


@pytest.mark.parametrize("form", ["common", "strong"])
def test_B16_the_backup_is_a_pfx_with_the_key_and_r(
    bench: Bench, phone: Callable[..., Page], tmp_path: Path, form: str
) -> None:
    at = Walk(phone(), bench)
    through(at)
    tick(at.vault.locator(f"#backup-{form}"))
    with at.page.expect_download() as download:
        enter(at.button("issue-backup"))
    assert download.value.suggested_filename.startswith("홍길동_")
    assert download.value.suggested_filename.endswith(".pfx")
    path = tmp_path / "backup.pfx"
    download.value.save_as(path)
    (pair,) = pfx.open_pfx(path.read_bytes(), PASSWORD.encode()).pairs()
    (record,) = at.stored("records")
    assert pair.certificate.hex() == record["certificate"]
    random = pair.key.random
    assert random is not None
    assert compute_vid(authority.IDN, random.reveal()) in pair.certificate
    expect(at.vault.locator(".issued-card.backup .chip")).to_have_text(at.say("issue-backup-done"))
    assert at.stored("records")[0]["backup"] == "done"


def authenticator(page: Page, **options: Any) -> None:
    """A phone that verifies its owner, by the debugging protocol."""
    client = page.context.new_cdp_session(page)
    client.send("WebAuthn.enable", {"enableUI": False})
    told = {
        "protocol": "ctap2", "ctap2Version": "ctap2_1", "transport": "internal", "hasResidentKey": True,
        "hasUserVerification": True, "isUserVerified": True, "automaticPresenceSimulation": True, "hasPrf": True,
    }  # fmt: skip
    client.send("WebAuthn.addVirtualAuthenticator", {"options": told | options})


def test_B9_the_phones_unlocking_signs_in_the_place_of_the_password_which_stays(
    bench: Bench, phone: Callable[..., Page]
) -> None:
    page = phone()
    authenticator(page)
    at = Walk(page, bench)
    through(at)
    enter(at.button("issue-passkey"))
    expect(at.vault.locator(".issued-card.passkey .chip")).to_have_text(at.say("issue-passkey-done"))
    (record,) = at.stored("records")
    assert [slot["kind"] for slot in record["slots"]] == ["password", "passkey"]
    page.goto(f"{bench.center}/login")
    page.locator("#open").click()
    window = page.frame_locator("dialog iframe")
    expect(window.locator("#passkey-hint")).to_be_visible()
    expect(window.locator("#why")).to_have_text(at.say("backup-due"))
    window.get_by_role("button", name=at.say("confirm"), exact=True).click()
    expect(page.locator("#welcome")).to_be_visible()
    assert bytes.fromhex(record["certificate"]) in base64.b64decode(bench.signed)


def test_B9_without_a_secret_of_its_own_a_phone_is_not_offered_and_the_password_stays(
    bench: Bench, phone: Callable[..., Page]
) -> None:
    page = phone()
    authenticator(page, hasPrf=False)
    at = Walk(page, bench)
    through(at)
    enter(at.button("issue-passkey"))
    expect(at.vault.locator(".issued-card.passkey .told")).to_have_text(at.say("why-passkey-unavailable"))
    assert [slot["kind"] for slot in at.stored("records")[0]["slots"]] == ["password"]


def test_the_backup_can_be_made_later_in_the_certificate_window(bench: Bench, phone: Callable[..., Page]) -> None:
    at = Walk(phone(), bench)
    through(at)
    at.page.goto(f"{bench.center}/login")
    at.page.locator("#open").click()
    window = at.page.frame_locator("dialog iframe")
    window.get_by_role("button", name=at.say("backup-link"), exact=True).click()
    go = window.locator(".backup-page").get_by_role("button", name=at.say("backup-link"))
    window.locator("#backup-password").fill("Wrong!2026x")
    enter(go)
    expect(window.locator("#backup-password-wrong")).to_be_visible()
    window.locator("#backup-password").fill(PASSWORD)
    with at.page.expect_download():
        enter(go)
    expect(window.locator(".backup-page .told")).to_have_text(at.say("issue-backup-told"))
    assert at.stored("records")[0]["backup"] == "done"


WRONG = [
    ("Short!2x", None, "cert-password-length"),
    ("onlyletters!", None, "cert-password-kinds"),
    ("Quote'2026!x", None, "cert-password-forbidden"),
    ("Row!abc-2026", None, "cert-password-sequence"),
    ("한글비밀번호!2026x", None, "cert-password-ascii"),
    ("", None, "cert-password-length"),
    (PASSWORD, PASSWORD + "x", "cert-password-differs"),
]


def test_M_PW_every_broken_rule_is_said_beside_the_field_and_nothing_is_made(
    bench: Bench, phone: Callable[..., Page]
) -> None:
    at = Walk(phone(), bench)
    at.open()
    for password, again, code in WRONG:
        at.set_password(password, again)
        field = "#new-password-again-wrong" if code.endswith("differs") else "#new-password-wrong"
        expect(at.vault.locator(field)).to_have_text(at.refusal(code))
    met = at.vault.locator(".rules li.met")
    at.vault.locator("#new-password").fill(PASSWORD)
    expect(met).to_have_count(3)
    at.vault.locator("#new-password-again").fill(PASSWORD)
    expect(met).to_have_count(4)
    expect(at.vault.locator("#strength")).to_contain_text(at.say("issue-strength-strong"))
    assert (bench.spki, at.stored("drafts")) == (None, [])


def test_a_keyboard_alone_goes_through_it(bench: Bench, phone: Callable[..., Page]) -> None:
    page = phone(width=1280)
    at = Walk(page, bench)
    at.open()
    at.vault.locator("#new-password").focus()
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")  # past the box of the keypad
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.locator("form[data-product]")).to_be_visible()
    at.press_by_keyboard(page.locator("form[data-product] button.primary"))
    at.issued()
    assert bench.issued() == 1


@pytest.mark.parametrize(("width", "lang", "scheme"), [
    (360, "ko", "light"), (360, "en", "dark"), (1280, "ko", "dark"), (1280, "en", "light"),
])  # fmt: skip
def test_every_screen_passes_axe_and_fits(
    bench: Bench, phone: Callable[..., Page], width: int, lang: str, scheme: str
) -> None:
    page = phone(width, lang, scheme)
    authenticator(page)
    at = Walk(page, bench)
    name = f"issue-{{}}-{width}-{lang}-{scheme}"
    wrong = []
    at.open()
    expect(at.vault.locator("#new-password")).to_be_visible()
    wrong += trouble(page, name.format("1-password"))
    at.vault.locator("#new-password").fill("Row!abc")
    enter(at.button("issue-go"))
    wrong += trouble(page, name.format("2-broken"))
    at.set_password()
    expect(page.locator("form[data-product]")).to_be_visible()
    wrong += trouble(page, name.format("3-product"))
    bench.faults.down.add("carry")
    at.confirm()
    expect(page.get_by_role("button", name=at.say("issue-again"))).to_be_visible()
    wrong += trouble(page, name.format("4-down"))
    page.reload()
    expect(at.vault.locator("#password")).to_be_visible()
    wrong += trouble(page, name.format("5-resume"))
    bench.faults.down.clear()
    at.resume()
    at.issued()
    wrong += trouble(page, name.format("6-issued"))
    enter(at.button("issue-passkey"))
    expect(at.vault.locator(".issued-card.passkey .chip")).to_have_text(at.say("issue-passkey-done"))
    with page.expect_download():
        enter(at.button("issue-backup"))
    expect(at.vault.locator(".issued-card.backup .chip")).to_have_text(at.say("issue-backup-done"))
    wrong += trouble(page, name.format("7-backed-up"))
    assert wrong == []
