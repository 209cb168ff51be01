"""The rules of the vault (security B) that only a real browser can show, on one whole recorded journey and in small."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote_plus

import pytest
from playwright.sync_api import Browser, Frame, Page, Request, Response, Route, expect
from tests.journeys.conftest import PATIENCE_MS
from tests.journeys.person import Hurried, tick
from tests.journeys.walks import Walk
from tests.journeys.world import World

# On one worker, so that the journey is walked and recorded once.
pytestmark = pytest.mark.xdist_group("recorded")
LISTEN = "window.addEventListener('message', (event) => window.heard(JSON.stringify(event.data)))"
WORKERS = "navigator.serviceWorker.getRegistrations().then((all) => all.map((one) => one.scope))"


@dataclass
class Record:
    """What left and reached the browser in one journey. `sent`: method, address, decoded body."""

    sent: list[tuple[str, str, str]] = field(default_factory=list)
    headers: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    messages: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)
    scripts: set[str] = field(default_factory=set)
    workers: list[str] = field(default_factory=list)
    pages: list[str] = field(default_factory=list)
    records: list[dict[str, Any]] = field(default_factory=list)
    storage: list[str] = field(default_factory=list)


def vault_frame(page: Page, world: World) -> Frame:
    """The certificate window's frame."""
    return next(one for one in page.frames if one.url.startswith(world.vault))


@pytest.fixture(scope="module")
def recorded(chromium: Browser, running: World) -> Iterator[tuple[Walk, Record]]:
    """Registration with a wrong password first, keeping in this browser, then the login from there: all recorded."""
    context = chromium.new_context(locale="ko-KR")
    context.set_default_timeout(PATIENCE_MS)
    record = Record()

    def sent(request: Request) -> None:
        body = request.post_data_buffer
        text = "" if body is None else unquote_plus(body.decode("utf-8", "replace"))
        record.sent.append((request.method, request.url, text))

    def answered(response: Response) -> None:
        record.headers.append((response.url, response.headers))

    context.on("request", sent)
    context.on("response", answered)
    context.on("console", lambda one: record.complaints.append(one.text) if one.type == "error" else None)
    context.expose_function("heard", lambda message: record.messages.append(message))
    context.add_init_script(LISTEN)
    page = context.new_page()
    page.on("filechooser", lambda _chooser: None)
    at = Walk(Hurried(page), running, "alex", "ko")
    at.at_certificate()
    at.agree_to_replace()
    at.open_window()
    at.pick("foreigner")
    at.confirm("Wrong!2026")
    expect(at.vault.locator("#password-wrong")).to_be_visible()
    tick(at.vault.get_by_label(at.say("vault.keep"), exact=True))
    at.vault.locator("#password").fill(running.demo["certificate_password"])
    frame = vault_frame(page, running)
    record.pages.append(frame.evaluate("document.documentElement.outerHTML"))
    at.confirm()
    expect(page.get_by_role("link", name=at.say("registration.login"), exact=True)).to_be_visible()
    at.open("/login?way=cert&then=/loan")
    at.open_window("login.enter_certificate")
    frame = vault_frame(page, running)
    record.records = frame.evaluate(READ_RECORDS)
    record.storage.append(frame.evaluate("JSON.stringify([localStorage, sessionStorage])"))
    for each in (frame, page.main_frame):
        record.scripts |= set(each.evaluate("[...document.scripts].map((one) => one.src)"))
        record.workers += each.evaluate(WORKERS)
        record.pages.append(each.evaluate("document.documentElement.outerHTML"))
    at.confirm()
    expect(page).to_have_url(running.center + "/loan")
    yield at, record
    context.close()


READ_RECORDS = """() => new Promise((resolve, reject) => {
  const hex = (bytes) => Array.from(bytes, (one) => one.toString(16).padStart(2, '0')).join('')
  const flat = (one) => one instanceof Uint8Array ? hex(one) : Array.isArray(one) ? one.map(flat)
    : typeof one === 'object' && one !== null
      ? Object.fromEntries(Object.entries(one).map(([name, value]) => [name, flat(value)])) : one
  const opening = indexedDB.open('ingam-vault')
  opening.onerror = () => reject(opening.error)
  opening.onsuccess = () => {
    const reading = opening.result.transaction('records').objectStore('records').getAll()
    reading.onsuccess = () => { opening.result.close(); resolve(reading.result.map(flat)) }
  }
})"""


def test_B1_the_centers_page_cannot_reach_into_the_vault(hurry: Callable[..., Walk]) -> None:
    at = hurry()
    at.open("/login?way=cert")
    at.open_window("login.enter_certificate")
    assert at.page.evaluate("document.querySelector('dialog iframe').contentDocument") is None
    reached = at.page.evaluate(
        "(() => { try { return String(document.querySelector('dialog iframe').contentWindow.document) }"
        " catch (failure) { return failure.name } })()"
    )
    assert reached == "SecurityError"


def test_B1_the_vault_sets_no_cookie_and_sees_none(recorded: tuple[Walk, Record]) -> None:
    at, record = recorded
    ours = [headers for url, headers in record.headers if url.startswith(at.world.vault)]
    assert ours
    assert not [one for one in ours if "set-cookie" in one]


def test_B2_no_message_of_another_window_or_form_is_answered_with_a_signature(hurry: Callable[..., Walk]) -> None:
    at = hurry()
    at.page.add_init_script("window.told = []; addEventListener('message', (event) => told.push(event.data))")
    at.open("/login?way=cert")
    at.open_window("login.enter_certificate")
    # The page to itself: the right origin, the wrong window.
    at.page.evaluate("postMessage({ ingam: 1, kind: 'cancelled', id: 'x' }, '*')")
    frame = "document.querySelector('dialog iframe').contentWindow"
    for kind in ("list", "issue", "copy", "export", "sign", "give-me-the-key"):
        at.page.evaluate(f"{frame}.postMessage({{ ingam: 1, kind: '{kind}', id: 'x' }}, '*')")
    at.until(lambda: at.page.evaluate("told.filter((one) => one.kind === 'refused').length") == 6)
    codes = at.page.evaluate("told.filter((one) => one.kind === 'refused').map((one) => one.code)")
    reserved, refused = "message-reserved", "message-refused"
    assert codes == [reserved, refused, refused, reserved, refused, refused]
    assert at.page.evaluate("told.filter((one) => one.kind === 'signed').length") == 0


def test_B2_nothing_is_signed_without_a_password_typed_in_the_frame(hurry: Callable[..., Walk]) -> None:
    at = hurry()
    at.open("/login?way=cert")
    at.open_window("login.enter_certificate")
    at.pick("securities")
    at.person.press(at.vault.get_by_role("button", name=at.say("vault.confirm"), exact=True))
    expect(at.vault.locator("#password-wrong")).to_have_text(at.say("vault.password-missing"))
    expect(at.page.locator("dialog")).to_be_visible()


def test_B2_a_page_of_another_origin_cannot_frame_the_vault(
    new_page: Callable[..., Page], running: World, complaints: list[str]
) -> None:
    page = new_page()

    def evil(route: Route) -> None:
        route.fulfill(content_type="text/html", body=f'<iframe src="{running.vault}/window.html"></iframe>')

    page.route("http://localhost:1/evil", evil)
    page.goto("http://localhost:1/evil")
    assert page.frames[1].url == "chrome-error://chromewebdata/"
    complaints.clear()  # where the browser says that it refused


def test_B3_nothing_is_asked_of_any_third_party_and_no_screen_breaks_its_policy(recorded: tuple[Walk, Record]) -> None:
    at, record = recorded
    own = (at.world.center + "/", at.world.vault + "/", "data:", "blob:")
    assert [url for _, url, _ in record.sent if not url.startswith(own)] == []
    assert record.complaints == []


def test_B3_the_policies_really_stop_scripts_of_a_page(hurry: Callable[..., Walk], complaints: list[str]) -> None:
    at = hurry()
    at.open("/login?way=cert")
    at.open_window("login.enter_certificate")
    for frame in (at.page.main_frame, vault_frame(at.page, at.world)):
        frame.evaluate(
            "(() => { const one = document.createElement('script'); one.append('window.broken = 1');"
            " try { document.body.append(one) } catch { } })()"
        )
        assert frame.evaluate("window.broken === undefined")
        markup = frame.evaluate(
            "(() => { try { document.body.innerHTML = '<b>x</b>'; return 'taken' } catch (one) { return one.name } })()"
        )
        assert markup == "TypeError"
    assert complaints
    complaints.clear()


def test_B5_only_our_own_scripts_run(recorded: tuple[Walk, Record]) -> None:
    at, record = recorded
    assert record.scripts
    assert [one for one in record.scripts if not one.startswith((at.world.center + "/", at.world.vault + "/"))] == []


def test_B6_a_kept_certificate_holds_no_plain_key_and_a_slow_slot(recorded: tuple[Walk, Record]) -> None:
    at, record = recorded
    assert len(record.records) == 1
    kept = record.records[0]
    certificate, key = (path.read_bytes() for path in at.files("foreigner"))
    assert kept["certificate"] == certificate.hex()
    # Not even the encrypted key file stands there as it is, nor any sizeable part of it.
    assert key[40:72].hex() not in json.dumps(kept)
    assert [(slot["kind"], slot["rounds"] >= 600_000, len(slot["salt"])) for slot in kept["slots"]] == [
        ("password", True, 32)
    ]


def test_B11_the_password_stands_in_no_attribute_message_or_storage(recorded: tuple[Walk, Record]) -> None:
    at, record = recorded
    password = at.world.demo["certificate_password"]
    assert record.messages
    for place in (record.pages, record.messages, record.storage, [json.dumps(record.records)]):
        assert not [one for one in place if password in one or "Wrong!2026" in one]


def test_B12_no_answer_clears_the_storage(recorded: tuple[Walk, Record]) -> None:
    _, record = recorded
    assert not [url for url, headers in record.headers if "clear-site-data" in headers]


def test_B13_the_centers_service_worker_is_the_only_one_and_nothing_personal_is_kept_by_the_browser(
    recorded: tuple[Walk, Record],
) -> None:
    at, record = recorded
    assert record.workers == [at.world.center + "/"]
    documents = [
        headers
        for url, headers in record.headers
        if url.startswith(at.world.center)
        and "text/html" in headers.get("content-type", "")
        # The page without a network is a hash-named file, the same for everybody.
        and not url.startswith(at.world.center + "/static/offline-")
    ]
    assert documents
    assert {"no-store" in one.get("cache-control", "") for one in documents} == {True}


def test_B14_no_file_name_leaves_the_frame(recorded: tuple[Walk, Record]) -> None:
    at, record = recorded
    names = ["signCert", "signPri", "NPKI", at.files("foreigner")[0].parent.name]
    leaving = [url + body for _, url, body in record.sent] + record.messages
    assert not [one for one in leaving for name in names if name in one]


def test_B17_no_request_carries_the_certificate_password(recorded: tuple[Walk, Record]) -> None:
    at, record = recorded
    password = at.world.demo["certificate_password"]
    assert any(body for _, _, body in record.sent)
    assert not [url for _, url, body in record.sent if password in url + body or "Wrong!2026" in url + body]
