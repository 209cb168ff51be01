"""What a picture claims to be, told from its first bytes."""

from __future__ import annotations

import io
import time
from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from ingam.adapters.card_reader.header import Format, header


@cache
def picture(kind: str, wide: int = 321, high: int = 123, **more: object) -> bytes:
    """A grey picture as a file of this kind."""
    held = io.BytesIO()
    Image.new("RGB", (wide, high), "grey").save(held, kind, **more)
    return held.getvalue()


@pytest.mark.parametrize(
    ("kind", "more", "format"),
    [
        ("JPEG", {}, Format.JPEG),
        ("JPEG", {"progressive": True}, Format.JPEG),
        ("PNG", {}, Format.PNG),
        ("WEBP", {}, Format.WEBP),
        ("WEBP", {"lossless": True}, Format.WEBP),
        ("WEBP", {"exif": b"Exif\0\0"}, Format.WEBP),
    ],
)
def test_the_size_is_read_without_decoding(kind: str, more: dict[str, object], format: Format) -> None:
    assert header(picture(kind, **more)) == (format, 321, 123)


@pytest.mark.parametrize("kind", ["GIF", "BMP", "TIFF", "PPM", "PDF"])
def test_other_kinds_are_none_whatever_they_are_called(kind: str) -> None:
    assert header(picture(kind)) is None


def test_a_moving_picture_is_none() -> None:
    held, frames = io.BytesIO(), [Image.new("RGB", (64, 64), colour) for colour in ("red", "blue")]
    frames[0].save(held, "WEBP", save_all=True, append_images=frames[1:])
    assert header(held.getvalue()) is None


@pytest.mark.parametrize(
    "image", [b"", b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"RIFF\0\0\0\0WEBPVP8X", b"<svg/>", b"%PDF-1.7"]
)
def test_a_beginning_alone_is_none(image: bytes) -> None:
    assert header(image) is None


def test_F9_a_jpeg_of_nothing_but_fill_bytes_costs_no_time() -> None:
    began = time.process_time()
    assert header(b"\xff\xd8" + b"\xff" * (6 << 20)) is None
    assert time.process_time() - began < 0.05  # it is looked at by the process that serves everybody


def test_a_jpeg_of_nothing_but_markers_ends() -> None:
    assert header(b"\xff\xd8\xff" + b"\xe1\x00\x02\xff" * 100_000) is None


@given(
    st.sampled_from(
        [b"", b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR", b"RIFF....WEBPVP8X", b"RIFF....WEBPVP8 "]
    ),
    st.binary(max_size=200),
)
def test_no_bytes_break_it(start: bytes, rest: bytes) -> None:
    told = header(start + rest)
    assert told is None or (told.wide > 0 and told.high > 0)


@given(st.integers(0, 400), st.sampled_from(["JPEG", "PNG", "WEBP"]))
def test_a_cut_file_is_none_or_claims_the_same(length: int, kind: str) -> None:
    assert header(picture(kind)[:length]) in (None, header(picture(kind)))
