"""A flat card to its fields: the whole card once for its lines, then each wanted line again, closely.

The registration number is the anchor: it is found by its form, and the name stands right above it on both cards. Where
layouts differ by year, places follow from what was found rather than from a template; templates are the fallback.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Final, TypeAlias

import cv2
import numpy as np

from ingam.adapters.card_reader import fields as forms
from ingam.adapters.card_reader.eyes import Box, Eyes, Letters, Line
from ingam.adapters.card_reader.finding import HIGH, WIDE, Picture
from ingam.adapters.card_reader.lights import BORDER, evened, lights, noise_of

Form: TypeAlias = Callable[[str], str | tuple[str, float] | None]
"""Text to a field's value, where it has its form."""

SURE_TITLE: Final = 0.6
"""Three letters of five, in order."""

SURE_NUMBER: Final = 0.5

_ENOUGH: Final = 0.86
"""Of a first attempt; with less, the line is looked at in other lights."""

_UNDER_GLARE: Final = 0.6

_WORTH: Final = {"name": 0.3, "number": 0.3, "serial": 0.1}
"""Below so much (0.2 for others) a field is left to the person: correcting is more work than typing."""

_OVERVIEW: Final = 0.75
"""The scale at which letters of a card suit the overview; the smallest print is read again at full size."""

_LETTER: Final = HIGH * 0.05
"""Height of a line of the number where it was not found."""

_NAME_ZONE: Final = {"resident": Box(90, 225, 840, 335), "licence": Box(400, 262, 1000, 348)}
_NUMBER_ZONE: Final = {"resident": Box(90, 335, 840, 425), "licence": Box(400, 345, 1000, 415)}
_LICENCE_ZONE: Final = Box(400, 175, 1000, 265)
_SERIAL_ZONE: Final = Box(990, 570, 1250, 665)
_DATE_ZONE: Final = Box(400, 620, 900, 695)


@dataclass(slots=True)
class Found:
    """`number`: where the registration number lies, and from where on its back half does; None where it is unsure."""

    titles: dict[str, float]
    fields: dict[str, str] = field(default_factory=dict, repr=False)
    sure: dict[str, float] = field(default_factory=dict)
    number: Box | None = None
    back_half: Box | None = None
    suspects: tuple[Box, ...] = ()
    """Other lines with long numbers, for who masks."""

    def keep(self, name: str, told: tuple[str, float] | None) -> None:
        """Notes a field that was found in form."""
        if told is not None and told[1] >= _WORTH.get(name, 0.2):
            self.fields[name], self.sure[name] = told[0], round(min(told[1], 1.0), 2)


def read(card: Picture, kind: str, eyes: Eyes) -> Found:
    """What stands on a flat card. `kind`: "resident" or "licence"."""
    return _Reading(card, kind, eyes).whole()


class _Reading:
    """One card that is being read."""

    def __init__(self, card: Picture, kind: str, eyes: Eyes) -> None:
        self._blown = (card.min(axis=2) >= 250).astype(np.uint8)
        self._grey = evened(cv2.cvtColor(card, cv2.COLOR_BGR2GRAY))
        self._noise, self._kind, self._eyes = noise_of(self._grey), kind, eyes
        self._lines: list[Line] = []

    def whole(self) -> Found:
        found = Found(self._titles())
        if self._other_card(found):
            return found  # nothing of it is read
        self._lines = self._overview()
        self._titles_again(found)
        if self._other_card(found) or not self._looks_like_one(found):
            return found
        number = self._number(found)
        found.keep("name", self._name(number))
        if self._kind == "resident":
            found.keep("issued_on", self._issued_on())
        else:
            found.keep("number", self._licence_number(number))
            found.keep("serial", self._serial())
        found.suspects = tuple(one.box for one in self._numbers())
        return found

    def _other_card(self, found: Found) -> bool:
        return found.titles[self._kind] < SURE_TITLE <= max(found.titles.values())

    def _looks_like_one(self, found: Found) -> bool:
        """Its title, or a line that may be the number: only then it is looked at closely, which takes a second."""
        return found.titles[self._kind] >= SURE_TITLE or bool(self._numbers())

    def _numbers(self) -> list[Line]:
        """Lines of the overview that may be a registration number."""
        return [
            one
            for one in self._lines
            if _digits(one.text) >= 8 and not forms.licence_number(one.text) and not forms.dated(one.text)
        ]

    def _titles(self) -> dict[str, float]:
        """How much of each title stands at the top, whichever look at it tells more."""
        top = self._grey[40 : round(HIGH * 0.266)]
        best = dict.fromkeys(forms.TITLES, 0.0)
        for scale in (0.25, 0.5):
            small = cv2.resize(top, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
            heard = self._eyes.line(small, Letters.HANGUL, block=True).text
            best = {kind: max(best[kind], forms.likeness(heard, title)) for kind, title in forms.TITLES.items()}
            if max(best.values()) >= SURE_TITLE:
                break
        return best

    def _titles_again(self, found: Found) -> None:
        """Titles among the lines of the overview, where the closer look failed."""
        heard = "".join(one.text for one in self._lines if one.box.middle < HIGH * 0.3)
        for kind, title in forms.TITLES.items():
            found.titles[kind] = max(found.titles[kind], forms.likeness(heard, title))

    def _overview(self) -> list[Line]:
        small = cv2.resize(self._grey, None, fx=_OVERVIEW, fy=_OVERVIEW, interpolation=cv2.INTER_AREA)
        if self._noise > 12:
            small = cv2.GaussianBlur(small, (0, 0), 1.0)
        return [
            Line(one.text, Box(*(round(side / _OVERVIEW) for side in _sides(one.box))), one.sure)
            for one in self._eyes.lines(small)
        ]

    def _number(self, found: Found) -> Box | None:
        """The registration number into `found`, with its places; its line's box, also where it is unsure."""
        likely = [one.box for one in self._numbers() if _digits(one.text) >= 10]
        best: tuple[float, str, Box, Box] | None = None
        for box in [*likely, _NUMBER_ZONE[self._kind]]:
            told = self._closely(box, Letters.DIGITS, forms.idn)
            if told is not None and (best is None or told[1] > best[0]):
                line = told[2]
                best = (told[1], told[0], line.box, _back_half(line))
            if best is not None:
                break
        if best is None:
            return likely[0] if likely else next((one.box for one in self._numbers()), None)
        sure, number, box, back = best
        if self._kind == "resident":
            found.keep("idn", (number, sure))
        else:
            found.keep("birth_date", (forms.birth_date(number), sure))
        if sure >= SURE_NUMBER:
            found.number, found.back_half = box, back
        return box

    def _name(self, number: Box | None) -> tuple[str, float] | None:
        best: tuple[str, float] | None = None
        for box in self._name_places(number):
            told = self._closely(box, Letters.HANGUL, forms.name, least=2)
            if told is None or told[1] < 0.5:
                latin = self._closely(box, Letters.LATIN, _latin)
                told = latin if latin and (told is None or latin[1] > told[1]) else told
            if told is not None and (best is None or told[1] > best[1]):
                best = told[:2]
            if best is not None and best[1] >= 0.6:
                break
        return best

    def _name_places(self, number: Box | None) -> Iterator[Box]:
        """The line above the number, as it was seen; then where it has to be; then the zone of the kind."""
        if number is not None:
            high = max(number.high, _LETTER * 0.8)
            band = Box(
                max(round(number.left - high), 0), round(number.top - 3.3 * high), 0, round(number.top - 0.3 * high)
            )
            above = [
                one.box for one in self._lines
                if band.top < one.box.middle < band.bottom and abs(one.box.left - number.left) < 2.5 * high
            ]  # fmt: skip
            if above:
                nearest = max(above, key=lambda one: one.middle)
                same = [one for one in above if abs(one.middle - nearest.middle) < high]
                if nearest.high >= 0.6 * high and max(one.high for one in same) < 2.2 * high:
                    yield Box(
                        number.left,
                        min(one.top for one in same),
                        max(one.right for one in same),
                        max(one.bottom for one in same),
                    )
            yield Box(
                number.left,
                round(number.top - 2.95 * high),
                number.left + round(high * 13),
                round(number.top - 0.7 * high),
            )
        zone = _NAME_ZONE[self._kind].grown(30, 25)
        for one in self._lines:
            if (
                zone.top < one.box.middle < zone.bottom
                and zone.left < one.box.left < zone.right
                and forms.name(one.text)
            ):
                yield one.box
        yield _NAME_ZONE[self._kind]

    def _licence_number(self, number: Box | None) -> tuple[str, float] | None:
        """Above the name: 12 digits, or a region's name and ten."""
        below = number.top if number is not None else HIGH * 0.5
        seen = [
            one.box for one in self._lines
            if _digits(one.text) >= 8 and HIGH * 0.12 < one.box.middle < below - _LETTER
        ]  # fmt: skip
        for box in [*seen, _LICENCE_ZONE]:
            told = self._closely(box, Letters.HANGUL, _either_number)
            if told is None or (told[1] < _ENOUGH and told[0][0].isdigit()):
                closer = self._closely(box, Letters.DIGITS, forms.licence_number)
                told = max((one for one in (told, closer) if one), key=lambda one: one[1], default=None)
            if told is not None:
                return told[:2]
        return None

    def _serial(self) -> tuple[str, float] | None:
        """Below the small portrait at the right."""
        zone = _SERIAL_ZONE.grown(40, 30)
        seen = [
            one.box
            for one in self._lines
            if zone.left < one.box.left and zone.top < one.box.middle < zone.bottom and len(one.text) >= 4
        ]
        for box in [*seen, _SERIAL_ZONE]:
            told = self._closely(box, Letters.SERIAL, forms.serial)
            if told is not None:
                return self._by_shape(told[0], told[2].box), told[1]
        return None

    def _by_shape(self, serial: str, line: Box) -> str:
        """O and 0, I and 1 by how wide they are drawn, where every letter stands alone: no word tells them."""
        room = _room(line)
        crop = self._grey[room.top : room.bottom, room.left : room.right]
        dark = cv2.threshold(crop, 0, 1, cv2.THRESH_BINARY_INV + cv2.THRESH_OTSU)[1]
        parts = cv2.connectedComponentsWithStats(dark)[2][1:]
        letters = sorted((one for one in parts if one[3] > 0.5 * line.high), key=lambda one: int(one[0]))
        if len(letters) != len(serial):
            return serial
        shapes = [float(one[2] / one[3]) for one in letters]
        return "".join(_drawn(letter, shape) for letter, shape in zip(serial, shapes, strict=True))

    def _issued_on(self) -> tuple[str, float] | None:
        """Below the address, above the office."""
        seen = [one.box for one in self._lines if one.box.middle > HIGH * 0.6 and _digits(one.text) >= 5]
        for box in [*seen, _DATE_ZONE]:
            told = self._closely(box, Letters.DATE, forms.issued_on)
            if told is not None:
                return told[:2]
        return None

    def _closely(self, box: Box, letters: Letters, form: Form, least: int = 1) -> tuple[str, float, Line] | None:
        """A line in several lights, until one look is sure enough; else what most looks agree on.

        `least`: looks that are taken at any rate, where a model errs with confidence.
        """
        seen: dict[str, list[Line]] = {}
        looks = 0
        place = self._tight(_room(box))
        for looks, (light, scale) in enumerate(lights(self._grey, place, self._noise), 1):
            line = _placed(self._eyes.line(light, letters), place, scale)
            told = form(line.text)
            if told is None:
                continue
            value, shape = (told, 1.0) if isinstance(told, str) else told
            seen.setdefault(value, []).append(replace(line, sure=_sure_of(value, line) * shape))
            if looks >= least and len(seen) == 1 and max(one.sure for one in seen[value]) >= _ENOUGH:
                break
        if not seen:
            return None
        value, lines = max(seen.items(), key=lambda one: sum(line.sure for line in one[1]))
        best = max(lines, key=lambda one: one.sure)
        agreeing = len(lines) / max(sum(len(one) for one in seen.values()), min(looks, 2))
        return value, best.sure * agreeing * self._in_sight(place), best

    def _in_sight(self, place: Box) -> float:
        """1, or less where the line runs into a glare: what is under it may have belonged to it."""
        beside = round(1.5 * place.high)
        blown = self._blown[place.top : place.bottom, max(place.left - beside, 0) : place.right + beside]
        return _UNDER_GLARE if blown.size and blown.mean() > 0.1 else 1.0

    def _tight(self, place: Box) -> Box:
        """The rows of a place in which its line stands: a line with much paper or half of another one is not read."""
        crop = self._grey[place.top : place.bottom, place.left : place.right]
        if min(crop.shape) < 8:
            return place
        soft = cv2.GaussianBlur(crop, (0, 0), 1.5 if self._noise < 8 else 2.5)
        dark = cv2.threshold(soft, 0, 1, cv2.THRESH_BINARY_INV + cv2.THRESH_OTSU)[1]
        rows = dark.sum(axis=1)
        inked = (rows > max(rows.max() * 0.12, 2)).astype(np.int8)
        edges = np.flatnonzero(np.diff(np.concatenate(([0], inked, [0]))))
        runs = [(int(start), int(end)) for start, end in zip(edges[::2], edges[1::2], strict=True)]
        tall = [one for one in runs if one[1] - one[0] >= _LETTER * 0.45]
        if not tall:
            return place
        start, end = max(tall, key=lambda one: int(rows[one[0] : one[1]].sum()))
        room = round((end - start) * 0.28)
        return Box(place.left, place.top + max(start - room, 0), place.right, min(place.top + end + room, place.bottom))


def warm(eyes: Eyes) -> None:
    """Reads one drawn line, so that whatever the libraries load late is loaded."""
    card = np.full((HIGH, WIDE, 3), 235, np.uint8)
    cv2.putText(card, "900101-1000000", (100, 400), cv2.FONT_HERSHEY_SIMPLEX, 1.6, (30, 30, 30), 4)
    one = _Reading(card, "resident", eyes)
    for light, _ in lights(one._grey, Box(90, 340, 600, 420), one._noise):
        eyes.line(light, Letters.DIGITS)
    eyes.lines(one._grey[300:500, :700])


def _back_half(line: Line) -> Box:
    """From behind the hyphen to the end of the line: by the letters' places, and by proportion, whichever is more."""
    digits = [one.box for one in line.letters if one.sign.isdigit()]
    high = max(line.box.high, round(_LETTER * 0.6))
    by_share = line.box.left + (line.box.right - line.box.left) * 0.455
    start = min(by_share, digits[6].left - high * 0.15) if len(digits) == 13 else by_share
    return Box(round(start), line.box.top, round(line.box.right + high * 0.8), line.box.bottom).grown(0, high * 0.3)


def _sure_of(value: str, line: Line) -> float:
    """How sure the letters of the value are, where they stand at the line's head: a name with its Hanja behind it."""
    letters = [one for one in line.letters if one.sign.strip()]
    wanted = value.replace(" ", "")
    if "".join(one.sign for one in letters[: len(wanted)]) != wanted or len(letters) == len(wanted):
        return line.sure
    return min(one.sure for one in letters[: len(wanted)])


def _placed(line: Line, place: Box, scale: float) -> Line:
    """A line of a light, in the places of the whole card."""

    def on_card(box: Box) -> Box:
        sides = (round((side - BORDER) / scale) for side in _sides(box))
        return Box(*sides).moved(place.left, place.top)

    letters = tuple(replace(one, box=on_card(one.box)) for one in line.letters)
    return replace(line, box=on_card(line.box), letters=letters)


def _drawn(letter: str, shape: float) -> str:
    """The letter or digit that is as wide as this, for its height."""
    if letter in "O0":
        return "O" if shape > 0.74 else "0"
    if letter in "I1":
        return "I" if shape < 0.27 else "1"
    return letter


def _either_number(heard: str) -> str | None:
    return forms.licence_number(heard) or forms.old_licence_number(heard)


def _latin(heard: str) -> tuple[str, float] | None:
    told = forms.name(heard)
    return told if told is not None and told[0].isascii() else None


def _room(box: Box) -> Box:
    """A line with some paper around it."""
    room = box.grown(box.high * 0.35, box.high * 0.22)
    return Box(room.left, room.top, min(room.right, WIDE), min(room.bottom, HIGH))


def _digits(text: str) -> int:
    return sum(letter.isdigit() for letter in text)


def _sides(box: Box) -> tuple[int, int, int, int]:
    return box.left, box.top, box.right, box.bottom
