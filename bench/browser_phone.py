"""⑤ and ⑥ in Chromium as a telephone: from the password to the kept key, and from 확인 to the certificate.

`python -m bench.browser_phone`. The real vault in a window of 360 x 740 before a small center and a real authority, all
on loopback. The browser's processes run a quarter of the time; center and authority run at full speed, and no network
is counted. Aims are our own.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from playwright.sync_api import Browser, Page, sync_playwright
from tests.journeys.vault_issue.bench import Served
from tests.journeys.vault_issue.walk import Walk

from bench.figures import Figure, at_least, at_most, report, spread

CHROMIUM: Final = "/usr/bin/chromium"
ISSUES: Final = 9
KEY_S: Final = 6.0
ISSUE_S: Final = 4.0
SLOWER: Final = 4
LEAST_SLOW: Final = 0.9 * SLOWER
PACES: Final = 4
RUN_S: Final = 0.002
"""A slowed process runs as long at a time, and then rests for `SLOWER` - 1 times as long as it ran.

Stopping and waking costs it something of so short a turn: it is slowed rather more than `SLOWER` times.
"""

PACE: Final = """
import os, select, signal, sys, time
run, rate, pids = float(sys.argv[1]), float(sys.argv[2]), [int(one) for one in sys.argv[3:]]
def tell(what):
    for pid in pids:
        try:
            os.kill(pid, what)
        except ProcessLookupError:
            pass
def over(seconds):
    return bool(select.select([0], [], [], seconds)[0])
try:
    os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(1))
except OSError:
    pass  # then a busy machine makes the turns longer
try:
    ended = False
    while not ended:
        start = time.perf_counter()
        ended = over(run)
        tell(signal.SIGSTOP)
        ended = ended or over((time.perf_counter() - start) * (rate - 1))
        tell(signal.SIGCONT)
finally:
    tell(signal.SIGCONT)
"""
"""Ends when its input is closed. A rest is as many times longer than the run before it really was."""

WATCH: Final = """
globalThis.benchHeard = {}
addEventListener('click', () => { globalThis.benchClicked = Date.now() }, true)
addEventListener('message', (event) => { globalThis.benchHeard[event.data?.kind] ??= Date.now() }, true)
"""

LOOPS: Final = """async () => {
  const spin = () => { const start = performance.now(); let x = 1
    for (let i = 0; i < 6e6; i++) x = (x * 1103515245 + 12345) | 0
    return performance.now() - start + (x === 0 ? 1 : 0) }
  const source = `const spin = ${spin}; onmessage = () => postMessage(spin())`
  const worker = new Worker(URL.createObjectURL(new Blob([source])))
  const inWorker = () => new Promise((done) => { worker.onmessage = (e) => done(e.data); worker.postMessage(0) })
  const publicExponent = new Uint8Array([1, 0, 1])
  const rsa = { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256', modulusLength: 2048, publicExponent }
  const { privateKey } = await crypto.subtle.generateKey(rsa, false, ['sign'])
  const sign = async () => { const start = performance.now()
    await Promise.all(Array.from({ length: 60 }, () => crypto.subtle.sign(rsa.name, privateKey, new Uint8Array(32))))
    return performance.now() - start }
  spin(); await inWorker(); await sign()
  const best = async (one) => { let least = Infinity
    for (let i = 0; i < 5; i++) least = Math.min(least, await one())
    return least }
  return { page: await best(spin), worker: await best(inWorker), webcrypto: await best(sign) }
}"""
"""Milliseconds at best, so that a busy machine says the same as an idle one."""


@contextlib.contextmanager
def slowed(browser: Browser) -> Iterator[None]:
    """Every process of the browser runs a quarter of the time.

    DevTools' `Emulation.setCPUThrottlingRate` slows the page's main thread alone: a worker refuses it ("only supported
    for pages, not workers"), and the threads where WebCrypto makes the vault's key are not of its session either.
    """
    session = browser.new_browser_cdp_session()
    pids = [str(one["id"]) for one in session.send("SystemInfo.getProcessInfo")["processInfo"]]
    session.detach()
    pace = subprocess.Popen(
        [sys.executable, "-I", "-S", "-c", PACE, str(RUN_S), str(SLOWER), *pids], stdin=subprocess.PIPE
    )
    try:
        yield
    finally:
        assert pace.stdin is not None
        pace.stdin.close()
        pace.wait(10)


@contextlib.contextmanager
def telephone(browser: Browser) -> Iterator[tuple[Served, Page]]:
    """A fresh center, vault and authority, and a fresh telephone before them."""
    with tempfile.TemporaryDirectory() as folder:
        served = Served(Path(folder))
        context = browser.new_context(
            viewport={"width": 360, "height": 740}, device_scale_factor=3, is_mobile=True, has_touch=True
        )
        context.set_default_timeout(60_000)
        context.add_init_script(WATCH)
        try:
            yield served, context.new_page()
        finally:
            context.close()
            served.stop()


def issue(browser: Browser, slow: bool) -> tuple[float, float]:
    """Seconds from [the password's button] to `made`, and from 확인 to `issued`."""
    with telephone(browser) as (served, page):
        walk = Walk(page, served.bench)
        walk.open()
        walk.button("issue-go").wait_for()
        with slowed(browser) if slow else contextlib.nullcontext():
            walk.set_password()
            walk.confirm()
            walk.vault.locator("#issued").wait_for()
            walk.until(lambda: bool(page.evaluate("'issued' in benchHeard")))
        frame = next(one for one in page.frames if one.url.startswith(served.bench.vault))
        typed, (heard, confirmed) = frame.evaluate("benchClicked"), page.evaluate("[benchHeard, benchClicked]")
        return (heard["made"] - typed) / 1e3, (heard["issued"] - confirmed) / 1e3


def pace_figures(browser: Browser) -> list[Figure]:
    """How much slower a loop on the page, one in a worker, and WebCrypto's signatures really are."""
    plain, slow = [], []
    with telephone(browser) as (served, page):
        page.goto(f"{served.bench.center}/issuance/new/issue")
        for _ in range(PACES):
            plain.append(page.evaluate(LOOPS))
            with slowed(browser):
                slow.append(page.evaluate(LOOPS))
    return [
        at_least(
            f"phone slowed: {shown}", min(one[name] for one in slow) / min(one[name] for one in plain), "x", LEAST_SLOW
        )
        for name, shown in (("page", "a loop on the page"), ("worker", "in a worker"), ("webcrypto", "WebCrypto"))
    ]


def browser_figures(browser: Browser, count: int) -> list[Figure]:
    """⑤ and ⑥, at full speed and slowed in turn."""
    figures = pace_figures(browser)
    issue(browser, slow=False)
    taken: dict[bool, list[tuple[float, float]]] = {False: [], True: []}
    for _ in range(count):
        for slow in (False, True):
            taken[slow].append(issue(browser, slow))
    for slow, how in ((False, "at full speed"), (True, f"{SLOWER} times slower")):
        for at, (shown, aim) in enumerate((("⑤ password to key kept", KEY_S), ("⑥ confirmed to issued", ISSUE_S))):
            found, name = spread([one[at] for one in taken[slow]]), f"phone {shown}, {how}"
            figures.append(at_most(name, found.median, "s", aim) if slow else Figure(name, found.median, "s"))
            figures += [Figure(f"{name}: q1", found.low, "s"), Figure(f"{name}: q3", found.high, "s")]
    return figures


def main() -> int:
    """0 where both met their aims, and the slowing took."""
    busy = os.getloadavg()[0]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
        )
        told = browser_figures(browser, ISSUES)
        browser.close()
    met = report("browser-phone", told)
    print(f"load average {busy:.1f} at the beginning, {os.getloadavg()[0]:.1f} at the end")
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
