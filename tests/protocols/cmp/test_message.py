"""PKIMessage: what is written is read again, to the byte; everything has a bound; nothing but a refusal is raised."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.protocols.cmp import strategies

from ingam.kernel.errors import Defect
from ingam.npki import der
from ingam.protocols.cmp import bodies, header, message, status
from ingam.protocols.cmp.header import Header, Info
from ingam.protocols.cmp.message import Body, BodyKind
from ingam.protocols.cmp.status import CmpRefused, FailInfo

AT = datetime(2026, 11, 22, 12, 0, 0, tzinfo=UTC)
PLAIN = Header(2, header.NULL_DN, header.NULL_DN, AT, None, None, None, b"t" * 16, b"n" * 16)


@dataclass(frozen=True)
class Stamp:
    """A protection that proves nothing."""

    algorithm: bytes = der.algorithm("1.2.3")

    def protect(self, part: bytes) -> bytes:
        return part[:8]


def refused(data: bytes, **limits: object) -> CmpRefused:
    with pytest.raises(CmpRefused) as caught:
        message.parse(data, **limits)  # type: ignore[arg-type]
    return caught.value


def written(changed: Header = PLAIN, body: Body = bodies.PKICONF) -> bytes:
    return message.compose(changed, body, None)


def fields(*parts: bytes) -> bytes:
    head = der.seq(der.integer(2), header.NULL_DN, header.NULL_DN, *parts)
    return der.seq(head, bodies.PKICONF.element)


@settings(deadline=None)
@given(strategies.headers, strategies.any_body, strategies.maybe(st.binary(max_size=80)), st.integers(0, 2))
def test_what_is_written_is_read_again(asked: Header, body: Body, bits: bytes | None, extra: int) -> None:
    part = message.prepare(asked, body)
    certificates = [der.seq(der.integer(one)) for one in range(extra)]
    data = message.finish(part, bits, certificates)
    found = message.parse(data)
    assert found == message.UnverifiedMessage(asked, body, part, bits, tuple(certificates), data)


@settings(deadline=None, max_examples=300)
@given(strategies.damaged(strategies.messages()))
def test_damaged_bytes_are_refused_or_read_and_nothing_else(data: bytes) -> None:
    try:
        found = message.parse(data)
        header.implicit_confirm(found.header), header.confirm_wait_time(found.header)
        strategies.read_any(found.body)
    except CmpRefused as refusal:
        assert refusal.code.startswith("cmp-") and refusal.fail_info


@settings(deadline=None)
@given(st.binary(max_size=200))
def test_any_bytes_are_refused(data: bytes) -> None:
    assert refused(data).fail_info is FailInfo.BAD_DATA_FORMAT


@settings(deadline=None)
@given(strategies.messages(), st.data())
def test_every_shorter_message_is_refused(data: bytes, drawn: st.DataObject) -> None:
    assert refused(data[: drawn.draw(st.integers(0, len(data) - 1))]).code == "cmp-malformed"


def test_a_byte_behind_the_message_is_refused() -> None:
    assert refused(written() + b"\0").code == "cmp-malformed"


def test_composing_puts_the_algorithm_of_the_protection_into_the_header() -> None:
    found = message.parse(message.compose(PLAIN, bodies.PKICONF, Stamp(), [der.seq()]))
    assert found.header == PLAIN._replace(protection_alg=Stamp().algorithm)
    assert found.protection == found.protected[:8] and found.extra_certs == (der.seq(),)


def test_composing_without_protection_leaves_the_algorithm_out() -> None:
    found = message.parse(message.compose(PLAIN._replace(protection_alg=der.seq()), bodies.PKICONF, None))
    assert found.header == PLAIN and found.protection is None


def test_D9_a_message_over_the_limit_is_refused_before_it_is_read() -> None:
    assert refused(b"\x30" * 65537).code == "cmp-too-large"
    assert refused(written(), most=10).code == "cmp-too-large"


@pytest.mark.parametrize("pvno", [-1, 0, 4, 99])
def test_another_version_is_refused_and_the_header_is_known(pvno: int) -> None:
    refusal = refused(written(PLAIN._replace(pvno=pvno)))
    assert (refusal.code, refusal.fail_info) == ("cmp-version", FailInfo.UNSUPPORTED_VERSION)
    assert refusal.header is not None and refusal.header.transaction_id == b"t" * 16


def test_the_versions_of_the_lightweight_profile_are_two_and_three() -> None:
    assert refused(written(PLAIN._replace(pvno=1)), versions=frozenset((2, 3))).code == "cmp-version"
    assert message.parse(written(PLAIN._replace(pvno=0)), versions=frozenset((0, 1))).header.pvno == 0


def test_an_unknown_body_is_refused_and_the_header_is_known() -> None:
    refusal = refused(der.seq(header.write_header(PLAIN), der.explicit(27, der.null)))
    assert (refusal.code, refusal.fail_info) == ("cmp-body-unknown", FailInfo.BAD_REQUEST)
    assert refusal.header == PLAIN


def test_a_broken_body_leaves_the_header_known() -> None:
    refusal = refused(der.seq(header.write_header(PLAIN), b"\xb3\x05\x05\x00"))
    assert refusal.code == "cmp-malformed" and refusal.header == PLAIN


@pytest.mark.parametrize(("number", "most"), [(2, 4096), (3, 4096), (4, 128), (5, 128), (6, 128)])
def test_every_octet_string_of_the_header_has_a_bound(number: int, most: int) -> None:
    found = message.parse(fields(der.explicit(number, der.octets(bytes(most))))).header
    assert found[number + 3] == bytes(most)
    assert refused(fields(der.explicit(number, der.octets(bytes(most + 1))))).code == "cmp-malformed"


def test_nothing_over_a_bound_is_written() -> None:
    with pytest.raises(Defect):
        written(PLAIN._replace(sender_nonce=bytes(129)))


def test_more_extra_certificates_than_sixteen_are_refused() -> None:
    part = message.prepare(PLAIN, bodies.PKICONF)
    assert len(message.parse(message.finish(part, None, [der.seq()] * 16)).extra_certs) == 16
    assert refused(message.finish(part, None, [der.seq()] * 17)).code == "cmp-malformed"


def test_more_entries_of_general_info_than_32_are_refused() -> None:
    assert refused(written(PLAIN._replace(general_info=(Info("1.2.3"),) * 33))).code == "cmp-malformed"


def test_more_texts_than_sixteen_are_refused() -> None:
    assert refused(written(PLAIN._replace(free_text=("a",) * 17))).code == "cmp-malformed"


@pytest.mark.parametrize("name", [der.seq(), der.octets(b""), der.tlv(0xA4, der.null), der.tlv(0xA4, der.seq() * 2)])
def test_what_is_no_general_name_is_no_sender(name: bytes) -> None:
    assert refused(written(PLAIN._replace(sender=name))).code == "cmp-malformed"


def test_a_name_over_four_kilobytes_is_refused() -> None:
    assert refused(written(PLAIN._replace(recipient=der.tlv(0x81, bytes(4096))))).code == "cmp-malformed"


@pytest.mark.parametrize(
    "parts",
    [
        [der.explicit(5, der.octets(b"n")), der.explicit(4, der.octets(b"t"))],
        [der.explicit(4, der.octets(b"t"))] * 2,
        [der.explicit(9, der.octets(b"t"))],
        [der.explicit(4, der.integer(1))],
        [der.explicit(4, der.octets(b"t") * 2)],
        [der.explicit(4, b"")],
        [der.explicit(1, der.octets(b"no algorithm"))],
        [der.explicit(7, der.seq())],
        [der.explicit(7, der.seq(der.octets(b"no text")))],
        [der.explicit(7, der.seq(der.tlv(0x0C, b"\xff")))],
        [der.explicit(8, der.seq())],
        [der.explicit(8, der.seq(der.seq(der.null)))],
        [der.explicit(8, der.seq(der.seq(der.oid("1.2.3"), der.null, der.null)))],
        [b"\xa4\x81\x03\x04\x01t"],
        [b"\xa4\x80\x04\x01t\x00\x00"],
    ],
    ids=lambda parts: b"".join(parts)[:8].hex(),
)
def test_fields_out_of_order_twice_or_of_another_type_are_refused(parts: list[bytes]) -> None:
    assert refused(fields(*parts)).code == "cmp-malformed"


@pytest.mark.parametrize(
    ("text", "micros"), [(b"20261122120000Z", 0), (b"20261122120000.5Z", 500000), (b"20261122120000.000001Z", 1)]
)
def test_a_message_time_may_have_a_fraction(text: bytes, micros: int) -> None:
    found = message.parse(fields(der.explicit(0, der.tlv(0x18, text)))).header.message_time
    assert found == AT.replace(microsecond=micros)


@pytest.mark.parametrize(
    "text", [b"20261122120000", b"20261122120000.50Z", b"20261122120000.Z", b"20261122120000+0900", b"20261322120000Z"]
)
def test_a_message_time_is_der(text: bytes) -> None:
    assert refused(fields(der.explicit(0, der.tlv(0x18, text)))).code == "cmp-malformed"


def test_a_utc_time_is_no_message_time() -> None:
    assert refused(fields(der.explicit(0, der.tlv(0x17, b"261122120000Z")))).code == "cmp-malformed"


def test_protection_with_unused_bits_is_refused() -> None:
    data = der.seq(header.write_header(PLAIN), bodies.PKICONF.element, der.explicit(0, b"\x03\x02\x01\x02"))
    assert refused(data).code == "cmp-malformed"


def test_implicit_confirmation_is_null() -> None:
    assert header.implicit_confirm(PLAIN._replace(general_info=(header.IMPLICIT_CONFIRM_INFO,)))
    assert header.implicit_confirm(PLAIN._replace(general_info=(Info(header.IMPLICIT_CONFIRM),)))
    assert not header.implicit_confirm(PLAIN)
    with pytest.raises(CmpRefused) as caught:
        header.implicit_confirm(PLAIN._replace(general_info=(Info(header.IMPLICIT_CONFIRM, der.integer(1)),)))
    assert (caught.value.code, caught.value.fail_info) == ("cmp-header-info", FailInfo.BAD_REQUEST)


def test_the_time_to_wait_for_a_confirmation_is_a_generalized_time() -> None:
    assert header.confirm_wait_time(PLAIN._replace(general_info=(header.confirm_wait_time_info(AT),))) == AT
    assert header.confirm_wait_time(PLAIN) is None
    for value in (der.tlv(0x17, b"261122120000Z"), None, der.null):
        with pytest.raises(CmpRefused) as caught:
            header.confirm_wait_time(PLAIN._replace(general_info=(Info(header.CONFIRM_WAIT_TIME, value),)))
        assert (caught.value.code, caught.value.fail_info) == ("cmp-header-info", FailInfo.BAD_DATA_FORMAT)


def test_profiles_are_named_in_order() -> None:
    asked = PLAIN._replace(general_info=(header.cert_profile_info("securities", "km"),))
    assert header.cert_profiles(asked) == ("securities", "km") and header.cert_profiles(PLAIN) == ()
    with pytest.raises(CmpRefused):
        header.cert_profiles(PLAIN._replace(general_info=(Info(header.CERT_PROFILE, der.null),)))


def test_an_answer_names_the_transaction_and_the_nonce_of_the_request() -> None:
    sender = header.directory_name(der.seq())
    answer = header.answer_header(PLAIN._replace(sender_kid=b"1234"), sender=sender, nonce=b"m" * 16, at=AT)
    assert (answer.transaction_id, answer.recip_nonce, answer.sender_nonce) == (b"t" * 16, b"n" * 16, b"m" * 16)
    assert answer.recipient == PLAIN.sender and answer.sender_kid is None
    assert header.answer_header(PLAIN._replace(pvno=9), sender=sender, nonce=b"m" * 16, at=AT).pvno == 2


def test_the_name_in_a_directory_name_comes_back() -> None:
    name = der.seq(der.set_of([der.seq(der.oid("2.5.4.3"), der.tlv(0x0C, b"x" * 200))]))
    assert header.name_in(header.directory_name(name)) == name
    assert header.name_in(der.tlv(0x81, b"a@b.invalid")) is None


def test_H9_nothing_of_a_person_is_printed() -> None:
    asked = PLAIN._replace(sender=header.directory_name(b"\x30\x00"), sender_kid=b"reference-7")
    found = message.parse(message.compose(asked, bodies.PKICONF, Stamp()))
    shown = f"{found!r} {found.header!r} {found.body!r} {message.PKIMessage(found.header, found.body, ())!r}"
    assert "reference" not in shown and "0000" not in shown


@pytest.mark.parametrize("bit", range(27))
def test_every_failure_bit_is_written_as_the_rfc_numbers_it(bit: int) -> None:
    data = status.write_fail_info(FailInfo(1 << bit))
    octets = der.whole(data).content
    assert (octets[0], octets[-1] & 1 << octets[0]) == (7 - bit % 8, 1 << octets[0]) and len(octets) == 2 + bit // 8
    assert status.read_fail_info(octets) == FailInfo(1 << bit)


def test_failure_bits_have_the_names_of_the_rfc() -> None:
    assert status.names(FailInfo.BAD_ALG | FailInfo.DUPLICATE_CERT_REQ) == ("badAlg", "duplicateCertReq")
    assert status.names(FailInfo.BAD_POP) == ("badPOP",)


@pytest.mark.parametrize("content", [b"", b"\x08\x00", b"\x01\x01", b"\x07", b"\x00" + bytes(9)])
def test_malformed_failure_bits_are_refused(content: bytes) -> None:
    with pytest.raises(der.NotDer):
        status.read_fail_info(content)


def test_a_body_that_no_reader_was_asked_for_is_refused() -> None:
    with pytest.raises(CmpRefused):
        bodies.read_error(Body(BodyKind.PKICONF, bodies.PKICONF.element))
