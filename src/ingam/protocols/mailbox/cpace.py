"""CPACE-RISTRETTO255-SHA512 of draft-irtf-cfrg-cpace-21, in the initiator-responder setting (security C6).

The draft's names are kept: PRS (what both know), CI (channel), sid (session), ADa, ADb (associated data), Ya, Yb
(shares), K (secret point), ISK (intermediate session key).
"""

from __future__ import annotations

from hashlib import sha512
from typing import Final

from ingam.protocols.mailbox.group import GROUP, Group

DSI: Final = b"CPaceRistretto255"
DSI_ISK: Final = DSI + b"_ISK"
BLOCK: Final = 128
SHARE: Final = 32
ISK: Final = 64


def lv(value: bytes) -> bytes:
    """`prepend_len` of the draft: the length in unsigned LEB128, then the bytes."""
    length, octets = len(value), bytearray()
    while length >= 128:
        octets.append(length & 127 | 128)
        length >>= 7
    return bytes(octets) + bytes([length]) + value


def lv_cat(*values: bytes) -> bytes:
    """Every value with its length, one after the other."""
    return b"".join(map(lv, values))


def generator_string(prs: bytes, ci: bytes, sid: bytes) -> bytes:
    """What is hashed to the generator; zeros fill the first SHA-512 block (§7.1 of the draft)."""
    padding = max(0, BLOCK - len(lv(prs)) - len(lv(DSI)) - 1)
    return lv_cat(DSI, prs, bytes(padding), ci, sid)


def generator(prs: bytes, ci: bytes, sid: bytes, group: Group = GROUP) -> bytes:
    """The generator of this run, encoded (32 bytes): as secret as `prs` is."""
    return group.derive(sha512(generator_string(prs, ci, sid)).digest())


def scalar(random: bytes) -> bytes:
    """`sample_scalar`: 32 random bytes with all bits above 2^252 cleared, little-endian."""
    if len(random) != 32:
        raise ValueError("a scalar is made of 32 random bytes")
    return random[:31] + bytes([random[31] & 0x0F])


def share(secret: bytes, of: bytes, group: Group = GROUP) -> bytes:
    """Y = y·g. Raises PointRefused (a zero scalar)."""
    return group.multiply(secret, of)


def secret_point(secret: bytes, peer: bytes, group: Group = GROUP) -> bytes:
    """K = y·Y of the peer; raises PointRefused where the draft says abort: no element, or the identity."""
    return group.multiply(secret, peer)


def isk(sid: bytes, point: bytes, share_a: tuple[bytes, bytes], share_b: tuple[bytes, bytes]) -> bytes:
    """The intermediate session key, 64 bytes. `share_a`, `share_b`: (Y, AD) of initiator and responder."""
    return sha512(lv_cat(DSI_ISK, sid, point) + lv_cat(*share_a) + lv_cat(*share_b)).digest()
