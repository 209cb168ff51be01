"""DER bounds that a hostile file could stretch."""

from __future__ import annotations

import time

import pytest

from ingam.npki import der
from ingam.npki.der import NotDer


@pytest.mark.parametrize("content", [b"\x81" * 60_000 + b"\1", b"\x81" * 129, b"\2" * 129])
def test_a_long_object_identifier_is_refused_before_it_is_computed(content: bytes) -> None:
    start = time.process_time()
    with pytest.raises(NotDer):
        der.whole(der.tlv(der.OID, content)).oid()
    assert time.process_time() - start < 1


def test_the_longest_allowed_object_identifier_still_prints() -> None:
    assert der.whole(der.tlv(der.OID, b"\x81" * 127 + b"\1")).oid().startswith("2.")


def test_counted_children_are_exactly_or_at_least_that_many() -> None:
    three = der.whole(der.seq(der.null, der.null, der.null))
    assert len(three.exactly(3)) == len(three.at_least(2)) == 3
    for wrong in (2, 4):
        with pytest.raises(NotDer):
            three.exactly(wrong)
    with pytest.raises(NotDer):
        three.at_least(4)
    with pytest.raises(NotDer):
        three.exactly(3, der.SET)
