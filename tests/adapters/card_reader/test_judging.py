"""Photographs to answers, within this process: what is read, what is refused, and what of the card is kept."""

from __future__ import annotations

import io
from dataclasses import replace

import cv2
import numpy as np
import pytest
from PIL import Image
from tests.adapters.card_reader.photographs import Picture, Spoilt, desk, jpeg, licence, photograph, resident

from ingam.adapters.card_reader import fields, finding, masking, reading
from ingam.adapters.card_reader.eyes import Box, Letters
from ingam.adapters.card_reader.finding import HIGH, WIDE
from ingam.adapters.card_reader.judging import Judge
from ingam.ports.card_reader import MOST_MASKED_BYTES

MILD = Spoilt(skew=0.3, blur=0.15, noise=0.2)
BACK_HALF = "1000001"


def fields_of(judge: Judge, image: bytes, kind: str) -> dict[str, str]:
    told, _ = judge.judge(image, kind)
    assert "refused" not in told, told
    found = told["fields"]
    assert isinstance(found, dict)
    return found


def refusal_of(judge: Judge, image: bytes, kind: str = "resident") -> str:
    told, kept = judge.judge(image, kind)
    assert kept == b"", "nothing is kept of what is refused"
    return str(told.get("refused"))


def flat(image: bytes) -> Picture:
    photo = finding.decoded(image)
    assert photo is not None
    return finding.flat(photo, finding.found(photo)[0])


def test_a_resident_card_is_read_and_its_back_half_is_gone(judge: Judge) -> None:
    told, kept = judge.judge(jpeg(photograph(resident(), MILD)), "resident")
    assert told["fields"] == {"name": "홍길동", "idn": "7510051000001", "issued_on": "20200315"}
    assert_masked(judge, kept)


def test_a_licence_is_read_and_its_back_half_is_gone(judge: Judge) -> None:
    told, kept = judge.judge(jpeg(photograph(licence(), MILD)), "licence")
    wanted = {"name": "홍길동", "birth_date": "19751005", "number": "11-15-123456-01", "serial": "A1B2C3"}
    assert told["fields"] == wanted
    assert_masked(judge, kept)


def grey(kept: bytes) -> Picture:
    """What is kept, without its colours."""
    return np.asarray(Image.open(io.BytesIO(kept)).convert("L"))


def assert_masked(judge: Judge, kept: bytes) -> None:
    """H8: the place is black from edge to edge, and nobody reads the number there any more."""
    assert len(kept) <= MOST_MASKED_BYTES
    masked = grey(kept)
    assert masked.shape == (HIGH, WIDE)
    black = np.argwhere(masked < 24)
    rows = np.bincount(black[:, 0], minlength=HIGH)
    assert (rows > 150).sum() >= 35, "a black bar as high as the line"
    heard = " ".join(one.text for one in judge._eyes.lines(cv2.resize(masked, None, fx=0.75, fy=0.75)))
    assert BACK_HALF not in heard.replace(" ", "")
    assert fields.idn(heard) is None
    bar = np.flatnonzero(rows > 150)
    band = masked[max(bar[0] - 20, 0) : bar[-1] + 20]
    assert BACK_HALF not in judge._eyes.line(band, Letters.DIGITS).text


def test_a_foreign_name_and_an_old_licence_number_are_read(judge: Judge) -> None:
    image = jpeg(photograph(licence("Alex Sample", "9001015000005", "서울 15-123456-01"), MILD, seed=3))
    told = fields_of(judge, image, "licence")
    assert (told["name"], told["birth_date"], told["number"]) == ("Alex Sample", "19900101", "서울-15-123456-01")


def test_a_card_upside_down_is_turned(judge: Judge) -> None:
    photo = cv2.rotate(photograph(resident(), Spoilt(skew=0.2), seed=5), cv2.ROTATE_180)
    assert fields_of(judge, jpeg(photo), "resident")["idn"] == "7510051000001"


def test_H8_orientation_is_obeyed_and_exif_does_not_survive(judge: Judge) -> None:
    held = io.BytesIO()
    photo = cv2.cvtColor(
        cv2.rotate(photograph(resident(), MILD, seed=2), cv2.ROTATE_90_COUNTERCLOCKWISE), cv2.COLOR_BGR2RGB
    )
    exif = Image.Exif()
    exif[0x0112], exif[0x010F], exif[0x8769] = 6, "Camera of somebody", {0x9003: "2026:11:26 10:00:00"}
    Image.fromarray(photo).save(held, "JPEG", exif=exif, quality=92)
    assert b"Camera of somebody" in held.getvalue()
    told, kept = judge.judge(held.getvalue(), "resident")
    assert told["fields"] == {"name": "홍길동", "idn": "7510051000001", "issued_on": "20200315"}
    assert b"Exif" not in kept
    assert b"Camera" not in kept
    assert not Image.open(io.BytesIO(kept)).getexif()


def test_H8_a_number_under_glare_costs_the_whole_band(judge: Judge) -> None:
    card = resident()
    glare = Image.new("RGB", (240, 60), "white")
    card.paste(glare, (380, 450))  # the middle of the number is gone, its end is not
    told, kept = judge.judge(jpeg(photograph(card, Spoilt(skew=0.1))), "resident")
    read = told["fields"]
    assert isinstance(read, dict)
    assert read["name"] == "홍길동"
    assert "idn" not in read
    masked = grey(kept)
    top, bottom = masking.BAND
    assert masked[top + 2 : bottom - 2].max() < 24


def test_H8_a_number_that_is_still_legible_after_masking_costs_the_whole_band(judge: Judge) -> None:
    card = flat(jpeg(photograph(resident())))
    astray = reading.Found({"resident": 1.0}, number=Box(120, 350, 560, 405), back_half=Box(120, 412, 560, 420))
    kept = masking.masked(card, astray, judge._eyes)
    assert kept[masking.BAND[0] : masking.BAND[1]].max() == 0
    assert card[masking.BAND[0] : masking.BAND[1]].max() > 0, "the card itself is another picture"


def test_the_kept_picture_is_small_whatever_is_on_it() -> None:
    noise = np.random.default_rng(1).integers(0, 255, (HIGH, WIDE, 3)).astype(np.uint8)
    assert len(masking.as_jpeg(noise, MOST_MASKED_BYTES)) <= MOST_MASKED_BYTES


def test_the_other_card_is_refused_both_ways(judge: Judge) -> None:
    assert refusal_of(judge, jpeg(photograph(licence(), MILD)), "resident") == "card-wrong-kind"
    assert refusal_of(judge, jpeg(photograph(resident(), MILD)), "licence") == "card-wrong-kind"


def blank(size: tuple[int, int] = (1280, 720)) -> Picture:
    return np.full((size[1], size[0], 3), 245, np.uint8)


def page() -> Picture:
    """A sheet in the shape of a card, with words on it."""
    sheet = np.asarray(desk((1280, 720), np.random.default_rng(1)).clip(0, 255), np.uint8)
    cv2.rectangle(sheet, (190, 60), (1090, 628), (240, 240, 240), -1)
    for row in range(3):
        cv2.putText(
            sheet, "Meeting minutes, page one", (240, 240 + row * 120), cv2.FONT_HERSHEY_SIMPLEX, 1.4, (20, 20, 20), 3
        )
    return sheet


@pytest.mark.parametrize(
    "photo",
    [
        blank(),
        np.asarray(desk((1280, 720), np.random.default_rng(1)).clip(0, 255), np.uint8),
        np.random.default_rng(2).integers(0, 255, (720, 1280, 3)).astype(np.uint8),
        page(),
        blank((1280, 808)),
    ],
    ids=["blank", "desk", "noise", "page", "blank-in-the-shape-of-a-card"],
)
def test_a_photograph_of_something_else_is_unreadable(judge: Judge, photo: Picture) -> None:
    assert refusal_of(judge, jpeg(photo)) == "card-unreadable"


@pytest.mark.parametrize("spoilt", [Spoilt(blur=1), Spoilt(glare=1, blur=0.3)], ids=["blur", "glare"])
def test_a_hopeless_photograph_is_unreadable(judge: Judge, spoilt: Spoilt) -> None:
    assert refusal_of(judge, jpeg(photograph(licence(), spoilt, seed=48)), "licence") == "card-unreadable"


def test_a_cut_photograph_is_refused_or_masked(judge: Judge) -> None:
    whole = jpeg(photograph(resident(), MILD))
    for share in (0.02, 0.2, 0.5):
        told, kept = judge.judge(whole[: int(len(whole) * share)], "resident")
        assert told.get("refused") in ("card-not-an-image", "card-unreadable"), share
        assert kept == b""


def test_a_small_picture_of_a_card_without_its_desk_is_read(judge: Judge) -> None:
    assert (
        fields_of(judge, jpeg(cv2.cvtColor(np.asarray(resident().resize((900, 568))), cv2.COLOR_RGB2BGR)), "resident")[
            "name"
        ]
        == "홍길동"
    )


def test_no_field_is_printed_with_a_reading() -> None:
    found = reading.Found({"resident": 1.0})
    found.keep("idn", ("7510051000001", 0.9))
    assert "751005" not in repr(found)
    assert "751005" not in repr(replace(found))
