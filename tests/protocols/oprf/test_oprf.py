"""OPRF(ristretto255, SHA-512) by the vectors of RFC 9497, and what has to hold of every input and key (security B8)."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingam.protocols import oprf
from ingam.protocols.mailbox.group import OURS, Group, sodium
from ingam.protocols.mailbox.ristretto import ORDER

ROOT = Path(__file__).parents[3]
RFC: dict[str, Any] = json.loads((ROOT / "vectors/oprf/rfc9497.json").read_text())
GROUPS = [OURS, *([found] if (found := sodium()) else [])]
each = pytest.mark.parametrize("group", GROUPS, ids=lambda group: group.name)
texts = st.binary(max_size=80)
keys = st.integers(1, ORDER - 1).map(lambda value: value.to_bytes(32, "little"))


def drawing(drawn: bytes) -> Callable[[int], bytes]:
    """Randomness that is these bytes."""
    return lambda size: drawn[:size]


def test_the_key_of_a_seed_is_that_of_rfc_9497() -> None:
    assert oprf.derive_key(bytes.fromhex(RFC["seed"]), bytes.fromhex(RFC["key_info"])).hex() == RFC["key"]


@each
@pytest.mark.parametrize("case", RFC["cases"], ids=lambda case: f"{len(case['input']) // 2} bytes")
def test_every_value_of_rfc_9497_comes_out(group: Group, case: dict[str, str]) -> None:
    text, key = bytes.fromhex(case["input"]), bytes.fromhex(RFC["key"])
    blinded = oprf.blind_with(text, bytes.fromhex(case["blind"]), group)
    assert blinded.element.hex() == case["blinded"]
    evaluated = oprf.evaluate(key, blinded.element, secrets.token_bytes, group)
    assert evaluated.hex() == case["evaluated"]
    assert oprf.finalize(text, blinded.blind, evaluated, group).hex() == case["output"]


@given(texts, keys, st.binary(min_size=64, max_size=64), st.binary(min_size=64, max_size=64))
@settings(max_examples=30, deadline=None)
def test_the_output_is_of_input_and_key_alone_whatever_blinds_it(
    text: bytes, key: bytes, one: bytes, two: bytes
) -> None:
    outputs = set()
    for drawn in (one, two):
        blinded = oprf.blind(text, drawing(drawn))
        evaluated = oprf.evaluate(key, blinded.element, secrets.token_bytes)
        outputs.add(oprf.finalize(text, blinded.blind, evaluated))
    assert len(outputs) == 1
    assert len(outputs.pop()) == oprf.OUTPUT


@given(texts, texts, keys, keys)
@settings(max_examples=30, deadline=None)
def test_another_input_or_another_key_gives_another_output(text: bytes, other: bytes, key: bytes, new: bytes) -> None:
    def output(given: bytes, under: bytes) -> bytes:
        blinded = oprf.blind(given, secrets.token_bytes)
        return oprf.finalize(
            given, blinded.blind, oprf.evaluate(under, blinded.element, secrets.token_bytes)
        )  # fmt: skip

    first = output(text, key)
    assert (output(other, key) == first) is (text == other)
    assert (output(text, new) == first) is (key == new)


def test_B8_one_pin_looks_another_each_time_that_the_server_sees_it() -> None:
    key, text = oprf.new_key(secrets.token_bytes), b"pin 471903"
    seen, answered, outputs = set(), set(), set()
    for _ in range(20):
        blinded = oprf.blind(text, secrets.token_bytes)
        evaluated = oprf.evaluate(key, blinded.element, secrets.token_bytes)
        seen.add(blinded.element)
        answered.add(evaluated)
        outputs.add(oprf.finalize(text, blinded.blind, evaluated))
    assert (len(seen), len(answered), len(outputs)) == (20, 20, 1)


@pytest.mark.parametrize("element", [bytes(32), b"\xff" * 32, bytes(31), bytes(33), b"\x01" + bytes(31)])
def test_what_is_no_element_is_refused_by_both_sides(element: bytes) -> None:
    key = oprf.new_key(secrets.token_bytes)
    with pytest.raises(oprf.ElementRefused):
        oprf.evaluate(key, element, secrets.token_bytes)
    with pytest.raises(oprf.ElementRefused):
        oprf.finalize(b"text", key, element)


@given(st.binary(min_size=32, max_size=32))
@settings(max_examples=50, deadline=None)
def test_any_32_bytes_are_an_element_or_refused(element: bytes) -> None:
    key = oprf.new_key(secrets.token_bytes)
    with suppress(oprf.ElementRefused):
        assert len(oprf.evaluate(key, element, secrets.token_bytes)) == 32


def test_a_key_is_never_zero_and_an_input_has_a_bound() -> None:
    assert int.from_bytes(oprf.new_key(bytes), "little") == 1
    assert int.from_bytes(oprf.new_key(lambda size: (ORDER - 1).to_bytes(size, "little")), "little") == 1
    with pytest.raises(oprf.InputRefused):
        oprf.blind(bytes(2**16), secrets.token_bytes)
    with pytest.raises(ValueError, match="seed"):
        oprf.derive_key(bytes(31), b"")
