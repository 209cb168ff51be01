"""An owner's proof: it is checked alone, and proves this event at this place of this log or nothing."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.protocols.log import trees
from tests.protocols.log.trees import NOW, WITNESS, WITNESS_KEY, log_key, signed

from ingam.kernel.errors import Failure
from ingam.protocols.log import bundle, commitment, event, head, proof
from ingam.protocols.log.bundle import BundleMalformed, UnverifiedBundle
from ingam.protocols.log.event import Issue
from ingam.protocols.log.head import WitnessMissing
from ingam.protocols.log.proof import NotIncluded

HAPPENED = Issue(1, 0x1234, bytes(32), NOW)
SALT = bytes(range(32))


def made(size: int = 7, place: int = 4, told: bytes = event.text(HAPPENED), **changed: Any) -> UnverifiedBundle:
    hashes = trees.leaves(size)
    hashes[place] = commitment.commit(SALT, told)
    path = proof.inclusion(trees.stored(hashes), place, size)
    text = signed(hashes, witness=WITNESS)
    return UnverifiedBundle(place, SALT, tuple(path), told, head.parse(text))._replace(**changed)


def test_H3_an_owner_s_bundle_proves_the_issue_offline() -> None:
    proven = bundle.verify(bundle.parse(made().text), [log_key()], [WITNESS_KEY])
    assert (proven.event, proven.leaf_index, proven.head.size) == (HAPPENED, 4, 7)


def test_a_log_of_one_leaf_needs_no_path() -> None:
    given = made(1, 0)
    assert given.path == ()
    assert bundle.verify(bundle.parse(given.text), [log_key()]).leaf_index == 0


def test_a_bundle_is_text_to_the_byte() -> None:
    text = made().text
    top, told, note = text.split("\n\n", 2)
    assert top.split("\n")[:3] == ["INGAM-INCLUSION/1", "index: 4", f"salt: {SALT.hex()}"]
    assert f"{told}\n".encode() == event.text(HAPPENED)
    assert note == made().head.note.text or note.startswith("demo-ca.test/log\n7\n")
    assert bundle.parse(text).text == text


@pytest.mark.parametrize(
    "changed",
    [
        {"leaf_index": 3},
        {"leaf_index": 7},
        {"salt": bytes(32)},
        {"event": event.text(HAPPENED._replace(serial=0x1235))},
        {"path": ()},
        {"path": tuple(trees.leaves(3))},
    ],
)
def test_H3_another_place_salt_event_or_path_is_not_included(changed: dict[str, Any]) -> None:
    with pytest.raises(NotIncluded):
        bundle.verify(bundle.parse(made(**changed).text), [log_key()])


def test_a_bundle_under_another_log_s_head_proves_nothing() -> None:
    with pytest.raises(NotIncluded):
        bundle.verify(made(head=head.parse(signed(trees.leaves(7)))), [log_key()])
    with pytest.raises(WitnessMissing):
        bundle.verify(made(head=head.parse(signed(trees.leaves(7)))), [log_key()], [WITNESS_KEY])


def test_an_event_that_is_none_proves_nothing_even_under_its_leaf() -> None:
    with pytest.raises(BundleMalformed):
        bundle.verify(bundle.parse(made(told=b"INGAM-LOG/1\nkind: gift\n").text), [log_key()])


@given(st.integers(0, 1 << 16))
def test_no_bit_of_a_bundle_can_be_changed(bit: int) -> None:
    octets = bytearray(made().text.encode())
    octets[bit // 8 % len(octets)] ^= 1 << bit % 8
    try:
        bundle.verify(bundle.parse(octets.decode()), [log_key()], [WITNESS_KEY])
    except (Failure, UnicodeDecodeError):
        return
    raise AssertionError(bytes(octets))


@given(st.text(max_size=100), st.text(max_size=100))
def test_strange_texts_are_refused_and_nothing_else_happens(one: str, two: str) -> None:
    note = made().head.note.text
    for text in (one, f"INGAM-INCLUSION/1\nindex: {one}\nsalt: {two}\n\n{one}\n\n{note}", f"{one}\n\n{two}\n\n{note}"):
        with pytest.raises(BundleMalformed):
            bundle.parse(text)


@pytest.mark.parametrize("old", ["INGAM-INCLUSION/1", "index: 4", "salt: ", "proof: ", "\n\n", "INGAM-LOG/1", "— "])
def test_nothing_of_a_bundle_may_be_missing(old: str) -> None:
    with pytest.raises(Failure) as refused:
        bundle.verify(bundle.parse(made().text.replace(old, "", 1)), [log_key()])
    assert refused.value.code == "log-bundle-malformed"


def test_a_bundle_has_bounds() -> None:
    for text in (made(path=tuple(trees.leaves(65))).text, made().text + "\n" * bundle.MOST_BUNDLE):
        with pytest.raises(BundleMalformed):
            bundle.parse(text)
