"""One world and one Chromium for each worker; a fresh browser context for each journey."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, ViewportSize, expect, sync_playwright
from tests.journeys import world
from tests.journeys.person import Hurried, Person
from tests.journeys.scene import scene
from tests.journeys.screens import UNLOOKED, looks
from tests.journeys.walks import Walk

from ingam.center.terms.registry import SHIPPED

SIZES: dict[int, ViewportSize] = {1280: {"width": 1280, "height": 900}, 360: {"width": 360, "height": 740}}
CHROMIUM = "/usr/bin/chromium"
SHELL = "/usr/bin/chromium-headless-shell"
"""The same engine without a desktop around it: a third less work for each page. TLS takes CHROMIUM."""
NO_FONTS = "--disable-remote-fonts"
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]
PATIENCE_MS = 20_000
# A refused form is an answer with its own status, which the console reports; anything else is ours.
EXPECTED = (
    "Failed to load resource: the server responded with a status of",
    "Service Worker registration blocked by Playwright",
)
Worker = Literal["allow", "block"]
SERVICE = "https://hts.example/callback"
CLIENTS = f"""[[client]]
client_id = "hts"
name_ko = "홈트레이딩"
name_en = "Home trading"
redirect_uris = ["{SERVICE}"]
scopes = ["profile"]
public = true
"""
"""Another service, to which a person logs in here (F12)."""

BROWSERS: list[Browser] = []
"""Those that are open in this process: a failure tells what they showed."""


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A journey that fails tells what was on its screens, and what the center refused last."""
    report = yield
    if report.failed and call.when == "call":
        report.sections.append(("What was on the screens", scene(BROWSERS)))
        at = getattr(item, "funcargs", {}).get("running")
        if isinstance(at, world.World):
            report.sections.append(("What the center refused last", "\n".join(map(str, at.refusals()[-8:]))))
    return report


@pytest.fixture(scope="session")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[world.World]:
    """The whole of `make run`, with its data in a folder of the test."""
    data = tmp_path_factory.mktemp("world") / "data"
    clients = data.with_name("clients.toml")
    clients.write_text(CLIENTS, encoding="utf-8")
    terms = later_terms(tmp_path_factory)
    started = world.start(data, INGAM_TERMS=str(terms), INGAM_OIDC_CLIENTS=str(clients))
    yield started
    started.stop()


def later_terms(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """T9 with a version of a far day, which two operators may let take effect."""
    folder = tmp_path_factory.mktemp("terms") / "T9"
    shutil.copytree(SHIPPED / "T9", folder)
    (folder / "2099-01-01.ko.md").write_text("# 새 약관\n\n먼 날의 약관입니다.\n", encoding="utf-8")
    return folder.parent


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """Debian's Chromium."""
    expect.set_options(timeout=PATIENCE_MS)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=SHELL, args=FLAGS)
        BROWSERS.append(browser)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def fontless(chromium: Browser) -> Iterator[Browser]:
    """The same, which loads no font of a page: half of a page's work, where nobody looks at the screen."""
    browser = chromium.browser_type.launch(executable_path=SHELL, args=[*FLAGS, NO_FONTS])
    BROWSERS.append(browser)
    UNLOOKED.append(browser)
    yield browser
    BROWSERS.remove(browser)
    UNLOOKED.remove(browser)
    browser.close()


@pytest.fixture
def looked_at(request: pytest.FixtureRequest) -> bool:
    """Whether the journey looks at its screens."""
    return looks(request.function)


@pytest.fixture
def complaints() -> Iterator[list[str]]:
    """What browsers complained of; a complaint that a journey does not take out of here fails it."""
    heard: list[str] = []
    yield heard
    assert heard == []


@pytest.fixture
def asked() -> list[str]:
    """The address of every request that any page of the journey made."""
    return []


@pytest.fixture
def worker() -> Worker:
    """Whether the center's service worker lives in these browsers: each would install it anew, with all that it keeps.

    Journeys of the installed app let it, and those of the first route and of what a browser keeps.
    """
    return "block"


@pytest.fixture
def new_page(
    request: pytest.FixtureRequest, running: world.World, complaints: list[str], asked: list[str], worker: Worker,
    looked_at: bool,
) -> Iterator[Callable[..., Page]]:  # fmt: skip
    """Opens a page of a width and a language in a browser of its own."""
    whole = looked_at or worker == "allow"
    browser: Browser = request.getfixturevalue("chromium" if whole else "fontless")
    opened = []

    def hear(message: ConsoleMessage) -> None:
        if message.type in ("error", "warning") and not message.text.startswith(EXPECTED):
            complaints.append(message.text)

    def make(width: int = 1280, lang: str = "ko", scheme: str = "light") -> Page:
        dark: Literal["dark", "light"] = "dark" if scheme == "dark" else "light"
        locale = "ko-KR" if lang == "ko" else "en-US"
        context = browser.new_context(viewport=SIZES[width], locale=locale, color_scheme=dark, service_workers=worker)
        context.set_default_timeout(PATIENCE_MS)
        context.add_cookies([{"name": "lang", "value": lang, "url": running.center}])
        context.on("console", hear)
        context.on("weberror", lambda one: complaints.append(str(one.error)))
        context.on("request", lambda request: asked.append(request.url))
        opened.append(context)
        page = context.new_page()
        # Choosers are caught from the start: caught only when one is awaited, a slow machine opens it too early.
        page.on("filechooser", lambda _chooser: None)
        return page

    yield make
    for context in opened:
        context.close()


@pytest.fixture
def walk(new_page: Callable[..., Page], running: world.World) -> Callable[..., Walk]:
    """A person at a browser, by keyboard alone."""

    def start(who: str = "hong", width: int = 1280, lang: str = "ko") -> Walk:
        return Walk(Person(new_page(width, lang)), running, who, lang)

    return start


@pytest.fixture
def hurry(new_page: Callable[..., Page], running: world.World) -> Callable[..., Walk]:
    """A person at a browser who goes straight to everything."""

    def start(who: str = "hong", width: int = 1280, lang: str = "ko", scheme: str = "light") -> Walk:
        return Walk(Hurried(new_page(width, lang, scheme)), running, who, lang)

    return start


@pytest.fixture
def normal(running: world.World) -> Iterator[world.World]:
    """The world, whose switches are turned back afterwards."""
    yield running
    running.turn("all", "", "normal")
