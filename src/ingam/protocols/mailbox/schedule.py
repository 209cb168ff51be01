"""From the session key to everything that is used: keys by direction and purpose, both tags, the check words (C9).

TH is the hash of the whole transcript and the salt of every key, so that two devices that saw different messages
share nothing. No key has two uses. The words also depend on a lot that the sender draws, commits to in SHARE_A and
shows in CONFIRM: who answers last could else try shares until the words are those of its choice.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from hashlib import sha256, sha512
from typing import Final, Literal

from cryptography.hazmat.primitives.hashes import SHA512
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from ingam.kernel.secret import Secret
from ingam.protocols.mailbox.cpace import lv_cat

Direction = Literal["sender to receiver", "receiver to sender"]
Mode = Literal["n", "q"]

LABEL: Final = "ingam-copy/1"
TO_RECEIVER: Final[Direction] = "sender to receiver"
TO_SENDER: Final[Direction] = "receiver to sender"
TAG: Final = 32
LOT: Final = 16
COMMITMENT: Final = 32


@dataclass(frozen=True, slots=True)
class Keys:
    """`to_receiver`, `to_sender`: AES-256 keys by direction. `tag_b`, `tag_a`: what the receiver and the sender send to
    confirm. `words`: the key of the check words, of use with the sender's lot alone.
    """

    to_receiver: Secret[bytes]
    to_sender: Secret[bytes]
    tag_b: Secret[bytes]
    tag_a: Secret[bytes]
    words: Secret[bytes]


def password(mode: Mode, secret: Secret[str], qr: Secret[bytes] | None) -> bytes:
    """PRS: protocol, mode, the seven digits, and the QR's sixteen bytes in mode `q` (empty in mode `n`)."""
    if mode == "q" and qr is None:
        raise ValueError("mode q needs the QR's bytes")
    octets = qr.reveal() if mode == "q" and qr is not None else b""
    return lv_cat(LABEL.encode(), mode.encode(), secret.reveal().encode("ascii"), octets)


def channel(relay: str, mailbox: str) -> bytes:
    """CI: both roles, the relay's origin, the mailbox (5 digits)."""
    return lv_cat(b"sender", b"receiver", relay.encode("ascii"), mailbox.encode("ascii"))


def sender_data(version: int, mode: Mode, device: str) -> bytes:
    """ADa: role, the version chosen, mode, the sender's device text."""
    return lv_cat(b"sender", bytes([version]), mode.encode(), device.encode())


def receiver_data(versions: bytes, mode: Mode, device: str) -> bytes:
    """ADb: role, the versions offered, mode, the receiver's device text."""
    return lv_cat(b"receiver", versions, mode.encode(), device.encode())


def transcript(hello: bytes, share_a: bytes, yb: bytes) -> bytes:
    """TH, 64 bytes, over the whole HELLO and SHARE_A bodies (type octet included) and Yb."""
    return sha512(lv_cat(hello, share_a, yb)).digest()


def keys(isk: Secret[bytes], th: bytes) -> Keys:
    """All that both devices share. `isk`, `th`: 64 bytes each."""
    tag_b = _mac(_key(isk, th, "confirm receiver"), th)
    tag_a = _mac(_key(isk, th, "confirm sender"), th + tag_b)
    return Keys(
        Secret(_key(isk, th, TO_RECEIVER)),
        Secret(_key(isk, th, TO_SENDER)),
        Secret(tag_b),
        Secret(tag_a),
        Secret(_key(isk, th, "words")),
    )


def commitment(lot: Secret[bytes]) -> bytes:
    """What SHARE_A says of the sender's lot (16 bytes): 32 bytes that hide it and fit no other. Else ValueError."""
    if len(lot.reveal()) != LOT:
        raise ValueError("a lot has sixteen bytes")
    return sha256(lv_cat(f"{LABEL} words".encode(), lot.reveal())).digest()


def fits(lot: Secret[bytes], committed: bytes) -> bool:
    """Whether it is the lot that was committed to; in constant time."""
    return hmac.compare_digest(commitment(lot), committed)


def words(keys: Keys, lot: Secret[bytes]) -> tuple[int, int]:
    """The check words as two indices, 0–1023: the first 20 bits of HMAC-SHA-256 over the lot."""
    return _words(_mac(keys.words.reveal(), lot.reveal()))


def same(tag: bytes, expected: Secret[bytes]) -> bool:
    """Compares a tag in constant time."""
    return hmac.compare_digest(tag, expected.reveal())


def _key(isk: Secret[bytes], th: bytes, purpose: str) -> bytes:
    return HKDF(SHA512(), 32, salt=th, info=f"{LABEL} {purpose}".encode()).derive(isk.reveal())


def _mac(key: bytes, message: bytes) -> bytes:
    return hmac.digest(key, message, "sha256")


def _words(octets: bytes) -> tuple[int, int]:
    """The first 20 bits as two numbers of 10."""
    bits = int.from_bytes(octets[:4], "big")
    return bits >> 22, bits >> 12 & 1023
