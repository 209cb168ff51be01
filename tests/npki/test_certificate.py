"""Certificates: the published ones read right, the wrong ones refused, the same facts as `cryptography` reads."""

from __future__ import annotations

import contextlib
import inspect
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.npki import certs

from ingam.kernel import words
from ingam.kernel.errors import Refusal
from ingam.npki import certificate, chain, cms, cms_plain, der, extensions, scan, subject

PUBLISHED = sorted([*certs.SAMPLES.glob("*/*.cer"), *certs.SAMPLES.glob("*/*.der")])


def published(name: str) -> certificate.Certificate:
    return certificate.parse((certs.SAMPLES / name).read_bytes())


@pytest.mark.parametrize("path", PUBLISHED, ids=lambda path: path.stem)
def test_a_published_certificate_reads_as_cryptography_reads_it(path: Path) -> None:
    raw = path.read_bytes()
    ours, theirs = certificate.parse(raw), x509.load_der_x509_certificate(raw)

    assert ours.der == raw
    assert ours.tbs == theirs.tbs_certificate_bytes
    assert ours.signature == theirs.signature
    assert ours.serial == theirs.serial_number
    assert (ours.not_before, ours.not_after) == (theirs.not_valid_before_utc, theirs.not_valid_after_utc)
    assert ours.subject.raw == theirs.subject.public_bytes()
    assert ours.signature_oid == theirs.signature_algorithm_oid.dotted_string
    assert ours.fingerprint == theirs.fingerprint(SHA256())
    assert ours.spki == theirs.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    assert ours.verifying_key() == theirs.public_key()
    ski = theirs.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value.digest
    assert ours.ski == ski
    assert not ours.duplicate_extensions
    assert not ours.critical_unknown
    assert len(ours.extensions) == len(theirs.extensions)


def test_signkorea_ca5_has_a_3072_bit_key_and_the_full_authority_key_identifier() -> None:
    ca5 = published("authorities/SignKorea_CA5.cer")

    assert ca5.public_key.bits == 3072
    assert ca5.public_key.e == 65537
    assert ca5.basic_constraints == (True, None)
    assert ca5.key_usage == frozenset({"keyCertSign", "cRLSign"})
    assert ca5.aki is not None
    assert ca5.aki.serial == 0x15A6CD535FC5F436
    assert ca5.aki.issuer is not None
    assert ca5.aki.issuer.value("CN") == "KISA RootCA 5"
    assert ca5.fingerprint.hex().startswith("ec833d168e2c0395")


def test_a_responder_of_the_root_says_so_in_its_extended_key_usage() -> None:
    responder = published("authorities/SignGATEOCSP05.cer")

    assert responder.eku == ("1.3.6.1.5.5.7.3.9",)
    assert responder.policy_oid == "1.2.410.200004.2.1"
    assert responder.key_usage == frozenset({"digitalSignature", "nonRepudiation"})


def test_a_signing_certificate_tells_policy_addresses_and_identify_data() -> None:
    sign = published("kiea-mydata/signCert.der")

    assert sign.policy_oid == "1.2.410.200004.5.1.1.7"
    assert sign.crl_distribution_points == ("ldap://211.175.81.102:689/ou=dp11p12,ou=AccreditedCA,o=SignKorea,c=KR",)
    assert sign.ocsp_urls == ("http://211.175.81.101/ocsp.php",)
    assert sign.not_after == datetime(2022, 3, 23, 14, 59, 59, tzinfo=UTC)
    assert sign.identify_data is not None
    assert sign.identify_data.startswith(bytes.fromhex("30510c0c") + b"mydataServer")
    assert published("kiea-mydata/kmCert.der").identify_data is None
    assert published("kiea-mydata/kmCert.der").key_usage == frozenset({"keyEncipherment"})


def test_a_root_without_key_usage_is_read() -> None:
    root = published("authorities/KISA_RootCA_4.cer")

    assert root.self_issued
    assert root.key_usage is None
    assert root.policies == ()
    assert root.policy_oid is None
    assert root.basic_constraints == (True, None)


def test_two_policies_are_listed_and_none_of_them_is_the_one() -> None:
    both = certificate.parse(
        certs.person_der(put={"policy": certs.policy("1.2.410.200004.5.1.1.9", "1.2.410.200004.5.1.1.5")})
    )

    assert both.policies == ("1.2.410.200004.5.1.1.9", "1.2.410.200004.5.1.1.5")
    assert both.policy_oid is None


def test_A14_two_identify_data_are_refused_when_asked_for() -> None:
    two = certs.san(certs.other_name(certs.identify_data()), certs.other_name(certs.identify_data("김철수")))

    with pytest.raises(certificate.SeveralIdentifyData):
        _ = certificate.parse(certs.person_der(put={"san": two})).identify_data


def test_A8_an_extension_that_stands_twice_is_reported_and_the_first_one_counts() -> None:
    twice = certificate.parse(certs.person_der(extra=[certs.usage(certs.CRYPT)]))

    assert twice.duplicate_extensions == ("2.5.29.15",)
    assert twice.key_usage == frozenset({"digitalSignature", "nonRepudiation"})


def test_A8_a_critical_extension_nobody_knows_is_reported() -> None:
    odd = certs.extension("1.2.3.4", der.null, critical=True)

    assert certificate.parse(certs.person_der(extra=[odd])).critical_unknown == ("1.2.3.4",)


def test_a_key_that_is_not_rsa_has_a_code_of_its_own() -> None:
    ec = der.seq(der.algorithm("1.2.840.10045.2.1", der.oid("1.2.840.10045.3.1.7")), der.bits(b"\x04" + bytes(64)))

    with pytest.raises(certificate.CertificateKeyKind):
        _ = certificate.parse(certs.person_der(public=ec)).public_key


def rewritten(old: bytes, new: bytes, raw: bytes | None = None) -> bytes:
    raw = certs.person_der() if raw is None else raw
    assert raw.count(old) >= 1
    return raw.replace(old, new, 1)


WRONG = {
    "empty": b"",
    "text": b"-----BEGIN CERTIFICATE-----",
    "nothing inside": bytes.fromhex("3000"),
    "a byte behind": certs.person_der() + b"\0",
    "a byte missing": certs.person_der()[:-1],
    "too large": bytes.fromhex("3083010000") + bytes(65536),
    "indefinite length": b"\x30\x80" + certs.person_der()[4:] + b"\0\0",
    "version 1": rewritten(bytes.fromhex("a003020102"), bytes.fromhex("a003020100")),
    "serial zero": rewritten(bytes.fromhex("0203085221"), bytes.fromhex("0203000000")),
    "serial not minimal": rewritten(bytes.fromhex("0203085221"), bytes.fromhex("0203005221")),
    "serial negative": rewritten(bytes.fromhex("0203085221"), bytes.fromhex("0203885221")),
    "inner algorithm differs": rewritten(certs.SHA256_RSA, certs.SHA1_RSA),
    "month 13": rewritten(b"270417145959Z", b"271317145959Z"),
    "instant without Z": rewritten(b"270417145959Z", b"2704171459590"),
    "instant with a space": rewritten(b"270417145959Z", b" 70417145959Z"),
    "boolean 1": rewritten(bytes.fromhex("0603551d0f0101ff"), bytes.fromhex("0603551d0f010101")),
    "boolean false written": rewritten(bytes.fromhex("0603551d0f0101ff"), bytes.fromhex("0603551d0f010100")),
    "name with a NUL": certs.person_der(subject=certs.name(("C", "KR"), ("CN", "홍길동\0"))),
    "name with a line break": certs.person_der(subject=certs.name(("C", "KR"), ("CN", "홍길동\n김철수"))),
    "name that is no UTF-8": rewritten("홍길동-".encode(), b"\xff" * 9 + b"-"),
    "unused bits in the signature": certs.person_der()[:-257] + b"\x01" + certs.person_der()[-256:],
}


@pytest.mark.parametrize("raw", WRONG.values(), ids=WRONG.keys())
def test_what_is_no_certificate_is_refused_as_malformed(raw: bytes) -> None:
    with pytest.raises(certificate.CertificateMalformed) as refused:
        certificate.parse(raw)
    assert refused.value.code == "cert-malformed"


ODD_EXTENSIONS = {
    "usage with a trailing zero bit": ("usage", certs.usage(bytes.fromhex("030205c0")), "key_usage"),
    "usage empty": ("usage", certs.usage(bytes.fromhex("030100")), "key_usage"),
    "policy empty": ("policy", certs.policy(), "policies"),
    "policy twice": ("policy", certs.policy("1.2.3", "1.2.3"), "policies"),
    "basic with length but no CA": ("basic", certs.basic(ca=False, path_len=0), "basic_constraints"),
    "eku empty": ("eku", certs.extension("2.5.29.37", der.seq()), "eku"),
    "ski is a sequence": ("ski", certs.extension("2.5.29.14", der.seq()), "ski"),
    "aki with a stranger": ("aki", certs.extension("2.5.29.35", der.seq(der.tlv(0x83, b"x"))), "aki"),
    "other name with two values": (
        "san",
        certs.san(der.tlv(0xA0, der.oid("1.2.3") + der.tlv(0xA0, der.seq() + der.seq()))),
        "san_other_names",
    ),
    "address not ASCII": (
        "aia",
        certs.extension(
            "1.3.6.1.5.5.7.1.1", der.seq(der.seq(der.oid("1.3.6.1.5.5.7.48.1"), der.tlv(0x86, "홍".encode())))
        ),
        "ocsp_urls",
    ),
    "access description of one": ("aia", certs.extension("1.3.6.1.5.5.7.1.1", der.seq(der.seq())), "ocsp_urls"),
}


@pytest.mark.parametrize(("kind", "extension", "asked"), ODD_EXTENSIONS.values(), ids=ODD_EXTENSIONS.keys())
def test_an_extension_whose_bytes_are_wrong_is_refused_when_asked_for(kind: str, extension: bytes, asked: str) -> None:
    parsed = certificate.parse(certs.person_der(put={kind: extension}))

    with pytest.raises(certificate.CertificateMalformed):
        getattr(parsed, asked)


def test_a_person_s_key_out_of_bounds_is_told_by_its_numbers() -> None:
    assert certificate.RsaPublic((1 << 2048) - 1, 65537).within_bounds
    assert not certificate.RsaPublic((1 << 1024) - 1, 65537).within_bounds
    assert not certificate.RsaPublic((1 << 4097) - 1, 65537).within_bounds
    assert not certificate.RsaPublic((1 << 2048) - 1, 3).within_bounds
    assert not certificate.RsaPublic((1 << 2048) - 1, 65538).within_bounds
    assert not certificate.RsaPublic((1 << 2048) - 1, (1 << 32) + 1).within_bounds
    assert not certificate.RsaPublic((1 << 2048) - 2, 65537).within_bounds


def read_everything(raw: bytes) -> None:
    parsed = certificate.parse(raw)
    for asked in (
        "public_key", "signature_oid", "duplicate_extensions", "critical_unknown", "key_usage", "basic_constraints",
        "eku", "ski", "aki", "policies", "crl_distribution_points", "ocsp_urls", "identify_data", "self_issued",
    ):  # fmt: skip
        getattr(parsed, asked)
    subject.folder_name(parsed.subject)
    subject.display_name(parsed.subject)


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_a_certificate_with_changed_bytes_is_read_or_refused_and_nothing_else(data: st.DataObject) -> None:
    raw = bytearray(certs.person().certificate.der)
    for _ in range(data.draw(st.integers(1, 4))):
        raw[data.draw(st.integers(0, len(raw) - 300))] = data.draw(st.integers(0, 255))
    with contextlib.suppress(Refusal):
        read_everything(bytes(raw))


HEADS = st.builds(
    lambda tag, head, body: bytes((tag,)) + head + body,
    st.sampled_from([0x30, 0x04, 0x1F, 0x31]),
    st.one_of(
        st.binary(min_size=1, max_size=5),
        st.builds(lambda size: bytes((0x81, size)), st.integers(0, 255)),
        st.builds(lambda size: b"\x82" + size.to_bytes(2, "big"), st.integers(0, 600)),
    ),
    st.integers(0, 600).map(bytes),
)


@settings(max_examples=100, deadline=None)
@given(st.one_of(HEADS, st.binary(max_size=20)))
def test_the_fast_reader_reads_and_refuses_what_the_comfortable_one_does(raw: bytes) -> None:
    def comfortable() -> object:
        found = der.element(raw)
        return found.tag, found.body, found.end

    def inside() -> object:
        return raw[0], *scan.inside(raw, 0, len(raw), raw[0])

    outcomes = []
    for read in (comfortable, lambda: scan.head(raw, 0, len(raw)), inside):
        try:
            outcomes.append(read())
        except (der.NotDer, IndexError):
            outcomes.append("refused")
    if raw[:1] == b"\x1f":  # `inside` is only ever asked for low tags
        outcomes.pop()
    assert len(set(outcomes)) == 1


def test_H9_neither_a_certificate_nor_its_name_prints_the_person() -> None:
    person = certs.person().certificate

    for shown in (repr(person), repr(person.subject), repr([person])):
        assert "홍길동" not in shown
    assert repr(person) == f"<Certificate {person.fingerprint.hex()[:8]}>"
    assert len({person, certificate.parse(person.der)}) == 1


def test_every_code_of_certificates_messages_and_paths_has_its_text_in_both_languages() -> None:
    told = "".join(inspect.getsource(one) for one in (certificate, extensions, subject, cms, cms_plain, chain))
    codes = set(re.findall(r'"((?:cms|cert|ca|root|anchor|name|untrusted|signature)-[a-z][a-z0-9-]+)"', told))
    codes |= {f"{who}-{what}" for who in ("cert", "ca", "root") for what in ("expired", "not-yet-valid")}

    assert len(codes) > 40
    for code in codes:
        assert all(f"refusal.{code}" in words.table(lang) for lang in words.LANGUAGES), code
