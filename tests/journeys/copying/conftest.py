"""Two devices of one person whose certificate is registered; a phone whose camera is a film; two nodes of the relay."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.request import urlopen

import pytest
from PIL import Image
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Locator, expect
from tests import valkey
from tests.journeys import camera, world
from tests.journeys.conftest import BROWSERS, EXPECTED, FLAGS, NO_FONTS, PATIENCE_MS, SHELL, SIZES
from tests.journeys.copying.crossing import Crossing
from tests.journeys.copying.walk import CopyWalk, Here
from tests.journeys.person import Hurried
from tests.journeys.walks import Walk

SEEN = (1280, 720)
ANDROID = (
    "Mozilla/5.0 (Linux; Android 15; SM-S931N) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/142.0.0.0 Mobile Safari/537.36"
)
Open = Callable[..., CopyWalk]


@dataclass(frozen=True)
class Handset:
    """A browser and the film that its camera plays from the next opening on."""

    browser: Browser
    film: Path

    def look_at(self, screen: Locator) -> None:
        """Hold the camera before a part of another device's screen."""
        shot = Image.open(io.BytesIO(screen.screenshot())).convert("RGB").resize((420, 420))
        desk = Image.new("RGB", SEEN, (96, 104, 112))
        desk.paste(shot, (SEEN[0] // 2 - 210, SEEN[1] // 2 - 210))
        camera.plain_film(desk, self.film)


@pytest.fixture(scope="session")
def handset(chromium: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Handset]:
    """A Chromium of its own, of the same driver."""
    film = tmp_path_factory.mktemp("camera") / "seen.y4m"
    camera.plain_film(Image.new("RGB", SEEN, (96, 104, 112)), film)
    browser = chromium.browser_type.launch(executable_path=SHELL, args=[*FLAGS, NO_FONTS, *camera.flags(film)])
    BROWSERS.append(browser)
    yield Handset(browser, film)
    BROWSERS.remove(browser)
    browser.close()


@contextmanager
def _devices(fontless: Browser, handset: Handset, at: world.World, complaints: list[str]) -> Iterator[Open]:
    opened: list[BrowserContext] = []

    def hear(message: ConsoleMessage) -> None:
        if message.type in ("error", "warning") and not message.text.startswith(EXPECTED):
            complaints.append(message.text)

    def make(here: Here, lang: str = "ko", who: str = "hong") -> CopyWalk:
        phone = here == "phone"
        context = (handset.browser if phone else fontless).new_context(
            viewport=SIZES[360 if phone else 1280], locale="ko-KR" if lang == "ko" else "en-US",
            is_mobile=phone, has_touch=phone, device_scale_factor=2 if phone else 1,
            user_agent=ANDROID if phone else None, service_workers="block",
        )  # fmt: skip
        context.set_default_timeout(PATIENCE_MS)
        context.add_cookies([{"name": "lang", "value": lang, "url": at.center}])
        context.on("console", hear)
        context.on("weberror", lambda one: complaints.append(str(one.error)))
        opened.append(context)
        page = context.new_page()
        page.on("filechooser", lambda _chooser: None)
        return CopyWalk(Hurried(page), at, here, who, lang)

    expect.set_options(timeout=PATIENCE_MS)
    yield make
    for context in opened:
        context.close()


def _register(make: Open) -> None:
    """타기관인증서등록, once for all journeys of a world: only registered certificates are copied."""
    at = make("pc")
    Walk.register(at)
    expect(at.page.get_by_role("link", name=at.say("registration.login"))).to_be_visible()


@pytest.fixture(scope="session")
def registered(running: world.World, fontless: Browser, handset: Handset) -> world.World:
    """The world of the other journeys, in which 홍길동's certificate is registered."""
    with _devices(fontless, handset, running, []) as make:
        _register(make)
    return running


@pytest.fixture
def device(registered: world.World, fontless: Browser, handset: Handset, complaints: list[str]) -> Iterator[Open]:
    """Opens a device that this person never used before: `pc` or `phone`."""
    with _devices(fontless, handset, registered, complaints) as make:
        yield make


@dataclass(frozen=True)
class TwoNodes:
    """A world whose relay is two processes on one Valkey, behind a crossing that gives each connection to the next."""

    world: world.World
    crossing: Crossing


@pytest.fixture(scope="module")
def two_nodes(fontless: Browser, handset: Handset, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TwoNodes]:
    """`make run` again, with a second node beside the first."""
    data = tmp_path_factory.mktemp("two-nodes") / "data"
    first, second = world.free_ports(9, 3), world.free_ports(8, 7)
    with valkey.server() as store, Crossing([first + 5, second + 5]) as crossing:
        told = {"INGAM_RELAY_STORE": store.url, "INGAM_RELAY_ORIGIN": crossing.origin}
        at = world.start(data, first, **told)
        node = subprocess.Popen(
            [sys.executable, "-m", "ingam.run.relay"],
            env=os.environ | told | {
                "INGAM_PORT": str(second), "INGAM_DATA": str(data), "INGAM_VAULT_ORIGIN": at.vault,
                "INGAM_CENTER_ORIGIN": at.center, "INGAM_RELAY_DRAIN_S": "1",
            },
        )  # fmt: skip
        try:
            _until_ready(f"http://localhost:{second + 5}/readyz")
            with _devices(fontless, handset, at, []) as make:
                _register(make)
            yield TwoNodes(at, crossing)
        finally:
            node.terminate()
            node.wait(20)
            at.stop()


def _until_ready(address: str) -> None:
    import time

    until = time.monotonic() + 20
    while True:
        try:
            urlopen(address, timeout=2).close()
            return
        except OSError:
            assert time.monotonic() < until, "the second node did not start"
            time.sleep(0.05)


@pytest.fixture
def device_there(two_nodes: TwoNodes, fontless: Browser, handset: Handset, complaints: list[str]) -> Iterator[Open]:
    """A device in the world of two nodes."""
    with _devices(fontless, handset, two_nodes.world, complaints) as make:
        yield make
