"""가상키보드 in a real browser: by pointer, keys and ear; what was typed is found nowhere (security E12, E13)."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import APIResponse, Browser, FrameLocator, Locator, Page, Request, Route, expect
from tests.journeys.conftest import SIZES
from tests.journeys.person import tick
from tests.journeys.screens import shoot, trouble
from tests.journeys.walks import INSTITUTION, Walk
from tests.journeys.world import World, log_of

from ingam.kernel.words import say

LOOKS = [(1280, "ko", "light"), (360, "ko", "dark"), (360, "en", "light")]
KEY_STEPS = 80
# Everything that either side of the frame hears, and what the page keeps.
HEAR = (
    "window.heard = []; window.addEventListener('message', (one) => window.heard.push(JSON.stringify(one.data)), true)"
)
KEPT = """() => JSON.stringify([document.documentElement.outerHTML, { ...localStorage }, { ...sessionStorage },
  document.cookie, [...document.querySelectorAll('input')].map((one) => one.value), window.heard ?? [],
  history.state, location.href])"""


class Pad:
    """The keypad of a field, in the page or in the vault's frame."""

    def __init__(self, at: Walk, where: Page | FrameLocator, field: Locator) -> None:
        self.at, self.where, self.field = at, where, field

    @property
    def keys(self) -> Locator:
        """The keys that are seen now."""
        return self.where.locator(".pad:visible .pad-key:visible")

    def key(self, character: str) -> Locator:
        """The key on which this is drawn."""
        return self.where.locator(f".pad:visible .pad-key:visible[data-glyph={json.dumps(character)}]")

    def act(self, name: str) -> Locator:
        """Another key than those with characters."""
        return self.where.locator(".pad:visible").get_by_role("button", name=self.at.say(f"keypad.{name}"), exact=True)

    def press(self, text: str) -> None:
        """With the mouse, turning pages as it needs."""
        expect(self.keys.first).to_be_visible()
        for character in text:
            self.turn_to(character)
            self.key(character).click()

    def turn_to(self, character: str) -> None:
        """The page that has the character."""
        if self.key(character).count():
            return
        if not character.isalnum():
            self.act("symbols").click()
        elif self.act("letters").count():
            self.act("letters").click()
        if character.isalpha() and not self.key(character).count():
            self.act("shift").click()


def identifying(at: Walk) -> tuple[Pad, Pad]:
    """①본인확인, and the keypads of its two secret fields."""
    at.log_in_by_id()
    at.start_anew()
    institution = INSTITUTION[at.lang]
    fields = at.field("registration.password", institution=institution), at.field("registration.idn")
    return Pad(at, at.page, fields[0]), Pad(at, at.page, fields[1])


def sent(request: Request) -> str:
    """All of a request."""
    return f"{request.url} {request.post_data or ''} {json.dumps(request.headers)}"


def nowhere(text: str, places: list[str]) -> None:
    """The text is in none of them; a match is not printed whole."""
    for place in places:
        at = place.find(text)
        assert at < 0, f"found behind …{place[max(0, at - 60) : at]}"


def said_by(world: World) -> str:
    """Every line that the processes said; the first ones name the demo's people with their passwords."""
    return log_of(world.data).read_text(encoding="utf-8", errors="replace")


def kept_by(world: World, said: int) -> str:
    """Every byte that the center keeps, and every line after the first so many characters."""
    files = [path for path in (world.data / "center").rglob("*") if path.is_file()]
    return "".join(one.read_bytes().decode("latin-1") for one in files) + said_by(world)[said:]


def test_E12_what_is_pressed_on_the_keypads_is_found_nowhere(hurry: Callable[..., Walk], running: World) -> None:
    at, said = hurry("hong", 360), len(said_by(running))
    password, number = identifying(at)
    requests: list[str] = []
    at.page.on("request", lambda one: requests.append(sent(one)))
    password.field.click()
    password.press(at.who["password"])
    number.field.click()
    number.press(at.who["idn"])
    expect(number.field).to_have_value("•" * 13)
    places = [at.page.evaluate(KEPT)]
    at.person.press(at.button("registration.next"))
    expect(at.page.locator("form[data-keypad=factor]")).to_be_visible()
    at.page.go_back()
    at.page.wait_for_load_state()
    places += [at.page.evaluate(KEPT), *requests, kept_by(running, said)]
    for secret in (at.who["password"], at.who["idn"], at.who["idn"][6:]):
        nowhere(secret, places)
    (form,) = [one for one in requests if "/registration/identify" in one]
    assert "password_sealed=" in form and "idn_sealed=" in form
    assert "&password=" not in form and "&idn=" not in form


def test_E12_a_physical_keyboard_is_sealed_the_same_way(walk: Callable[..., Walk]) -> None:
    at = walk("hong")
    requests: list[str] = []
    at.page.on("request", lambda one: requests.append(sent(one)))
    password, number = identifying(at)
    at.person.type_into(password.field, at.who["password"][:4])
    expect(password.keys.first).to_be_visible()
    # Keys of the pad and of the keyboard, one behind the other; a slip is taken back in the middle.
    password.press(at.who["password"][4:])
    expect(password.field).to_have_value("•" * len(at.who["password"]))
    at.person.type_into(number.field, "9" + at.who["idn"] + "7")
    at.page.keyboard.press("Backspace")
    at.page.keyboard.press("Home")
    at.page.keyboard.press("Delete")
    at.page.keyboard.press("End")
    at.person.press(at.button("registration.next"))
    expect(at.page.locator("form[data-keypad=factor]")).to_be_visible()
    nowhere(at.who["password"], requests)
    nowhere(at.who["idn"], requests)


def test_the_keypad_by_keyboard_and_by_ear(walk: Callable[..., Walk]) -> None:
    at = walk("hong")
    _, number = identifying(at)
    page = at.page
    at.person.go_to(number.field)
    expect(number.keys).to_have_count(10)
    # By itself a key is read as its place alone.
    names = [one.get_attribute("aria-label") or "" for one in number.keys.all()]
    assert all(re.fullmatch(r"\d줄 \d번째 키", name) for name in names) and len(set(names)) == 10
    read = number.act("read")
    at.person.press(read)
    expect(read).to_have_attribute("aria-pressed", "true")
    assert sorted(one.get_attribute("aria-label") or "" for one in number.keys.all()) == list("0123456789")
    at.person.go_to(number.field)
    page.keyboard.press("ArrowDown")
    page.keyboard.type(at.who["idn"][:9])
    for digit in at.who["idn"][9:]:
        steer(page, digit)
        page.keyboard.press("Enter")
    status = page.locator(".pad-place:has(.pad:visible) [role=status]")
    expect(status).to_have_text(at.say("keypad.entered", n=13))
    assert not re.search(r"\d{3}", status.inner_text())
    page.keyboard.press("Backspace")
    expect(status).to_have_text(at.say("keypad.erased", n=12))
    page.keyboard.type(at.who["idn"][-1])
    page.keyboard.press("Escape")
    expect(number.field).to_be_focused()
    expect(number.keys).to_have_count(0)
    at.person.type_into(at.field("registration.password", institution=INSTITUTION["ko"]), at.who["password"])
    at.person.press(at.button("registration.next"))
    expect(at.page.locator("form[data-keypad=factor]")).to_be_visible()


def steer(page: Page, name: str) -> None:
    """To a key by its name, with the arrows alone."""
    focused = "document.activeElement.getAttribute('aria-label') ?? ''"
    page.keyboard.press("Home")
    for arrow in ("ArrowUp", "ArrowRight"):
        for _ in range(KEY_STEPS):
            if page.evaluate(focused) == name:
                return
            before = page.evaluate_handle("document.activeElement")
            page.keyboard.press(arrow)
            if arrow == "ArrowUp" and page.evaluate("(one) => one === document.activeElement", before):
                break
        page.keyboard.press("Home")
    raise AssertionError(f"the arrows do not reach {name}")


HEIGHTS = """() => { window.heights = []; new MutationObserver(() => {
  for (const one of document.querySelectorAll('.pad')) {
    if (!one.hidden) window.heights.push(one.getBoundingClientRect().height)
  } }).observe(document.body, { subtree: true, childList: true, attributes: true }) }"""


@pytest.mark.parametrize("width", [1280, 360])
def test_nothing_below_moves_when_the_keys_come(hurry: Callable[..., Walk], width: int) -> None:
    at = hurry("hong", width)
    at.open("/login")
    at.page.evaluate(HEIGHTS)
    tick(at.page.get_by_role("checkbox", name=at.say("keypad.box")).first)
    as_tall_as_before(at)
    at.log_in_by_id(then="/registration")
    at.page.evaluate(HEIGHTS)
    at.field("registration.idn").focus()
    as_tall_as_before(at)


def as_tall_as_before(at: Walk) -> None:
    """The panel had its height while it waited for its keys."""
    expect(at.page.locator(".pad:visible .pad-key:visible").first).to_be_visible()
    heights = at.page.evaluate("() => window.heights")
    assert len(heights) > 1 and len(set(heights)) == 1, heights


def test_two_fingers_press_two_keys_and_a_finger_that_slides_away_presses_none(
    chromium: Browser, running: World
) -> None:
    with chromium.new_context(viewport=SIZES[360], has_touch=True, is_mobile=True, locale="ko-KR") as context:
        page = context.new_page()
        page.goto(f"{running.center}/login?way=id")
        page.get_by_role("checkbox", name=say("page.keypad")).tap()
        field, keys = page.locator("#password"), page.locator(".pad-key:visible")
        expect(keys.first).to_be_visible()
        boxes = [page.locator(f".pad-key:visible[data-glyph={one}]").bounding_box() for one in "qp"]
        points = [{"x": one["x"] + 9, "y": one["y"] + 9, "id": at} for at, one in enumerate(boxes) if one]
        touch = context.new_cdp_session(page)

        def fingers(kind: str, points: list[dict[str, float]]) -> None:
            touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

        fingers("touchStart", points[:1])
        fingers("touchStart", points)
        fingers("touchEnd", points[:1])
        fingers("touchEnd", [])
        expect(field).to_have_value("••")
        keys.first.tap()
        expect(field).to_have_value("•••")
        # A phone's own keyboard stays away while ours is there.
        expect(field).to_have_attribute("inputmode", "none")
        fingers("touchStart", points[:1])
        fingers("touchMove", [{**points[0], "y": points[0]["y"] - 200}])
        fingers("touchEnd", [])
        page.keyboard.press("Backspace")
        expect(field).to_have_value("••")


def test_what_the_person_chose_is_remembered(hurry: Callable[..., Walk]) -> None:
    at = hurry("hong")
    _, number = identifying(at)
    box = at.page.get_by_role("checkbox", name=at.say("page.keypad")).nth(1)
    expect(box).to_be_checked()
    number.field.click()
    number.press("12")
    tick(box, on=False)
    # Keys mean nothing to the page, so that they cannot become text of a keyboard.
    expect(number.field).to_have_value("")
    expect(number.keys).to_have_count(0)
    at.page.reload()
    expect(box).not_to_be_checked()
    expect(at.page.get_by_role("checkbox", name=at.say("page.keypad")).first).to_be_checked()
    number.field.click()
    expect(number.keys).to_have_count(0)
    tick(box)
    expect(number.keys).to_have_count(10)


def test_E12_what_cannot_be_sealed_is_not_sent(hurry: Callable[..., Walk], complaints: list[str]) -> None:
    at = hurry("hong")
    at.open("/login?way=id")
    requests: list[str] = []
    at.page.on("request", lambda one: requests.append(sent(one)))
    at.page.route("**/keypad", lambda route: route.abort())
    at.person.type_into(at.field("login.banking_id"), at.who["banking_id"])
    at.person.type_into(at.field("login.password"), at.who["password"])
    at.person.press(at.button("login.enter"))
    expect(at.page.get_by_role("alert").filter(has_text=re.compile("보내지"))).to_be_visible()
    assert not [one for one in requests if "/login/id" in one]
    expect(at.field("login.password")).to_have_value(at.who["password"])
    at.page.unroute("**/keypad")
    at.person.press(at.button("login.enter"))
    expect(at.page).not_to_have_url(re.compile("/login"))
    nowhere(at.who["password"], requests)
    complaints.clear()  # the browser tells of the request that was cut off


def test_the_button_says_that_it_works_while_the_keypad_is_asked_for_and_a_second_press_sends_nothing_more(
    hurry: Callable[..., Walk],
) -> None:
    at = hurry("hong")
    password, number = identifying(at)
    held: list[tuple[Route, APIResponse]] = []
    at.page.route("**/keypad", lambda route: held.append((route, route.fetch())))
    posted: list[str] = []
    at.page.on("request", lambda one: posted.append(one.url) if one.is_navigation_request() else None)
    at.person.type_into(password.field, at.who["password"])
    at.person.type_into(number.field, at.who["idn"])
    go = at.button("registration.next")
    go.click()
    working = at.page.get_by_role("button", name=at.say("page.busy"), exact=True)
    expect(working).to_be_visible()
    working.click()
    for route, answer in held:
        route.fulfill(response=answer)
    expect(at.page.locator("form[data-keypad=factor]")).to_be_visible()
    assert [urlsplit(one).path for one in posted] == [
        "/registration/identify",
        "/registration",
    ]  # posted once, and led on


def test_E13_a_certificate_password_leaves_in_no_request_and_no_message(
    hurry: Callable[..., Walk], running: World
) -> None:
    at, said = hurry("hong"), len(said_by(running))
    at.page.add_init_script(HEAR)
    requests: list[str] = []
    at.page.context.on("request", lambda one: requests.append(sent(one)))
    at.at_certificate()
    at.agree_to_replace()
    at.open_window()
    at.pick("securities")
    secret = at.world.demo["certificate_password"]
    field = at.vault.locator("#password")
    pad = Pad(at, at.vault, field)
    requests.clear()
    tick(at.vault.get_by_role("checkbox", name=at.say("keypad.box")))
    pad.press(secret)
    expect(field).to_have_value(secret)
    frame = next(one for one in at.page.frames if one.url.startswith(running.vault))
    dom: str = frame.evaluate("() => document.documentElement.outerHTML + JSON.stringify({ ...localStorage })")
    heard = [json.dumps(one.evaluate("window.heard")) for one in at.page.frames]
    at.person.press(at.vault.get_by_role("button", name=at.say("vault.confirm"), exact=True))
    expect(at.page.get_by_role("link", name=at.say("registration.login"))).to_be_visible()
    heard.append(at.page.evaluate(KEPT))
    assert any("/registration/certificate" in one for one in requests)
    assert not [one for one in requests if "/keypad" in one]
    nowhere(secret, [dom, *heard, *requests, kept_by(running, said)])


@pytest.mark.parametrize(("width", "lang", "scheme"), LOOKS)
def test_the_keypads_look_right(hurry: Callable[..., Walk], width: int, lang: str, scheme: str) -> None:
    at = hurry("kim", width, lang, scheme)
    password, number = identifying(at)
    found: list[str] = []

    def shot(name: str) -> None:
        found.extend(trouble(at.page, f"{name}-{width}-{lang}-{scheme}"))

    number.field.click()
    expect(number.keys).to_have_count(10)
    shot("keypad-digits")
    password.field.click()
    password.press("q")
    shot("keypad-letters")
    password.act("symbols").click()
    shoot(at.page, f"keypad-symbols-{width}-{lang}-{scheme}")
    at.open("/login?way=cert")
    at.open_window("login.enter_certificate")
    at.pick("securities")
    tick(at.vault.get_by_role("checkbox", name=at.say("keypad.box")))
    expect(at.vault.locator(".pad-key:visible").first).to_be_visible()
    shoot(at.page, f"keypad-vault-{width}-{lang}-{scheme}")
    # axe takes a label that is scrolled out of sight for none.
    at.vault.locator(".main").evaluate("(one) => one.scrollTo(0, 0)")
    shot("keypad-vault-top")
    assert not found, "\n".join(found)
