"""The lint: every check is failed by bytes that fail it alone, and nothing else gets through."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some
from tests.ca.issuing.made import ALL, CA_KEY, NOW, ROOT_KEY, SERIAL, VID, Made, issuing, made, root, spki

from ingam.ca.issuing.found import read
from ingam.ca.issuing.lint import CHECKS, Expectation, LintFailed, findings, lint, service_rules
from ingam.ca.profiles import SERVICES, Generation, preset, service_shape
from ingam.kernel.errors import Defect
from ingam.npki import der, shapes, signature
from ingam.npki.shapes import Validity

TRUE = b"\x01\x01\xff"
AKI, SKI, KU, CP, SAN, BC = "2.5.29.35", "2.5.29.14", "2.5.29.15", "2.5.29.32", "2.5.29.17", "2.5.29.19"
PC, EKU, DP, FRESHEST = "2.5.29.36", "2.5.29.37", "2.5.29.31", "2.5.29.46"
AIA, NO_CHECK = "1.3.6.1.5.5.7.1.1", "1.3.6.1.5.5.7.48.1.5"
VERSION, NUMBER, ALGORITHM, ISSUER, TIMES, SUBJECT, KEY = range(7)

Case = tuple[bytes, Expectation]


def extension(oid: str, value: bytes, critical: bool = False) -> bytes:
    return der.seq(der.oid(oid), TRUE if critical else b"", der.octets(value))


def with_part(one: Made, place: int, raw: bytes) -> bytes:
    """The bytes with another field."""
    parts = [part.raw for part in der.whole(one.tbs).sequence()]
    return der.seq(*parts[:place], raw, *parts[place + 1 :])


def with_extensions(one: Made, change: Callable[[list[bytes]], list[bytes]]) -> bytes:
    *parts, last = der.whole(one.tbs).sequence()
    found = [part.raw for part in last.explicit(3).sequence()]
    return der.seq(*(part.raw for part in parts), der.explicit(3, der.seq(*change(found))))


def value_of(one: Made, oid: str) -> bytes:
    """The value of an extension."""
    *_, last = der.whole(one.tbs).sequence()
    (raw,) = (part for part in last.explicit(3).sequence() if der.oid(oid) in part.raw[:16])
    return raw.sequence()[-1].content


def with_value(one: Made, oid: str, value: bytes, critical: bool = False) -> bytes:
    """The bytes with another value of one extension."""
    raw = extension(oid, value, critical)
    return with_extensions(one, lambda found: [raw if der.oid(oid) in part[:16] else part for part in found])


def with_another(one: Made, oid: str, value: bytes, critical: bool = False) -> bytes:
    """The bytes with one extension more."""
    return with_extensions(one, lambda found: [*found, extension(oid, value, critical)])


def without(one: Made, oid: str) -> bytes:
    return with_extensions(one, lambda found: [part for part in found if der.oid(oid) not in part[:16]])


def at_times(not_before: datetime, not_after: datetime) -> Case:
    one = replace(made(), times=Validity(not_before, not_after))
    return one.tbs, one.expectation


def with_subject(*steps: bytes) -> Case:
    one = replace(made(), subject=der.seq(*steps))
    return one.tbs, one.expectation


def step(kind: str, value: bytes, tag: int = der.UTF8_STRING) -> bytes:
    oids = {"C": "2.5.4.6", "O": "2.5.4.10", "OU": "2.5.4.11", "CN": "2.5.4.3"}
    return der.set_of([der.seq(der.oid(oids[kind]), der.tlv(tag, value))])


def names(*inside: bytes) -> bytes:
    """GeneralNames."""
    return der.seq(*inside)


def identify(name: bytes = "홍길동".encode(), *items: bytes, tag: int = der.UTF8_STRING) -> bytes:
    value = der.seq(der.tlv(tag, name), der.seq(*items) if items else b"")
    return der.tlv(0xA0, der.oid("1.2.410.200004.10.1.1") + der.explicit(0, value))


def vid_item(octets: bytes = VID, hash: bytes = der.algorithm("2.16.840.1.101.3.4.2.1", b"")) -> bytes:
    return der.seq(der.oid("1.2.410.200004.10.1.1.1"), der.seq(hash, der.explicit(0, der.octets(octets))))


SHA1_ITEM = vid_item(bytes(20), der.algorithm("1.3.14.3.2.26", b""))
P = made()
SERVER = made("ingam", "server")
KR, INGAM, CN = step("C", b"KR", der.PRINTABLE_STRING), step("O", b"Ingam"), step("CN", "홍길동-1".encode())
CA_END = P.generation.validity.not_after
SUPPLIED = P.expectation
POLICY = P.profile.policy
QUALIFIED = value_of(P, CP)
NOTICE = P.authority.notice
DAY = timedelta(days=1)


def qualifiers(cps_tag: int = der.IA5_STRING, notice_tag: int = der.BMP_STRING, first: bool = False) -> bytes:
    text = NOTICE.encode("utf-16-be" if notice_tag == der.BMP_STRING else "utf-8")
    two = [
        der.seq(der.oid("1.3.6.1.5.5.7.2.1"), der.tlv(cps_tag, P.authority.cps.encode())),
        der.seq(der.oid("1.3.6.1.5.5.7.2.2"), der.seq(der.tlv(notice_tag, text))),
    ]
    return der.seq(der.seq(der.oid(POLICY), der.seq(*(reversed(two) if first else two))))


def person(value: bytes) -> Case:
    """Another subjectAltName."""
    return with_value(P, SAN, value), SUPPLIED


CASES: list[tuple[str, Callable[[], Case]]] = [
    ("der", lambda: (P.tbs + b"\0", SUPPLIED)),
    ("der", lambda: (P.tbs[:-1], SUPPLIED)),
    ("der", lambda: (b"", SUPPLIED)),
    ("der", lambda: (with_value(P, KU, bytes.fromhex("030205c0")), SUPPLIED)),  # zero bits behind the last one
    ("der", lambda: (with_extensions(P, lambda found: [found[0].replace(der.oid(AKI), der.oid(AKI) + b"\1\1\0")]),
                     SUPPLIED)),  # FALSE is written
    ("size", lambda: (with_part(big := made("ingam", "ra"), SUBJECT, wide := der.seq(
        KR, INGAM, *(step("OU", b"x" * 64) for _ in range(110)), CN)), big.expectation._replace(subject=wide))),
    ("version", lambda: (with_part(P, VERSION, der.explicit(0, der.integer(1))), SUPPLIED)),
    ("serial-form", lambda: (with_part(P, NUMBER, der.integer(wide := 1 << 160)), SUPPLIED._replace(serial=wide))),
    ("serial-size", lambda: ((one := replace(P, serial=(1 << 62) + 5)).tbs, one.expectation)),
    ("serial-value", lambda: (P.tbs, SUPPLIED._replace(serial=SERIAL ^ 1))),
    ("algorithm", lambda: (with_part(P, ALGORITHM, signature.RSA_SHA384), SUPPLIED)),
    ("algorithm", lambda: (with_part(P, ALGORITHM, der.algorithm("1.2.840.113549.1.1.11", b"")), SUPPLIED)),
    ("issuer", lambda: (with_part(P, ISSUER, P.authority.root_name(1)), SUPPLIED)),
    ("issuer", lambda: (with_part(P, ISSUER, P.generation.name.replace(b"\x0c\x05Ingam", b"\x13\x05Ingam")), SUPPLIED)),
    ("time-form", lambda: (with_part(P, TIMES, der.seq(
        der.tlv(der.GENERALIZED_TIME, b"20260329010200Z"), shapes.instant(P.times.not_after))), SUPPLIED)),
    ("time-value", lambda: (P.tbs, SUPPLIED._replace(not_before=NOW))),
    ("time-value", lambda: (P.tbs, SUPPLIED._replace(not_after=P.times.not_after + DAY))),
    ("time-within-ca", lambda: at_times(CA_END - 300 * DAY, (CA_END + DAY).replace(hour=14, minute=59, second=59))),
    ("time-within-ca", lambda: at_times(P.generation.validity.not_before - DAY,
                                        P.times.not_after.replace(year=2026))),
    ("time-length", lambda: at_times(P.times.not_before, P.times.not_after + 40 * DAY)),
    ("time-length", lambda: at_times(P.times.not_after, P.times.not_after)),
    ("time-day-end", lambda: at_times(P.times.not_before, P.times.not_after - timedelta(seconds=59))),
    ("subject-value", lambda: (P.tbs, SUPPLIED._replace(subject=SERVER.subject))),
    ("subject-order", lambda: with_subject(CN, INGAM, KR)),
    ("subject-order", lambda: with_subject(KR, INGAM)),
    ("subject-order", lambda: with_subject(KR, INGAM, CN, CN)),
    ("subject-order", lambda: with_subject(KR, step("O", b"SignKorea"), CN)),
    ("subject-order", lambda: with_subject(step("C", b"US", der.PRINTABLE_STRING), INGAM, CN)),
    ("subject-order", lambda: with_subject(KR, der.set_of([
        der.whole(INGAM).sequence(der.SET)[0].raw, der.whole(CN).sequence(der.SET)[0].raw]), CN)),
    ("subject-strings", lambda: with_subject(step("C", b"KR"), INGAM, CN)),
    ("subject-strings", lambda: with_subject(KR, INGAM, step("CN", b"Hong", der.PRINTABLE_STRING))),
    ("subject-strings", lambda: with_subject(KR, INGAM, step("CN", b""))),
    ("subject-strings", lambda: with_subject(KR, INGAM, step("CN", b"x" * 65))),
    ("subject-strings", lambda: with_subject(KR, INGAM, step("CN", b"a\0b"))),
    ("subject-strings", lambda: with_subject(KR, INGAM, step("CN", "a\u202eb".encode()))),
    ("subject-strings", lambda: with_subject(KR, INGAM, step("CN", b"\xff"))),
    ("subject-strings", lambda: with_subject(KR, INGAM, step("CN", "\u1112\u1169".encode()))),  # not composed
    ("key", lambda: (P.tbs, SUPPLIED._replace(spki=spki(CA_KEY)))),
    ("nothing-behind-the-key", lambda: (with_part(P, KEY, spki("rsa2048-01") + der.tlv(0x81, b"\0\1")), SUPPLIED)),
    ("extension-twice", lambda: (with_another(P, AIA, value_of(P, AIA)), SUPPLIED)),
    ("extension-known", lambda: (with_another(P, "1.2.3.4", der.null), SUPPLIED)),
    ("extension-known", lambda: (with_another(P, "1.2.3.4", der.null, critical=True), SUPPLIED)),
    ("extension-critical", lambda: (with_value(P, KU, value_of(P, KU)), SUPPLIED)),
    ("extension-critical", lambda: (with_value(P, CP, QUALIFIED), SUPPLIED)),
    ("extension-critical", lambda: (with_value(P, DP, value_of(P, DP), critical=True), SUPPLIED)),
    ("authority-key", lambda: (without(P, AKI), SUPPLIED)),
    ("authority-key", lambda: (with_value(P, AKI, der.seq(der.tlv(0x80, P.generation.authority_key.key_id))),
                               SUPPLIED)),  # the short form
    ("subject-key", lambda: (with_value(P, SKI, der.octets(bytes(20))), SUPPLIED)),
    ("subject-key", lambda: (without(P, SKI), SUPPLIED)),
    ("key-usage", lambda: (with_value(P, KU, bytes.fromhex("03020106"), critical=True), SUPPLIED)),
    ("key-usage", lambda: (without(P, KU), SUPPLIED)),
    ("policy", lambda: (with_value(P, CP, QUALIFIED.replace(der.oid(POLICY), der.oid(POLICY)[:-1] + b"\5"),
                                   critical=True), SUPPLIED)),
    ("policy", lambda: (with_value(P, CP, der.seq(
        der.whole(QUALIFIED).content, der.seq(der.oid("1.2.3.4"))), critical=True), SUPPLIED)),
    ("policy-qualifiers", lambda: (with_value(P, CP, qualifiers(notice_tag=der.UTF8_STRING), critical=True), SUPPLIED)),
    ("policy-qualifiers", lambda: (with_value(P, CP, qualifiers(cps_tag=der.UTF8_STRING), critical=True), SUPPLIED)),
    ("policy-qualifiers", lambda: (with_value(P, CP, qualifiers(first=True), critical=True), SUPPLIED)),
    ("policy-qualifiers", lambda: (with_value(P, CP, der.seq(der.seq(der.oid(POLICY))), critical=True), SUPPLIED)),
    ("identify-data", lambda: (without(P, SAN), SUPPLIED)),
    ("identify-data", lambda: person(names(identify("홍길동".encode(), vid_item()), identify("홍길동".encode(),
                                                                                          vid_item())))),
    ("identify-data", lambda: person(names(identify("홍길동".encode(), vid_item()), der.tlv(0x81, b"a@b.test")))),
    ("identify-data", lambda: (with_another(made("ingam", "ra"), SAN, names(der.tlv(0x81, b"a@b.test"))),
                               made("ingam", "ra").expectation)),
    ("real-name", lambda: person(names(identify("홍길순".encode(), vid_item())))),
    ("real-name", lambda: person(names(identify("홍길동".encode("utf-16-be"), vid_item(), tag=der.BMP_STRING)))),
    ("vid", lambda: person(names(identify()))),
    ("vid", lambda: person(names(identify("홍길동".encode(), vid_item(), vid_item())))),
    ("vid", lambda: person(names(identify("홍길동".encode(), vid_item(bytes(32)))))),
    ("vid", lambda: person(names(identify("홍길동".encode(), SHA1_ITEM)))),
    ("vid", lambda: person(names(identify("홍길동".encode(), vid_item(VID, der.algorithm("2.16.840.1.101.3.4.2.1")))))),
    ("vid", lambda: (P.tbs, SUPPLIED._replace(vid=bytes(32)))),
    ("vid", lambda: (P.tbs, SUPPLIED._replace(vid=None))),
    ("hosts", lambda: person(names(identify("홍길동".encode(), vid_item()), der.tlv(0x82, b"a.test")))),
    ("hosts", lambda: (with_value(SERVER, SAN, names(der.tlv(0x82, b"b.test"))), SERVER.expectation)),
    ("hosts", lambda: (without(SERVER, SAN), SERVER.expectation)),
    ("basic-constraints", lambda: (with_another(P, BC, der.seq(TRUE), critical=True), SUPPLIED)),
    ("basic-constraints", lambda: (with_another(P, BC, der.seq(), critical=True), SUPPLIED)),
    ("policy-constraints", lambda: (with_another(P, PC, der.seq(b"\x80\1\0"), critical=True), SUPPLIED)),
    ("purposes", lambda: (with_another(P, EKU, der.seq(der.oid("1.3.6.1.5.5.7.3.4"))), SUPPLIED)),
    ("purposes", lambda: (without(SERVER, EKU), SERVER.expectation)),
    ("lists", lambda: (with_value(P, DP, value_of(P, DP).replace(b"dp1p3", b"dp1p4")), SUPPLIED)),
    ("lists", lambda: (without(P, DP), SUPPLIED)),
    ("delta", lambda: (with_another(P, FRESHEST, value_of(P, DP)), SUPPLIED)),
    ("access", lambda: (with_value(P, AIA, value_of(P, AIA).replace(b"ocsp.ingam", b"ocsp.other")), SUPPLIED)),
    ("access", lambda: (without(P, AIA), SUPPLIED)),
    ("no-check", lambda: (with_another(P, NO_CHECK, der.null), SUPPLIED)),
]  # fmt: skip


@pytest.mark.parametrize(("check", "case"), CASES, ids=[f"{place}-{name}" for place, (name, _) in enumerate(CASES)])
def test_each_check_is_failed_by_bytes_that_fail_it_alone(check: str, case: Callable[[], Case]) -> None:
    tbs, expectation = case()
    assert findings(tbs, expectation) == [check]
    with pytest.raises(LintFailed) as caught:
        lint(tbs, expectation)
    assert caught.value.check == check
    assert CHECKS[caught.value.number - 1][0] == check
    assert isinstance(caught.value, Defect)
    assert caught.value.code == "ca-lint-failed"


def test_every_check_has_its_bytes() -> None:
    assert {name for name, _ in CASES} == {name for name, _ in CHECKS}
    assert len({name for name, _ in CHECKS}) == len(CHECKS)


@pytest.mark.parametrize(("key", "profile"), ALL)
def test_what_the_templates_make_passes(key: str, profile: str) -> None:
    one = made(key, profile)
    lint(one.tbs, one.expectation)


def test_A8_a_person_has_neither_purposes_nor_basic_constraints() -> None:
    for oid, value in ((EKU, der.seq(der.oid("1.3.6.1.5.5.7.3.2"))), (BC, der.seq())):
        with pytest.raises(LintFailed):
            lint(with_another(P, oid, value), SUPPLIED)


def test_A14_a_new_vid_is_never_of_sha_1() -> None:
    tbs, expectation = person(names(identify("홍길동".encode(), SHA1_ITEM)))
    with pytest.raises(LintFailed):
        lint(tbs, expectation._replace(vid=bytes(20)))


def test_D11_a_short_serial_passes_in_a_sandbox_only() -> None:
    short = replace(made("signkorea"), serial=0x085221 << 8)
    assert findings(short.tbs, short.expectation) == []
    ours = replace(P, serial=0x085221 << 8)
    assert findings(ours.tbs, ours.expectation) == ["serial-size"]


def test_a_profile_of_another_authority_does_not_pass() -> None:
    other = made("kica")
    assert {"issuer", "policy", "lists", "access"} <= set(findings(P.tbs, other.expectation))


# An authority's own certificates.


def own(key: str, use: str) -> tuple[bytes, Expectation]:
    """One that passes."""
    one = preset(key)
    above = {"root": None, "issuing": root(key), "root-ocsp": root(key)}.get(use, issuing(key))
    issuer = None if above is None else Generation.of(1, above, signature.RSA_SHA256)
    subject = {"root": one.root_name(1), "issuing": one.issuing_name(1)}.get(use, one.service_name(use, 1))
    first = datetime(2026, 3, 1, tzinfo=UTC)
    times = Validity(first, first + timedelta(days=90))
    key_info = spki(ROOT_KEY if use == "root" else "rsa2048-03")
    tbs = shapes.tbs_certificate(
        service_shape(one, use, 1), serial=SERIAL, issuer=subject if issuer is None else issuer.name, validity=times,
        subject=subject, spki=key_info, authority_key=None if issuer is None else issuer.authority_key,
    )  # fmt: skip
    rules = service_rules(one, use, issuer=issuer, algorithm=signature.RSA_SHA256)
    name = one.operator if use in ("issuing", "root-ocsp") else None
    return tbs, Expectation(rules, SERIAL, times.not_before, times.not_after, subject, key_info, name)


@pytest.mark.parametrize("use", SERVICES)
@pytest.mark.parametrize("key", ["ingam", "signkorea", "yessign"])
def test_an_authoritys_own_certificates_pass(key: str, use: str) -> None:
    tbs, expectation = own(key, use)
    assert findings(tbs, expectation) == []


@pytest.mark.parametrize("use", SERVICES)
def test_one_service_does_not_pass_for_another(use: str) -> None:
    tbs, _ = own("ingam", use)
    for other in set(SERVICES) - {use}:
        assert findings(tbs, own("ingam", other)[1])


def test_D12_a_responders_certificate_lives_for_ninety_days_at_most() -> None:
    tbs, expectation = own("ingam", "ocsp")
    later = expectation.not_after + timedelta(seconds=1)
    longer = with_times(tbs, Validity(expectation.not_before, later))
    assert findings(longer, expectation._replace(not_after=later)) == ["time-length"]


def with_times(tbs: bytes, times: Validity) -> bytes:
    parts = [part.raw for part in der.whole(tbs).sequence()]
    parts[TIMES] = der.seq(shapes.instant(times.not_before), shapes.instant(times.not_after))
    return der.seq(*parts)


def test_a_service_that_there_is_not_is_our_defect() -> None:
    above = Generation.of(1, issuing("ingam"), signature.RSA_SHA256)
    for use, issuer in (("tea", above), ("issuing", None), ("root", None)):
        with pytest.raises(Defect):
            service_rules(preset("ingam"), use, issuer=issuer)
    with pytest.raises(Defect):
        service_shape(preset("ingam"), "tea", 1)


@given(at=some.integers(0, len(P.tbs) - 1), octet=some.integers(0, 255))
@settings(max_examples=400, deadline=None)
def test_no_single_octet_may_differ(at: int, octet: int) -> None:
    changed = P.tbs[:at] + bytes((octet,)) + P.tbs[at + 1 :]
    if changed == P.tbs:
        lint(changed, SUPPLIED)
        return
    with pytest.raises(LintFailed):
        lint(changed, SUPPLIED)


@given(data=some.binary(max_size=300), at=some.integers(0, len(P.tbs)), size=some.integers(0, 60))
@settings(max_examples=400, deadline=None)
def test_whatever_comes_the_lint_says_yes_or_no(data: bytes, at: int, size: int) -> None:
    changed = P.tbs[:at] + data + P.tbs[at + size :]
    for tbs in (data, changed):
        try:
            lint(tbs, SUPPLIED)
        except LintFailed:
            continue
        assert tbs == P.tbs


def test_what_stands_in_it_does_not_print() -> None:
    assert repr(SUPPLIED) == "<Expectation>"
    assert repr(read(P.tbs)) == "<Found>"
