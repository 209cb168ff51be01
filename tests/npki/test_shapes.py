"""Shapes against the published certificates, byte for byte, and against other people's parsers."""

from __future__ import annotations

import subprocess
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, mldsa
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_der_private_key
from cryptography.x509.oid import ExtendedKeyUsageOID, ExtensionOID
from hypothesis import given, settings
from hypothesis import strategies as some

from ingam.kernel.errors import Defect
from ingam.npki import certificate, der, shapes, signature, vid
from ingam.npki.private_key import open_pkcs8
from ingam.npki.shapes import AuthorityKey, Policy, Shape, Validity

VECTORS = Path(__file__).parents[2] / "vectors"
SAMPLES = VECTORS / "npki-samples"

ROOT_4 = shapes.name(
    ("C", "KR"), ("O", "KISA"), ("OU", "Korea Certification Authority Central"), ("CN", "KISA RootCA 4")
)
ROOT_5 = shapes.name(
    ("C", "KR"), ("O", "KISA"), ("OU", "Korea Certification Authority Central"), ("CN", "KISA RootCA 5")
)
TEST_ROOT = shapes.name(
    ("C", "KR"), ("O", "KISA"), ("OU", "Korea Certification Authority Central"), ("CN", "Kisa Test RootCA 7")
)
ROOT_4_KEY = AuthorityKey(bytes.fromhex("c8d08ec749ae1f2042b24b7f13c977580ca1cdc1"), ROOT_4, 1)
ROOT_5_KEY = AuthorityKey(bytes.fromhex("5d353eababc124eb7add671a76234c03aa636ee6"), ROOT_5, 0x15A6CD535FC5F436)
SIGNKOREA_TEST = AuthorityKey(bytes.fromhex("f170a9af6fcf9d8bac8185cc16f47cd9855c0cc4"), TEST_ROOT, 5)
YESSIGN_TEST = AuthorityKey(bytes.fromhex("6635ece8fdfedbb82a62a902b1e6dc875cdcf9c3"), TEST_ROOT, 2)


def central(host: str, generation: int) -> str:
    """The address of a root's list, as CA certificates of the two generations name it."""
    entry = f"CN=KISA-RootCA-{generation},OU=Korea-Certification-Authority-Central,O=KISA,C=KR"
    return f"ldap://{host}:389/{entry}?authorityRevocationList"


def between(first: str, last: str) -> Validity:
    """`20200602061930` to `20300602061930`, UTC."""
    begin, end = (datetime.strptime(text, "%Y%m%d%H%M%S").replace(tzinfo=UTC) for text in (first, last))
    return Validity(begin, end)


def signkorea(common: str) -> bytes:
    return shapes.name(("C", "KR"), ("O", "SignKorea"), ("OU", "AccreditedCA"), ("CN", common))


MYDATA = shapes.name(
    ("C", "KR"),
    ("O", "SignKorea"),
    ("OU", "테스트업종"),
    ("OU", "테스트회사"),
    ("OU", "테스트지점"),
    ("CN", "mydataServer"),
)
MYDATA_TIME = between("20210323010900", "20220323145959")
HONG = shapes.name(
    ("C", "kr"), ("O", "yessign"), ("OU", "personal4IB"), ("OU", "INITECH"),
    ("CN", "HKD(KILDONG.HONG)009104120200225191000030"),
)  # fmt: skip


def sample(path: str) -> x509.Certificate:
    return x509.load_der_x509_certificate((SAMPLES / path).read_bytes())


def vid_of(path: str) -> vid.Vid:
    """The VID that a sample's subjectAltName ends with (nobody knows whose number it is)."""
    value = certificate.parse((SAMPLES / path).read_bytes()).identify_data
    assert value is not None
    return vid.Vid("sha256", value[-32:])


def test_the_root_of_2010_is_rebuilt_to_the_byte() -> None:
    built = rebuilt(
        "authorities/KISA_RootCA_4.cer",
        shapes.root(),
        1,
        ROOT_4,
        between("20100712092621", "20300712092621"),
        ROOT_4,
        None,
    )
    assert built == sample("authorities/KISA_RootCA_4.cer").tbs_certificate_bytes


@pytest.mark.parametrize(
    ("file", "shape", "serial", "issuer", "validity", "subject", "key"),
    [
        (
            "SignKorea_CA4.cer",
            shapes.authority("(주)코스콤", central("dir.signkorea.com", 4), notice=shapes.NOTICE_ACCREDITED),
            4139, ROOT_4, between("20200602061930", "20300602061930"), signkorea("SignKorea CA4"), ROOT_4_KEY,
        ),
        (
            "SignKorea_CA5.cer",
            shapes.authority(
                "(주)코스콤", central("dir.signkorea.com", 5), notice=shapes.NOTICE_JOINT, path_length=None
            ),
            0x115FB855FB7E873D, ROOT_5, between("20260424040000", "20360424040000"), signkorea("SignKorea CA5"),
            ROOT_5_KEY,
        ),
        (
            "yessignCA_Class_3.cer",
            shapes.authority("금융결제원", central("ds.yessign.or.kr", 4), notice=shapes.NOTICE_ACCREDITED),
            4136, ROOT_4, between("20200515072521", "20300515072521"),
            shapes.name(("C", "kr"), ("O", "yessign"), ("OU", "AccreditedCA"), ("CN", "yessignCA Class 3")), ROOT_4_KEY,
        ),
        (
            "SignGATEOCSP05.cer",
            shapes.responder("한국정보인증", central("ldap.signgate.com", 4), notice=shapes.NOTICE_ACCREDITED),
            0x1032, ROOT_4, between("20200611024939", "20300611024939"),
            shapes.name(("C", "KR"), ("O", "KICA"), ("OU", "AccreditedCA"), ("CN", "SignGATEOCSP05")), ROOT_4_KEY,
        ),
        (
            "CrossCertOCSP3.cer",
            shapes.responder("한국전자인증", central("dir.crosscert.com", 4), notice=shapes.NOTICE_ACCREDITED),
            0x102F, ROOT_4, between("20200602064219", "20300602064219"),
            shapes.name(("C", "KR"), ("O", "CrossCert"), ("OU", "AccreditedCA"), ("CN", "CrossCertOCSP3")), ROOT_4_KEY,
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)  # fmt: skip
def test_an_authority_is_rebuilt_to_the_byte(
    file: str, shape: Shape, serial: int, issuer: bytes, validity: Validity, subject: bytes, key: AuthorityKey
) -> None:
    built = rebuilt(f"authorities/{file}", shape, serial, issuer, validity, subject, key)
    assert built == sample(f"authorities/{file}").tbs_certificate_bytes


def test_a_signkorea_certificate_is_rebuilt_to_the_byte() -> None:
    policy = Policy("1.2.410.200004.5.1.1.7", "http://www.signkorea.com/cps.html", "이 인증서 시험용 인증서입니다")
    shape = shapes.person(
        policy, "mydataServer", vid_of("kiea-mydata/signCert.der"), **addresses_of("kiea-mydata/signCert.der")
    )
    issuer = signkorea("SignKorea Test CA5")
    built = rebuilt("kiea-mydata/signCert.der", shape, 0x085221, issuer, MYDATA_TIME, MYDATA, SIGNKOREA_TEST)
    assert built == sample("kiea-mydata/signCert.der").tbs_certificate_bytes


def test_a_km_certificate_is_rebuilt_to_the_byte() -> None:
    shape = shapes.encryption("1.2.410.200004.5.1.1.13", **addresses_of("kiea-mydata/signCert.der"))
    issuer = signkorea("SignKorea Test CA5")
    built = rebuilt("kiea-mydata/kmCert.der", shape, 0x085222, issuer, MYDATA_TIME, MYDATA, SIGNKOREA_TEST)
    assert built == sample("kiea-mydata/kmCert.der").tbs_certificate_bytes


def test_a_yessign_certificate_is_rebuilt_to_the_byte() -> None:
    notice = "이 인증서는 시험용 인증서입니다"
    policy = Policy("1.2.410.200005.1.1.4", "http://snoopy.yessign.or.kr/cps.htm", notice, notice_first=True)
    shape = shapes.person(
        policy, "HKD", vid_of("pypinksign/signCert.der"),
        **addresses_of("pypinksign/signCert.der"),
    )  # fmt: skip
    issuer = shapes.name(("C", "kr"), ("O", "yessign"), ("OU", "AccreditedCA"), ("CN", "yessignCA-Test Class 4"))
    times = between("20200224150000", "20200325145959")
    built = rebuilt("pypinksign/signCert.der", shape, 0x459C75, issuer, times, HONG, YESSIGN_TEST)
    assert built == sample("pypinksign/signCert.der").tbs_certificate_bytes


def addresses_of(path: str) -> dict[str, str]:
    """Where a sample sends for its status: whoever runs those hosts is not named here."""
    found = certificate.parse((SAMPLES / path).read_bytes())
    return {"crl": found.crl_distribution_points[0], "ocsp": found.ocsp_urls[0]}


def rebuilt(
    path: str, shape: Shape, serial: int, issuer: bytes, validity: Validity, subject: bytes, key: AuthorityKey | None
) -> bytes:
    """The same facts through our builder; only the public key and its identifier are taken from the sample."""
    given_one = sample(path)
    public = given_one.public_key()
    assert isinstance(public, RSAPublicKey)
    identifier = given_one.extensions.get_extension_for_oid(ExtensionOID.SUBJECT_KEY_IDENTIFIER).value
    assert isinstance(identifier, x509.SubjectKeyIdentifier)
    return shapes.tbs_certificate(
        shape, serial=serial, issuer=issuer, validity=validity, subject=subject, spki=shapes.public_key(public),
        authority_key=key, subject_key=identifier.digest,
    )  # fmt: skip


def private_key(name: str) -> RSAPrivateKey:
    key = load_der_private_key(
        (VECTORS / "keys" / f"{name}.p8").read_bytes(), None, unsafe_skip_rsa_key_validation=True
    )
    assert isinstance(key, RSAPrivateKey)
    return key


def signed(serial: int = 77) -> bytes:
    """A person's certificate under a CA of this test."""
    policy = Policy("1.2.410.200004.5.1.1.9", "http://www.signkorea.com/cps.html", "이 인증서는 공동인증서입니다")
    shape = shapes.person(
        policy, "홍길동", vid.Vid("sha256", bytes(32)),
        crl="ldap://dir.signkorea.test:389/ou=dp1p1,ou=AccreditedCA,o=SignKorea,c=KR",
        ocsp="http://ocsp.signkorea.test",
    )  # fmt: skip
    tbs = shapes.tbs_certificate(
        shape, serial=serial, issuer=signkorea("CA"), subject=signkorea("홍길동-1"),
        validity=Validity(datetime(2026, 3, 29, tzinfo=UTC), shapes.end_of_day(date(2027, 4, 17))),
        spki=shapes.public_key(private_key("rsa2048-01")), authority_key=ROOT_4_KEY,
    )  # fmt: skip
    return shapes.sign(tbs, private_key("rsa2048-00"))


def test_cryptography_reads_and_verifies_what_was_signed() -> None:
    found = x509.load_der_x509_certificate(signed())
    issuer = private_key("rsa2048-00").public_key()
    assert found.signature_hash_algorithm is not None
    issuer.verify(found.signature, found.tbs_certificate_bytes, PKCS1v15(), SHA256())
    assert found.not_valid_after_utc == datetime(2027, 4, 17, 14, 59, 59, tzinfo=UTC)
    oids = [one.oid.dotted_string for one in found.extensions]
    assert oids == ["2.5.29.35", "2.5.29.14", "2.5.29.15", "2.5.29.32", "2.5.29.17", "2.5.29.31", "1.3.6.1.5.5.7.1.1"]
    assert found.subject.rfc4514_string().startswith("CN=홍길동-1")


def test_openssl_reads_what_was_signed(tmp_path: Path) -> None:
    path = tmp_path / "signCert.der"
    path.write_bytes(signed())
    told = subprocess.run(
        ["openssl", "x509", "-inform", "DER", "-in", str(path), "-noout", "-text"], check=True, capture_output=True
    ).stdout.decode("utf-8", "replace")
    assert "Digital Signature, Non Repudiation" in told
    assert "1.2.410.200004.5.1.1.9" in told
    assert "OCSP - URI:http://ocsp.signkorea.test" in told


def test_a_responder_may_sign_ocsp_answers_and_nothing_else() -> None:
    shape = shapes.responder("(주)코스콤", central("dir.signkorea.test", 4), notice=shapes.NOTICE_ACCREDITED)
    tbs = shapes.tbs_certificate(
        shape, serial=9, issuer=ROOT_4, subject=signkorea("OCSP"),
        validity=between("20260101000000", "20360101000000"),
        spki=shapes.public_key(private_key("rsa2048-02")), authority_key=ROOT_4_KEY,
    )  # fmt: skip
    found = x509.load_der_x509_certificate(shapes.sign(tbs, private_key("rsa2048-00")))
    usage = found.extensions.get_extension_for_class(x509.ExtendedKeyUsage)
    assert usage.critical
    assert list(usage.value) == [ExtendedKeyUsageOID.OCSP_SIGNING]


def test_r_lies_in_the_private_key_as_the_samples_have_it() -> None:
    random = bytes(range(1, 21))
    built = shapes.private_key_info(private_key("rsa2048-03"), random)
    assert built.endswith(bytes.fromhex("a0273025060a2a831a8c9a440a0101033117031500") + random)
    opened = open_pkcs8(built)
    assert opened.random is not None
    assert opened.random.reveal() == der.bits(random)
    assert open_pkcs8(shapes.private_key_info(private_key("rsa2048-03"), None)).random is None


@pytest.mark.parametrize("serial", [0, -1, 1 << 160])
def test_a_serial_out_of_bounds_is_our_defect(serial: int) -> None:
    with pytest.raises(Defect) as caught:
        signed(serial)
    assert caught.value.code == "shape-serial"


@pytest.mark.parametrize("at", ["1949-12-31T23:59:59+00:00", "2026-01-01T00:00:00", "2026-01-01T00:00:00.000001+00:00"])
def test_an_instant_that_a_certificate_cannot_say_is_our_defect(at: str) -> None:
    moment = datetime.fromisoformat(at)
    with pytest.raises(Defect) as caught:
        shapes.tbs_certificate(
            shapes.root(), serial=1, issuer=ROOT_4, subject=ROOT_4, validity=Validity(moment, moment),
            spki=shapes.public_key(private_key("rsa2048-00")), authority_key=None,
        )  # fmt: skip
    assert caught.value.code == "shape-instant"


def test_from_2050_on_an_instant_is_a_generalized_time() -> None:
    tbs = shapes.tbs_certificate(
        shapes.root(), serial=1, issuer=ROOT_4, subject=ROOT_4, validity=between("20491231235959", "20500101000000"),
        spki=SPKI, authority_key=None,
    )  # fmt: skip
    found = x509.load_der_x509_certificate(shapes.assemble(tbs, bytes(256)))
    assert found.not_valid_before_utc == datetime(2049, 12, 31, 23, 59, 59, tzinfo=UTC)
    assert found.not_valid_after_utc == datetime(2050, 1, 1, tzinfo=UTC)


# Invisible letters and changes of direction are refused in names (tests/npki/test_subject.py); others are for here.
LETTER = some.characters(min_codepoint=0x20, max_codepoint=0xFFFD, exclude_categories=["Cs", "Cc", "Cf", "Zl", "Zp"])
TEXT = some.text(LETTER, min_size=1, max_size=40)
COMMON = TEXT.filter(lambda text: len(text.encode()) <= 64)  # `cryptography` counts octets, X.520 characters
SPKI = shapes.public_key(private_key("rsa2048-00"))


@given(common=COMMON, notice=TEXT, serial=some.integers(1, (1 << 159) - 1), notice_first=some.booleans())
@settings(max_examples=50, deadline=None)
def test_whatever_goes_in_other_parsers_read_it_back(common: str, notice: str, serial: int, notice_first: bool) -> None:
    shape = shapes.person(
        Policy("1.2.3.4", "http://cps.test", notice, notice_first), common, vid.Vid("sha256", bytes(32)),
        crl="ldap://dir.test/ou=dp1p1", ocsp="http://ocsp.test",
    )  # fmt: skip
    tbs = shapes.tbs_certificate(
        shape, serial=serial, issuer=ROOT_4, subject=shapes.name(("C", "KR"), ("CN", common)),
        validity=between("20260101000000", "20270101000000"), spki=SPKI, authority_key=ROOT_4_KEY,
    )  # fmt: skip
    found = x509.load_der_x509_certificate(shapes.assemble(tbs, bytes(256)))
    assert found.serial_number == serial
    assert next(iter(found.subject.rdns[-1])).value == common
    (policy,) = found.extensions.get_extension_for_class(x509.CertificatePolicies).value
    notices = [one for one in policy.policy_qualifiers or [] if isinstance(one, x509.UserNotice)]
    assert notices[0].explicit_text == notice
    assert certificate.parse(found.public_bytes(Encoding.DER)).serial == serial


SERVICE = "1.2.3.4.5"
LIST = "ldap://dir.test:389/ou=dp1p1,ou=AccreditedCA,o=Test,c=KR"
LIST_HTTP = "http://dir.test/dp1p1.crl"


def loaded(shape: Shape, algorithm: bytes = shapes.SHA256_WITH_RSA, spki: bytes = SPKI) -> x509.Certificate:
    """A certificate of a shape with no signature to speak of, as `cryptography` reads it."""
    tbs = shapes.tbs_certificate(
        shape, serial=5, issuer=ROOT_4, subject=signkorea("service"), spki=spki, authority_key=ROOT_4_KEY,
        validity=between("20260101000000", "20270101000000"), algorithm=algorithm,
    )  # fmt: skip
    return x509.load_der_x509_certificate(shapes.assemble(tbs, bytes(256), algorithm))


def usage(found: x509.Certificate) -> set[str]:
    """Names of the keyUsage bits that are set."""
    value = found.extensions.get_extension_for_class(x509.KeyUsage).value
    names = ("digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement",
             "key_cert_sign", "crl_sign")  # fmt: skip
    return {name for name in names if getattr(value, name)}


def test_a_responder_of_the_issuing_ca_is_never_asked_about() -> None:
    found = loaded(shapes.delegated_responder(SERVICE))
    purposes = found.extensions.get_extension_for_class(x509.ExtendedKeyUsage)
    assert purposes.critical
    assert list(purposes.value) == [ExtendedKeyUsageOID.OCSP_SIGNING]
    assert not found.extensions.get_extension_for_class(x509.OCSPNoCheck).critical
    assert usage(found) == {"digital_signature"}


def test_a_message_signer_signs_messages_and_an_ra_certificate_says_that_it_is_one() -> None:
    signer = loaded(shapes.message_signer(SERVICE, crl=LIST))
    assert usage(signer) == {"digital_signature"}
    with pytest.raises(x509.ExtensionNotFound):
        signer.extensions.get_extension_for_class(x509.ExtendedKeyUsage)
    registrar = loaded(shapes.registrar(SERVICE, crl=LIST))
    assert usage(registrar) == {"digital_signature"}
    (purpose,) = registrar.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert purpose.dotted_string == "1.3.6.1.5.5.7.3.28"


def test_a_servers_certificate_names_its_hosts() -> None:
    found = loaded(shapes.server(Policy(SERVICE, "http://cps.test"), ("center.test", "www.center.test"), crl=LIST))
    names = found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["center.test", "www.center.test"]
    (purpose,) = found.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert purpose == ExtendedKeyUsageOID.SERVER_AUTH


def test_one_list_at_two_addresses_is_one_distribution_point() -> None:
    found = loaded(Shape(crl=LIST, crl_http=LIST_HTTP, freshest="http://dir.test/delta.crl"))
    (point,) = found.extensions.get_extension_for_class(x509.CRLDistributionPoints).value
    assert [name.value for name in point.full_name or []] == [LIST, LIST_HTTP]
    (newest,) = found.extensions.get_extension_for_class(x509.FreshestCRL).value
    assert [name.value for name in newest.full_name or []] == ["http://dir.test/delta.crl"]


def test_the_issuers_certificate_stands_beside_its_responder() -> None:
    found = loaded(Shape(ocsp="http://ocsp.test", ca_issuers="http://dir.test/ca.der"))
    access = found.extensions.get_extension_for_class(x509.AuthorityInformationAccess).value
    assert [(one.access_method.dotted_string, one.access_location.value) for one in access] == [
        ("1.3.6.1.5.5.7.48.1", "http://ocsp.test"),
        ("1.3.6.1.5.5.7.48.2", "http://dir.test/ca.der"),
    ]


def test_a_root_of_our_own_says_what_its_key_is_for() -> None:
    found = loaded(shapes.root(shapes.Usage.AUTHORITY))
    assert usage(found) == {"key_cert_sign", "crl_sign"}
    assert found.extensions.get_extension_for_class(x509.BasicConstraints).value.ca


def public_half(kind: signature.KeyKind) -> signature.PublicKey:
    """A new key's; none of them is RSA."""
    if kind is signature.KeyKind.ML_DSA_65:
        return mldsa.MLDSA65PrivateKey.generate().public_key()
    return ec.generate_private_key(ec.SECP256R1() if kind is signature.KeyKind.P_256 else ec.SECP384R1()).public_key()


@pytest.mark.parametrize("kind", [signature.KeyKind.P_256, signature.KeyKind.P_384, signature.KeyKind.ML_DSA_65])
def test_other_peoples_parsers_read_every_signature_algorithm(kind: signature.KeyKind) -> None:
    spki = public_half(kind).public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    found = loaded(shapes.root(shapes.Usage.AUTHORITY), kind.algorithm, spki)
    assert der.algorithm(found.signature_algorithm_oid.dotted_string, b"") == kind.algorithm
    identifier = found.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    assert identifier == x509.SubjectKeyIdentifier.from_public_key(found.public_key())
