"""Every text that a person reads, by its permanent key, in Korean and English: page, CLI and browser bundle share it.

Keys are `section.name`; failures are `refusal.<code>`. Placeholders are `{name}`. Both languages hold the same keys.
`ko.toml` and `en.toml` hold what all share; a feature with many texts has files of its own, `issuance.ko.toml`.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Final

from ingam.kernel.errors import Defect

LANGUAGES: Final = ("ko", "en")

RESIDENT: Final = "resident"
BUSINESS: Final = "business"
"""Whose number a text speaks of, and so what it is called in it: 주민등록번호, or a company's 사업자등록번호."""

NAMED: Final = "named"
"""The fact that says which, in a refusal; in the text `{named}` stands for the name itself."""


@cache
def table(lang: str) -> dict[str, str]:
    """All texts of a language ("ko" or "en"), flat: {"section.name": text}."""
    found: dict[str, str] = {}
    for file in sorted(files(__package__).iterdir(), key=lambda one: one.name):
        if file.name == f"{lang}.toml" or file.name.endswith(f".{lang}.toml"):
            for section, texts in tomllib.loads(file.read_text(encoding="utf-8")).items():
                for name, text in texts.items():
                    if found.setdefault(f"{section}.{name}", text) is not text:
                        raise Defect("word-twice", key=f"{section}.{name}", file=file.name)
    return found


def say(key: str, lang: str = "ko", **facts: str | int) -> str:
    """The text of a key with its placeholders filled; raises KeyError for an unknown key (a Defect of ours)."""
    text = table(lang)[key]
    return text.format(**facts) if facts else text


def naming(facts: Mapping[str, str | int], lang: str) -> dict[str, str | int]:
    """The facts of a refusal whose text calls the number by its name; where they say nothing of it, 주민등록번호."""
    return {**facts, NAMED: say(f"page.number_{facts.get(NAMED, RESIDENT)}", lang)}


def has(key: str) -> bool:
    """Whether there is a text of this key."""
    return key in table("ko")
