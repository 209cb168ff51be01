"""Which tests run in one worker, one after another, and which begin first (`--dist loadgroup`).

What xdist itself does with the mark `xdist_group` it writes into the private name of a node, which pytest 9 no longer
reads; so the groups are made here, from what the module says.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Final

from xdist.scheduler import LoadScopeScheduling

TESTS: Final = Path(__file__).parent
FIRST: Final = (
    "center/registration/kill", "run/test_demo.py", "interop", "ca/kill", "center/issuance", "run/test_trial.py",
    "run/test_demo_issue.py", "center/copying", "ca", "center", "run", "sandbox",
)  # fmt: skip
"""What takes longest, below tests/: begun first, so that at the end no worker waits for the other's long one."""

_TOGETHER: Final = ("center/registration/kill",)
_GROUP: Final = re.compile(r'mark\.xdist_group\("([^"]+)"\)')


class Groups(LoadScopeScheduling):  # type: ignore[misc]
    """A group is never split over workers."""

    def _split_scope(self, nodeid: str) -> str:
        return group_of(nodeid)


def group_of(nodeid: str) -> str:
    """A module is a group, unless it names another; a journey is one by itself, unless its module names one."""
    place = nodeid.partition("::")[0].removeprefix("tests/")
    return _named(place) or (nodeid if place.startswith("journeys/") else place)


@cache
def _named(place: str) -> str:
    """What the module's `xdist_group` says, or the folder whose modules share what is made once a session."""
    if found := _GROUP.search((TESTS / place).read_text(encoding="utf-8")):
        return found[1]
    return next((folder for folder in _TOGETHER if place.startswith(f"{folder}/")), "")


def turn_of(path: Path) -> int:
    """When a module's turn is."""
    place = path.relative_to(TESTS).as_posix()
    return next((turn for turn, early in enumerate(FIRST) if place.startswith(early)), len(FIRST))
