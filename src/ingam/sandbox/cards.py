"""Pictures of the demo people's identity cards: drawn by us, marked 견본 SAMPLE, so that nobody takes them for real.

Sizes are millimetres of an ID-1 card (85.6 × 54), drawn at 20 pixels each. The layouts follow what everybody carries:
the resident card with its title over the text and the face at the right, the licence with the face at the left.
"""

from __future__ import annotations

import io
import random
from dataclasses import dataclass, field
from datetime import date
from functools import cache
from pathlib import Path
from typing import Final, TypeAlias

from PIL import Image, ImageDraw, ImageFont

from ingam.kernel.errors import Outage

SCALE: Final = 20
"""Pixels of a millimetre."""

WIDTH, HEIGHT = round(85.6 * SCALE), 54 * SCALE

Ink: TypeAlias = tuple[int, int, int]
_BLACK: Final[Ink] = (28, 30, 38)
_GREY: Final[Ink] = (84, 88, 98)
_RED: Final[Ink] = (196, 52, 46)
_NOTO: Final = "/usr/share/fonts/opentype/noto/NotoSansCJK-{weight}.ttc"
_NANUM: Final = "/usr/share/fonts/truetype/nanum/NanumGothic{weight}.ttf"


class FontMissing(Outage):
    """There is no Korean font on this machine (Debian's fonts-noto-cjk or fonts-nanum)."""

    code = "sandbox-font-missing"


@dataclass(frozen=True, slots=True)
class ResidentFace:
    """What a 주민등록증 shows. `idn`: 13 digits. `hanja`: the name in Hanja, where there is one."""

    name: str
    idn: str = field(repr=False)
    issued_on: date
    address: str
    office: str = "서울특별시 가온구청장"
    hanja: str = ""


@dataclass(frozen=True, slots=True)
class LicenceFace:
    """What a 운전면허증 shows. `number`: as printed, "11-15-123456-01" or "서울 15-123456-01". `idn`: 13 digits."""

    name: str
    idn: str = field(repr=False)
    number: str
    serial: str
    issued_on: date
    address: str
    office: str = "서울특별시경찰청장"
    licence: str = "2종보통"


def resident_card(face: ResidentFace, family: str = "noto") -> Image.Image:
    """The front of a 주민등록증, RGB. Raises FontMissing."""
    card = _Card(family, paper=(222, 232, 236), wave=(188, 212, 214))
    card.portrait(59.5, 8, 20, 26)
    card.text(9, 4.2, "주민등록증", 6.2, bold=True, spaced=1.6)
    card.text(8, 15.5, face.name + (f"({face.hanja})" if face.hanja else ""), 4.0, bold=True)
    card.text(8, 22.3, _hyphened(face.idn), 3.6, bold=True)
    for row, line in enumerate(_wrapped(face.address, 19)[:3]):
        card.text(8, 28.6 + row * 4.0, line, 2.8)
    card.text(34, 42.0, f"{face.issued_on.year}.{face.issued_on.month}.{face.issued_on.day}.", 3.2)
    card.text(22, 46.6, face.office, 3.8, bold=True)
    card.seal(58, 45.2)
    card.sample(58, 36.5)
    return card.image


def driver_licence(face: LicenceFace, family: str = "noto") -> Image.Image:
    """The front of a 운전면허증, RGB. Raises FontMissing."""
    card = _Card(family, paper=(238, 232, 216), wave=(222, 206, 180))
    card.portrait(5, 13, 20, 26)
    card.text(5, 8.2, face.licence, 2.9, bold=True)
    card.text(26, 3.4, "자동차운전면허증", 4.4, bold=True)
    card.text(62, 5.0, "(Driver's License)", 2.2, _GREY)
    card.text(29, 11.6, face.number, 3.9, bold=True)
    card.text(29, 17.6, face.name, 3.4, bold=True)
    card.text(29, 22.8, _hyphened(face.idn), 3.2, bold=True)
    for row, line in enumerate(_wrapped(face.address, 23)[:2]):
        card.text(29, 27.6 + row * 3.4, line, 2.5)
    year = face.issued_on.year + 10
    card.text(29, 35.6, f"적성검사 {year}.01.01.", 2.5)
    card.text(29, 39.0, f"갱신기간 ~{year}.12.31.", 2.5)
    card.text(29, 43.2, f"{face.issued_on:%Y.%m.%d}.", 3.0)
    card.text(29, 47.6, face.office, 3.2, bold=True)
    card.seal(61, 45.4)
    card.portrait(70, 25, 10, 12.5)
    card.text(69.4, 39.0, face.serial, 2.6)
    card.sample(4, 41.2)
    return card.image


def png(card: Image.Image) -> bytes:
    """The picture as a PNG file."""
    held = io.BytesIO()
    card.save(held, "PNG", compress_level=6)
    return held.getvalue()


class _Card:
    """A picture that is being drawn on, in millimetres from its upper left corner."""

    def __init__(self, family: str, *, paper: Ink, wave: Ink) -> None:
        self._family = family
        self.image = Image.new("RGB", (WIDTH, HEIGHT), paper)
        self._pen = ImageDraw.Draw(self.image, "RGBA")
        self._guilloche(wave)

    def _guilloche(self, wave: Ink) -> None:
        drawn = random.Random(86)
        for _ in range(46):
            x, y = drawn.uniform(-10, 90), drawn.uniform(-10, 60)
            wide, high = drawn.uniform(20, 70), drawn.uniform(12, 40)
            box = [round(one * SCALE) for one in (x - wide / 2, y - high / 2, x + wide / 2, y + high / 2)]
            self._pen.ellipse(box, outline=(*wave, 150), width=2)

    def text(
        self, x: float, y: float, words: str, high: float, ink: Ink = _BLACK, *, bold: bool = False, spaced: float = 0
    ) -> None:
        """`high`: of the letters' body in millimetres; `spaced`: between letters."""
        face = _font(self._family, bold, round(high * SCALE))
        if not spaced:
            self._pen.text((x * SCALE, y * SCALE), words, fill=ink, font=face)
            return
        for letter in words:
            self._pen.text((x * SCALE, y * SCALE), letter, fill=ink, font=face)
            x += self._pen.textlength(letter, font=face) / SCALE + spaced

    def portrait(self, x: float, y: float, wide: float, high: float) -> None:
        """A silhouette of nobody."""
        left, top, right, bottom = (round(one * SCALE) for one in (x, y, x + wide, y + high))
        span, rise = right - left, bottom - top
        self._pen.rectangle((left, top, right, bottom), fill=(206, 214, 220), outline=(150, 160, 168), width=2)
        self._pen.ellipse((left + span * 0.3, top + rise * 0.16, right - span * 0.3, top + rise * 0.58), fill=_GREY)
        self._pen.pieslice(
            (left + span * 0.12, top + rise * 0.62, right - span * 0.12, bottom + rise * 0.38), 180, 360, fill=_GREY
        )

    def seal(self, x: float, y: float) -> None:
        """The red stamp beside the issuer."""
        box = (x * SCALE, y * SCALE, (x + 6.4) * SCALE, (y + 6.4) * SCALE)
        self._pen.rectangle(box, outline=(*_RED, 200), width=5)
        self._pen.text(((x + 0.9) * SCALE, (y + 1.2) * SCALE), "견본", (*_RED, 200), _font(self._family, True, 44))

    def sample(self, x: float, y: float) -> None:
        """The mark that this is no card."""
        self._pen.text((x * SCALE, y * SCALE), "견본 SAMPLE", (*_RED, 210), _font(self._family, True, 2.9 * SCALE))


@cache
def _font(family: str, bold: bool, size: float) -> ImageFont.FreeTypeFont:
    noto = (Path(_NOTO.format(weight="Bold" if bold else "Regular")), 1)
    nanum = (Path(_NANUM.format(weight="Bold" if bold else "")), 0)
    for path, index in (nanum, noto) if family == "nanum" else (noto, nanum):
        if path.exists():
            return ImageFont.truetype(str(path), round(size), index=index)
    raise FontMissing


def _hyphened(idn: str) -> str:
    return f"{idn[:6]}-{idn[6:]}"


def _wrapped(text: str, most: int) -> list[str]:
    lines = [""]
    for word in text.split():
        if lines[-1] and len(lines[-1]) + len(word) >= most:
            lines.append("")
        lines[-1] = f"{lines[-1]} {word}".strip()
    return lines
