"""What is remembered of a list's way to its places, in one small file a list, so that a restart goes on.

Only hints: which list stands is in the books, and what a place holds is asked of the place where it matters. A note
that is lost or unreadable costs a question more, never an older list.
"""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from ingam.ca.publishing.schedule import Pause
from ingam.kernel.instants import from_micros, to_micros


@dataclass(slots=True)
class Note:
    """`places`: the number that each is known to hold. `seen`: the highest number met at a place, of whoever's making.

    `shown`: thisUpdate of the newest list that stood at every place. `pause`: of making the list; `pauses`: of places.
    """

    places: dict[str, int] = field(default_factory=dict)
    seen: int = -1
    shown: datetime | None = None
    pause: Pause | None = None
    pauses: dict[str, Pause] = field(default_factory=dict)


class Notes:
    """The notes of a folder, read once and kept."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._known: dict[str, Note] = {}

    def of(self, name: str) -> Note:
        """The note of a list; a new one where there is none."""
        found = self._known.get(name)
        if found is None:
            found = self._known[name] = _read(self._folder / f"{name}.json")
        return found

    def keep(self, name: str) -> None:
        """Write the note of a list as it now is. Raises OSError."""
        draft = self._folder / f".{name}.json.{secrets.token_hex(4)}"
        draft.write_text(json.dumps(_told(self._known[name])), encoding="utf-8")
        draft.replace(self._folder / f"{name}.json")


def _read(path: Path) -> Note:
    try:
        return _note(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return Note()


def _note(told: dict[str, Any]) -> Note:
    """Raises one of what `_read` catches for anything that is no note."""
    return Note(
        {str(place): int(number) for place, number in told["places"].items()},
        int(told["seen"]),
        None if told["shown"] is None else from_micros(int(told["shown"])),
        None if told["pause"] is None else _pause(*told["pause"]),
        {str(place): _pause(*pair) for place, pair in told["pauses"].items()},
    )


def _pause(attempts: int, until: int) -> Pause:
    return Pause(int(attempts), from_micros(int(until)))


def _told(note: Note) -> dict[str, object]:
    return {
        "places": note.places,
        "seen": note.seen,
        "shown": None if note.shown is None else to_micros(note.shown),
        "pause": None if note.pause is None else _pair(note.pause),
        "pauses": {place: _pair(one) for place, one in note.pauses.items()},
    }


def _pair(pause: Pause) -> tuple[int, int]:
    return pause.attempts, to_micros(pause.until)
