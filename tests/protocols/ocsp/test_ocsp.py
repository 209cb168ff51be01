"""OCSP answers made by `cryptography` and believed only when every numbered check holds (security A11)."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import cache

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp as peer
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.npki import certs

from ingam.kernel.errors import Failure
from ingam.npki import certificate, der
from ingam.protocols import ocsp

NONCE = bytes(range(32))
HOUR = timedelta(hours=1)


@cache
def responder(eku: str = ocsp.OCSP_SIGNING, *, ca: bool = False, key_name: str = "rsa2048-04") -> certs.Party:
    """Issued by the root, as the field's responders are."""
    key = certs.key(key_name)
    subject = certs.name(("C", "KR"), ("O", "SignKorea"), ("OU", "AccreditedCA"), ("CN", "SignKoreaOCSP1"))
    made = certs.build(
        subject=subject, public=certs.spki(key), issuer=certs.ROOT_NAME, signer=certs.root().key, serial=77,
        extensions=[certs.ski(key), certs.usage(certs.SIGN), certs.eku(eku), *([certs.basic(ca=True)] if ca else [])],
    )  # fmt: skip
    return certs.Party(certificate.parse(made), key)


def answer(
    *,
    status: peer.OCSPCertStatus = peer.OCSPCertStatus.GOOD,
    reason: x509.ReasonFlags | None = None,
    by: certs.Party | None = None,
    about: certs.Party | None = None,
    nonce: bytes | None = NONCE,
    this_update: datetime = certs.NOW,
    next_update: datetime | None = certs.NOW + HOUR,
    algorithm: hashes.HashAlgorithm | None = None,
    by_name: bool = False,
) -> bytes:
    """An answer of a responder that we did not write."""
    speaker = by or responder()
    revoked = status is peer.OCSPCertStatus.REVOKED
    builder = peer.OCSPResponseBuilder().add_response(
        cert=x509.load_der_x509_certificate((about or certs.person()).certificate.der),
        issuer=x509.load_der_x509_certificate(certs.ca().certificate.der),
        algorithm=hashes.SHA1(),
        cert_status=status,
        this_update=this_update,
        next_update=next_update,
        revocation_time=certs.NOW - HOUR if revoked else None,
        revocation_reason=reason,
    )
    encoding = peer.OCSPResponderEncoding.NAME if by_name else peer.OCSPResponderEncoding.HASH
    builder = builder.responder_id(encoding, x509.load_der_x509_certificate(speaker.certificate.der))
    if nonce is not None:
        builder = builder.add_extension(x509.OCSPNonce(nonce), critical=False)
    made = builder.sign(speaker.key, algorithm or hashes.SHA256())
    return made.public_bytes(Encoding.DER)


def believe(data: bytes, *, at: datetime = certs.NOW, trusted: certs.Party | None = None) -> ocsp.CertStatus:
    return ocsp.verify(
        ocsp.parse(data),
        person=certs.person().certificate,
        issuer=certs.ca().certificate,
        responders=((trusted or responder()).certificate,),
        nonce=NONCE,
        at=at,
    )


def refusal(data: bytes, *, at: datetime = certs.NOW, trusted: certs.Party | None = None) -> str:
    with pytest.raises(Failure) as refused:
        believe(data, at=at, trusted=trusted)
    return refused.value.code


def test_the_question_is_read_by_another_implementation() -> None:
    asked = ocsp.request(ocsp.cert_id(certs.person().certificate, certs.ca().certificate), NONCE)
    read = peer.load_der_ocsp_request(asked)
    assert read.serial_number == certs.person().certificate.serial
    assert read.extensions.get_extension_for_class(x509.OCSPNonce).value.nonce == NONCE


@pytest.mark.parametrize("by_name", [False, True])
def test_a_good_answer_of_the_configured_responder_is_good(by_name: bool) -> None:
    found = believe(answer(by_name=by_name))
    assert (found.status, found.this_update) == ("good", certs.NOW)


def test_a_revoked_answer_carries_its_reason_and_a_hold_is_told_apart() -> None:
    revoked = believe(answer(status=peer.OCSPCertStatus.REVOKED, reason=x509.ReasonFlags.key_compromise))
    assert (revoked.status, revoked.reason, revoked.revoked_at) == ("revoked", "keyCompromise", certs.NOW - HOUR)
    hold = believe(answer(status=peer.OCSPCertStatus.REVOKED, reason=x509.ReasonFlags.certificate_hold))
    assert hold.reason == ocsp.HOLD


def test_unknown_is_unknown_and_not_good() -> None:
    assert believe(answer(status=peer.OCSPCertStatus.UNKNOWN)).status == "unknown"


def test_A11_a_responder_that_is_not_configured_is_untrusted() -> None:
    other = certs.Party(certs.ca().certificate, certs.ca().key)
    assert refusal(answer(by=other)) == "status-responder-untrusted"


def test_A11_the_configured_name_over_another_key_is_refused() -> None:
    assert refusal(answer(by=responder(key_name="rsa2048-05"), by_name=True)) == "status-signature-invalid"


def test_A11_a_responder_needs_the_purpose_and_is_no_authority() -> None:
    assert refusal(answer(by=responder("1.3.6.1.5.5.7.3.1")), trusted=responder("1.3.6.1.5.5.7.3.1")) == (
        "status-responder-invalid"
    )
    assert refusal(answer(by=responder(ca=True)), trusted=responder(ca=True)) == "status-responder-invalid"


def test_A11_an_answer_about_another_certificate_is_a_mismatch() -> None:
    assert refusal(answer(about=certs.somebody_else())) == "status-mismatch"


@pytest.mark.parametrize("nonce", [None, bytes(32)])
def test_A11_an_answer_to_another_question_is_refused(nonce: bytes | None) -> None:
    assert refusal(answer(nonce=nonce)) == "status-nonce-mismatch"


def test_A11_old_future_and_endless_answers_are_refused() -> None:
    assert refusal(answer(), at=certs.NOW + HOUR + timedelta(seconds=1)) == "status-stale"
    assert refusal(answer(), at=certs.NOW - timedelta(minutes=6)) == "status-future"
    assert refusal(answer(next_update=None)) == "status-stale"


def test_A11_a_weak_signature_is_refused() -> None:
    data = answer()
    weakened = data.replace(bytes.fromhex("06092a864886f70d01010b"), bytes.fromhex("06092a864886f70d010105"))
    assert refusal(weakened) == "status-signature-invalid"


def test_A12_try_later_is_told_apart_from_other_refusals() -> None:
    later = peer.OCSPResponseBuilder.build_unsuccessful(peer.OCSPResponseStatus.TRY_LATER)
    assert refusal(later.public_bytes(Encoding.DER)) == "status-try-later"
    unauthorized = peer.OCSPResponseBuilder.build_unsuccessful(peer.OCSPResponseStatus.UNAUTHORIZED)
    assert refusal(unauthorized.public_bytes(Encoding.DER)) == "status-refused"


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=200))
def test_any_bytes_are_refused_and_never_good(data: bytes) -> None:
    with pytest.raises(Failure):
        believe(data)


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_an_altered_answer_is_never_good(data: st.DataObject) -> None:
    given_answer = bytearray(answer())
    place = data.draw(st.integers(0, len(given_answer) - 1))
    given_answer[place] ^= data.draw(st.integers(1, 255))
    try:
        found = believe(bytes(given_answer))
    except Failure:
        return
    # What lies outside the signed part (an unused certificate, say) may change; the answer itself may not.
    assert found == believe(answer())


@pytest.mark.parametrize(
    "response",
    [
        b"\x30\x07\x0a\x01\x00\xa0\x02\x30\x00",  # responseBytes of no part
        der.seq(b"\x0a\x01\x00", der.explicit(0, der.seq(der.oid("1.3.6.1.5.5.7.48.1.1")))),
        der.seq(b"\x0a\x01\x00", der.explicit(0, der.seq(der.oid("1.3.6.1.5.5.7.48.1.1"), der.octets(der.seq())))),
        der.seq(
            b"\x0a\x01\x00",
            der.explicit(
                0,
                der.seq(
                    der.oid("1.3.6.1.5.5.7.48.1.1"),
                    der.octets(
                        der.seq(der.seq(der.null), der.algorithm("1.2.840.113549.1.1.11"), der.bits(b"")),
                    ),
                ),
            ),
        ),
    ],
    ids=["no-part", "one-part", "empty-basic", "short-tbs"],
)
def test_A12_an_answer_with_parts_missing_confirms_nothing_and_is_no_defect(response: bytes) -> None:
    with pytest.raises(ocsp.OcspUnusable) as refused:
        ocsp.parse(response)
    assert refused.value.code == "status-malformed"
