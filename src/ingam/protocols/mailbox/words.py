"""The check words: 1,024 pairs of a Korean and an English noun, the same thing under the same index (security C10).

Every screen shows both languages, so that two devices in two languages can be compared. The lists are ours: concrete,
everyday, two to four syllables in Korean, no two that differ by a single letter. The browser's build reads the same
files. A changed list is another protocol version.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Final

COUNT: Final = 1_024


@cache
def lists() -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The Korean and the English words, index by index."""
    folder = files(__package__)
    korean, english = (
        tuple(folder.joinpath(f"words.{lang}.txt").read_text(encoding="utf-8").split()) for lang in ("ko", "en")
    )
    return korean, english


def shown(first: int, second: int, lang: str = "ko") -> str:
    """Both words in both languages, the reader's own before: `사과 · 바다 (apple · sea)`."""
    korean, english = lists()
    pairs = (f"{korean[first]} · {korean[second]}", f"{english[first]} · {english[second]}")
    own, other = pairs if lang == "ko" else pairs[::-1]
    return f"{own} ({other})"
