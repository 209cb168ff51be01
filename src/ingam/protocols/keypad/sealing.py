"""How what was typed travels: a list of keys and of typed text, padded to one length, sealed by HPKE (security E12).

Blob: key id (16 ASCII hex) ‖ encapsulated key (65 bytes) ‖ ciphertext, always `BLOB` bytes, whatever was typed. The
HPKE info binds it to one keypad, flow and field. A physical keyboard's text is sealed the same way. Both roles: the
center's pages do this in `browser/src/pure/keypad/sealing.ts`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256, shake_256
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from ingam.kernel.errors import Refusal
from ingam.kernel.secret import Secret

LABEL: Final = b"ingam/keypad/1"
KEY_ID: Final = 16
ENCAPSULATED: Final = 65
PLAIN: Final = 512
BLOB: Final = KEY_ID + ENCAPSULATED + PLAIN + 16
SUITE: Final = Suite(KEM.P256, KDF.HKDF_SHA256, AEAD.AES_256_GCM)
_KEY: Final = 1
_TEXT: Final = 2
_STREAM: Final = 4096


class KeypadUnreadable(Refusal):
    """Sealed for another keypad, field or flow, altered, or a list of keys that this layout does not have."""

    code = "keypad-unreadable"


@dataclass(frozen=True, slots=True)
class Where:
    """What a blob is bound to. `keypad`: 32 lower hex, one keypad session; `flow`, `field`: names of forms.py."""

    keypad: str
    flow: str
    field: str


@dataclass(frozen=True, slots=True)
class Pressed:
    """A key of the layout, by its id (4 lower hex)."""

    id: str


def seal_info(key_id: str, where: Where) -> bytes:
    """The HPKE info: label, key id, SHA-256 of three lines."""
    lines = f"keypad: {where.keypad}\nflow: {where.flow}\nfield: {where.field}\n"
    return LABEL + key_id.encode("ascii") + sha256(lines.encode("ascii")).digest()


def packed(items: Sequence[Pressed | str]) -> bytes:
    """PLAIN bytes: length (2) ‖ items ‖ zeros. An item is 01 ‖ id (2) or 02 ‖ length (1) ‖ UTF-8. Raises ValueError."""
    body = b"".join(_item(one) for one in items)
    if len(body) > PLAIN - 2:
        raise ValueError("too long")
    return len(body).to_bytes(2, "big") + body + bytes(PLAIN - 2 - len(body))


def _item(item: Pressed | str) -> bytes:
    if isinstance(item, Pressed):
        return bytes([_KEY]) + bytes.fromhex(item.id)
    text = item.encode()
    chunks = [text[at : at + 255] for at in range(0, len(text), 255)]
    return b"".join(bytes([_TEXT, len(chunk)]) + chunk for chunk in chunks)


def unpacked(plain: bytes, glyphs: Mapping[str, str]) -> Secret[str]:
    """What was typed: keys resolved by the layout, text as it is. Raises KeypadUnreadable for anything else."""
    if len(plain) != PLAIN:
        raise KeypadUnreadable
    end = 2 + int.from_bytes(plain[:2], "big")
    if end > PLAIN or any(plain[end:]):
        raise KeypadUnreadable
    try:
        return Secret(b"".join(_pieces(plain[2:end], glyphs)).decode())
    except (KeyError, IndexError, UnicodeDecodeError):
        raise KeypadUnreadable from None


def _pieces(body: bytes, glyphs: Mapping[str, str]) -> list[bytes]:
    pieces, at = [], 0
    while at < len(body):
        tag = body[at]
        length = 2 if tag == _KEY else body[at + 1]
        start = at + 1 if tag == _KEY else at + 2
        at = start + length
        if tag not in (_KEY, _TEXT) or at > len(body):
            raise IndexError
        piece = body[start:at]
        pieces.append(glyphs[piece.hex()].encode() if tag == _KEY else piece)
    return pieces


@dataclass(frozen=True, slots=True)
class KeypadKey:
    """The center's key pair for keypads, in memory, replaced daily; layouts are drawn from it, so none is stored."""

    private: ec.EllipticCurvePrivateKey

    @property
    def public(self) -> bytes:
        """The uncompressed P-256 point, 65 bytes."""
        return self.private.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)

    @property
    def key_id(self) -> str:
        """Names the key inside every blob: 16 lower hex of its public hash."""
        return sha256(self.public).hexdigest()[:KEY_ID]

    def stream(self, where: Where) -> Callable[[int], bytes]:
        """The random bytes of one field's layout; the same for the same place, unknown without the private key."""
        secret = self.private.private_numbers().private_value.to_bytes(32, "big")
        drawn = shake_256(LABEL + b" layout" + secret + seal_info(self.key_id, where)).digest(_STREAM)
        at = 0

        def take(count: int) -> bytes:
            nonlocal at
            if at + count > _STREAM:
                raise ValueError("a layout takes a tenth of this")
            at += count
            return drawn[at - count : at]

        return take

    def open(self, blob: bytes, where: Where, glyphs: Mapping[str, str]) -> Secret[str]:
        """What was typed. Raises KeypadUnreadable."""
        if len(blob) != BLOB or key_id_of(blob) != self.key_id:
            raise KeypadUnreadable
        try:
            plain = SUITE.decrypt(blob[KEY_ID:], self.private, info=seal_info(self.key_id, where))
        except (InvalidTag, ValueError):
            raise KeypadUnreadable from None
        return unpacked(plain, glyphs)


def key_id_of(blob: bytes) -> str:
    """The key that a blob names. Raises KeypadUnreadable for bytes that name none."""
    try:
        return blob[:KEY_ID].decode("ascii")
    except UnicodeDecodeError:
        raise KeypadUnreadable from None


def seal(public: bytes, items: Sequence[Pressed | str], where: Where) -> bytes:
    """What the browser does, for tests and other clients. `public`: 65 bytes. Raises ValueError."""
    key = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), public)
    key_id = sha256(public).hexdigest()[:KEY_ID]
    return key_id.encode("ascii") + SUITE.encrypt(packed(items), key, info=seal_info(key_id, where))
