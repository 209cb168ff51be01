"""Center, vault and relay for each journey, and devices in front of them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import Browser, BrowserContext, expect
from tests.journeys.conftest import EXPECTED, PATIENCE_MS, SIZES
from tests.journeys.vault_copy.bench import Bench, Pair, Served, pairs
from tests.journeys.vault_copy.device import Device

Here = Literal["pc", "phone"]
Open = Callable[..., Device]


@pytest.fixture(scope="session")
def two(tmp_path_factory: pytest.TempPathFactory) -> tuple[Pair, Pair]:
    """A person's certificate and its renewal, from the authority's own office."""
    # In a thread of its own: where a browser runs already, this one has a loop.
    with ThreadPoolExecutor(1) as beside:
        return beside.submit(asyncio.run, pairs(tmp_path_factory.mktemp("authority"))).result()


@pytest.fixture
def bench(tmp_path: Path, two: tuple[Pair, Pair]) -> Iterator[Bench]:
    """A fresh center, vault and relay."""
    served = Served(tmp_path, two)
    yield served.bench
    served.stop()


@pytest.fixture
def device(chromium: Browser, bench: Bench, complaints: list[str], tmp_path: Path) -> Iterator[Open]:
    """Opens a device: a browser of its own, or with `beside` another tab of the same one."""
    opened: list[BrowserContext] = []
    expect.set_options(timeout=PATIENCE_MS)

    def make(
        here: Here, *, lang: str = "ko", width: int | None = None, scheme: str = "light", script: str = "",
        beside: Device | None = None,
    ) -> Device:  # fmt: skip
        if beside is None:
            dark: Literal["dark", "light"] = "dark" if scheme == "dark" else "light"
            context = chromium.new_context(
                viewport=SIZES[width or (360 if here == "phone" else 1280)], color_scheme=dark,
                has_touch=here == "phone", permissions=[],
            )  # fmt: skip
            context.set_default_timeout(PATIENCE_MS)
            context.add_init_script(script)
            context.on("console", lambda one: complain(one.type, one.text))
            context.on("weberror", lambda one: complaints.append(str(one.error)))
            opened.append(context)
        else:
            context = beside.page.context
        bench.lang = lang
        page = context.new_page()
        page.on("filechooser", lambda _chooser: None)
        return Device(page, bench, here, lang, tmp_path)

    def complain(kind: str, text: str) -> None:
        if kind in ("error", "warning") and not text.startswith(EXPECTED):
            complaints.append(text)

    yield make
    for context in opened:
        context.close()
