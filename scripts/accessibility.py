"""docs/accessibility.md from the walks of the journeys: what the keyboard stops at and what a screen reader is told.

    INGAM_WALKS=1 make test ONLY=journeys && .venv/bin/python scripts/accessibility.py

The text above the marker is written by hand; what follows it is written here. People's names, numbers and dates of the
demo stay as they were shown.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).resolve().parent.parent
WALKS: Final = ROOT / "tests" / "journeys" / "shots" / "walks"
PAGE: Final = ROOT / "docs" / "accessibility.md"
MARKER: Final = "<!-- What follows is written by scripts/accessibility.py. -->\n"
_NAME: Final = re.compile(
    r"(?P<screen>.+?)-(?:ko-)?(?P<width>1280|360)(?:-ko)?(?:-(?:light|dark))?(?P<state>(?:-[a-z]+)*)$"
)
_HEADING: Final = re.compile(r'^\s*- heading "(?P<text>.*)" \[level=(?P<level>\d)\]', re.M)
_SPOKEN: Final = re.compile(
    r'^\s*- (?P<role>status|alert|timer|progressbar|log)(?: "(?P<name>.*?)")?: (?P<text>.*)$', re.M
)
_PARTS: Final = re.compile(
    r'^\s*- (?P<role>navigation|group|dialog|tablist|table|region|radiogroup) "(?P<name>.*?)"', re.M
)

Stop = tuple[str, str, str]


def main() -> int:
    """Write the page; 1 where there are no walks."""
    walks = sorted((read(path) for path in WALKS.glob("*.json")), key=lambda one: (one["screen"], one["width"]))
    if not walks:
        return 1
    frames = {width: frame(one for one in walks if one["width"] == width) for width in ("1280", "360")}
    lines = [MARKER, f"{len(walks)} screens.", ""]
    for width, stops in frames.items():
        if stops:
            lines += [f"### What every page begins and ends with, {width} px", "", *numbered(stops), ""]
    for one in walks:
        lines += screen(one, frames[one["width"]])
    above = PAGE.read_text(encoding="utf-8").partition(MARKER)[0] if PAGE.exists() else "# Accessibility\n\n"
    PAGE.write_text(above + "\n".join(lines), encoding="utf-8")
    return 0


def read(path: Path) -> dict[str, Any]:
    """A walk, with the name of its screen and its width."""
    told: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    found = _NAME.match(told["name"])
    told |= (
        {"screen": found["screen"] + found["state"], "width": found["width"]}
        if found
        else {"screen": told["name"], "width": "360"}
    )
    told["stops"] = [(one["role"], one["name"], one["told"]) for one in told["stops"]]
    return told


def frame(walks: Any) -> list[Stop]:
    """The stops that many screens share: menu, language, session, foot."""
    seen: dict[Stop, int] = {}
    count = 0
    for one in walks:
        count += 1
        for stop in dict.fromkeys(one["stops"]):
            seen[stop] = seen.get(stop, 0) + 1
    return [stop for stop, times in seen.items() if times * 4 > count]


def screen(told: dict[str, Any], shared: list[Stop]) -> list[str]:
    """One screen: its headings, its named parts, what is spoken by itself, and its own stops in order."""
    trees = "\n".join(told["trees"])
    headings = [f"h{one['level']} {one['text']}" for one in _HEADING.finditer(trees)]
    parts = [f"{one['role']} “{one['name']}”" for one in _PARTS.finditer(trees)]
    spoken = [f"{one['role']}: {one['name'] or one['text']}" for one in _SPOKEN.finditer(trees)]
    own = [stop for stop in told["stops"] if stop not in shared]
    lines = [f"### {told['screen']}, {told['width']} px", "", f"{told['title']}", ""]
    lines += [f"- Headings: {' · '.join(dict.fromkeys(headings))}"] if headings else []
    lines += [f"- Named parts: {' · '.join(dict.fromkeys(parts))}"] if parts else []
    lines += [f"- Spoken by itself: {' · '.join(dict.fromkeys(spoken))}"] if spoken else []
    lines += ["- Tab stops of its own: none"] if not own else ["- Tab stops of its own:", "", *numbered(own)]
    return [*lines, ""]


def numbered(stops: list[Stop]) -> list[str]:
    """`1. button **다음**: what is told besides`."""
    return [
        f"{number}. {role} **{name}**" + (f": {told}" if told else "")
        for number, (role, name, told) in enumerate(stops, 1)
    ]


if __name__ == "__main__":
    raise SystemExit(main())
