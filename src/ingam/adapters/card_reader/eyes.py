"""Tesseract with its Korean and its English model: a whole picture to lines, or one line to its letters and places."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import Any, Final

import tesserocr  # type: ignore[import-untyped, unused-ignore]

from ingam.adapters.card_reader.finding import Picture

_VARIABLES: Final = {"user_defined_dpi": "300", "load_system_dawg": "0", "load_freq_dawg": "0"}
"""Names and numbers stand in no dictionary: words that do would be preferred to them."""


class Letters(Enum):
    """What a line may hold: the model, and the letters that are allowed."""

    HANGUL = ("kor", "")
    LATIN = ("eng", "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz.- ")
    DIGITS = ("eng", "0123456789-")
    DATE = ("eng", "0123456789. ")
    SERIAL = ("eng", "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789")


@dataclass(frozen=True, slots=True)
class Box:
    """Pixels from the upper left corner; `right` and `bottom` are outside."""

    left: int
    top: int
    right: int
    bottom: int

    @property
    def high(self) -> int:
        """Pixels from top to bottom."""
        return self.bottom - self.top

    @property
    def middle(self) -> float:
        """Half-way down."""
        return (self.top + self.bottom) / 2

    def moved(self, x: int, y: int) -> Box:
        """The same box, seen from elsewhere."""
        return Box(self.left + x, self.top + y, self.right + x, self.bottom + y)

    def grown(self, x: float, y: float) -> Box:
        """Larger at each side by so much, not beyond the upper left corner."""
        return Box(
            max(round(self.left - x), 0), max(round(self.top - y), 0), round(self.right + x), round(self.bottom + y)
        )


@dataclass(frozen=True, slots=True)
class Letter:
    """One letter of a line; `sure`: 0 to 1."""

    sign: str = field(repr=False)
    box: Box
    sure: float


@dataclass(frozen=True, slots=True)
class Line:
    """One line that was read. `sure`: 0 to 1, of its least sure word. `letters`: each with its place."""

    text: str = field(repr=False)
    box: Box
    sure: float
    letters: tuple[Letter, ...] = field(default=(), repr=False)


class Eyes:
    """Both models, loaded. Not thread-safe."""

    def __init__(self, models: Path) -> None:
        self._models: dict[str, Any] = {
            lang: tesserocr.PyTessBaseAPI(
                path=str(models), lang=lang, oem=tesserocr.OEM.LSTM_ONLY, variables=dict(_VARIABLES)
            )
            for lang in ("kor", "eng")
        }
        for one in self._models.values():
            one.SetVariable(
                "debug_file", ""
            )  # else it opens /dev/null at its first complaint, and dies where it may not

    def lines(self, grey: Picture) -> list[Line]:
        """Every line of Hangul and digits in a picture of a whole card."""
        kor = self._models["kor"]
        kor.SetPageSegMode(tesserocr.PSM.SPARSE_TEXT)
        self._show(kor, grey)
        kor.Recognize()
        return self._heard(kor, tesserocr.RIL.TEXTLINE)

    def line(self, grey: Picture, letters: Letters, *, block: bool = False) -> Line:
        """One line (or, as `block`, a few below one another) of such letters."""
        model, allowed = letters.value
        reader = self._models[model]
        reader.SetPageSegMode(tesserocr.PSM.SINGLE_BLOCK if block else tesserocr.PSM.SINGLE_LINE)
        reader.SetVariable("tessedit_char_whitelist", allowed)
        try:
            self._show(reader, grey)
            reader.Recognize()
            words = self._heard(reader, tesserocr.RIL.WORD)
            signs = self._heard(reader, tesserocr.RIL.SYMBOL)
        finally:
            reader.SetVariable("tessedit_char_whitelist", "")
        if not words:
            return Line("", Box(0, 0, 0, 0), 0.0)
        return Line(
            " ".join(word.text for word in words),
            _around([word.box for word in words]),
            min(word.sure for word in words),
            tuple(Letter(sign.text, sign.box, sign.sure) for sign in signs),
        )

    @staticmethod
    def _show(reader: Any, grey: Picture) -> None:
        high, wide = grey.shape
        reader.SetImageBytes(grey.tobytes(), wide, high, 1, wide)

    @staticmethod
    def _heard(reader: Any, level: int) -> list[Line]:
        found, walk = [], reader.GetIterator()
        if walk is None:
            return []
        for one in tesserocr.iterate_level(walk, level):
            try:
                text, box = one.GetUTF8Text(level).strip(), one.BoundingBox(level)
            except RuntimeError:  # nothing was recognised here
                continue
            if text and box:
                found.append(Line(text, Box(*box), max(one.Confidence(level), 0.0) / 100))
        return found


def _around(boxes: list[Box]) -> Box:
    return Box(
        min(one.left for one in boxes), min(one.top for one in boxes),
        max(one.right for one in boxes), max(one.bottom for one in boxes),
    )  # fmt: skip
