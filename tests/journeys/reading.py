"""How a screen is walked without eyes or without a mouse: each stop of the Tab key, and what a screen reader is told.

`trouble` of screens.py asks for it where INGAM_WALKS=1; scripts/accessibility.py makes docs/accessibility.md of it.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from playwright.sync_api import Frame, Page

WALKS = Path(__file__).resolve().parent / "shots" / "walks"
MOST = 400
"""A screen with more stops than this is a trap."""

# The focused element of this document: its role, its name as a person hears it, and whether an eye finds it.
FOCUSED = """() => {
  const one = document.activeElement
  if (!one || one === document.body || one === document.documentElement || one.tagName === 'IFRAME') return null
  const text = (ids) => (ids || '').split(' ').map((id) => document.getElementById(id)?.textContent || '').join(' ')
  const label = () => [...(one.labels || [])].map((each) => each.textContent).join(' ')
  const name = one.getAttribute('aria-label') || text(one.getAttribute('aria-labelledby')) || label() || one.alt ||
    (one.matches('input[type=submit]') ? one.value : '') || one.textContent || one.title || ''
  const kinds = { A: 'link', BUTTON: 'button', SELECT: 'combobox', TEXTAREA: 'textbox', SUMMARY: 'disclosure' }
  const types = { radio: 'radio', checkbox: 'checkbox', submit: 'button', file: 'file chooser', password: 'password' }
  const role = one.getAttribute('role') || (one.tagName === 'INPUT' ? types[one.type] || 'textbox' : kinds[one.tagName])
  const style = getComputedStyle(one)
  const shown = (each) => {
    const look = getComputedStyle(each)
    return (look.outlineStyle !== 'none' && parseFloat(look.outlineWidth) > 0) || look.boxShadow !== 'none'
  }
  const box = one.closest('label') || one.parentElement
  const seen = shown(one) || (style.opacity === '0' && box !== null && shown(box)) ||
    (box !== null && box.matches(':focus-within') && shown(box))
  const told = text(one.getAttribute('aria-describedby'))
  const plain = (words) => words.replace(/\\s+/g, ' ').trim().slice(0, 120)
  return { role: role || one.tagName.toLowerCase(), name: plain(name), told: plain(told), seen,
           id: [...document.querySelectorAll('*')].indexOf(one) }
}"""


@dataclass(frozen=True)
class Stop:
    """Where the Tab key stops: what is said, and whether the focus is visible."""

    role: str
    name: str
    told: str
    seen: bool


def wanted() -> bool:
    """Whether this run writes walks down."""
    return os.environ.get("INGAM_WALKS") == "1"


def walk(page: Page, name: str) -> list[str]:
    """Walk the screen as it is; what is wrong with it. The walk is kept below `WALKS` under the screen's name."""
    stops, whole = _stops(page)
    WALKS.mkdir(parents=True, exist_ok=True)
    told = {"name": name, "title": page.title(), "stops": [asdict(one) for one in stops], "trees": _trees(page)}
    (WALKS / f"{name}.json").write_text(json.dumps(told, ensure_ascii=False, indent=1), encoding="utf-8")
    wrong = [f"{name}: no end of Tab stops"] if not whole else []
    wrong += [f"{name}: focus is not visible: {one.role} {one.name}" for one in stops if not one.seen]
    return wrong + [f"{name}: a stop without a name: {one.role}" for one in stops if not one.name]


def _stops(page: Page) -> tuple[list[Stop], bool]:
    """Tab until the first stop comes again; then the focus goes back to where it was."""
    held = [
        (frame, frame.evaluate_handle("() => document.activeElement")) for frame in page.frames if _has_focus(frame)
    ]
    page.evaluate("() => document.activeElement instanceof HTMLElement && document.activeElement.blur()")
    found = _round(page)
    for frame, one in held:
        frame.evaluate("(one) => one instanceof HTMLElement && one.focus()", one)
    return found


def _round(page: Page) -> tuple[list[Stop], bool]:
    stops: list[Stop] = []
    first: tuple[str, int] | None = None
    last: tuple[str, int] | None = None
    for _ in range(MOST):
        page.keyboard.press("Tab")
        found = _focused(page)
        if found is None:
            if stops:  # the browser's own bar
                return stops, True
            continue
        where, told = found
        if where == last:  # the parts of a date
            continue
        if where == first:
            return stops, True
        first, last = first or where, where
        stops.append(Stop(**told))
    return stops, not stops  # a screen that only waits has none


def _focused(page: Page) -> tuple[tuple[str, int], dict[str, Any]] | None:
    for frame in (one for one in page.frames if one.url.startswith("http")):
        if not _has_focus(frame):
            continue
        told: dict[str, Any] | None = frame.evaluate(FOCUSED)
        if told is not None:
            return (frame.url, told.pop("id")), told
    return None


def _has_focus(frame: Frame) -> bool:
    had: bool = frame.evaluate("() => document.hasFocus()")
    return had


def _trees(page: Page) -> list[str]:
    return [one.locator("body").aria_snapshot() for one in page.frames if one.url.startswith("http")]
