"""A template and the shapes make the same bytes, and serials are what they have to be."""

from __future__ import annotations

import itertools
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some
from tests.ca.issuing.made import ALL, APPLICANT, VID, Made, made, spki

from ingam.ca.issuing.lint import findings
from ingam.ca.issuing.names import Applicant, NameRefused
from ingam.ca.issuing.template import compile_template, new_serial
from ingam.ca.profiles import shape_of
from ingam.kernel.errors import Defect
from ingam.kernel.instants import EPOCH, KST
from ingam.npki import shapes
from ingam.npki.shapes import Validity
from ingam.npki.signature import KeyKind
from ingam.npki.vid import Vid

INSTANT = some.integers(-631_000_000, 4_700_000_000).map(lambda seconds: EPOCH + timedelta(seconds=seconds))
NAME = some.text("홍길동김이박최가나다라ABCdef ", min_size=1, max_size=40).map(
    lambda text: " ".join(text.split()) or "가"
)


def by_shapes(one: Made) -> bytes:
    """The same facts through `npki.shapes`."""
    shape = shape_of(
        one.authority, one.profile, one.generation.number, 3, real_name=one.real_name,
        vid=None if one.vid is None else Vid("sha256", one.vid), hosts=one.hosts,
    )  # fmt: skip
    return shapes.tbs_certificate(
        shape, serial=one.serial, issuer=one.generation.name, validity=one.times, subject=one.subject, spki=one.spki,
        authority_key=one.generation.authority_key, algorithm=one.generation.algorithm,
    )  # fmt: skip


@pytest.mark.parametrize(("key", "profile"), ALL)
def test_a_template_makes_the_bytes_of_the_shapes_and_the_lint_passes_them(key: str, profile: str) -> None:
    one = made(key, profile)
    assert one.tbs == by_shapes(one)
    assert findings(one.tbs, one.expectation) == []


@given(
    profile=some.sampled_from(["securities", "universal-corporate", "server", "encryption", "ra"]),
    serial=some.integers(1, (1 << 127) - 1),
    times=some.tuples(INSTANT, INSTANT),
    name=NAME,
    number=some.integers(0, 10**9).map(str),
    vid=some.binary(min_size=32, max_size=32),
    key=some.sampled_from(["rsa2048-01", "rsa3072-02"]),
)
@settings(max_examples=100, deadline=None)
def test_whatever_goes_in_both_make_the_same_bytes(
    profile: str, serial: int, times: tuple[datetime, datetime], name: str, number: str, vid: bytes, key: str
) -> None:
    one = made("ingam", profile, Applicant(name, number, hosts=APPLICANT.hosts))
    one = replace(
        one, serial=serial, times=Validity(*times), spki=spki(key), vid=None if one.vid is None else vid,
        authority=one.authority,
    )  # fmt: skip
    assert one.tbs == by_shapes(one)


@pytest.mark.parametrize("kind", list(KeyKind))
def test_a_generation_signs_with_the_algorithm_of_its_key(kind: KeyKind) -> None:
    one = made()
    generation = one.generation._replace(algorithm=kind.algorithm)
    other = replace(one, generation=generation, template=compile_template(one.authority, one.profile, generation, 3))
    assert other.tbs == by_shapes(other)
    assert findings(other.tbs, other.expectation) == []
    expected = [] if kind.algorithm == one.generation.algorithm else ["algorithm"]
    assert findings(other.tbs, one.expectation) == expected


def test_hosts_of_a_profile_without_hosts_are_left_out() -> None:
    one = made()
    assert replace(one, hosts=("center.test",)).tbs == one.tbs


@pytest.mark.parametrize(
    "change",
    [
        {"real_name": None},
        {"vid": None},
        {"vid": VID[:20]},
        {"serial": 0},
        {"serial": 1 << 159},
        {"times": Validity(datetime(2026, 1, 1), datetime(2027, 1, 1, tzinfo=UTC))},  # noqa: DTZ001
    ],
)  # fmt: skip
def test_a_fact_that_cannot_stand_in_a_certificate_is_our_defect(change: dict[str, object]) -> None:
    with pytest.raises(Defect):
        _ = replace(made(), **change).tbs  # type: ignore[arg-type]


def test_a_server_without_a_host_is_our_defect_and_never_gets_so_far() -> None:
    with pytest.raises(Defect):
        _ = replace(made("ingam", "server"), hosts=()).tbs
    with pytest.raises(NameRefused):
        made("ingam", "server", Applicant("x"))


def test_a_person_fact_for_a_profile_without_persons_is_our_defect() -> None:
    with pytest.raises(Defect):
        _ = replace(made("ingam", "encryption"), real_name="홍길동").tbs


def test_D11_a_serial_has_127_random_bits_is_positive_and_never_shorter() -> None:
    drawn = itertools.chain([b"\x00" + bytes(15), b"\x80" + bytes(15), b"\xff" * 16])
    assert new_serial(lambda size: next(drawn)[:size]) == (1 << 127) - 1
    counter = itertools.count()
    serials = {new_serial(lambda size: next(counter).to_bytes(2, "big") + bytes(size - 2)) for _ in range(1000)}
    assert len(serials) == 1000
    assert all(120 < one.bit_length() <= 127 for one in serials)


@given(octets=some.binary(min_size=16, max_size=16).filter(lambda value: value[0] & 0x7F))
def test_D11_every_bit_but_the_first_is_the_random_ones(octets: bytes) -> None:
    assert new_serial(lambda size: octets) == int.from_bytes(octets, "big") & (1 << 127) - 1


def test_D11_a_sandbox_may_have_serials_of_three_or_four_octets() -> None:
    assert new_serial(lambda size: b"\x85\x22\x21"[:size], 3) == 0x052221


def test_times_with_another_offset_are_written_in_utc() -> None:
    one = made()
    shifted = Validity(*(at.astimezone(KST) for at in (one.times.not_before, one.times.not_after)))
    assert replace(one, times=shifted).tbs == one.tbs
    later = Validity(one.times.not_before + timedelta(seconds=1), one.times.not_after)
    assert replace(one, times=later).tbs != one.tbs
