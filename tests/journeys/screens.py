"""What every screen is held to: axe-core finds nothing, nothing overflows, targets are large enough, words whole."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import suppress
from functools import cache
from pathlib import Path
from types import CodeType, FunctionType
from typing import Any

from playwright.sync_api import Browser, Error, Frame, Page
from playwright.sync_api import TimeoutError as Undrawn
from tests.journeys import reading

ROOT = Path(__file__).resolve().parents[2]
AXE = ROOT / "node_modules" / "axe-core" / "axe.min.js"
SHOTS = Path(__file__).resolve().parent / "shots"
TARGET_PX = 44
DRAWN_MS = 10_000
MOST_TURNS = 3
UNLOOKED: list[Browser] = []
"""Browsers that are not as a person has them: no screen is looked at there."""

STILL = """() => Promise.all(document.getAnimations().filter((one) => one.effect.getComputedTiming().endTime < 5000)
  .map((one) => one.finished.catch(() => 0))).then(() => 0)"""
"""A colour that is on its way to another one is neither."""

RUN = """async () => {
  const found = await axe.run(document, { resultTypes: ['violations'], iframes: false })
  return found.violations.map((one) => ({ id: one.id, nodes: one.nodes.map((each) => each.html.slice(0, 160)) }))
}"""
# As wide as the window and no wider; an element that scrolls by itself is allowed to.
OVERFLOW = "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"
SMALL = """(least) => [...document.querySelectorAll('button.primary, button.secondary, a.primary, a.secondary')]
  .filter((one) => one.checkVisibility() && !one.classList.contains('small'))
  .map((one) => [one.textContent.trim(), one.getBoundingClientRect().height])
  .filter(([, height]) => height < least)"""
# Words of what is pressed and of headings that go on in another line, and a name of the bank that is cut off.
BROKEN = r"""() => {
  const found = []
  for (const one of document.querySelectorAll('button, a.primary, a.secondary, h1, h2, h3')) {
    if (!one.checkVisibility()) continue
    const texts = document.createTreeWalker(one, NodeFilter.SHOW_TEXT)
    for (let text = texts.nextNode(); text !== null; text = texts.nextNode()) {
      if (text.parentElement.closest('.unseen, code')) continue
      for (const word of text.data.matchAll(/[^\s·\/\-–(),.?!:'"’]+/g)) {
        const range = document.createRange()
        range.setStart(text, word.index)
        range.setEnd(text, word.index + word[0].length)
        if (new Set([...range.getClientRects()].map((box) => Math.round(box.top))).size > 1) found.push(word[0])
      }
    }
  }
  for (const one of document.querySelectorAll('.brand-name')) {
    if (one.scrollWidth > one.clientWidth) found.push(one.textContent)
  }
  return found
}"""


def trouble(page: Page, name: str) -> list[str]:
    """Everything that is wrong with the screen as it is now, in all of its frames; takes its picture when asked to."""
    assert page.context.browser not in UNLOOKED, "`looks` does not find that this journey looks"
    for _ in range(MOST_TURNS):
        try:
            return _trouble(page, name)
        except Error as over:
            # The page before this one was still going: what comes is what is looked at.
            if "context was destroyed" not in over.message:
                raise
            page.wait_for_load_state()
    return _trouble(page, name)


def _trouble(page: Page, name: str) -> list[str]:
    shoot(page, name)
    found = [one for frame in page.frames if frame.url.startswith("http") for one in _trouble_in(frame, name)]
    return found + (reading.walk(page, name) if reading.wanted() and "ko" in name.split("-") else [])


def _trouble_in(frame: Frame, name: str) -> list[str]:
    if frame.parent_frame is not None:  # the vault's, which draws itself; one that never does is told of below
        with suppress(Undrawn):
            frame.locator("main, .main").first.wait_for(state="attached", timeout=DRAWN_MS)
    # By the debugging protocol, so that the page's own policy neither forbids it nor has to be turned off for it.
    frame.evaluate(STILL)
    if not frame.evaluate("() => 'axe' in window"):  # of an earlier look at the same document
        frame.evaluate(axe())
    violations: list[dict[str, Any]] = frame.evaluate(RUN)
    wrong = [f"{name}: {one['id']}: {json.dumps(one['nodes'][:3], ensure_ascii=False)}" for one in violations]
    over: int = frame.evaluate(OVERFLOW)
    if over > 0:
        wrong.append(f"{name}: {over}px wider than the window")
    wrong += [f"{name}: broken in its middle: {word}" for word in frame.evaluate(BROKEN)]
    small: list[Any] = frame.evaluate(SMALL, TARGET_PX)
    return wrong + [f"{name}: target too small: {one}" for one in small]


def looks(test: FunctionType) -> bool:
    """Whether a function looks at a screen or takes its picture, by itself or by what it calls."""
    todo, seen = [test], {test}
    while todo:
        called = set(_called(todo.pop()))
        if called & {trouble, shoot}:
            return True
        todo.extend(called - seen)
        seen |= called
    return False


def _called(one: FunctionType) -> Iterator[FunctionType]:
    """Of the journeys: whatever has a name that it says, be it a method of any class that it knows."""
    classes = [known for known in one.__globals__.values() if isinstance(known, type)]
    for name in _names(one.__code__):
        for called in (one.__globals__.get(name), *(vars(known).get(name) for known in classes)):
            if isinstance(called, FunctionType) and called.__module__.startswith("tests."):
                yield called


def _names(code: CodeType) -> set[str]:
    inner = [one for one in code.co_consts if isinstance(one, CodeType)]
    return set(code.co_names).union(*map(_names, inner))


@cache
def axe() -> str:
    """Its script."""
    return AXE.read_text(encoding="utf-8") + "; 0"


def shoot(page: Page, name: str) -> None:
    """A picture for people, when INGAM_SHOTS=1."""
    if os.environ.get("INGAM_SHOTS") != "1":
        return
    SHOTS.mkdir(exist_ok=True)
    page.screenshot(path=SHOTS / f"{name}.png", full_page=page.locator("dialog").count() == 0)
