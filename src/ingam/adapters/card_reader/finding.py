"""A photograph to a card: its four sides are found, it is laid flat at one size, and told whether it is sharp enough.

What is found is checked by what is read of it later; a wrong quadrilateral costs a retake, never a wrong field kept.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final, TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

Picture: TypeAlias = NDArray[Any]
"""Bytes: rows, columns, and blue, green, red where it has colours."""

Corners: TypeAlias = NDArray[Any]
"""Four points, from the upper left clockwise, as the card is to be read."""

WIDE: Final = 1280
HIGH: Final = 808
"""A card laid flat: 85.6 × 54 mm at some 15 pixels each."""

SHAPE: Final = WIDE / HIGH
_SOUGHT_AT: Final = 640
_LEAST_SHARE: Final = 0.10
_LIKELY: Final = (1.25, 2.0)
"""Of long to short side; a card held askew appears longer or shorter."""

_BARE: Final = (1.48, 1.70)
"""Of a picture that is nothing but the card."""

SHARP: Final = 1.0
"""Variance of the Laplacian of the flat card, from which letters can be told apart at all."""

BLOWN: Final = 0.60
"""Share of the card that is blown out, from which nothing is tried."""


def decoded(image: bytes) -> Picture | None:
    """The picture as BGR, turned as its EXIF says; None where it cannot be decoded."""
    try:
        return cv2.imdecode(np.frombuffer(image, np.uint8), cv2.IMREAD_COLOR)
    except cv2.error:
        return None


def found(photograph: Picture) -> list[Corners]:
    """Where the card may lie, the likeliest first, its long side across; empty where there is none."""
    outlined = _outlined(photograph)
    return [*([] if outlined is None else [outlined]), *_bare(photograph)]


def _outlined(photograph: Picture) -> Corners | None:
    high, wide = photograph.shape[:2]
    scale = _SOUGHT_AT / max(high, wide)
    small = cv2.resize(photograph, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    best, most = None, 0.0
    for mask in _masks(cv2.GaussianBlur(small, (0, 0), 1.2)):
        for contour in cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)[0]:
            corners = _quadrilateral(contour, small.shape[0] * small.shape[1])
            score = 0.0 if corners is None else _score(contour, corners)
            if corners is not None and score > most:
                best, most = corners, score
    return None if best is None else np.asarray(best / scale, np.float32)


def _bare(photograph: Picture) -> list[Corners]:
    """The whole picture, where it has the shape of a card: a scan, or one that was cut out already."""
    high, wide = photograph.shape[:2]
    if not _BARE[0] <= max(high, wide) / min(high, wide) <= _BARE[1]:
        return []
    return [_lengthwise(np.array([[0, 0], [wide, 0], [wide, high], [0, high]], np.float32))]


def flat(photograph: Picture, corners: Corners) -> Picture:
    """The card at WIDE × HIGH."""
    to = np.array([[0, 0], [WIDE, 0], [WIDE, HIGH], [0, HIGH]], np.float32)
    turn = cv2.getPerspectiveTransform(corners, to)
    return cv2.warpPerspective(photograph, turn, (WIDE, HIGH), flags=cv2.INTER_CUBIC)


def turned(card: Picture) -> Picture:
    """The card the other way up."""
    return cv2.rotate(card, cv2.ROTATE_180)


def sharpness(card: Picture) -> float:
    """Variance of the Laplacian, after the grain of the sensor is smoothed away."""
    grey = cv2.GaussianBlur(cv2.cvtColor(card, cv2.COLOR_BGR2GRAY), (0, 0), 1.5)
    return float(cv2.Laplacian(grey, cv2.CV_64F).var())


def blown_out(card: Picture) -> float:
    """Share of the card in which every colour is at its end, specks of noise left out."""
    white = (cv2.GaussianBlur(card, (0, 0), 3).min(axis=2) >= 250).astype(np.uint8)
    return float(cv2.morphologyEx(white, cv2.MORPH_OPEN, np.ones((9, 9), np.uint8)).mean())


def _masks(small: Picture) -> Iterator[Picture]:
    """Pictures in which the card may be one white piece: by its edges, by brightness, by colour."""
    grey, ground = cv2.cvtColor(small, cv2.COLOR_BGR2GRAY), cv2.cvtColor(small, cv2.COLOR_BGR2HSV)[:, :, 1]
    close = np.ones((5, 5), np.uint8)
    for channel in (grey, ground):
        level, bright = cv2.threshold(channel, 0, 255, cv2.THRESH_BINARY + cv2.THRESH_OTSU)
        for mask in (bright, cv2.bitwise_not(bright)):
            yield cv2.morphologyEx(mask, cv2.MORPH_OPEN, close)
        edges = cv2.Canny(channel, level * 0.3, level * 0.8)
        yield cv2.dilate(edges, np.ones((3, 3), np.uint8))


def _quadrilateral(contour: NDArray[Any], frame: int) -> Corners | None:
    hull = cv2.convexHull(contour)
    if not frame * _LEAST_SHARE <= cv2.contourArea(hull) <= frame * 0.97:
        return None
    around = cv2.arcLength(hull, True)
    for share in (0.02, 0.03, 0.045, 0.06, 0.08):
        four = cv2.approxPolyDP(hull, share * around, True)
        if len(four) == 4:
            return _plausible(_sides_fitted(hull.reshape(-1, 2), _ordered(four.reshape(4, 2).astype(np.float32))))
    return None


def _plausible(corners: Corners) -> Corners | None:
    across = np.linalg.norm(corners[1] - corners[0]) + np.linalg.norm(corners[2] - corners[3])
    down = np.linalg.norm(corners[3] - corners[0]) + np.linalg.norm(corners[2] - corners[1])
    long, short = max(across, down), min(across, down)
    if short < 40 or not _LIKELY[0] <= long / short <= _LIKELY[1]:
        return None
    return _lengthwise(corners)


def _ordered(four: Corners) -> Corners:
    """From the upper left clockwise."""
    middle = four.mean(axis=0)
    clockwise = four[np.argsort(np.arctan2(four[:, 1] - middle[1], four[:, 0] - middle[0]))]
    return np.roll(clockwise, -int(np.argmin(clockwise.sum(axis=1))), axis=0)


def _lengthwise(corners: Corners) -> Corners:
    """A card that stands on its short side is laid on its long one; which end is up is seen later."""
    across = np.linalg.norm(corners[1] - corners[0]) + np.linalg.norm(corners[2] - corners[3])
    down = np.linalg.norm(corners[3] - corners[0]) + np.linalg.norm(corners[2] - corners[1])
    return corners if across >= down else np.roll(corners, -1, axis=0)


def _sides_fitted(hull: NDArray[Any], four: Corners) -> Corners:
    """The corners where the sides would meet: those of a card are round, and the polygon cuts them."""
    ring = _dense(hull.astype(np.float32))
    lines = [_line(ring, four[side], four[(side + 1) % 4]) for side in range(4)]
    fitted = [_meeting(lines[side - 1], lines[side]) for side in range(4)]
    if any(one is None for one in fitted):
        return four
    corners = np.array(fitted, np.float32)
    return corners if np.abs(corners - four).max() < 0.08 * np.ptp(four) else four


def _dense(hull: Corners) -> Corners:
    """Points along the hull, a pixel apart or so."""
    parts = []
    for start, end in zip(hull, np.roll(hull, -1, axis=0), strict=True):
        steps = max(int(np.linalg.norm(end - start)), 1)
        parts.append(start + (end - start) * (np.arange(steps) / steps)[:, None])
    return np.concatenate(parts).astype(np.float32)


def _line(ring: Corners, start: Corners, end: Corners) -> Corners | None:
    """(direction x, y, point x, y) through what lies along the middle of a side."""
    along = (end - start) / max(float(np.linalg.norm(end - start)), 1.0)
    place = (ring - start) @ along / max(float(np.linalg.norm(end - start)), 1.0)
    off = np.abs((ring - start) @ np.array([-along[1], along[0]]))
    near = ring[(place > 0.15) & (place < 0.85) & (off < 0.05 * np.linalg.norm(end - start))]
    return cv2.fitLine(near, cv2.DIST_HUBER, 0, 0.01, 0.01).reshape(4).astype(np.float32) if len(near) > 8 else None


def _meeting(one: Corners | None, other: Corners | None) -> Corners | None:
    if one is None or other is None:
        return None
    across = float(one[0] * other[1] - one[1] * other[0])
    if abs(across) < 0.2:
        return None
    apart = other[2:] - one[2:]
    reach = float(apart[0] * other[1] - apart[1] * other[0]) / across
    return (one[2:] + reach * one[:2]).astype(np.float32)


def _score(contour: NDArray[Any], corners: Corners) -> float:
    """How well the outline fills the four corners, and how large it is."""
    area = cv2.contourArea(corners)
    hull = cv2.contourArea(cv2.convexHull(contour))
    fill = min(hull, area) / max(hull, area, 1.0)
    return float(fill**4 * area**0.5)
