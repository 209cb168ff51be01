"""Keys from passwords: PBKDF1 and PBKDF2 (RFC 8018), and the derivation of PKCS#12 (RFC 7292 appendix B).

Iteration counts are bounded by whoever parses them, before anything here is called.
"""

from __future__ import annotations

import hashlib
from enum import StrEnum
from itertools import repeat
from typing import Final

from ingam.npki import libcrypto


class Prf(StrEnum):
    """The pseudo-random function of PBKDF2: an HMAC."""

    SHA1 = "hmac-sha1"
    SHA256 = "hmac-sha256"


MOST_ITERATIONS: Final = 1_000_000
"""More is refused before computing (npki.md section 1): a hostile file may not buy minutes of work."""

PKCS12_KEY: Final = 1
PKCS12_IV: Final = 2
PKCS12_MAC: Final = 3


def pbkdf1_sha1(password: bytes, salt: bytes, iterations: int) -> bytes:
    """The whole 20 bytes of PBKDF1 with SHA-1 (RFC 8018 section 5.1)."""
    return libcrypto.pbkdf1_sha1(password, salt, iterations) or plain_pbkdf1_sha1(password, salt, iterations)


def plain_pbkdf1_sha1(password: bytes, salt: bytes, iterations: int) -> bytes:
    """The same by hashlib, where the system's libcrypto has no PBKDF1."""
    sha1 = hashlib.sha1
    digest = sha1(password + salt, usedforsecurity=False).digest()
    # The loop is all of the time that opening a key takes: local names, no counter, one positional argument.
    for _ in repeat(None, iterations - 1):
        digest = sha1(digest).digest()
    return digest


def pbkdf2(prf: Prf, password: bytes, salt: bytes, iterations: int, size: int) -> bytes:
    """`size` bytes of PBKDF2 (RFC 8018 section 5.2)."""
    return hashlib.pbkdf2_hmac(prf.removeprefix("hmac-"), password, salt, iterations, size)


def pkcs12(hash_name: str, purpose: int, password: bytes, salt: bytes, iterations: int, size: int) -> bytes:
    """`size` bytes for one of the PKCS12_… purposes; `password` as `pkcs12_password` gives it."""
    new = getattr(hashlib, hash_name)
    block = new().block_size
    diversifier = bytes((purpose,)) * block
    blocks = bytearray(_filled(salt, block) + _filled(password, block))
    out = b""
    while len(out) < size:
        digest = new(diversifier + blocks).digest()
        for _ in repeat(None, iterations - 1):
            digest = new(digest).digest()
        out += digest
        _advance(blocks, _filled(digest, block)[:block], block)
    return out[:size]


def pkcs12_password(password: bytes) -> bytes:
    """BMPString with its two zero bytes (RFC 7292 appendix B.1); bytes that are no UTF-8 are read as CP949."""
    try:
        text = password.decode("utf-8")
    except UnicodeDecodeError:
        text = password.decode("cp949", "replace")
    return text.encode("utf-16-be") + b"\0\0"


def _filled(source: bytes, block: int) -> bytes:
    """Copies of `source` to a multiple of the block (RFC 7292 appendix B.2, steps 2 and 3)."""
    size = -(-len(source) // block) * block
    return (source * (size // max(len(source), 1) + 1))[:size]


def _advance(blocks: bytearray, step: bytes, block: int) -> None:
    """Adds B + 1 to every block modulo its size (RFC 7292 appendix B.2, step 6C)."""
    add, modulus = int.from_bytes(step, "big") + 1, 1 << 8 * block
    for at in range(0, len(blocks), block):
        value = (int.from_bytes(blocks[at : at + block], "big") + add) % modulus
        blocks[at : at + block] = value.to_bytes(block, "big")
