"""One photograph to an answer: found, laid flat, judged, read, masked; the refusals have the port's codes."""

from __future__ import annotations

from pathlib import Path
from typing import Final, TypeAlias

import cv2
import numpy as np

from ingam.adapters.card_reader import finding, masking, reading
from ingam.adapters.card_reader.eyes import Box, Eyes
from ingam.adapters.card_reader.finding import Picture
from ingam.adapters.card_reader.reading import Found
from ingam.ports.card_reader import MOST_MASKED_BYTES

Answer: TypeAlias = tuple[dict[str, object], bytes]

_TRUSTED: Final = 5.0
"""Sharpness without which a letter is less sure than the model believes: it errs with confidence on blurred ones."""

_NUMBERS: Final = ("idn", "birth_date")
_LEAST_SURE: Final = 0.3
"""Of a name or number, for a picture to count as read."""


class Judge:
    """The models, loaded; `models`: the folder of kor.traineddata and eng.traineddata."""

    def __init__(self, models: Path) -> None:
        cv2.setNumThreads(1)
        self._eyes = Eyes(models)

    def warm(self) -> None:
        """Walks the whole way once, so that whatever the libraries load late is loaded before nothing can be opened."""
        drawn = np.full((240, 400, 3), (60, 80, 110), np.uint8)
        cv2.rectangle(drawn, (60, 30), (340, 207), (235, 230, 225), -1)
        card = finding.flat(drawn, finding.found(drawn)[0])
        finding.sharpness(card), finding.blown_out(card)
        reading.warm(self._eyes)
        found = Found({}, back_half=Box(400, 360, 700, 410))
        jpeg = masking.as_jpeg(masking.masked(card, found, self._eyes), MOST_MASKED_BYTES)
        for kind, one in (("png", drawn), ("webp", drawn)):
            finding.decoded(cv2.imencode(f".{kind}", one)[1].tobytes())
        finding.decoded(jpeg)

    def judge(self, image: bytes, kind: str) -> Answer:
        """The answer as the worker writes it: {"refused": code, "why": word} or {"fields", "sure"}, and the JPEG."""
        photograph = finding.decoded(image)
        if photograph is None:
            return _refused("broken", "card-not-an-image")
        answer = _refused("no-card")
        for corners in finding.found(photograph):
            answer = self._judged(finding.flat(photograph, corners), kind)
            if answer[1] or answer[0]["refused"] == "card-wrong-kind":
                break
        return answer

    def _judged(self, card: Picture, kind: str) -> Answer:
        sharp = finding.sharpness(card)
        if sharp < finding.SHARP:
            return _refused("blurred")
        glare = finding.blown_out(card)
        if glare > finding.BLOWN:
            return _refused("glare")
        for upright in (card, finding.turned(card)):
            found = reading.read(upright, kind, self._eyes)
            if found.titles[kind] < reading.SURE_TITLE <= max(found.titles.values()):
                return _refused("title", "card-wrong-kind")
            if _is_a_card(found, kind):
                if not _read_enough(found):
                    break
                kept = masking.as_jpeg(masking.masked(upright, found, self._eyes), MOST_MASKED_BYTES)
                trust = min(1.0, 0.4 + sharp / _TRUSTED)
                return {
                    "fields": found.fields,
                    "sure": {one: round(sure * trust, 2) for one, sure in found.sure.items()},
                }, kept
        return _refused("glare" if glare > 0.02 else "not-read")


def _refused(why: str, code: str = "card-unreadable") -> Answer:
    return {"refused": code, "why": why}, b""


def _is_a_card(found: Found, kind: str) -> bool:
    """Its title, or its number in its place: what is neither is a photograph of something else."""
    return found.titles[kind] >= reading.SURE_TITLE or found.back_half is not None


def _read_enough(found: Found) -> bool:
    return any(found.sure.get(one, 0) >= _LEAST_SURE for one in ("name", *_NUMBERS))
