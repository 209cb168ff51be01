"""From scan to stored: a phone in Chromium reads the QR code of a PC in Chromium, and the PC has the certificate.

`python -m bench.browser_copying`. The real vault twice and the real relay before a small center, all on loopback. The
clock runs from the moment at which the code is before the camera to the moment at which the receiving page says that
the certificate is stored and read back; the person who compares two words takes no time. Aims are our own.
"""

from __future__ import annotations

import asyncio
import base64
import secrets
import statistics
import sys
import tempfile
from pathlib import Path
from typing import Final

from playwright.sync_api import Browser, Playwright, expect, sync_playwright
from tests.journeys.vault_copy.bench import Bench, Served, pairs
from tests.journeys.vault_copy.device import Device
from tests.journeys.vault_copy.test_qr import CAMERA

from bench.figures import Figure, at_most, report

CHROMIUM: Final = "/usr/bin/chromium"
COPIES: Final = 60
MEDIAN_S: Final = 1.5
P99_S: Final = 3.0
# In the sending frame: the words are agreed to as soon as they are there.
AT_ONCE: Final = """([name]) => new Promise((done) => {
  const look = () => {
    const yes = [...document.querySelectorAll('button')].find((one) => one.textContent === name)
    if (yes === undefined) return requestAnimationFrame(look)
    yes.click()
    done(Date.now())
  }
  look()
})"""
STORED: Final = """() => {
  window.stored = new Promise((done) => {
    const look = () => document.querySelector('#copied') ? done(Date.now()) : requestAnimationFrame(look)
    look()
  })
}"""


def _one(browser: Browser, bench: Bench, folder: Path) -> tuple[float, float]:
    """One copy on two fresh devices: seconds from the code before the camera to the words, and to stored."""
    bench.who = secrets.token_hex(32)
    contexts = [browser.new_context(viewport={"width": 1280, "height": 900}), browser.new_context(has_touch=True)]
    contexts[1].add_init_script(CAMERA)
    pc = Device(contexts[0].new_page(), bench, "pc", "ko", folder)
    phone = Device(contexts[1].new_page(), bench, "phone", "ko", folder)
    pc.open("receive")
    phone.prove()
    phone.button("copy-scan").click()
    expect(phone.vault.locator("video")).to_be_visible()
    expect(pc.vault.locator(".copy-qr svg")).to_be_visible()
    picture = base64.b64encode(pc.vault.locator(".copy-qr").screenshot()).decode()
    receiving, sending = (next(f for f in one.page.frames if f.url.startswith(bench.vault)) for one in (pc, phone))
    receiving.evaluate(STORED)
    begun = sending.evaluate("(one) => { window.look(one); return Date.now() }", f"data:image/png;base64,{picture}")
    agreed = sending.evaluate(AT_ONCE, [phone.say("copy-agree")])
    stored = receiving.evaluate("() => window.stored")
    phone.copied()
    for one in contexts:
        one.close()
    return (agreed - begun) / 1000, (stored - begun) / 1000


def main() -> int:
    """The lines."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        two = asyncio.run(pairs(folder / "authority"))
        with sync_playwright() as playwright:
            return _measured(playwright, Served(folder, two), folder)


def _measured(playwright: Playwright, served: Served, folder: Path) -> int:
    expect.set_options(timeout=20_000)
    browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
    try:
        times = [_one(browser, served.bench, folder) for _ in range(COPIES + 3)][3:]
    finally:
        browser.close()
        served.stop()
    words, stored = ([pair[at] for pair in times] for at in (0, 1))
    p99 = statistics.quantiles(stored, n=100, method="inclusive")[98]
    return report(
        "browser_copying",
        [
            Figure("from the code before the camera to the words, median", statistics.median(words), "s"),
            at_most("from scan to stored, median", statistics.median(stored), "s", MEDIAN_S),
            at_most("from scan to stored, p99", p99, "s", P99_S),
        ],
    )


if __name__ == "__main__":
    sys.exit(main())
