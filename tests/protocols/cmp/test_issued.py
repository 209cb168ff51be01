"""What was ever issued to a person, on the wire: it comes back as it was told, bounded, and says what it left out."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.protocols.cmp import strategies

from ingam.kernel.secret import Secret
from ingam.npki import der, shapes
from ingam.protocols.cmp import issued
from ingam.protocols.cmp.header import Info, generalized_time
from ingam.protocols.cmp.issued import MOST_ANSWER, MOST_ISSUED, Ended, One, Standing, Told
from ingam.protocols.cmp.status import CmpRefused

fast = settings(deadline=None, max_examples=60)
AT = datetime(2026, 11, 26, 9, 0, tzinfo=UTC)
NAME = shapes.name(("C", "KR"), ("O", "Ingam"), ("OU", "다온증권"), ("CN", "김증권-210000001"))
ISSUER = shapes.name(("C", "KR"), ("O", "Ingam"), ("CN", "Ingam CA"))
VALID = One(77, bytes(32), ISSUER, NAME, "securities", "1.2.3.9", AT, AT, AT.replace(year=2027), Standing.VALID)

ended = st.builds(Ended, st.integers(0, 10), strategies.instants, st.booleans())


@st.composite
def ones(draw: st.DrawFn) -> One:
    """Any certificate that may be told."""
    standing = draw(st.sampled_from(Standing))
    return One(
        draw(st.integers(1, 2**127)), draw(st.binary(min_size=32, max_size=32)), draw(strategies.names),
        draw(strategies.names),
        draw(strategies.texts.filter(lambda text: len(text.encode()) <= issued.MOST_PROFILE)), draw(strategies.oids),
        draw(strategies.instants), draw(strategies.instants), draw(strategies.instants), standing,
        draw(ended) if standing in (Standing.HELD, Standing.REVOKED) else None,
    )  # fmt: skip


@fast
@given(certificates=st.lists(ones(), max_size=4), more=st.booleans())
def test_what_is_told_comes_back(certificates: list[One], more: bool) -> None:
    assert issued.read_told(issued.tell(certificates, more=more)) == Told(tuple(certificates), more)


@pytest.mark.parametrize("idn", ["7510051000001", "0000000015"])
def test_a_number_comes_back(idn: str) -> None:
    assert issued.read_asked(issued.ask(Secret(idn))) == Secret(idn)


@pytest.mark.parametrize("idn", ["", "751005100000", "75100510000011", "7510051-000001", "７５１００５１０００００１"])
def test_what_is_no_number_of_13_or_10_digits_is_refused(idn: str) -> None:
    with pytest.raises(CmpRefused) as refused:
        issued.read_asked(issued.ask(Secret(idn)))
    assert refused.value.code == "cmp-malformed"


def test_a_question_is_one_text_and_nothing_behind() -> None:
    for value in (None, der.null, der.octets(b"7510051000001"), issued.ask(Secret("0000000015")).value + der.null):  # type: ignore[operator]
        with pytest.raises(CmpRefused):
            issued.read_asked(Info(issued.ISSUED, value))


def test_a_hundred_are_told_and_it_is_said_that_there_are_more() -> None:
    assert issued.read_told(issued.tell([VALID] * MOST_ISSUED)) == Told((VALID,) * MOST_ISSUED, False)
    assert issued.read_told(issued.tell([VALID] * (MOST_ISSUED + 1))) == Told((VALID,) * MOST_ISSUED, True)


def test_long_names_do_not_make_a_message_too_long() -> None:
    units = [("OU", "가" * 64)] * 9
    long = VALID._replace(subject=shapes.name(*units))
    told = issued.tell([long] * 60)
    assert len(told.value or b"") < MOST_ANSWER + 32
    found = issued.read_told(told)
    assert found.more and 10 < len(found.certificates) < 60


def test_a_hundred_and_one_are_refused() -> None:
    parts = issued.tell([VALID]).value
    assert parts is not None
    _, body = der.whole(parts), issued._write(VALID)
    with pytest.raises(CmpRefused):
        issued.read_told(Info(issued.ISSUED, der.seq(der.tlv(der.BOOLEAN, b"\x00"), der.seq(*[body] * 101))))


@pytest.mark.parametrize(
    "wrong",
    [
        VALID._replace(serial=0), VALID._replace(serial=-5), VALID._replace(serial=1 << 200),
        VALID._replace(fingerprint=bytes(31)), VALID._replace(profile="x" * 65),
        VALID._replace(ended=Ended(4, AT)), VALID._replace(standing=Standing.REVOKED),
        VALID._replace(subject=der.null), VALID._replace(subject=der.seq(der.octets(bytes(5000)))),
    ],
)  # fmt: skip
def test_a_certificate_of_another_form_is_refused(wrong: One) -> None:
    with pytest.raises(CmpRefused) as refused:
        issued.read_told(issued.tell([wrong]))
    assert refused.value.code == "cmp-malformed"


def test_an_unknown_state_another_time_and_more_behind_are_refused() -> None:
    told = issued.tell([VALID._replace(standing=Standing.REVOKED, ended=Ended(4, AT))]).value
    assert told is not None
    state, reason = b"\x0a\x01\x03", b"\x0a\x01\x04"
    for old, new in (
        (state, b"\x0a\x01\x04"), (state, b"\x02\x01\x03"), (reason, b"\x0a\x01\x84"),
        (b"\x01\x01\x00", b"\x01\x01\x01"),
        (generalized_time(AT), der.tlv(0x16, b"20261126090000Z")),
    ):  # fmt: skip
        assert old in told
        with pytest.raises(CmpRefused):
            issued.read_told(Info(issued.ISSUED, told.replace(old, new)))


@fast
@given(value=st.one_of(st.none(), st.binary(max_size=80), strategies.sequences))
def test_no_reader_raises_anything_but_a_refusal(value: bytes | None) -> None:
    for read in (issued.read_asked, issued.read_told):
        with suppress(CmpRefused):
            read(Info(issued.ISSUED, value))


def test_a_question_does_not_show_its_number() -> None:
    assert "7510051" not in repr(issued.read_asked(issued.ask(Secret("7510051000001"))))
