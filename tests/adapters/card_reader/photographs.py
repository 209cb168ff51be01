"""Photographs of drawn cards: on a desk, askew, blurred, with glare and noise, each at a strength from 0 to 1."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any, TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ingam.sandbox import cards
from ingam.sandbox.cards import LicenceFace, ResidentFace

Picture: TypeAlias = NDArray[Any]
ADDRESS = "서울특별시 가온구 나루로 12, 101동 1001호 (가온동, 나루아파트)"


@dataclass(frozen=True, slots=True)
class Spoilt:
    """What is wrong with a photograph, each 0 (nothing) to 1 (hopeless).

    skew: corners pulled away by up to 12 % of the frame; blur: Gaussian, up to 6 pixels at 1280; glare: a blown-out
    spot of up to a third of the card; noise: up to a standard deviation of 60 grey levels.
    """

    skew: float = 0
    blur: float = 0
    glare: float = 0
    noise: float = 0


def resident(
    name: str = "홍길동", idn: str = "7510051000001", hanja: str = "洪吉童", family: str = "noto"
) -> Image.Image:
    """A drawn 주민등록증."""
    return cards.resident_card(ResidentFace(name, idn, date(2020, 3, 15), ADDRESS, hanja=hanja), family)


def licence(
    name: str = "홍길동", idn: str = "7510051000001", number: str = "11-15-123456-01", family: str = "noto"
) -> Image.Image:
    """A drawn 운전면허증."""
    return cards.driver_licence(LicenceFace(name, idn, number, "A1B2C3", date(2021, 5, 20), ADDRESS), family)


def photograph(
    card: Image.Image, spoilt: Spoilt | None = None, *, seed: int = 1, size: tuple[int, int] = (1280, 720)
) -> Picture:
    """The card on a desk, BGR; `size`: width and height of the photograph."""
    told, drawn = spoilt or Spoilt(), np.random.default_rng(seed)
    scene = _laid(card, told.skew, drawn, size)
    scene = _glared(scene, told.glare, drawn)
    if told.blur:
        scene = cv2.GaussianBlur(scene, (0, 0), told.blur * 6 * size[0] / 1280 + 0.01)
    if told.noise:
        scene = scene + drawn.normal(0, told.noise * 60, scene.shape)
    return np.asarray(np.clip(scene, 0, 255), np.uint8)


def jpeg(picture: Picture, quality: int = 92) -> bytes:
    """As a camera writes it."""
    return cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, quality])[1].tobytes()


def desk(size: tuple[int, int], drawn: np.random.Generator) -> Picture:
    """A wooden desk: a brown ground with grain."""
    wide, high = size
    grain = cv2.GaussianBlur(drawn.normal(0, 14, (high, wide)), (0, 0), sigmaX=40, sigmaY=1.2) * 6
    return np.asarray(np.array([62.0, 84.0, 112.0]) + grain[:, :, None])


def _laid(card: Image.Image, skew: float, drawn: np.random.Generator, size: tuple[int, int]) -> Picture:
    face = cv2.cvtColor(np.asarray(card.convert("RGB")), cv2.COLOR_RGB2BGR)
    high, wide = face.shape[:2]
    cover = np.zeros((high, wide), np.uint8)
    corner = round(wide * 3.18 / 85.6)
    cv2.rectangle(cover, (corner, 0), (wide - corner, high), 255, -1)
    cv2.rectangle(cover, (0, corner), (wide, high - corner), 255, -1)
    for x in (corner, wide - corner - 1):
        for y in (corner, high - corner - 1):
            cv2.circle(cover, (x, y), corner, 255, -1, cv2.LINE_AA)
    at = _corners(wide / high, skew, drawn, size)
    turn: Any = cv2.getPerspectiveTransform(np.array([[0, 0], [wide, 0], [wide, high], [0, high]], np.float32), at)
    shown = cv2.warpPerspective(face, turn, size, flags=cv2.INTER_AREA).astype(np.float64)
    share: Picture = cv2.GaussianBlur(cv2.warpPerspective(cover, turn, size, flags=cv2.INTER_AREA), (0, 0), 0.8) / 255.0
    return np.asarray(desk(size, drawn) * (1 - share[:, :, None]) + shown * share[:, :, None])


def _corners(shape: float, skew: float, drawn: np.random.Generator, size: tuple[int, int]) -> Picture:
    wide = min(size[0] * 0.78, size[1] * 0.84 * shape)
    half_w, half_h = wide / 2, wide / shape / 2
    middle = np.array(size) / 2
    square = np.array([[-half_w, -half_h], [half_w, -half_h], [half_w, half_h], [-half_w, half_h]])
    angle = np.radians(skew * drawn.uniform(-18, 18))
    turned = square @ np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    pulled = turned + drawn.uniform(-1, 1, (4, 2)) * skew * 0.12 * np.array(size) * 0.5
    return np.asarray(pulled + middle, np.float32)


def _glared(scene: Picture, glare: float, drawn: np.random.Generator) -> Picture:
    if not glare:
        return scene
    high, wide = scene.shape[:2]
    x, y = drawn.uniform(0.25, 0.75) * wide, drawn.uniform(0.25, 0.75) * high
    rows, columns = np.mgrid[0:high, 0:wide]
    reach = glare * 0.34 * wide
    far = ((columns - x) / reach) ** 2 + ((rows - y) / (reach * 0.6)) ** 2
    return np.asarray(scene + (np.exp(-far * 1.2) * 420)[:, :, None])
