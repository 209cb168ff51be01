"""Proof of possession (security D4): the key that is certified is the asker's."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import ExtensionOID
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.npki import certs
from tests.protocols.cmp import parties, strategies

from ingam.kernel.secret import Secret
from ingam.npki import der
from ingam.npki.signature import ECDSA_SHA256, RSA_SHA256
from ingam.protocols.cmp import crmf, header, pkcs10, pop, protection
from ingam.protocols.cmp.crmf import CertReqMsg
from ingam.protocols.cmp.message import BodyKind
from ingam.protocols.cmp.protection import MacProtection
from ingam.protocols.cmp.status import CmpRefused, FailInfo
from ingam.protocols.cmp.template import CertTemplate

KEY = parties.new_key()
SPKI = certs.spki(KEY)
SIGNS = parties.signs(KEY)
SENDER = header.directory_name(certs.PERSON_NAME)
TEMPLATE = CertTemplate(subject=certs.PERSON_NAME, public_key=SPKI)
MAC = MacProtection(parties.CODE, protection.password_based_mac(b"s" * 16, iterations=3, hash="sha1", mac="sha1"))


def asked(template: CertTemplate, prove: Callable[[bytes], crmf.Pop | None]) -> CertReqMsg:
    """A request over the wire and back."""
    written = crmf.write_cert_request(0, template)
    body = crmf.write_requests(BodyKind.IR, crmf.write_cert_req_msg(written, prove(written)))
    return crmf.read_requests(body)[0]


def plain(written: bytes) -> crmf.Pop:
    return pop.sign_pop(written, RSA_SHA256, SIGNS)


def with_mac(_: bytes) -> crmf.SignaturePop:
    return pop.sign_pop_with_mac(SPKI, MAC, RSA_SHA256, SIGNS)


def as_sender(_: bytes) -> crmf.SignaturePop:
    return pop.sign_pop_as_sender(SPKI, SENDER, RSA_SHA256, SIGNS)


def refused(request: CertReqMsg, sender: bytes = SENDER, secret: Secret[bytes] | None = parties.CODE) -> CmpRefused:
    with pytest.raises(CmpRefused) as caught:
        pop.verify_pop(request, sender=sender, secret=secret)
    return caught.value


def test_D4_a_signature_over_the_request_proves_its_key() -> None:
    proven = pop.verify_pop(asked(TEMPLATE, plain), sender=SENDER)
    assert proven.spki == SPKI and isinstance(proven.key, rsa.RSAPublicKey)


def test_D4_an_elliptic_key_proves_itself() -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    spki = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)

    def prove(written: bytes) -> crmf.Pop:
        return pop.sign_pop(written, ECDSA_SHA256, lambda data: key.sign(data, ec.ECDSA(SHA256())))

    assert pop.verify_pop(asked(CertTemplate(public_key=spki), prove), sender=SENDER).spki == spki


def test_D4_a_request_without_proof_is_refused() -> None:
    refusal = refused(asked(TEMPLATE, lambda _: None))
    assert (refusal.code, refusal.fail_info) == ("cmp-pop-missing", FailInfo.BAD_POP)


def test_D4_the_word_of_an_ra_counts_from_an_ra_only() -> None:
    request = asked(TEMPLATE, lambda _: crmf.RaVerified())
    assert (refused(request).code, refused(request).fail_info) == ("cmp-pop-ra", FailInfo.NOT_AUTHORIZED)
    assert pop.verify_pop(request, sender=SENDER, ra_verified=True).spki == SPKI


@pytest.mark.parametrize("use", ["keyEncipherment", "keyAgreement"])
def test_D4_other_kinds_of_proof_are_recognised_and_refused(use: str) -> None:
    refusal = refused(asked(TEMPLATE, lambda _: crmf.PrivateKeyPop(use, "subsequentMessage", b"\x81\x01\x00")))
    assert (refusal.code, refusal.fail_info) == ("cmp-pop-kind", FailInfo.BAD_POP)


def test_D4_a_signature_by_another_key_is_refused() -> None:
    other = parties.signs(parties.person().key)
    refusal = refused(asked(TEMPLATE, lambda written: pop.sign_pop(written, RSA_SHA256, other)))
    assert (refusal.code, refusal.fail_info) == ("cmp-pop-wrong", FailInfo.BAD_POP)


def test_D4_a_signature_over_another_request_is_refused() -> None:
    other = crmf.write_cert_request(1, TEMPLATE)
    assert refused(asked(TEMPLATE, lambda _: pop.sign_pop(other, RSA_SHA256, SIGNS))).code == "cmp-pop-wrong"


@pytest.mark.parametrize("algorithm", [ECDSA_SHA256, der.algorithm("1.2.840.113549.1.1.5"), der.algorithm("1.2.3")])
def test_D4_an_algorithm_that_does_not_fit_the_key_is_refused(algorithm: bytes) -> None:
    assert refused(asked(TEMPLATE, lambda w: pop.sign_pop(w, algorithm, SIGNS))).fail_info is FailInfo.BAD_POP


@pytest.mark.parametrize(
    "key",
    [
        None,
        der.seq(der.algorithm("1.2.840.113549.1.1.1"), der.bits(b"no key")),
        der.seq(der.algorithm("1.2.3"), der.bits(b"unknown")),
        der.seq(der.algorithm("1.2.840.113549.1.1.1"), der.bits(der.seq(der.integer(2**1023 + 9), der.integer(65537)))),
        der.seq(der.algorithm("1.2.840.113549.1.1.1"), der.bits(der.seq(der.integer(2**4103 + 9), der.integer(65537)))),
        der.seq(der.algorithm("1.2.840.113549.1.1.1"), der.bits(der.seq(der.integer(2**2047 + 9), der.integer(3)))),
    ],
    ids=["absent", "broken", "unknown", "1024", "4104", "exponent-3"],
)
def test_D4_a_key_out_of_bounds_is_refused(key: bytes | None) -> None:
    refusal = refused(asked(CertTemplate(subject=certs.PERSON_NAME, public_key=key), plain))
    assert (refusal.code, refusal.fail_info) == ("cmp-template-key", FailInfo.BAD_CERT_TEMPLATE)


def test_a_key_that_the_authority_is_to_make_is_no_key_to_prove() -> None:
    wished = CertTemplate(key_algorithm=der.algorithm("1.2.840.113549.1.1.1"))
    assert refused(asked(wished, plain)).code == "cmp-template-key"
    request = asked(wished, lambda _: crmf.RaVerified())
    with pytest.raises(CmpRefused):
        pop.verify_pop(request, sender=SENDER, ra_verified=True)


# With poposkInput


@pytest.mark.parametrize("template", [CertTemplate(public_key=SPKI), CertTemplate(), TEMPLATE])
def test_the_npki_proof_binds_the_key_to_the_code(template: CertTemplate) -> None:
    proven = pop.verify_pop(asked(template, with_mac), sender=header.NULL_DN, secret=parties.CODE)
    assert proven.spki == SPKI


def test_the_signed_bytes_are_the_input_as_a_sequence() -> None:
    request = asked(CertTemplate(public_key=SPKI), with_mac)
    proof = request.pop
    assert isinstance(proof, crmf.SignaturePop) and proof.input is not None
    assert proof.signed == crmf.write_signing_key_input(proof.input) and proof.signed[0] == der.SEQUENCE


def test_a_mac_by_another_code_or_without_a_code_is_refused() -> None:
    request = asked(CertTemplate(public_key=SPKI), with_mac)
    for secret in (Secret(b"another"), None):
        assert refused(request, secret=secret).code == "cmp-pop-wrong"


def test_an_authenticated_sender_may_name_himself() -> None:
    request = asked(CertTemplate(public_key=SPKI), as_sender)
    assert pop.verify_pop(request, sender=SENDER).spki == SPKI
    assert refused(request, sender=header.NULL_DN).code == "cmp-pop-wrong"


def test_another_key_in_the_proof_than_in_the_template_is_refused() -> None:
    other = certs.spki(parties.person().key)
    assert refused(asked(CertTemplate(public_key=other), with_mac)).code == "cmp-pop-wrong"


def test_D8_the_mac_of_a_proof_is_bounded_too() -> None:
    costly = protection.password_based_mac(b"s" * 16, iterations=100_001)
    given = crmf.SigningKeyInput(None, crmf.PublicKeyMac(costly, bytes(32)), SPKI)
    signed = crmf.write_signing_key_input(given)
    refusal = refused(asked(TEMPLATE, lambda _: crmf.SignaturePop(given, RSA_SHA256, SIGNS(signed), signed)))
    assert refusal.code == "cmp-protection-cost"


@settings(deadline=None, max_examples=60)
@given(
    strategies.damaged(
        st.sampled_from([crmf.write_pop(with_mac(b"")), crmf.write_pop(as_sender(b"")), crmf.write_pop(plain(b"x"))])
    )
)
def test_a_damaged_proof_never_proves(damaged: bytes) -> None:
    written = crmf.write_cert_request(0, CertTemplate(public_key=SPKI))
    body = crmf.write_requests(BodyKind.IR, der.seq(written, damaged))
    with pytest.raises(CmpRefused):
        pop.verify_pop(crmf.read_requests(body)[0], sender=SENDER, secret=parties.CODE)


# PKCS #10


def test_D4_a_pkcs10_request_proves_its_own_key() -> None:
    request = pkcs10.parse(parties.csr())
    assert pkcs10.verify(request).spki == SPKI and request.subject == der.seq() and request.extensions is None


def test_the_extensions_that_a_pkcs10_request_wishes_are_found() -> None:
    extensions = pkcs10.parse(parties.csr(extensions=True)).extensions
    assert extensions is not None
    (one,) = der.whole(extensions).sequence()
    assert one.sequence()[0].oid() == ExtensionOID.SUBJECT_ALTERNATIVE_NAME.dotted_string


def test_D4_a_pkcs10_request_with_a_wrong_signature_is_refused() -> None:
    request = pkcs10.parse(parties.csr())
    for changed, code, bit in (
        (request._replace(info=request.info + b"\0"), "cmp-pop-wrong", FailInfo.BAD_POP),
        (request._replace(algorithm=der.algorithm("1.2.3")), "cmp-pop-algorithm", FailInfo.BAD_ALG),
        (request._replace(public_key=der.seq()), "cmp-template-key", FailInfo.BAD_CERT_TEMPLATE),
    ):
        with pytest.raises(CmpRefused) as caught:
            pkcs10.verify(changed)
        assert (caught.value.code, caught.value.fail_info) == (code, bit)


def test_a_pkcs10_request_over_sixteen_kilobytes_is_refused() -> None:
    with pytest.raises(CmpRefused):
        pkcs10.parse(bytes(16 * 1024 + 1))


@settings(deadline=None, max_examples=200)
@given(strategies.damaged(st.sampled_from([parties.csr(), parties.csr(extensions=True)])))
def test_a_damaged_pkcs10_request_is_refused(data: bytes) -> None:
    with pytest.raises(CmpRefused):
        pkcs10.verify(pkcs10.parse(data))


def info(*, version: int = 0, subject: bytes = b"\x30\x00", attributes: bytes = b"") -> bytes:
    return der.seq(der.seq(der.integer(version), subject, SPKI, attributes), RSA_SHA256, der.bits(b"s"))


EXTENSIONS = der.seq(der.oid("1.2.840.113549.1.9.14"), der.set_of([der.seq(der.null)]))


@pytest.mark.parametrize(
    "data",
    [
        info(subject=der.seq(der.octets(bytes(4100)))),
        info(attributes=der.explicit(0, EXTENSIONS * 2)),
        info(attributes=der.explicit(0, EXTENSIONS * 17)), info(attributes=der.explicit(1, b"")),
        info(attributes=der.explicit(0, der.seq(der.oid("1.2.3")))), info() + b"\0", der.seq(),
    ],
    ids=lambda data: str(len(data)),
)  # fmt: skip
def test_a_pkcs10_request_of_another_form_is_refused(data: bytes) -> None:
    with pytest.raises(CmpRefused) as caught:
        pkcs10.parse(data)
    assert caught.value.code == "cmp-malformed"


def test_a_pkcs10_request_of_another_version_is_refused() -> None:
    with pytest.raises(CmpRefused) as caught:
        pkcs10.parse(info(version=1))
    assert (caught.value.code, caught.value.fail_info) == ("cmp-pkcs10-version", FailInfo.BAD_CERT_TEMPLATE)


def test_a_pkcs10_request_is_silent() -> None:
    found = pkcs10.parse(info(attributes=der.explicit(0, EXTENSIONS)))
    assert found.extensions == der.seq(der.null) and repr(found) == "<CertificationRequest>"
