"""What the forms of every task bring: which screen was answered; and what is wrong with a field."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

from ingam.center.walks import Turn
from ingam.kernel.errors import Refusal

Fields: TypeAlias = Mapping[str, str]


class FormRefused(Refusal):
    """Fields that need attention: `errors` maps a field's name to the key of its text."""

    code = "form-refused"

    def __init__(self, errors: Mapping[str, str]) -> None:
        super().__init__()
        self.errors = errors


def turn_of(fields: Fields) -> Turn:
    """Which screen was answered; a form without it answers none."""
    return Turn(_small(fields.get("run", "")), _small(fields.get("version", "")))


def _small(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else -1
