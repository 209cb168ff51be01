"""The picture that may be kept: the flat card with the back half of the registration number black (security H8).

Where the number's place is not sure, the whole band in which it stands goes black, from edge to edge. The masked
picture is looked at once more before it leaves: whatever still reads as a long number costs the band too.
"""

from __future__ import annotations

from typing import Final

import cv2

from ingam.adapters.card_reader import fields as forms
from ingam.adapters.card_reader.eyes import Box, Eyes
from ingam.adapters.card_reader.finding import HIGH, WIDE, Picture
from ingam.adapters.card_reader.reading import Found

BAND: Final = (round(HIGH * 0.33), round(HIGH * 0.60))
"""Top and bottom of where the number stands on either card, whatever its year."""

_QUALITIES: Final = (88, 80, 70, 55, 40, 25, 10)
_MARGIN: Final = 30
_LINE: Final = 42
"""Height of a line of the number; two of them to either side are looked at again."""

_OVERVIEW: Final = 0.75


def masked(card: Picture, found: Found, eyes: Eyes) -> Picture:
    """A copy of the card without the back half."""
    if found.back_half is None:
        return _banded(card, found)
    kept = card.copy()
    _blacken(kept, found.back_half)
    return kept if not _still_there(kept, found.back_half, eyes) else _banded(card, found)


def as_jpeg(card: Picture, most: int) -> bytes:
    """A JPEG of at most `most` bytes, without metadata: it is written anew from pixels."""
    written = b""
    for quality in _QUALITIES:
        written = cv2.imencode(".jpg", card, [cv2.IMWRITE_JPEG_QUALITY, quality])[1].tobytes()
        if len(written) <= most:
            return written
    return as_jpeg(cv2.resize(card, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA), most)


def _banded(card: Picture, found: Found) -> Picture:
    kept = card.copy()
    _blacken(kept, Box(0, BAND[0], WIDE, BAND[1]))
    for one in (*found.suspects, *([found.number] if found.number else [])):
        _blacken(kept, Box(0, one.top, WIDE, one.bottom).grown(0, _MARGIN))
    return kept


def _blacken(card: Picture, place: Box) -> None:
    card[max(place.top, 0) : min(place.bottom, HIGH), max(place.left, 0) : min(place.right, WIDE)] = 0


def _still_there(card: Picture, place: Box, eyes: Eyes) -> bool:
    """Whether the line, or one beside it, still holds a number as long as a back half."""
    grey = cv2.cvtColor(card, cv2.COLOR_BGR2GRAY)
    near = grey[max(place.top - 2 * _LINE, 0) : min(place.bottom + 2 * _LINE, HIGH)]
    small = cv2.resize(near, None, fx=_OVERVIEW, fy=_OVERVIEW, interpolation=cv2.INTER_AREA)
    return any(
        forms.idn(one.text) or (forms.long_numbers(one.text) and not forms.licence_number(one.text))
        for one in eyes.lines(small)
    )
