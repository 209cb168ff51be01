"""Every text that a person reads, by its permanent key, in Korean and English: page, CLI and browser bundle share it.

Keys are `section.name`; failures are `refusal.<code>`. Placeholders are `{name}`. Both languages hold the same keys.
"""

from __future__ import annotations

import tomllib
from functools import cache
from importlib.resources import files
from typing import Final

LANGUAGES: Final = ("ko", "en")


@cache
def table(lang: str) -> dict[str, str]:
    """All texts of a language ("ko" or "en"), flat: {"section.name": text}."""
    sections = tomllib.loads((files(__package__) / f"{lang}.toml").read_text(encoding="utf-8"))
    return {f"{section}.{name}": text for section, texts in sections.items() for name, text in texts.items()}


def say(key: str, lang: str = "ko", **facts: str | int) -> str:
    """The text of a key with its placeholders filled; raises KeyError for an unknown key (a Defect of ours)."""
    text = table(lang)[key]
    return text.format(**facts) if facts else text


def has(key: str) -> bool:
    """Whether there is a text of this key."""
    return key in table("ko")
