"""One world and one Chromium for each worker; a fresh browser context for each journey."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, Page, ViewportSize, sync_playwright
from tests.journeys import world
from tests.journeys.person import Person
from tests.journeys.walks import Walk

SIZES: dict[int, ViewportSize] = {1280: {"width": 1280, "height": 900}, 360: {"width": 360, "height": 740}}
CHROMIUM = "/usr/bin/chromium"
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]


@pytest.fixture(scope="session")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[world.World]:
    """The whole of `make run`, with its data in a folder of the test."""
    started = world.start(tmp_path_factory.mktemp("world") / "data")
    yield started
    started.stop()


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """Debian's Chromium."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def new_page(chromium: Browser, running: world.World) -> Iterator[Callable[[int, str], Page]]:
    """Opens a page of a width and a language in a context of its own; a message of the console fails the journey."""
    opened = []
    complaints: list[str] = []

    def make(width: int = 1280, lang: str = "ko") -> Page:
        context = chromium.new_context(viewport=SIZES[width], locale="ko-KR" if lang == "ko" else "en-US")
        context.add_cookies([{"name": "lang", "value": lang, "url": running.center}])
        opened.append(context)
        page = context.new_page()
        page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        return page

    yield make
    for context in opened:
        context.close()
    # A refused form is an answer with its own status, which the console reports; anything else is ours.
    assert [one for one in complaints if "Failed to load resource" not in one] == []


@pytest.fixture
def walk(new_page: Callable[[int, str], Page], running: world.World) -> Callable[..., Walk]:
    """A person at a browser."""

    def start(who: str = "hong", width: int = 1280, lang: str = "ko") -> Walk:
        return Walk(Person(new_page(width, lang)), running, who, lang)

    return start
