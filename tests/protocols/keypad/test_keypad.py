"""Layouts and sealed fields of the keypad: uniform, opaque, of one length, bound to their place (security E12)."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from hashlib import shake_256
from itertools import pairwise
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given, settings
from hypothesis import strategies as st

from ingam.protocols.keypad import (
    BLOB,
    PLAIN,
    KeypadKey,
    KeypadUnreadable,
    Kind,
    Layout,
    Pressed,
    Where,
    key_id_of,
    layout,
    packed,
    seal,
    seal_info,
    unpacked,
)

VECTORS = Path(__file__).parents[3] / "vectors" / "keypad"
KEY = KeypadKey(ec.derive_private_key(0x1234567890ABCDEF, ec.SECP256R1()))
OTHER = KeypadKey(ec.derive_private_key(0x1234567890ABCDEE, ec.SECP256R1()))
WHERE = Where("00" * 16, "registration", "idn")
LAYOUTS = 1000
DIGITS = "0123456789"


def stream(seed: str) -> Callable[[int], bytes]:
    """Random bytes that are the same on every run."""
    drawn = shake_256(seed.encode()).digest(4096)
    at = 0

    def take(count: int) -> bytes:
        nonlocal at
        at += count
        return drawn[at - count : at]

    return take


def drawn(kind: Kind) -> list[Layout]:
    return [layout(kind, stream(f"{kind} {turn}")) for turn in range(LAYOUTS)]


def chi_square(seen: Counter[tuple[str, int]], what: str, cells: int) -> float:
    """Over characters and cells, against every cell alike."""
    expected = sum(seen.values()) / len(what) / cells
    return sum((seen[glyph, at] - expected) ** 2 / expected for glyph in what for at in range(cells))


def test_E12_1000_layouts_put_every_digit_and_every_blank_anywhere_alike() -> None:
    digits: Counter[tuple[str, int]] = Counter()
    blanks: Counter[tuple[str, int]] = Counter()
    for one in drawn(Kind.DIGITS):
        for at, key in enumerate(key for row in one.pages["digits"] for key in row):
            (blanks if key is None else digits)["blank" if key is None else key.glyph, at] += 1
    # 110 and 11 on average for a uniform draw; the bounds are passed less than once in a thousand million such tests.
    assert chi_square(digits, DIGITS, 12) < 250
    assert sum((blanks["blank", at] - LAYOUTS / 6) ** 2 / (LAYOUTS / 6) for at in range(12)) < 75


def test_E12_the_digits_above_the_letters_lie_anywhere_alike_too() -> None:
    seen: Counter[tuple[str, int]] = Counter()
    for one in drawn(Kind.TEXT):
        seen.update((key.glyph, at) for at, key in enumerate(one.pages["lower"][0]) if key is not None)
    assert chi_square(seen, DIGITS, 11) < 230


def test_E12_which_digit_follows_which_says_nothing_either() -> None:
    pairs: Counter[str] = Counter()
    for one in drawn(Kind.DIGITS):
        order = [key.glyph for row in one.pages["digits"] for key in row if key is not None]
        pairs.update(first + second for first, second in pairwise(order))
    expected = LAYOUTS * 9 / 90
    assert len(pairs) == 90
    assert sum((count - expected) ** 2 / expected for count in pairs.values()) < 190


@pytest.mark.parametrize("kind", Kind)
def test_E12_ids_are_distinct_and_tell_nothing_of_their_characters(kind: Kind) -> None:
    same: Counter[tuple[str, str]] = Counter()
    for one in drawn(kind)[:200]:
        glyphs = one.glyphs()
        assert len(glyphs) == (10 if kind is Kind.DIGITS else 95)
        assert len(set(glyphs.values())) == len(glyphs)
        same.update((glyph, key_id) for key_id, glyph in glyphs.items())
    assert max(same.values()) <= 3


def test_every_printable_ascii_character_is_on_a_page_of_text() -> None:
    assert sorted(layout(Kind.TEXT, stream("one")).glyphs().values()) == [chr(code) for code in range(32, 127)]


def test_shift_moves_no_key() -> None:
    pages = layout(Kind.TEXT, stream("one")).pages
    for low, high in zip(pages["lower"], pages["upper"], strict=True):
        assert [one and one.glyph.upper() for one in low] == [one and one.glyph for one in high]
    assert pages["lower"][0] == pages["upper"][0]


def test_E12_a_layout_is_drawn_from_the_key_and_the_place_alone() -> None:
    def of(key: KeypadKey, where: Where) -> dict[str, str]:
        return layout(Kind.DIGITS, key.stream(where)).glyphs()

    assert of(KEY, WHERE) == of(KEY, WHERE)
    others = [of(OTHER, WHERE), *(of(KEY, replace(WHERE, **{name: "ff" * 16})) for name in ("keypad", "flow", "field"))]
    assert all(one != of(KEY, WHERE) for one in others)


ITEM = st.one_of(
    st.text(min_size=1, max_size=20), st.binary(min_size=2, max_size=2).map(lambda two: Pressed(two.hex()))
)


@given(st.lists(ITEM, max_size=6))
@settings(max_examples=40)
def test_E12_what_is_sealed_comes_out_as_it_was_typed_and_every_blob_is_as_long(items: list[Pressed | str]) -> None:
    glyphs = {one.id: "7" for one in items if isinstance(one, Pressed)}
    blob = seal(KEY.public, items, WHERE)
    assert len(blob) == BLOB
    typed = "".join("7" if isinstance(one, Pressed) else one for one in items)
    assert KEY.open(blob, WHERE, glyphs).reveal() == typed


@pytest.mark.parametrize("changed", ["keypad", "flow", "field"])
def test_E12_a_blob_of_another_keypad_flow_or_field_is_not_opened(changed: str) -> None:
    blob = seal(KEY.public, ["1234"], WHERE)
    with pytest.raises(KeypadUnreadable):
        KEY.open(blob, replace(WHERE, **{changed: "11" * 16}), {})


def test_E12_another_key_and_altered_bytes_are_refused() -> None:
    blob = seal(KEY.public, ["1234"], WHERE)
    named = KEY.key_id.encode() + seal(OTHER.public, ["1234"], WHERE)[16:]
    for wrong in (named, blob[:-1] + bytes([blob[-1] ^ 1]), blob[:-1], blob + b"0", b"", b"\xff" * BLOB):
        with pytest.raises(KeypadUnreadable):
            KEY.open(wrong, WHERE, {})
    with pytest.raises(KeypadUnreadable):
        OTHER.open(blob, WHERE, {})


def test_E12_a_key_that_the_layout_does_not_have_is_refused() -> None:
    with pytest.raises(KeypadUnreadable):
        unpacked(packed([Pressed("0a1b")]), {"0a1c": "7"})


@given(st.binary(max_size=24))
def test_whatever_stands_in_the_plaintext_is_read_or_refused(body: bytes) -> None:
    plain = body + bytes(PLAIN - len(body))
    with suppress(KeypadUnreadable):
        unpacked(plain, {"0000": "0"})


def test_bytes_behind_the_end_are_refused() -> None:
    plain = bytearray(packed(["1"]))
    plain[-1] = 1
    with pytest.raises(KeypadUnreadable):
        unpacked(bytes(plain), {})
    with pytest.raises(KeypadUnreadable):
        unpacked(bytes(PLAIN - 1), {})


def test_more_than_fits_is_refused_where_it_is_sealed() -> None:
    with pytest.raises(ValueError, match="too long"):
        packed(["a" * PLAIN])


def test_the_vectors_are_what_they_were() -> None:
    for one in json.loads((VECTORS / "layouts.json").read_text(encoding="utf-8")):
        random = bytes.fromhex(one["random"])
        taken = iter(random)
        found = layout(Kind(one["kind"]), lambda count, taken=taken: bytes(next(taken) for _ in range(count)))  # type: ignore[misc]
        pages = {
            name: [[None if key is None else [key.id, key.glyph] for key in row] for row in rows]
            for name, rows in found.pages.items()
        }
        assert pages == one["pages"]
    told = json.loads((VECTORS / "sealed.json").read_text(encoding="utf-8"))
    key = KeypadKey(ec.derive_private_key(int(told["private"], 16), ec.SECP256R1()))
    where, blob = Where(**told["where"]), bytes.fromhex(told["blob"])
    assert seal_info(key_id_of(blob), where).hex() == told["info"]
    assert key.open(blob, where, {"0a1b": "7", "ffff": "9"}).reveal() == "7한 글자9"
