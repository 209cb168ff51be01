"""Questions that others write are read, anything else is refused; answers are read by others and by our own reader."""

from __future__ import annotations

from base64 import b64encode
from datetime import UTC, datetime
from hashlib import sha1
from urllib.parse import quote

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, SECP256R1, EllipticCurvePublicKey, generate_private_key
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA1, SHA256, SHA384, HashAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509 import ocsp as peer
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.npki import certs
from tests.protocols.ocsp.test_ocsp import HOUR, NONCE, responder

from ingam.kernel.errors import Failure
from ingam.npki import certificate, der, signature
from ingam.protocols import ocsp
from ingam.protocols.ocsp import answering
from ingam.protocols.ocsp.answering import MAX_ASKED, MAX_REQUEST, OcspRequestMalformed, Question, SingleResponse

AT = int(certs.NOW.timestamp())
NONCE_OID = der.oid("1.3.6.1.5.5.7.48.1.2")


def foreign(hashing: HashAlgorithm, nonce: bytes | None = None) -> bytes:
    """A question that `cryptography` writes."""
    subject = x509.load_der_x509_certificate(certs.person().certificate.der)
    issuer = x509.load_der_x509_certificate(certs.ca().certificate.der)
    builder = peer.OCSPRequestBuilder().add_certificate(subject, issuer, hashing)
    if nonce is not None:
        builder = builder.add_extension(x509.OCSPNonce(nonce), critical=False)
    return builder.build().public_bytes(Encoding.DER)


def cert_id(serial: int = 1, *, sha256: bool = False, parameters: bytes = der.null) -> bytes:
    oid, size = ("2.16.840.1.101.3.4.2.1", 32) if sha256 else ("1.3.14.3.2.26", 20)
    return der.seq(
        der.algorithm(oid, parameters), der.octets(b"n" * size), der.octets(b"k" * size), der.integer(serial)
    )


def request(*ids: bytes, extensions: bytes = b"", name: bytes = b"", version: bytes = b"", sig: bytes = b"") -> bytes:
    listed = der.seq(*(der.seq(one) for one in ids))
    return der.seq(der.seq(version, name, listed, der.explicit(2, extensions) if extensions else b""), sig)


def extension(oid: bytes, value: bytes, critical: bytes = b"") -> bytes:
    return der.seq(oid, critical, der.octets(value))


def refused(data: bytes) -> None:
    with pytest.raises(OcspRequestMalformed):
        answering.question(data)


@pytest.mark.parametrize("nonce", [None, b"\x01", bytes(range(32)), bytes(128)])
@pytest.mark.parametrize("hashing", [SHA1(), SHA256()])
def test_questions_of_another_implementation_are_read(hashing: HashAlgorithm, nonce: bytes | None) -> None:
    found = answering.question(foreign(hashing, nonce))
    (asked,) = found.asked
    by_sha1, by_sha256 = answering.issuer_hashes(certs.ca().certificate)
    assert asked.issuer == (by_sha1 if isinstance(hashing, SHA1) else by_sha256)
    assert (asked.serial, found.nonce) == (certs.person().certificate.serial, nonce)


def test_our_own_relying_party_is_understood() -> None:
    raw = ocsp.cert_id(certs.person().certificate, certs.ca().certificate)
    assert answering.question(ocsp.request(raw, NONCE)) == Question(
        (answering.CertId(raw, answering.issuer_hashes(certs.ca().certificate)[0], certs.person().certificate.serial),),
        NONCE,
    )


def test_several_certificates_keep_their_order_and_their_bytes() -> None:
    ids = [cert_id(number, sha256=number % 2 == 0, parameters=(b"", der.null)[number % 3 == 0]) for number in range(8)]
    found = answering.question(request(*ids))
    assert [one.raw for one in found.asked] == ids
    assert [one.serial for one in found.asked] == list(range(8))


def test_more_than_eight_certificates_or_none_are_refused() -> None:
    refused(request(*[cert_id()] * (MAX_ASKED + 1)))
    refused(request())


def test_a_name_a_signature_and_the_default_version_change_nothing() -> None:
    plain = answering.question(request(cert_id()))
    signature_of = der.explicit(0, der.seq(der.algorithm("1.2.840.113549.1.1.11"), der.bits(b"s" * 256)))
    for found in (
        request(cert_id(), name=der.explicit(1, der.explicit(4, certs.PERSON_NAME))),
        request(cert_id(), version=bytes.fromhex("a003020100")),
        request(cert_id(), sig=signature_of),
    ):
        assert answering.question(found) == plain


def test_an_empty_list_of_extensions_changes_nothing() -> None:
    assert answering.question(request(cert_id(), extensions=der.seq())) == answering.question(request(cert_id()))


@pytest.mark.parametrize(
    "data",
    [
        request(cert_id(), version=bytes.fromhex("a003020101")),
        request(cert_id(), name=der.explicit(1, der.null)),
        request(cert_id(), name=der.explicit(1, b"")),
        request(cert_id(), sig=der.null),
        request(cert_id(), sig=der.explicit(0, der.null)),
        request(cert_id(), extensions=der.null),
        request(cert_id(), extensions=der.seq(extension(der.oid("1.2.3"), b"", b"\x01\x01\xff"))),
        request(cert_id(), extensions=der.seq(extension(der.oid("1.2.3"), b"", b"\x01\x01\x01"))),
        request(cert_id(), extensions=der.seq(*[extension(der.oid("1.2.3"), b"")] * 17)),
        request(cert_id(), extensions=der.seq(*[extension(NONCE_OID, der.octets(b"n"))] * 2)),
        request(cert_id(), extensions=der.seq(extension(NONCE_OID, b"bare"))),
        request(cert_id(), extensions=der.seq(extension(NONCE_OID, der.octets(b"n") + b"\0"))),
        request(cert_id() + der.null),
        request(cert_id(1 << 170)),
        request(der.seq(der.algorithm("1.2.840.113549.2.5"), *[der.octets(b"n" * 16)] * 2, der.integer(1))),
        request(der.seq(der.algorithm("1.3.14.3.2.26"), der.octets(b"n" * 32), der.octets(b"k" * 20), der.integer(1))),
        request(cert_id()) + b"\0",
        b"",
    ],
)  # fmt: skip
def test_what_is_no_question_is_refused(data: bytes) -> None:
    refused(data)


@pytest.mark.parametrize("size", [0, 129, 1000])
def test_D13_a_nonce_of_another_size_is_refused(size: int) -> None:
    refused(request(cert_id(), extensions=der.seq(extension(NONCE_OID, der.octets(b"n" * size)))))


def test_unknown_extensions_that_are_not_critical_are_passed_over() -> None:
    found = answering.question(
        request(
            cert_id(),
            extensions=der.seq(
                extension(der.oid("1.2.3"), b"x"),
                extension(NONCE_OID, der.octets(b"n"), b"\x01\x01\x00"),
                extension(der.oid("1.3.6.1.5.5.7.48.1.4"), b"x", b"\x01\x01\xff"),
            ),
        )
    )
    assert found.nonce == b"n"


def test_a_question_over_the_bound_is_refused_unread() -> None:
    refused(request(cert_id(), extensions=der.seq(extension(der.oid("1.2.3"), b"x" * MAX_REQUEST))))


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=300))
def test_any_bytes_are_refused_or_read_and_nothing_else_happens(data: bytes) -> None:
    try:
        answering.question(data)
    except OcspRequestMalformed:
        return


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_an_altered_question_is_refused_or_another_question(data: st.DataObject) -> None:
    whole = bytearray(foreign(SHA256(), bytes(range(32))))
    place = data.draw(st.integers(0, len(whole) - 1))
    whole[place] ^= data.draw(st.integers(1, 255))
    try:
        found = answering.question(bytes(whole))
    except Failure as failure:
        assert isinstance(failure, OcspRequestMalformed)
        return
    assert len(found.asked) == 1 and found.asked[0].raw in bytes(whole)


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.tuples(st.integers(-(2**158), 2**158), st.booleans()), min_size=1, max_size=8),
    st.none() | st.binary(min_size=1, max_size=128),
)
def test_every_question_within_the_bounds_is_read(asked: list[tuple[int, bool]], nonce: bytes | None) -> None:
    ids = [cert_id(serial, sha256=sha256) for serial, sha256 in asked]
    extensions = b"" if nonce is None else der.seq(extension(NONCE_OID, der.octets(nonce)))
    found = answering.question(request(*ids, extensions=extensions))
    assert [(one.raw, one.serial) for one in found.asked] == list(zip(ids, (one for one, _ in asked), strict=True))
    assert found.nonce == nonce


# GET (RFC 6960 appendix A.1)


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=200), st.booleans(), st.booleans())
def test_a_path_gives_back_the_question(data: bytes, escaped: bool, padded: bool) -> None:
    text = b64encode(data).decode()
    text = text if padded else text.rstrip("=")
    assert answering.asked_in_path((quote(text, safe="") if escaped else text).encode()) == data


@pytest.mark.parametrize("text", [b"%%%", b"a b", b"\xff", b"A", b"A" * 5000, b"MEUw=QzBB", b"-_-_"])
def test_a_path_that_is_no_base64_is_refused(text: bytes) -> None:
    with pytest.raises(OcspRequestMalformed):
        answering.asked_in_path(text)


# Answers


def signed(asked: bytes, status: bytes, nonce: bytes | None = NONCE) -> bytes:
    tbs = answering.prepare(
        sha1(answering.key_bits(responder().certificate.spki)).digest(),
        AT,
        [SingleResponse(asked, status, AT, AT + 3600)],
        nonce,
    )
    made = responder().key.sign(tbs, PKCS1v15(), SHA256())
    return answering.assemble(tbs, signature.RSA_SHA256, made, responder().certificate.der)


def believed(data: bytes) -> ocsp.CertStatus:
    return ocsp.verify(
        ocsp.parse(data),
        person=certs.person().certificate,
        issuer=certs.ca().certificate,
        responders=(responder().certificate,),
        nonce=NONCE,
        at=certs.NOW,
    )


ASKED = ocsp.cert_id(certs.person().certificate, certs.ca().certificate)


def test_an_answer_is_believed_by_our_relying_party() -> None:
    assert believed(signed(ASKED, answering.GOOD)).status == "good"
    assert believed(signed(ASKED, answering.UNKNOWN)).status == "unknown"
    found = believed(signed(ASKED, answering.revoked(AT - 3600, 6)))
    assert (found.status, found.reason, found.revoked_at) == ("revoked", ocsp.HOLD, certs.NOW - HOUR)


def test_an_answer_is_read_by_another_implementation() -> None:
    at = datetime(2026, 11, 22, 21, 0, 59, tzinfo=UTC)
    read = peer.load_der_ocsp_response(signed(ASKED, answering.revoked(int(at.timestamp()), 1)))
    assert read.certificate_status is peer.OCSPCertStatus.REVOKED
    assert read.revocation_reason is x509.ReasonFlags.key_compromise
    assert read.revocation_time_utc == at
    assert (read.this_update_utc, read.next_update_utc, read.produced_at_utc) == (
        certs.NOW,
        certs.NOW + HOUR,
        certs.NOW,
    )
    assert read.responder_key_hash is not None and read.responder_name is None
    assert read.extensions.get_extension_for_class(x509.OCSPNonce).value.nonce == NONCE
    assert read.certificates == [x509.load_der_x509_certificate(responder().certificate.der)]
    responder().key.public_key().verify(read.signature, read.tbs_response_bytes, PKCS1v15(), SHA256())


def test_a_reason_that_says_nothing_is_left_out() -> None:
    for reason in (None, 0):
        read = peer.load_der_ocsp_response(signed(ASKED, answering.revoked(AT, reason)))
        assert read.revocation_reason is None


@pytest.mark.parametrize("sha256", [False, True])
def test_the_cert_id_of_an_answer_is_the_bytes_of_the_question(sha256: bool) -> None:
    asked = answering.question(foreign(SHA256() if sha256 else SHA1())).asked[0].raw
    answer = signed(asked, answering.GOOD, None)
    assert asked in answer
    read = peer.load_der_ocsp_response(answer)
    assert read.hash_algorithm.name == ("sha256" if sha256 else "sha1")
    with pytest.raises(x509.ExtensionNotFound):
        read.extensions.get_extension_for_class(x509.OCSPNonce)


def test_errors_are_what_another_implementation_reads() -> None:
    expected = {
        answering.MALFORMED_REQUEST: peer.OCSPResponseStatus.MALFORMED_REQUEST,
        answering.INTERNAL_ERROR: peer.OCSPResponseStatus.INTERNAL_ERROR,
        answering.TRY_LATER: peer.OCSPResponseStatus.TRY_LATER,
        answering.UNAUTHORIZED: peer.OCSPResponseStatus.UNAUTHORIZED,
    }
    assert {peer.load_der_ocsp_response(raw).response_status for raw in expected} == set(expected.values())


@given(st.integers(0, 2**33), st.integers(0, 5000))
def test_elements_of_every_size_have_their_shortest_head(at: int, size: int) -> None:
    tbs = answering.prepare(b"k" * 20, at, [SingleResponse(ASKED, b"s" * size, at, at + 1)], None)
    (by_key, produced, responses) = der.whole(tbs).sequence()
    assert by_key.explicit(2).content == b"k" * 20
    assert certificate.instant(produced.data, produced.start, produced.end)[0] == datetime.fromtimestamp(at, UTC)
    assert responses.raw == der.seq(der.whole(responses.raw).content) and b"s" * size in responses.content


def test_an_ecdsa_responder_is_believed() -> None:
    key = generate_private_key(SECP256R1())
    public: EllipticCurvePublicKey = key.public_key()
    spki = public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    made = certs.build(
        subject=certs.CA_NAME, public=spki, issuer=certs.ROOT_NAME, signer=certs.root().key, serial=9,
        extensions=[certs.usage(certs.SIGN), certs.eku(ocsp.OCSP_SIGNING)],
    )  # fmt: skip
    tbs = answering.prepare(
        sha1(answering.key_bits(spki)).digest(),
        AT,
        [SingleResponse(ASKED, answering.GOOD, AT, AT + 3600)],
        NONCE,
    )
    ecdsa = signature.ECDSA_SHA256

    def believe(algorithm: bytes, signed_with: HashAlgorithm) -> ocsp.CertStatus:
        answer = answering.assemble(tbs, algorithm, key.sign(tbs, ECDSA(signed_with)), made)
        return ocsp.verify(
            ocsp.parse(answer),
            person=certs.person().certificate,
            issuer=certs.ca().certificate,
            responders=(certificate.parse(made),),
            nonce=NONCE,
            at=certs.NOW,
        )

    assert believe(ecdsa, SHA256()).status == "good"
    for algorithm, hashing in ((ecdsa, SHA384()), (signature.RSA_SHA256, SHA256())):
        with pytest.raises(ocsp.OcspUnusable) as told:
            believe(algorithm, hashing)
        assert told.value.code == "status-signature-invalid"
