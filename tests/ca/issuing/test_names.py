"""Names from what was registered: the patterns of the houses, and nothing smuggled in."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from ingam.ca.issuing.names import Applicant, NameRefused, hosts_of, real_name_of, subject_of
from ingam.ca.profiles import preset
from ingam.npki import subject

HONG = Applicant("홍길동", "6422061", "HONG KILDONG")


def folder(key: str, profile: str, applicant: Applicant = HONG) -> str:
    """The name as an NPKI folder has it."""
    authority = preset(key)
    return subject.folder_name(subject.parse(subject_of(authority, authority.profile(profile), applicant)))


@pytest.mark.parametrize(
    ("key", "profile", "expected"),
    [
        ("ingam", "securities", "cn=홍길동-6422061,ou=HTS,ou=가온,ou=증권,o=Ingam,c=KR"),
        ("ingam", "encryption", "cn=홍길동-6422061,ou=HTS,ou=가온,ou=증권,o=Ingam,c=KR"),
        ("ingam", "ra", "cn=홍길동,ou=RA,o=Ingam,c=KR"),
        ("signkorea", "universal-corporate", "cn=홍길동-6422061,ou=HTS,ou=가온,ou=증권,o=SignKorea,c=KR"),
        ("yessign", "bank", "cn=홍길동(HONG KILDONG)00996422061,ou=GAON,ou=personal4IB,o=yessign,c=kr"),
        ("yessign", "universal", "cn=홍길동(HONG KILDONG)00996422061,ou=GAON,ou=personal,o=yessign,c=kr"),
        ("kica", "securities", "cn=홍길동_6422061,ou=RA센터,ou=가온,ou=등록기관,ou=licensedCA,o=KICA,c=KR"),
        ("crosscert", "securities", "cn=홍길동_6422061,ou=가온,ou=AccreditedCA,o=CrossCert,c=KR"),
        ("tradesign", "securities", "cn=홍길동_6422061,ou=가온,ou=AccreditedCA,o=TradeSign,c=KR"),
    ],
)
def test_each_house_writes_names_in_its_manner(key: str, profile: str, expected: str) -> None:
    assert folder(key, profile) == expected


def test_a_registered_branch_stands_in_the_place_of_the_usual_one() -> None:
    assert folder("ingam", "securities", HONG._replace(branch="여의도")).split(",")[1] == "ou=여의도"


def test_a_server_is_named_by_its_first_host() -> None:
    server = Applicant("", hosts=("center.ingam.test", "www.ingam.test"))
    assert folder("ingam", "server", server) == "cn=center.ingam.test,ou=Server,o=Ingam,c=KR"
    assert hosts_of(preset("ingam").profile("server"), server) == server.hosts
    assert hosts_of(preset("ingam").profile("securities"), server) == ()


@pytest.mark.parametrize("name", ["(주)가온", "㈜가온", "가온 증권", "O'Neil", "J. Kim-Lee", "M&A 3", "Ａlex", "José"])
def test_names_as_people_and_firms_have_them_are_taken(name: str) -> None:
    assert subject.parse(subject_of(preset("ingam"), preset("ingam").profile("universal"), HONG._replace(name=name)))


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("", "missing"),
        ("홍길동,ou=x", "characters"),
        ("홍길동+x", "characters"),
        ("a=b", "characters"),
        ('홍"길동', "characters"),
        ("홍\\길동", "characters"),
        ("홍/길동", "characters"),
        ("홍<길동", "characters"),
        ("홍;길동", "characters"),
        ("#홍길동", "characters"),
        ("*", "characters"),
        ("홍\x00길동", "characters"),
        ("홍\n길동", "characters"),
        ("홍\u200b길동", "characters"),
        ("홍\u202e길동", "characters"),
        ("홍\ufeff길동", "characters"),
        ("홍\u00a0길동", "characters"),
        ("홍\u3164길동", "unseen"),
        ("\uffa0", "unseen"),
        ("홍\ufe0f길동", "unseen"),
        ("홍\u034f길동", "unseen"),
        ("\u0301홍", "characters"),
        ("홍길동\U0001f600", "characters"),
        ("홍٣", "characters"),
        ("홍_1", "characters"),
        ("홍{number}", "characters"),
        ("-홍", "characters"),
        (" 홍길동", "spaces"),
        ("홍길동 ", "spaces"),
        ("홍  길동", "spaces"),
        ("가" * 65, "length"),
        ("가" * 60, "length"),  # with the number behind it
    ],
)
def test_nothing_is_smuggled_into_a_name(name: str, reason: str) -> None:
    authority = preset("ingam")
    with pytest.raises(NameRefused) as caught:
        subject_of(authority, authority.profile("securities"), HONG._replace(name=name))
    assert caught.value.facts["reason"] == reason
    assert name not in str(caught.value) or not name


@pytest.mark.parametrize("number", ["", "12a", "-1", "１２", "1" * 21, "1\n"])
def test_a_number_is_ascii_digits(number: str) -> None:
    with pytest.raises(NameRefused):
        folder("ingam", "securities", HONG._replace(number=number))


@pytest.mark.parametrize("english", ["", "홍", "A,B", "A)0099", "(A", "A" * 65])
def test_an_english_name_has_nothing_that_the_pattern_has(english: str) -> None:
    with pytest.raises(NameRefused):
        folder("yessign", "bank", HONG._replace(english=english))


@pytest.mark.parametrize("host", ["", "localhost", "A.test", "a_b.test", "-a.test", "a-.test", "a..test", "a.test/x",
                                  "a.test\n", "a" * 64 + ".test", "가.test"])  # fmt: skip
def test_a_host_is_a_lower_case_dns_name(host: str) -> None:
    with pytest.raises(NameRefused):
        folder("ingam", "server", Applicant("", hosts=(host,)))
    with pytest.raises(NameRefused):  # also where it is not the first one
        folder("ingam", "server", Applicant("", hosts=("a.test", host)))


def test_a_host_stands_once() -> None:
    with pytest.raises(NameRefused):
        folder("ingam", "server", Applicant("", hosts=("a.test", "a.test")))


def test_the_real_name_is_in_normal_form_c_and_only_where_there_is_a_person() -> None:
    decomposed = HONG._replace(name=unicodedata.normalize("NFD", "홍길동"))
    assert real_name_of(preset("ingam").profile("securities"), decomposed) == "홍길동"
    assert real_name_of(preset("ingam").profile("encryption"), HONG) is None
    assert folder("ingam", "securities", decomposed) == folder("ingam", "securities")


def test_an_applicant_does_not_print() -> None:
    assert repr(HONG) == "<Applicant>"


ANYTHING = some.text(some.characters(max_codepoint=0x2FFFF, exclude_categories=["Cs"]), max_size=30)
PART = some.one_of(ANYTHING, some.text("홍길동가나AbÉ 12().-&'·㈜\u1112\u1169", max_size=30))
NUMBER = some.integers(0, 10**9).map(str)


@given(name=PART, branch=PART, number=NUMBER)
@settings(max_examples=300, deadline=None)
def test_a_name_is_refused_or_read_back_with_exactly_its_parts(name: str, branch: str, number: str) -> None:
    try:
        raw = subject_of(preset("ingam"), preset("ingam").profile("securities"), Applicant(name, number, "", branch))
    except NameRefused:
        return
    read = subject.parse(raw)
    plain = unicodedata.normalize("NFC", name)
    assert [one.short for rdn in read.rdns for one in rdn] == ["C", "O", "OU", "OU", "OU", "CN"]
    assert read.values("OU") == ("증권", "가온", unicodedata.normalize("NFC", branch) or "HTS")
    assert read.value("CN") == f"{plain}-{number}"
    assert subject.folder_name(read).count(",") == 5
    assert subject.text(read).count("\\") == 0


@given(first=some.tuples(PART, NUMBER), second=some.tuples(PART, NUMBER))
@settings(max_examples=200, deadline=None)
def test_two_people_share_a_name_only_if_name_and_number_are_the_same(
    first: tuple[str, str], second: tuple[str, str]
) -> None:
    made = []
    for name, number in (first, second):
        try:
            made.append(folder("ingam", "securities", Applicant(name, number)))
        except NameRefused:
            return
    normal = [(unicodedata.normalize("NFC", name), number) for name, number in (first, second)]
    assert (made[0] == made[1]) == (normal[0] == normal[1])
