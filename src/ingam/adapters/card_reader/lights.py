"""A line in different lights: what one look cannot tell apart, another one can."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import cv2
import numpy as np

from ingam.adapters.card_reader.eyes import Box
from ingam.adapters.card_reader.finding import Picture

BORDER: Final = 10
"""Pixels of paper around every light."""

_SMALLER: Final = 0.7


def lights(grey: Picture, place: Box, noise: float) -> Iterator[tuple[Picture, float]]:
    """The line as it is or calmed, as suits its grain; then softened, sharpened, made smaller; with the scale."""
    crop = grey[place.top : place.bottom, place.left : place.right]
    if min(crop.shape) < 8:
        return
    grainy = noise > 8
    if not grainy:
        yield _stretched(crop), 1.0
    strength = min(6 + noise, 40)
    calm = cv2.fastNlMeansDenoising(crop, None, h=strength, templateWindowSize=5, searchWindowSize=11)
    yield _stretched(calm), 1.0
    yield _stretched(cv2.GaussianBlur(crop, (0, 0), 1.4)), 1.0
    for reach, gain in ((3.0, 1.5), (5.0, 3.0)):
        soft = cv2.GaussianBlur(calm, (0, 0), reach).astype(np.float32)
        yield _stretched(np.clip(calm * (1 + gain) - soft * gain, 0, 255)), 1.0
    yield _stretched(cv2.resize(calm, None, fx=_SMALLER, fy=_SMALLER, interpolation=cv2.INTER_AREA)), _SMALLER


def evened(grey: Picture) -> Picture:
    """Shadows and the rim of a glare flattened: every place relative to the paper around it."""
    small = cv2.resize(grey, None, fx=0.125, fy=0.125, interpolation=cv2.INTER_AREA)
    paper = cv2.GaussianBlur(cv2.dilate(small, np.ones((7, 7), np.uint8)), (0, 0), 4)
    ground = cv2.resize(paper, (grey.shape[1], grey.shape[0]), interpolation=cv2.INTER_LINEAR).astype(np.float32)
    return np.asarray(np.clip(grey.astype(np.float32) / np.maximum(ground, 40) * 235, 0, 255), np.uint8)


def noise_of(grey: Picture) -> float:
    """Standard deviation of the grain, by the median of what a small median takes away."""
    grain = np.abs(grey.astype(np.int16) - cv2.medianBlur(grey, 3).astype(np.int16))
    return float(np.median(grain)) * 2.0


def _stretched(light: Picture) -> Picture:
    """Darkest ink to black, paper to white, and some paper around it."""
    levels = np.sort(light, axis=None)
    low, high = float(levels[len(levels) // 100]), float(levels[len(levels) * 9 // 10])
    told: Picture = np.clip((light.astype(np.float32) - low) * (255 / max(high - low, 20)), 0, 255).astype(np.uint8)
    return cv2.copyMakeBorder(told, BORDER, BORDER, BORDER, BORDER, cv2.BORDER_REPLICATE)
