"""CertificationRequest (PKCS #10, RFC 2986): what a p10cr carries. Its self-signature is the proof of possession."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, NamedTuple

from ingam.npki import der, scan, signature
from ingam.npki.der import NotDer
from ingam.protocols.cmp import reading
from ingam.protocols.cmp.header import MOST_NAME
from ingam.protocols.cmp.pop import Proven, usable_key
from ingam.protocols.cmp.protection import is_signature, signature_algorithm
from ingam.protocols.cmp.status import CmpRefused, FailInfo

MOST_REQUEST: Final = 16 * 1024
MOST_ATTRIBUTES: Final = 16

_EXTENSION_REQUEST: Final = der.oid("1.2.840.113549.1.9.14")
_VERSION_1: Final = b"\x02\x01\x00"


class CertificationRequest(NamedTuple):
    """A request as read. `info`: the slice that is signed; `subject`: DER Name; `public_key`: DER SPKI.

    `extensions`: DER Extensions of the extensionRequest, or None; `signature`: content of the BIT STRING.
    """

    info: bytes
    subject: bytes
    public_key: bytes
    extensions: bytes | None
    algorithm: bytes
    signature: bytes

    def __repr__(self) -> str:
        return "<CertificationRequest>"


@reading.strict
def parse(data: bytes) -> CertificationRequest:
    """A request from its DER, to the last byte; at most 16 KiB.

    Raises CmpRefused: cmp-malformed, cmp-pkcs10-version (badCertTemplate).
    """
    if len(data) > MOST_REQUEST:
        raise NotDer(expected=f"at most {MOST_REQUEST} octets", found=len(data))
    at, limit = scan.whole(data, der.SEQUENCE)
    body, end = scan.inside(data, at, limit, der.SEQUENCE)
    _, algorithm_end = scan.inside(data, end, limit, der.SEQUENCE)
    bits, _ = reading.only(data, algorithm_end, limit, der.BIT_STRING)
    if bits == limit or data[bits] != 0:
        raise NotDer(expected="a certification request", found="something else")
    if data[body : body + 3] != _VERSION_1:
        raise CmpRefused("cmp-pkcs10-version", FailInfo.BAD_CERT_TEMPLATE)
    _, subject_end = scan.inside(data, body + 3, end, der.SEQUENCE)
    _, key_end = scan.inside(data, subject_end, end, der.SEQUENCE)
    if subject_end - body > MOST_NAME:
        raise NotDer(expected="a name", found=subject_end - body)
    return CertificationRequest(
        info=data[at:end],
        subject=data[body + 3 : subject_end],
        public_key=data[subject_end:key_end],
        extensions=_extensions(data, *reading.only(data, key_end, end, 0xA0)) if key_end < end else None,
        algorithm=data[end:algorithm_end],
        signature=data[bits + 1 : limit],
    )


def _extensions(data: bytes, at: int, limit: int) -> bytes | None:
    """The one extensionRequest among the attributes."""
    found = None
    attributes = scan.parts(data, at, limit)
    if len(attributes) > MOST_ATTRIBUTES:
        raise NotDer(expected=f"at most {MOST_ATTRIBUTES} attributes", found=len(attributes))
    for _, start, _, end in attributes:
        body, _ = scan.inside(data, start, end, der.SEQUENCE)
        _, oid_end = scan.inside(data, body, end, der.OID)
        values, _ = reading.only(data, oid_end, end, der.SET)
        if data[body:oid_end] == _EXTENSION_REQUEST:
            reading.only(data, values, end, der.SEQUENCE)
            if found is not None:
                raise NotDer(expected="one extensionRequest", found="two")
            found = data[values:end]
    return found


def verify(request: CertificationRequest) -> Proven:
    """The key that has signed its own request.

    Raises CmpRefused: cmp-pop-algorithm (badAlg), cmp-template-key (badCertTemplate), cmp-pop-wrong (badPOP).
    """
    if not is_signature(request.algorithm):
        raise CmpRefused("cmp-pop-algorithm", FailInfo.BAD_ALG)
    key = usable_key(request.public_key)
    try:
        signature.verify(key, signature_algorithm(request.algorithm), request.signature, request.info, pss=True)
    except (signature.SignatureInvalid, signature.SignatureAlgorithmRefused):
        raise CmpRefused("cmp-pop-wrong", FailInfo.BAD_POP) from None
    return Proven(request.public_key, key)


def write(subject: bytes, spki: bytes, algorithm: bytes, sign: Callable[[bytes], bytes]) -> bytes:
    """DER of a request without attributes. `subject`: DER Name; `algorithm`: of `sign`, which signs any bytes."""
    info = der.seq(_VERSION_1, subject, spki, der.explicit(0, b""))
    return der.seq(info, algorithm, der.bits(sign(info)))
