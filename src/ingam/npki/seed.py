"""SEED, one block at a time, in plain Python (RFC 4269): the fallback where OpenSSL has no legacy provider.

The S-boxes are computed from their definition (powers in GF(2^8) and an affine map), so there is no table to mistype.
Not constant-time: it runs on the person's own machine only.
"""

from __future__ import annotations

from functools import cache
from typing import Final

BLOCK: Final = 16
KEY: Final = 16

_MASK = 0xFFFFFFFF
_GOLDEN = 0x9E3779B9
_POLYNOMIAL = 0x163  # x^8 + x^6 + x^5 + x + 1

# Rows of the affine matrices, most significant output bit first (RFC 4269 names the boxes S0 and S1).
_ROWS_0: Final = (0b10001010, 0b11111110, 0b10000101, 0b01000010, 0b01000101, 0b00100001, 0b10001000, 0b00010100)
_ROWS_1: Final = (0b01000101, 0b10000101, 0b11111110, 0b00100001, 0b10001010, 0b10001000, 0b01000010, 0b00010100)


def multiply(a: int, b: int, polynomial: int) -> int:
    """Product in GF(2^8) modulo the polynomial."""
    product = 0
    while b:
        if b & 1:
            product ^= a
        a <<= 1
        if a & 0x100:
            a ^= polynomial
        b >>= 1
    return product


def power(base: int, exponent: int, polynomial: int) -> int:
    """Power in GF(2^8) modulo the polynomial; 0 to any positive power is 0."""
    result = 1
    while exponent:
        if exponent & 1:
            result = multiply(result, base, polynomial)
        base = multiply(base, base, polynomial)
        exponent >>= 1
    return result


def affine(value: int, rows: tuple[int, ...], constant: int) -> int:
    """Matrix over GF(2) times the bits of `value`, plus a constant; rows from the most significant bit down."""
    out = 0
    for row in rows:
        out = out << 1 | ((row & value).bit_count() & 1)
    return out ^ constant


@cache
def boxes() -> tuple[bytes, bytes]:
    """S0 and S1 of RFC 4269 section 2.2."""
    s0 = bytes(affine(power(x, 247, _POLYNOMIAL), _ROWS_0, 0xA9) for x in range(256))
    s1 = bytes(affine(power(x, 251, _POLYNOMIAL), _ROWS_1, 0x38) for x in range(256))
    return s0, s1


@cache
def _tables() -> tuple[tuple[int, ...], ...]:
    """SS0..SS3 of RFC 4269 appendix A.2: box and masks of the G function in one look-up per byte."""
    masks = ((0xFC, 0xF3, 0xCF, 0x3F), (0xF3, 0xCF, 0x3F, 0xFC), (0xCF, 0x3F, 0xFC, 0xF3), (0x3F, 0xFC, 0xF3, 0xCF))
    tables = []
    for at, around in enumerate(masks):
        box = boxes()[at % 2]
        tables.append(tuple(int.from_bytes(bytes(s & mask for mask in reversed(around)), "big") for s in box))
    return tuple(tables)


def _g(x: int) -> int:
    t0, t1, t2, t3 = _tables()
    return t0[x & 0xFF] ^ t1[x >> 8 & 0xFF] ^ t2[x >> 16 & 0xFF] ^ t3[x >> 24]


def schedule(key: bytes) -> list[tuple[int, int]]:
    """The sixteen round-key pairs of a 16-byte key (RFC 4269 section 2.1)."""
    left, right = int.from_bytes(key[:8], "big"), int.from_bytes(key[8:], "big")
    pairs = []
    for turn in range(16):
        constant = (_GOLDEN << turn | _GOLDEN >> (32 - turn)) & _MASK
        a, b, c, d = left >> 32, left & _MASK, right >> 32, right & _MASK
        pairs.append((_g((a + c - constant) & _MASK), _g((b - d + constant) & _MASK)))
        if turn % 2 == 0:
            left = left >> 8 | (left & 0xFF) << 56
        else:
            right = (right << 8 | right >> 56) & 0xFFFFFFFFFFFFFFFF
    return pairs


def crypt_block(block: bytes, pairs: list[tuple[int, int]]) -> bytes:
    """One 16-byte block under round keys; decryption is the same with the pairs reversed."""
    left, right = int.from_bytes(block[:8], "big"), int.from_bytes(block[8:], "big")
    for k0, k1 in pairs:
        c, d = (right >> 32) ^ k0, (right & _MASK) ^ k1
        d = _g(c ^ d)
        c = _g((c + d) & _MASK)
        d = _g((d + c) & _MASK)
        c = (c + d) & _MASK
        left, right = right, left ^ (c << 32 | d)
    return right.to_bytes(8, "big") + left.to_bytes(8, "big")
