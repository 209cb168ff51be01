"""CRMF (RFC 4211): CertReqMsg, CertRequest, CertTemplate, controls, regInfo; `pop` proves the possession of the key.

Implicit tags, unlike CMP's own. A template's subject and extensions are wishes; who acts on them is the authority's
profile (security D4). What is signed stays the received slice.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple, TypeAlias

from ingam.npki import der, scan
from ingam.npki.der import NotDer
from ingam.protocols.cmp import header, reading, status
from ingam.protocols.cmp.message import Body, BodyKind, content
from ingam.protocols.cmp.template import MOST_SERIAL_OCTETS, CertTemplate, read_template, write_template

MOST_REQUESTS: Final = 16
MOST_CONTROLS: Final = 32

REG_TOKEN: Final = "1.3.6.1.5.5.7.5.1.1"
AUTHENTICATOR: Final = "1.3.6.1.5.5.7.5.1.2"
PKI_PUBLICATION_INFO: Final = "1.3.6.1.5.5.7.5.1.3"
PKI_ARCHIVE_OPTIONS: Final = "1.3.6.1.5.5.7.5.1.4"
OLD_CERT_ID: Final = "1.3.6.1.5.5.7.5.1.5"
PROTOCOL_ENCR_KEY: Final = "1.3.6.1.5.5.7.5.1.6"
ALG_ID: Final = "1.3.6.1.5.5.7.5.1.11"
RSA_KEY_LEN: Final = "1.3.6.1.5.5.7.5.1.12"
UTF8_PAIRS: Final = "1.3.6.1.5.5.7.5.2.1"
CERT_REQ: Final = "1.3.6.1.5.5.7.5.2.2"
ENCRYPTED_VID: Final = "1.2.410.200004.10.1.1.2"

# `%` ends a pair unless it begins one of the two escapes.
_PAIR_END: Final = re.compile("%(?!3[fF]|25)")
_REQUESTS: Final = frozenset((BodyKind.IR, BodyKind.CR, BodyKind.KUR, BodyKind.KRR, BodyKind.CCR))


class Attribute(NamedTuple):
    """AttributeTypeAndValue of controls and regInfo: dotted type, DER of the value as received."""

    type: str
    value: bytes

    def __repr__(self) -> str:
        return f"<Attribute {self.type}>"  # tokens, authenticators and an EncryptedVID are such values


class CertId(NamedTuple):
    """CertId: DER GeneralName of the issuer, and the serial number."""

    issuer: bytes
    serial_number: int


class RaVerified(NamedTuple):
    """The RA says that it has seen the proof; only an RA's word counts (security D4)."""


class PublicKeyMac(NamedTuple):
    """PKMACValue over the public key: DER AlgorithmIdentifier (PasswordBasedMac) and the MAC."""

    algorithm: bytes
    value: bytes


class SigningKeyInput(NamedTuple):
    """POPOSigningKeyInput: `sender` (DER GeneralName) or `mac`, and the DER SubjectPublicKeyInfo."""

    sender: bytes | None
    mac: PublicKeyMac | None
    public_key: bytes


class SignaturePop(NamedTuple):
    """POPOSigningKey. `signed`: the bytes that the signature is over (the CertRequest, or poposkInput as SEQUENCE)."""

    input: SigningKeyInput | None
    algorithm: bytes
    signature: bytes
    signed: bytes


class PrivateKeyPop(NamedTuple):
    """POPOPrivKey: recognised, not proven here. `use`: keyEncipherment or keyAgreement; `method`: its choice.

    `element`: the chosen element as received.
    """

    use: str
    method: str
    element: bytes


Pop: TypeAlias = RaVerified | SignaturePop | PrivateKeyPop


class CertReqMsg(NamedTuple):
    """One CertReqMsg. `cert_request`: its DER as received; the fields behind are read from it."""

    cert_request: bytes
    cert_req_id: int
    template: CertTemplate
    controls: tuple[Attribute, ...] = ()
    pop: Pop | None = None
    reg_info: tuple[Attribute, ...] = ()

    def __repr__(self) -> str:
        return f"<CertReqMsg {self.cert_req_id}>"

    def control(self, kind: str) -> bytes | None:
        """The value of the control of a dotted type, or None."""
        return find(self.controls, kind)


def find(attributes: Iterable[Attribute], kind: str) -> bytes | None:
    """The value of the first attribute of a dotted type, or None."""
    return next((one.value for one in attributes if one.type == kind), None)


@reading.strict
def read_requests(body: Body) -> tuple[CertReqMsg, ...]:
    """The CertReqMsgs of an ir, cr, kur, krr or ccr: 1 to 16. Raises CmpRefused (cmp-malformed)."""
    data = body.element
    at, limit = content(body, _REQUESTS)
    found = reading.items(data, at, limit, der.SEQUENCE, MOST_REQUESTS)
    return tuple(_cert_req_msg(data, first, last) for _, _, first, last in found)


def _cert_req_msg(data: bytes, at: int, limit: int) -> CertReqMsg:
    body, end = scan.inside(data, at, limit, der.SEQUENCE)
    request = data[at:end]
    cert_req_id, body = reading.number(data, body, end)
    _, template_end = scan.inside(data, body, end, der.SEQUENCE)
    wishes = read_template(data, body, template_end)
    controls = _attributes(data, template_end, end) if template_end < end else ()
    pop: Pop | None = None
    reg_info: tuple[Attribute, ...] = ()
    if end < limit and data[end] != der.SEQUENCE:
        pop, end = _pop(data, end, limit, request)
    if end < limit:
        reg_info = _attributes(data, end, limit)
    return CertReqMsg(request, cert_req_id, wishes, controls, pop, reg_info)


def _attributes(data: bytes, at: int, limit: int) -> tuple[Attribute, ...]:
    found = reading.items(data, at, limit, der.SEQUENCE, MOST_CONTROLS)
    return tuple(_attribute(data, first, last) for _, _, first, last in found)


def _attribute(data: bytes, at: int, limit: int) -> Attribute:
    body, end = scan.inside(data, at, limit, der.OID)
    if scan.head(data, end, limit)[2] != limit:
        raise NotDer(expected="type and value", found="more")
    return Attribute(der.decode_oid(data[body:end]), data[end:limit])


def _pop(data: bytes, at: int, limit: int, request: bytes) -> tuple[Pop, int]:
    tag, body, end = scan.head(data, at, limit)
    if tag == 0xA1:
        return _signature_pop(data, body, end, request), end
    if tag == 0x80 and body == end:
        return RaVerified(), end
    if tag in (0xA2, 0xA3):
        return _private_key_pop(data, tag, body, end), end
    raise NotDer(expected="a proof of possession", found=f"{tag:02x}")


def _signature_pop(data: bytes, at: int, limit: int, request: bytes) -> SignaturePop:
    given, signed = None, request
    if at < limit and data[at] == 0xA0:
        body, end = scan.inside(data, at, limit, 0xA0)
        given, signed = _signing_key_input(data, body, end), b"\x30" + data[at + 1 : end]
        at = end
    _, end = scan.inside(data, at, limit, der.SEQUENCE)
    bits, _ = reading.only(data, end, limit, der.BIT_STRING)
    if bits == limit or data[bits] != 0:
        raise NotDer(expected="whole octets", found="others")
    return SignaturePop(given, data[at:end], data[bits + 1 : limit], signed)


def _signing_key_input(data: bytes, at: int, limit: int) -> SigningKeyInput:
    tag, body, end = scan.head(data, at, limit)
    reading.only(data, end, limit, der.SEQUENCE)
    if tag == 0xA0:
        if header.general_name_end(data, body, end) != end:
            raise NotDer(expected="one name", found="more")
        return SigningKeyInput(data[body:end], None, data[end:limit])
    if tag != der.SEQUENCE:
        raise NotDer(expected="authInfo", found=f"{tag:02x}")
    return SigningKeyInput(None, _public_key_mac(data, body, end), data[end:limit])


def _public_key_mac(data: bytes, at: int, limit: int) -> PublicKeyMac:
    _, end = scan.inside(data, at, limit, der.SEQUENCE)
    bits, _ = reading.only(data, end, limit, der.BIT_STRING)
    if bits == limit or data[bits] != 0:
        raise NotDer(expected="whole octets", found="others")
    return PublicKeyMac(data[at:end], data[bits + 1 : limit])


_METHODS: Final = {
    0x80: "thisMessage", 0x81: "subsequentMessage", 0x82: "dhMAC", 0xA3: "agreeMAC", 0xA4: "encryptedKey",
}  # fmt: skip


def _private_key_pop(data: bytes, tag: int, at: int, limit: int) -> PrivateKeyPop:
    method, _, end = scan.head(data, at, limit)  # POPOPrivKey is a CHOICE: its tag is explicit
    if method not in _METHODS or end != limit:
        raise NotDer(expected="a method of proof", found=f"{method:02x}")
    return PrivateKeyPop("keyEncipherment" if tag == 0xA2 else "keyAgreement", _METHODS[method], data[at:limit])


def write_cert_request(cert_req_id: int, template: CertTemplate, controls: Sequence[Attribute] = ()) -> bytes:
    """CertRequest: what a plain proof of possession signs."""
    return der.seq(der.integer(cert_req_id), write_template(template), _write_attributes(controls))


def _write_attributes(attributes: Sequence[Attribute]) -> bytes:
    return der.seq(*(der.seq(der.oid(one.type), one.value) for one in attributes)) if attributes else b""


def write_cert_req_msg(cert_request: bytes, pop: Pop | None, reg_info: Sequence[Attribute] = ()) -> bytes:
    """CertReqMsg of a CertRequest that was written, its proof, and regInfo."""
    return der.seq(cert_request, b"" if pop is None else write_pop(pop), _write_attributes(reg_info))


def write_requests(kind: BodyKind, *requests: bytes) -> Body:
    """The body of an ir, cr, kur, krr or ccr of CertReqMsgs that were written."""
    return Body(kind, der.explicit(kind, der.seq(*requests)))


def write_pop(pop: Pop) -> bytes:
    """ProofOfPossession."""
    if isinstance(pop, RaVerified):
        return b"\x80\x00"
    if isinstance(pop, PrivateKeyPop):
        return der.explicit(2 if pop.use == "keyEncipherment" else 3, pop.element)
    given = b"" if pop.input is None else b"\xa0" + pop.signed[1:]
    return der.tlv(0xA1, given + pop.algorithm + der.bits(pop.signature))


def write_signing_key_input(given: SigningKeyInput) -> bytes:
    """POPOSigningKeyInput as a SEQUENCE: what a proof with poposkInput signs."""
    if given.mac is not None:
        return der.seq(der.seq(given.mac.algorithm, der.bits(given.mac.value)), given.public_key)
    return der.seq(der.explicit(0, given.sender or header.NULL_DN), given.public_key)


@reading.strict
def read_cert_id(value: bytes) -> CertId:
    """CertId of oldCertID and of revocation answers, from its DER. Raises CmpRefused (cmp-malformed)."""
    at, limit = scan.whole(value, der.SEQUENCE)
    end = header.general_name_end(value, at, limit)
    serial, last = scan.integer(value, end, limit)
    if last != limit or serial.bit_length() > 8 * MOST_SERIAL_OCTETS:
        raise NotDer(expected="issuer and serial number", found="something else")
    return CertId(value[at:end], serial)


def write_cert_id(cert_id: CertId) -> bytes:
    """CertId."""
    return der.seq(cert_id.issuer, der.integer(cert_id.serial_number))


def old_cert_id(request: CertReqMsg) -> CertId | None:
    """Which certificate a kur updates (§6.5), or None. Raises CmpRefused (cmp-malformed)."""
    value = request.control(OLD_CERT_ID)
    return None if value is None else read_cert_id(value)


def old_cert_id_control(cert_id: CertId) -> Attribute:
    """The control that names the certificate to update."""
    return Attribute(OLD_CERT_ID, write_cert_id(cert_id))


@reading.strict
def read_utf8(value: bytes) -> str:
    """Text of regToken, authenticator or utf8Pairs, from its DER. Raises CmpRefused (cmp-malformed)."""
    body, end = scan.whole(value, der.UTF8_STRING)
    return status.utf8(value[body:end])


def utf8_pairs(text: str) -> dict[str, str]:
    """`name?value%name?value%` (§7.1) as a dictionary, `%3f` and `%25` undone; a name twice keeps the first."""
    found: dict[str, str] = {}
    for pair in _PAIR_END.split(text):
        name, mark, value = pair.partition("?")
        if mark:
            found.setdefault(_unescape(name), _unescape(value))
    return found


def _unescape(text: str) -> str:
    return text.replace("%3f", "?").replace("%3F", "?").replace("%25", "%")
