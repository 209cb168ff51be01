"""A phone whose camera is a file, in the world of the other journeys."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage
from tests.journeys import camera, world
from tests.journeys.conftest import EXPECTED, FLAGS, PATIENCE_MS, SHELL, SIZES
from tests.journeys.issuance.walk import PhoneWalk
from tests.journeys.person import Hurried

from ingam.sandbox import cards_web
from ingam.sandbox.people import person

# The middle of this picture, as the page of ② cuts it, is filled by the card: it fits the guide frame.
SEEN = (1280, 864)
PAPER = Image.new("RGB", (1712, 1080), (226, 224, 218))

# The camera is not allowed beforehand, as at a first visit: the page waits for its button, then nobody has to answer.
FIRST_VISIT = "navigator.permissions.query = () => Promise.resolve({ state: 'prompt' })"


@dataclass(frozen=True)
class Handset:
    """A browser and the film that its camera plays."""

    browser: Browser
    film: Path

    def see(self, who: str, kind: str = "resident") -> None:
        """Lay somebody's card before the camera; it is seen from the next opening on."""
        self.lay(Image.open(io.BytesIO(cards_web.drawn(person(who), kind))))

    def lay(self, seen: Image.Image) -> None:
        """Lay anything of a card's shape before it."""
        camera.film(seen, self.film, size=SEEN)


@pytest.fixture(scope="session")
def handset(chromium: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Handset]:
    """A Chromium of its own, of the same driver."""
    film = tmp_path_factory.mktemp("camera") / "seen.y4m"
    camera.film(PAPER, film, size=SEEN)
    browser = chromium.browser_type.launch(executable_path=SHELL, args=FLAGS + camera.flags(film))
    yield Handset(browser, film)
    browser.close()


@pytest.fixture
def phone(handset: Handset, running: world.World, complaints: list[str]) -> Iterator[Callable[..., PhoneWalk]]:
    """A person of the demo with a phone, 360 pixels wide, in a language."""
    opened: list[BrowserContext] = []

    def hear(message: ConsoleMessage) -> None:
        if message.type in ("error", "warning") and not message.text.startswith(EXPECTED):
            complaints.append(message.text)

    def make(who: str, lang: str = "ko") -> PhoneWalk:
        context = handset.browser.new_context(
            viewport=SIZES[360], locale="ko-KR" if lang == "ko" else "en-US", is_mobile=True, has_touch=True,
            device_scale_factor=2, accept_downloads=True, service_workers="block",
        )  # fmt: skip
        context.set_default_timeout(PATIENCE_MS)
        context.add_cookies([{"name": "lang", "value": lang, "url": running.center}])
        context.add_init_script(FIRST_VISIT)
        context.on("console", hear)
        context.on("weberror", lambda one: complaints.append(str(one.error)))
        opened.append(context)
        page = context.new_page()
        page.on("filechooser", lambda _chooser: None)
        return PhoneWalk(Hurried(page), running, who, lang)

    yield make
    for context in opened:
        context.close()
