"""A camera for Chromium, fed from a file: somebody's card on a desk, or a screen.

Start the browser with `flags(path)`. `.mjpeg` is small and of any size; `.y4m` is raw, and a frame of 640 × 480 takes
450 KiB.
"""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from PIL import Image
from tests.adapters.card_reader.photographs import Picture, Spoilt, jpeg, photograph

FRAMES = 8
"""They repeat; each has grain of its own, as a sensor has."""

GRAIN = 2.0


def flags(film: Path) -> list[str]:
    """Arguments of Chromium: the camera is this file, and the question for it is answered with yes."""
    return [
        "--use-fake-ui-for-media-stream",
        "--use-fake-device-for-media-stream",
        f"--use-file-for-fake-video-capture={film}",
    ]


def film(card: Image.Image, path: Path, *, size: tuple[int, int] = (1280, 720), spoilt: Spoilt | None = None) -> Path:
    """Writes a film of the card on a desk to `path`, whose name ends in .mjpeg or .y4m; returns `path`.

    `size`: width and height, even numbers.
    """
    still = photograph(card, spoilt or Spoilt(skew=0.15), size=size)
    return _written([_grainy(still, each) for each in range(FRAMES)], path)


def screen(shown: Image.Image, path: Path, *, size: tuple[int, int] = (1280, 720)) -> Path:
    """A film of a picture on a screen, as it is, in the middle of the view. `shown`: no larger than `size`."""
    still = Image.new("RGB", size, (48, 52, 58))
    still.paste(shown, ((size[0] - shown.width) // 2, (size[1] - shown.height) // 2))
    bare = cv2.cvtColor(np.asarray(still), cv2.COLOR_RGB2BGR)
    return _written([_grainy(np.asarray(bare, np.uint8), each) for each in range(FRAMES)], path)


def plain_film(seen: Image.Image, path: Path) -> Path:
    """Writes a film of a picture as it is, with a sensor's grain, to `path`; returns it."""
    still = cv2.cvtColor(np.asarray(seen.convert("RGB")), cv2.COLOR_RGB2BGR)
    return _written([_grainy(still, each) for each in range(FRAMES)], path)


def empty_desk(path: Path, *, size: tuple[int, int] = (1280, 720)) -> Path:
    """The same without a card."""
    bare = np.full((size[1], size[0], 3), (62, 84, 112), np.uint8)
    return _written([_grainy(bare, each) for each in range(FRAMES)], path)


def _written(frames: list[Picture], path: Path) -> Path:
    if path.suffix == ".mjpeg":
        path.write_bytes(b"".join(jpeg(one) for one in frames))
        return path
    high, wide = frames[0].shape[:2]
    with path.open("wb") as file:
        file.write(f"YUV4MPEG2 W{wide} H{high} F30:1 Ip A1:1 C420jpeg\n".encode())
        for one in frames:
            file.write(b"FRAME\n" + cv2.cvtColor(one, cv2.COLOR_BGR2YUV_I420).tobytes())
    return path


def _grainy(still: Picture, seed: int) -> Picture:
    grain = np.random.default_rng(seed).normal(0, GRAIN, still.shape)
    return np.asarray(np.clip(still + grain, 0, 255), np.uint8)
