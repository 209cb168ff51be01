"""ristretto255 by the vectors of RFC 9496, ours and libsodium's held to each other."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from ingam.protocols.mailbox import ristretto
from ingam.protocols.mailbox.group import OURS, Group, sodium
from ingam.protocols.mailbox.ristretto import ORDER, PointRefused

ROOT = Path(__file__).parents[3]
RFC: dict[str, Any] = json.loads((ROOT / "vectors/copying/cpace.json").read_text())["ristretto255"]
BASE = bytes.fromhex(RFC["multiples"][1])
GROUPS = [OURS, *([found] if (found := sodium()) else [])]
each = pytest.mark.parametrize("group", GROUPS, ids=lambda group: group.name)


def scalar(value: int) -> bytes:
    return value.to_bytes(32, "little")


@each
def test_small_multiples_of_the_generator_are_those_of_rfc_9496(group: Group) -> None:
    for times, encoded in enumerate(RFC["multiples"][1:], 1):
        assert group.multiply(scalar(times), BASE).hex() == encoded


@each
def test_64_bytes_become_the_elements_of_rfc_9496(group: Group) -> None:
    for uniform, encoded in RFC["derive"]:
        assert group.derive(bytes.fromhex(uniform)).hex() == encoded


@each
@pytest.mark.parametrize("kind", RFC["invalid"])
def test_C6_what_rfc_9496_calls_invalid_is_refused(group: Group, kind: str) -> None:
    for encoded in RFC["invalid"][kind]:
        with pytest.raises(PointRefused):
            group.multiply(scalar(2), bytes.fromhex(encoded))


@each
def test_C6_the_identity_is_refused_as_an_input_and_as_a_product(group: Group) -> None:
    for factor, element in ((1, bytes(32)), (ORDER, BASE), (0, BASE)):
        with pytest.raises(PointRefused):
            group.multiply(scalar(factor), element)


@each
@pytest.mark.parametrize("length", [0, 31, 33])
def test_C6_an_element_of_another_length_is_refused(group: Group, length: int) -> None:
    with pytest.raises(PointRefused):
        group.multiply(scalar(2), (BASE * 2)[:length])


@each
def test_a_scalar_of_another_length_or_with_its_top_bit_is_a_programming_error(group: Group) -> None:
    for wrong in (bytes(31), bytes(33), bytes(31) + b"\x80"):
        with pytest.raises(ValueError, match="scalar"):
            group.multiply(wrong, BASE)


@given(st.binary(min_size=64, max_size=64), st.integers(1, 2**252 - 1))
@settings(max_examples=25, deadline=None)
def test_ours_and_libsodium_agree(uniform: bytes, factor: int) -> None:
    other = sodium()
    assert other is not None, "install libsodium23 and pysodium (scripts/tools, requirements/test.txt)"
    element = OURS.derive(uniform)
    assert element == other.derive(uniform)
    assume(element != ristretto.IDENTITY)
    assert OURS.multiply(scalar(factor), element) == other.multiply(scalar(factor), element)


@given(st.integers(1, ORDER - 1), st.integers(1, ORDER - 1))
@settings(max_examples=10, deadline=None)
def test_it_does_not_matter_who_multiplies_first(one: int, other: int) -> None:
    left = ristretto.multiply(scalar(one), ristretto.multiply(scalar(other), BASE))
    assert left == ristretto.multiply(scalar(other), ristretto.multiply(scalar(one), BASE))


@given(st.binary(min_size=32, max_size=32))
@settings(max_examples=200, deadline=None)
def test_any_32_bytes_are_refused_or_come_back_as_they_were(octets: bytes) -> None:
    try:
        product = ristretto.multiply(scalar(1), octets)
    except PointRefused:
        return
    assert product == octets
