"""PKIMessage (RFC 9810 §5.1): header, body as received, protection, extraCerts. Reading proves the form, nothing else.

Protection is checked over the received slices of header and body, never over something decoded and encoded again. A
message is strict DER to its last byte, and every field has a bound that is asked before it is read further.
"""

from __future__ import annotations

from collections.abc import Container, Sequence
from enum import IntEnum
from typing import Final, NamedTuple, Protocol

from ingam.npki import der, scan
from ingam.npki.certificate import CertificateMalformed
from ingam.npki.der import NotDer
from ingam.protocols.cmp import reading
from ingam.protocols.cmp.header import VERSIONS, Header, read_header, write_header
from ingam.protocols.cmp.status import CmpRefused, FailInfo

MOST_MESSAGE: Final = 64 * 1024
MOST_EXTRA_CERTS: Final = 16


class BodyKind(IntEnum):
    """PKIBody's choices by tag number (RFC 9810 §5.1.2)."""

    IR = 0
    IP = 1
    CR = 2
    CP = 3
    P10CR = 4
    POPDECC = 5
    POPDECR = 6
    KUR = 7
    KUP = 8
    KRR = 9
    KRP = 10
    RR = 11
    RP = 12
    CCR = 13
    CCP = 14
    CKUANN = 15
    CANN = 16
    RANN = 17
    CRLANN = 18
    PKICONF = 19
    NESTED = 20
    GENM = 21
    GENP = 22
    ERROR = 23
    CERT_CONF = 24
    POLL_REQ = 25
    POLL_REP = 26


_KINDS: Final = tuple(BodyKind)


class Body(NamedTuple):
    """PKIBody: which one, and its whole `[n] EXPLICIT` element as received; `bodies` and `crmf` read it."""

    kind: BodyKind
    element: bytes

    def __repr__(self) -> str:
        return f"<Body {self.kind.name} {len(self.element)} bytes>"


class UnverifiedMessage(NamedTuple):
    """A message that nobody has vouched for yet. `protected`: DER of the ProtectedPart over the received slices.

    `protection`: content of the BIT STRING, or None; `extra_certs`: DER certificates as received; `raw`: the whole.
    """

    header: Header
    body: Body
    protected: bytes
    protection: bytes | None
    extra_certs: tuple[bytes, ...]
    raw: bytes

    def __repr__(self) -> str:
        return f"<UnverifiedMessage {self.body.kind.name} {len(self.raw)} bytes>"


class PKIMessage(NamedTuple):
    """A message whose protection was verified by `protection`: header and body are the key holder's."""

    header: Header
    body: Body
    extra_certs: tuple[bytes, ...]

    def __repr__(self) -> str:
        return f"<PKIMessage {self.body.kind.name}>"


class Protection(Protocol):
    """Whoever protects messages: a shared secret or a signing key (`protection`)."""

    @property
    def algorithm(self) -> bytes:
        """DER AlgorithmIdentifier for protectionAlg."""

    def protect(self, part: bytes) -> bytes:
        """PKIProtection over the DER of a ProtectedPart: the content of the BIT STRING."""


def parse(data: bytes, *, most: int = MOST_MESSAGE, versions: frozenset[int] = VERSIONS) -> UnverifiedMessage:
    """A message from its DER, to the last byte; at most `most` bytes.

    Raises CmpRefused: cmp-too-large, cmp-malformed (badDataFormat), cmp-body-unknown (badRequest), cmp-version
    (unsupportedVersion). Where the header could be read, the refusal carries it.
    """
    if len(data) > most:
        raise CmpRefused("cmp-too-large", most=most)
    data = bytes(data)
    header = None
    try:
        at, limit = scan.whole(data, der.SEQUENCE)
        header_body, header_end = scan.inside(data, at, limit, der.SEQUENCE)
        header = read_header(data, header_body, header_end)
        if header.pvno not in versions:
            raise CmpRefused("cmp-version", FailInfo.UNSUPPORTED_VERSION, found=header.pvno)
        return _message(data, header, at, header_end, limit)
    except CmpRefused as refused:
        refused.header = header
        raise
    except (NotDer, CertificateMalformed) as wrong:
        malformed = reading.malformed(wrong)
        malformed.header = header
        raise malformed from None


def _message(data: bytes, header: Header, start: int, at: int, limit: int) -> UnverifiedMessage:
    tag, _, end = scan.head(data, at, limit)
    if not 0 <= tag - 0xA0 < len(_KINDS):
        raise CmpRefused("cmp-body-unknown", FailInfo.BAD_REQUEST, found=f"{tag:02x}")
    body = Body(_KINDS[tag - 0xA0], data[at:end])
    protected = der.tlv(der.SEQUENCE, data[start:end])
    protection: bytes | None = None
    extra_certs: tuple[bytes, ...] = ()
    if end < limit and data[end] == 0xA0:
        inner, end = scan.inside(data, end, limit, 0xA0)
        bits, _ = reading.only(data, inner, end, der.BIT_STRING)
        if bits == end or data[bits] != 0:
            raise NotDer(expected="whole octets", found="others")
        protection = data[bits + 1 : end]
    if end < limit:
        inner, end = scan.inside(data, end, limit, 0xA1)
        certificates = reading.items(data, inner, end, der.SEQUENCE, MOST_EXTRA_CERTS)
        extra_certs = tuple(data[first:last] for _, first, _, last in certificates)
    if end != limit:
        raise NotDer(expected="nothing behind", found=limit - end)
    return UnverifiedMessage(header, body, protected, protection, extra_certs, data)


def content(body: Body, kinds: Container[BodyKind]) -> tuple[int, int]:
    """Where the content of `body.element` starts and ends, if the body is one of these. Raises NotDer."""
    if body.kind not in kinds:
        raise NotDer(expected="another body", found=body.kind.name)
    return scan.whole(body.element, 0xA0 | body.kind)


def prepare(header: Header, body: Body) -> bytes:
    """DER of the ProtectedPart: what whoever protects the message computes over. protectionAlg stands in the header."""
    return der.seq(write_header(header), body.element)


def finish(part: bytes, protection: bytes | None, extra_certs: Sequence[bytes] = ()) -> bytes:
    """The whole message of a ProtectedPart that `prepare` gave and the protection over it."""
    pieces = [part[scan.whole(part, der.SEQUENCE)[0] :]]
    if protection is not None:
        pieces.append(der.explicit(0, der.bits(protection)))
    if extra_certs:
        pieces.append(der.explicit(1, der.seq(*extra_certs)))
    return der.seq(*pieces)


def compose(header: Header, body: Body, protection: Protection | None, extra_certs: Sequence[bytes] = ()) -> bytes:
    """DER of a whole message; its protectionAlg is the protection's, or absent."""
    if protection is None:
        return finish(prepare(header._replace(protection_alg=None), body), None, extra_certs)
    part = prepare(header._replace(protection_alg=protection.algorithm), body)
    return finish(part, protection.protect(part), extra_certs)
