"""CPace by the vectors of draft-irtf-cfrg-cpace-21."""

from __future__ import annotations

import json
from hashlib import sha512
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingam.protocols.mailbox import cpace
from ingam.protocols.mailbox.group import OURS, Group, sodium
from ingam.protocols.mailbox.ristretto import PointRefused

ROOT = Path(__file__).parents[3]
VECTORS: dict[str, Any] = json.loads((ROOT / "vectors/copying/cpace.json").read_text())
DRAFT = {name: bytes.fromhex(value) for name, value in VECTORS["cpace"].items()}
GROUPS = [OURS, *([found] if (found := sodium()) else [])]
each = pytest.mark.parametrize("group", GROUPS, ids=lambda group: group.name)


def test_C6_the_generator_string_is_the_drafts() -> None:
    made = cpace.generator_string(DRAFT["PRS"], DRAFT["CI"], DRAFT["sid"])
    assert made == DRAFT["generator_string"]
    assert sha512(made).digest() == DRAFT["generator_hash"]


@each
def test_C6_generator_shares_secret_point_and_key_are_the_drafts(group: Group) -> None:
    generator = cpace.generator(DRAFT["PRS"], DRAFT["CI"], DRAFT["sid"], group)
    assert generator == DRAFT["g"]
    assert cpace.share(DRAFT["ya"], generator, group) == DRAFT["Ya"]
    assert cpace.share(DRAFT["yb"], generator, group) == DRAFT["Yb"]
    assert cpace.secret_point(DRAFT["ya"], DRAFT["Yb"], group) == DRAFT["K"]
    assert cpace.secret_point(DRAFT["yb"], DRAFT["Ya"], group) == DRAFT["K"]
    shares = (DRAFT["Ya"], DRAFT["ADa"]), (DRAFT["Yb"], DRAFT["ADb"])
    assert cpace.isk(DRAFT["sid"], DRAFT["K"], *shares) == DRAFT["ISK_IR"]


@each
def test_C6_the_drafts_valid_point_is_multiplied_and_its_invalid_ones_abort(group: Group) -> None:
    valid = {name: bytes.fromhex(value) for name, value in VECTORS["valid"].items()}
    assert cpace.secret_point(valid["s"], valid["X"], group) == valid["product"]
    for encoded in VECTORS["invalid"]:
        with pytest.raises(PointRefused):
            cpace.secret_point(valid["s"], bytes.fromhex(encoded), group)


@pytest.mark.parametrize(("length", "prefix"), [(0, "00"), (127, "7f"), (128, "8001"), (6144, "8030"), (16383, "ff7f")])
def test_lengths_are_written_in_leb128(length: int, prefix: str) -> None:
    assert cpace.lv(bytes(length)) == bytes.fromhex(prefix) + bytes(length)


@given(st.lists(st.binary(max_size=300), max_size=5), st.lists(st.binary(max_size=300), max_size=5))
def test_no_two_lists_of_values_give_the_same_bytes(one: list[bytes], other: list[bytes]) -> None:
    assert (cpace.lv_cat(*one) == cpace.lv_cat(*other)) == (one == other)


@given(st.binary(min_size=32, max_size=32))
def test_a_scalar_keeps_252_bits(random: bytes) -> None:
    made = cpace.scalar(random)
    assert int.from_bytes(made, "little") == int.from_bytes(random, "little") % 2**252
