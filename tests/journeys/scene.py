"""What was on every screen when a journey failed: told with the failure, since the machine that saw it is gone."""

from __future__ import annotations

from contextlib import suppress

from playwright.sync_api import Browser, Error, Frame

MOST_LETTERS = 1_500
SEEN = "document.body ? document.body.innerText : ''"
FOCUS = "document.activeElement ? document.activeElement.outerHTML.slice(0, 160) : ''"


def scene(browsers: list[Browser]) -> str:
    """Address, focus and visible text of each frame of each page that is open."""
    pages = [page for browser in browsers for context in browser.contexts for page in context.pages]
    return "\n".join(_frame(frame) for page in pages for frame in page.frames)


def _frame(frame: Frame) -> str:
    with suppress(Error):
        text = " | ".join(str(frame.evaluate(SEEN)).split("\n"))
        return f"── {frame.url}\nfocus: {frame.evaluate(FOCUS)}\n{text[:MOST_LETTERS]}"
    return f"── {frame.url}: gone"
