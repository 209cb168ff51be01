"""Names: read from every string type, compared by meaning, shown and filed as the field does."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.npki import certs

from ingam.npki import der, subject


def cn(value: str) -> subject.Name:
    return subject.parse(certs.name(("C", "KR"), ("O", "SignKorea"), ("CN", value)))


@pytest.mark.parametrize(
    ("common", "shown"),
    [
        ("홍길동-6422061", "홍길동"),
        ("홍길동", "홍길동"),
        ("홍길동(Hong Gil Dong)0020040402005123456", "홍길동"),
        ("홍길동( )0020040402005123456", "홍길동"),
        ("HKD(KILDONG.HONG)009104120200225191000030", "HKD"),
        ("홍길동_0000148508", "홍길동"),
        ("(주)코스콤-1", "(주)코스콤"),
        ("(주)코스콤", "(주)코스콤"),
        ("Jean-Paul", "Jean-Paul"),
        ("mydataServer", "mydataServer"),
        ("-12", "-12"),
    ],
)
def test_the_display_name_is_the_common_name_without_what_the_authority_hung_on(common: str, shown: str) -> None:
    assert subject.display_name(cn(common)) == shown


def test_a_name_without_a_common_name_is_shown_by_its_leaf() -> None:
    assert subject.display_name(subject.parse(certs.name(("C", "KR"), ("O", "SignKorea")))) == "SignKorea"
    assert subject.display_name(subject.parse(der.seq())) == ""


def test_the_folder_name_is_leaf_first_with_lower_case_attribute_names() -> None:
    name = subject.parse(certs.PERSON_NAME)

    assert subject.folder_name(name) == "cn=홍길동-6422061,ou=HTS,ou=동양,ou=증권,o=SignKorea,c=KR"


def test_a_folder_name_never_leaves_its_folder() -> None:
    assert subject.folder_name(cn("../../x\\y:z")) == "cn=.._.._x_y_z,o=SignKorea,c=KR"


def test_the_text_escapes_what_rfc_4514_escapes() -> None:
    assert str(cn(' #홍, 길동+"<>; ')) == 'CN=\\ #홍\\, 길동\\+\\"\\<\\>\\;\\ ,O=SignKorea,C=KR'


@pytest.mark.parametrize("tag", [der.UTF8_STRING, der.BMP_STRING])
def test_the_same_name_in_another_string_type_is_the_same(tag: int) -> None:
    name = subject.parse(certs.PERSON_NAME)
    other = subject.parse(
        certs.name(
            ("C", "kr"), ("O", "SIGNKOREA"), ("OU", "증권"), ("OU", "동양"), ("OU", "hts"), ("CN", "홍길동-6422061"),
            tag=tag,
        )
    )  # fmt: skip

    assert name.raw != other.raw
    assert subject.same_name(name, other)
    assert name.key == other.key


@pytest.mark.parametrize(
    "parts",
    [
        (("C", "KR"), ("O", "SignKorea")),
        (("C", "KR"), ("CN", "홍길동"), ("O", "SignKorea")),
        (("C", "KR"), ("O", "SignKorea"), ("CN", "홍길돈")),
        (("C", "KR"), ("O", "SignKorea"), ("OU", "홍길동")),
        (("C", "KR"), ("O", "SignKorea"), ("CN", "홍길동"), ("CN", "홍길동")),
    ],
)
def test_another_name_is_another(parts: tuple[tuple[str, str], ...]) -> None:
    assert not subject.same_name(cn("홍길동"), subject.parse(certs.name(*parts)))


def test_inner_spaces_and_width_do_not_make_a_name_another() -> None:
    assert subject.same_name(cn("Hong  Gil Dong "), cn("Ｈong Gil Dong"))


@pytest.mark.parametrize(
    ("tag", "content", "text"),
    [
        (0x0C, "홍길동".encode(), "홍길동"),
        (0x13, b"KR", "KR"),
        (0x14, "Café".encode("latin-1"), "Café"),
        (0x16, b"a@b.test", "a@b.test"),
        (0x1E, "홍길동".encode("utf-16-be"), "홍길동"),
        (0x1C, "홍".encode("utf-32-be"), "홍"),
        (0x12, b"123", "123"),
    ],
)
def test_each_string_type_is_decoded(tag: int, content: bytes, text: str) -> None:
    assert subject.decode_string(tag, content) == text


@pytest.mark.parametrize(
    ("tag", "content"),
    [
        (0x0C, "홍길".encode("cp949")),
        (0x13, b"\xff"),
        (0x1E, b"\x00"),
        (0x1E, b"\xd8\x00"),
        (0x04, b"x"),
        (0x0C, b"a\0b"),
        (0x0C, b"\x7f"),
        (0x0C, "\u202e동길홍".encode()),
        (0x0C, "홍길동\u200b".encode()),
        (0x0C, "\u200f홍길동".encode()),
        (0x1E, "홍\u2067길동".encode("utf-16-be")),
        (0x0C, "\ufeff홍길동".encode()),
        (0x14, b"ab\xadc"),
    ],
)
def test_bytes_that_are_no_text_of_their_type_are_refused(tag: int, content: bytes) -> None:
    with pytest.raises(subject.NameMalformed):
        subject.decode_string(tag, content)


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        bytes.fromhex("31003000"),
        der.seq(der.tlv(der.SET, b"")),
        der.seq(der.seq()),
        der.seq(der.set_of([der.seq(der.oid("2.5.4.3"))])),
        der.seq(der.set_of([der.seq(der.oid("2.5.4.3"), der.tlv(0x0C, b"a"), der.null)])),
        certs.name(("CN", "x" * 5000)),
    ],
)
def test_what_is_no_name_is_refused(raw: bytes) -> None:
    with pytest.raises(subject.NameMalformed):
        subject.parse(raw)


def test_two_attributes_in_one_step_are_both_read() -> None:
    both = der.set_of(
        [der.seq(der.oid(certs.TYPES[kind]), der.tlv(0x0C, value)) for kind, value in (("CN", b"a"), ("OU", b"b"))]
    )
    name = subject.parse(der.seq(both))

    assert (name.value("CN"), name.value("OU"), name.value("O")) == ("a", "b", None)
    assert str(name) == "CN=a+OU=b"


@settings(max_examples=100, deadline=None)
@given(st.text(st.characters(exclude_categories=("Cc", "Cs", "Cf", "Zl", "Zp")), max_size=40))
def test_any_printable_value_survives_the_way_through_a_name(value: str) -> None:
    name = cn(value)

    assert name.value("CN") == value
    assert subject.same_name(name, cn(value.upper().lower())) == (
        subject.fold(value) == subject.fold(value.upper().lower())
    )
    assert "/" not in subject.folder_name(name)


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_the_short_way_and_the_general_way_of_reading_agree(data: st.DataObject) -> None:
    raw = bytearray(certs.PERSON_NAME)
    for _ in range(data.draw(st.integers(0, 3))):
        raw[data.draw(st.integers(2, len(raw) - 1))] = data.draw(st.integers(0, 255))

    def outcome() -> object:
        try:
            return subject.parse(bytes(raw)).rdns
        except subject.NameMalformed:
            return "refused"

    short = outcome()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(subject, "_THREE_OCTETS", {})
        assert outcome() == short
