"""A list's own words about itself, from its ends alone; anything that is not one whole list is refused."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.npki import certs
from tests.protocols.crl.issuers import HTTP, NOW, issuer, outline, signed

from ingam.protocols import crl
from ingam.protocols.crl import glance, writing

ARL = Path(certs.SAMPLES / "authorities" / "KISA_RootCA_4_ARL.crl")


def list_of(entries: int, **changes: object) -> bytes:
    by = issuer()
    return signed(by, outline(by, **changes), *(writing.entry(0x7000 + each, NOW) for each in range(entries)))


def test_number_base_and_places_are_told() -> None:
    data = list_of(3, number=9, base=4)
    found = glance.of(data)
    assert (found.number, found.base) == (9, 4)
    assert data[slice(*found.tbs)] == crl.parse(data).tbs
    assert glance.of(list_of(0)).entries[0] == glance.of(list_of(0)).entries[1]


def test_the_published_root_list_is_told() -> None:
    assert glance.of(ARL.read_bytes()).number == 595


def test_of_a_large_list_only_the_ends_are_read() -> None:
    data = list_of(20_000, freshest=(HTTP,))
    read: list[int] = []

    def at(offset: int, count: int) -> bytes:
        read.append(count)
        return data[offset : offset + count]

    assert glance.at_distance(at, len(data)).number == 7
    assert sum(read) < 10_000 < len(data)


@pytest.mark.parametrize("cut", [1, 10, 256, 300, 2000])
def test_a_list_that_is_cut_or_goes_on_is_none(cut: int) -> None:
    data = list_of(50)
    for wrong in (data[:-cut], data + bytes(cut), data[cut:]):
        with pytest.raises(crl.CrlUnusable):
            glance.of(wrong)


def test_a_certificate_is_no_list() -> None:
    for wrong in (certs.person().certificate.der, certs.ca().certificate.der, b"", b"0", b"<html>"):
        with pytest.raises(crl.CrlUnusable):
            glance.of(wrong)


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_altered_bytes_are_refused_or_read_never_worse(data: st.DataObject) -> None:
    whole = bytearray(list_of(data.draw(st.sampled_from([0, 2, 5])), base=data.draw(st.sampled_from([None, 3]))))
    for _ in range(data.draw(st.integers(1, 3))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    try:
        found = glance.of(bytes(whole))
    except crl.CrlUnusable:
        return
    assert 0 < found.tbs[0] < found.entries[0] <= found.entries[1] <= found.tbs[1] < len(whole)


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=400))
def test_any_bytes_are_refused_in_one_way(data: bytes) -> None:
    with pytest.raises(crl.CrlUnusable):
        glance.of(data)
