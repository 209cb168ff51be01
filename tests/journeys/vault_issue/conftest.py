"""A bench for each journey, and a phone in front of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import Browser, BrowserContext, Page
from tests.journeys.conftest import EXPECTED, PATIENCE_MS, SIZES
from tests.journeys.vault_issue.bench import Bench, Served


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    """A fresh center, vault and authority."""
    served = Served(tmp_path)
    yield served.bench
    served.stop()


@pytest.fixture
def phone(chromium: Browser, bench: Bench, complaints: list[str]) -> Iterator[Callable[..., Page]]:
    """Opens a page in a browser of its own; `context` opens another tab of the same browser."""
    opened: list[BrowserContext] = []

    def make(
        width: int = 360, lang: str = "ko", scheme: str = "light", context: BrowserContext | None = None,
        script: str | None = None,
    ) -> Page:  # fmt: skip
        if context is None:
            dark: Literal["dark", "light"] = "dark" if scheme == "dark" else "light"
            context = chromium.new_context(
                viewport=SIZES[width], color_scheme=dark, has_touch=width == 360, accept_downloads=True
            )
            context.set_default_timeout(PATIENCE_MS)
            if script is not None:
                context.add_init_script(script)
            context.on(
                "console",
                lambda one: (
                    complaints.append(one.text)
                    if one.type in ("error", "warning") and not one.text.startswith(EXPECTED)
                    else None
                ),
            )
            context.on("weberror", lambda one: complaints.append(str(one.error)))
            opened.append(context)
        bench.lang = lang
        return context.new_page()

    yield make
    for context in opened:
        context.close()
