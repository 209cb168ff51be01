"""The messages between the two devices: their octets, and the sealed frames that hide all but a type (C9–C11).

A reader takes exactly what the table of docs/reference/copy-protocol.md says, to the last octet; everything else is
FrameBroken and ends the run. Sealed frames all have one size.
"""

from __future__ import annotations

import unicodedata
from enum import IntEnum
from hashlib import sha256
from itertools import pairwise
from typing import Final, NamedTuple

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from ingam.kernel.errors import Refusal
from ingam.kernel.secret import Secret
from ingam.protocols.mailbox.cpace import SHARE, lv, lv_cat
from ingam.protocols.mailbox.schedule import COMMITMENT, LOT, TAG, Direction, Mode

VERSION: Final = 1
OFFERED: Final = bytes([VERSION])
NONCE: Final = 16
MOST_VERSIONS: Final = 8
MOST_DEVICE: Final = 120
MOST_PLAIN: Final = 512
PADDED: Final = 16_384
SEALED_BODY: Final = 2 + PADDED + 16
MOST_BODY: Final = SEALED_BODY
MOST_CERTIFICATE: Final = 6_144
MOST_KEY_FILE: Final = 8_192
MOST_CODE: Final = 64


class FrameBroken(Refusal):
    """A message that is not of the protocol, or not the one that comes now."""

    code = "copy-broken"


class Type(IntEnum):
    """The first octet of a message."""

    HELLO = 0x01
    SHARE_A = 0x02
    SHARE_B = 0x03
    CONFIRM = 0x04
    SEALED = 0x05


class Inner(IntEnum):
    """The second octet of a sealed frame."""

    PAYLOAD = 0x10
    STORED = 0x11
    REFUSED = 0x12
    CANCELLED = 0x13
    ASKING = 0x14


class Hello(NamedTuple):
    """The receiver's first message. `versions`: one octet each, ascending. `nonce`: 16 bytes. `device`: its text."""

    versions: bytes
    nonce: bytes
    device: str


class ShareA(NamedTuple):
    """The sender's share. `nonce`: 16 bytes; `ya`: 32, not yet known to be an element; `commitment`: 32, to its lot."""

    version: int
    mode: Mode
    nonce: bytes
    ya: bytes
    commitment: bytes
    device: str


class ShareB(NamedTuple):
    """The receiver's share and its confirmation, 32 bytes each."""

    yb: bytes
    tag: bytes


class Confirm(NamedTuple):
    """The sender's confirmation (32 bytes) and its lot (16), which is a secret until it is sent."""

    tag: bytes
    lot: Secret[bytes]


class Payload(NamedTuple):
    """What is copied: the certificate's DER and the unchanged EncryptedPrivateKeyInfo."""

    certificate: bytes
    key_file: Secret[bytes]

    @property
    def digest(self) -> bytes:
        """SHA-256 of both with their lengths: what STORED acknowledges (C13)."""
        return sha256(lv_cat(self.certificate, self.key_file.reveal())).digest()


def write_hello(hello: Hello) -> bytes:
    """The body of HELLO. ValueError: a device text that cannot be sent."""
    return bytes([Type.HELLO]) + lv(hello.versions) + hello.nonce + _device(hello.device)


def write_share_a(share: ShareA) -> bytes:
    """The body of SHARE_A."""
    head = bytes([Type.SHARE_A, share.version]) + share.mode.encode()
    return head + share.nonce + share.ya + share.commitment + _device(share.device)


def write_share_b(share: ShareB) -> bytes:
    """The body of SHARE_B."""
    return bytes([Type.SHARE_B]) + share.yb + share.tag


def write_confirm(confirm: Confirm) -> bytes:
    """The body of CONFIRM."""
    return bytes([Type.CONFIRM]) + confirm.tag + confirm.lot.reveal()


def read_hello(body: bytes) -> Hello:
    """Raises FrameBroken."""
    octets = _Octets(body, Type.HELLO)
    versions = octets.counted(MOST_VERSIONS)
    if not versions or any(one >= other for one, other in pairwise(versions)):
        raise FrameBroken
    return Hello(versions, octets.take(NONCE), octets.last_device())


def read_share_a(body: bytes) -> ShareA:
    """Raises FrameBroken."""
    octets = _Octets(body, Type.SHARE_A)
    version, mode = octets.take(1)[0], octets.take(1)
    if mode not in (b"n", b"q"):
        raise FrameBroken
    nonce, ya, commitment = octets.take(NONCE), octets.take(SHARE), octets.take(COMMITMENT)
    return ShareA(version, "n" if mode == b"n" else "q", nonce, ya, commitment, octets.last_device())


def read_share_b(body: bytes) -> ShareB:
    """Raises FrameBroken."""
    octets = _Octets(body, Type.SHARE_B)
    share = ShareB(octets.take(SHARE), octets.take(TAG))
    octets.end()
    return share


def read_confirm(body: bytes) -> Confirm:
    """Raises FrameBroken."""
    octets = _Octets(body, Type.CONFIRM)
    confirm = Confirm(octets.take(TAG), Secret(octets.take(LOT)))
    octets.end()
    return confirm


def seal(key: Secret[bytes], direction: Direction, sequence: int, inner: Inner, content: bytes = b"") -> bytes:
    """A sealed frame, always 16,402 bytes. `sequence`: this direction's own counter, from 0."""
    if len(content) > PADDED - 2:
        raise ValueError("too long for one frame")
    padded = (len(content).to_bytes(2, "big") + content).ljust(PADDED, b"\x00")
    nonce, data = _gcm(direction, sequence, inner)
    return bytes([Type.SEALED, inner]) + AESGCM(key.reveal()).encrypt(nonce, padded, data)


def unseal(key: Secret[bytes], direction: Direction, sequence: int, body: bytes) -> tuple[Inner, bytes]:
    """The inner type and content of the frame that comes next in this direction. Raises FrameBroken."""
    if len(body) != SEALED_BODY or body[0] != Type.SEALED:
        raise FrameBroken
    try:
        inner = Inner(body[1])
        nonce, data = _gcm(direction, sequence, inner)
        padded = AESGCM(key.reveal()).decrypt(nonce, body[2:], data)
    except (ValueError, InvalidTag):
        raise FrameBroken from None
    length = int.from_bytes(padded[:2], "big")
    if length > PADDED - 2 or padded[2 + length :].strip(b"\x00"):
        raise FrameBroken
    return inner, padded[2 : 2 + length]


def write_payload(payload: Payload) -> bytes:
    """The content of PAYLOAD. ValueError: larger than the protocol carries."""
    key_file = payload.key_file.reveal()
    if not 0 < len(payload.certificate) <= MOST_CERTIFICATE or not 0 < len(key_file) <= MOST_KEY_FILE:
        raise ValueError("a payload is a certificate and a key file within their bounds")
    return lv_cat(payload.certificate, key_file)


def read_payload(content: bytes) -> Payload:
    """Raises FrameBroken."""
    octets = _Octets(content)
    certificate, key_file = octets.counted(MOST_CERTIFICATE), octets.counted(MOST_KEY_FILE)
    octets.end()
    if not certificate or not key_file:
        raise FrameBroken
    return Payload(certificate, Secret(key_file))


def is_code(text: str) -> bool:
    """Whether it may stand in REFUSED: 1–64 of a–z, 0–9 and hyphens."""
    return 0 < len(text) <= MOST_CODE and all(one in "abcdefghijklmnopqrstuvwxyz0123456789-" for one in text)


def read_code(content: bytes) -> str:
    """The code of REFUSED; raises FrameBroken."""
    code = content.decode("ascii", "replace")
    if not is_code(code):
        raise FrameBroken
    return code


def is_device(text: str) -> bool:
    """Whether it may be a device text: 1–120 octets of UTF-8 without control, format and separator characters."""
    try:
        length = len(text.encode())
    except UnicodeEncodeError:
        return False
    return 0 < length <= MOST_DEVICE and not any(unicodedata.category(one) in _UNSHOWN for one in text)


_UNSHOWN: Final = frozenset({"Cc", "Cf", "Zl", "Zp"})


def _device(text: str) -> bytes:
    if not is_device(text):
        raise ValueError("no device text")
    return lv(text.encode())


def _gcm(direction: Direction, sequence: int, inner: Inner) -> tuple[bytes, bytes]:
    """Nonce (12 bytes) and associated data of a frame."""
    counter = sequence.to_bytes(8, "big")
    return bytes(4) + counter, direction.encode() + counter + bytes([inner])


class _Octets:
    """Reads a body from its first octet to its last."""

    def __init__(self, body: bytes, kind: Type | None = None) -> None:
        self.body, self.at = body, 0
        if kind is not None and (len(body) > MOST_PLAIN or self.take(1)[0] != kind):
            raise FrameBroken

    def take(self, count: int) -> bytes:
        part = self.body[self.at : self.at + count]
        if len(part) != count:
            raise FrameBroken
        self.at += count
        return part

    def counted(self, most: int) -> bytes:
        """What `lv` wrote: at most two octets of length, none too many."""
        first = self.take(1)[0]
        length = first
        if first >= 128:
            second = self.take(1)[0]
            if not 0 < second < 128:
                raise FrameBroken
            length = first & 127 | second << 7
        if length > most:
            raise FrameBroken
        return self.take(length)

    def last_device(self) -> str:
        try:
            text = self.counted(MOST_DEVICE).decode()
        except UnicodeDecodeError:
            raise FrameBroken from None
        self.end()
        if not is_device(text):
            raise FrameBroken
        return text

    def end(self) -> None:
        if self.at != len(self.body):
            raise FrameBroken
