"""ARIA, one block at a time, in plain Python (RFC 5794): the fallback where no system libcrypto offers it.

The boxes are computed from their definition. A round is sixteen look-ups in 128-bit tables that hold substitution and
diffusion together. Not constant-time: it runs on the person's own machine only.
"""

from __future__ import annotations

from functools import cache
from typing import Final

from ingam.npki.seed import affine, power

BLOCK: Final = 16

_POLYNOMIAL = 0x11B
_FULL = (1 << 128) - 1

# Rows of the affine matrices, most significant output bit first (RFC 5794 section 2.4.2).
_ROWS_1: Final = (0b11111000, 0b01111100, 0b00111110, 0b00011111, 0b10001111, 0b11000111, 0b11100011, 0b11110001)
_ROWS_2: Final = (0b11001011, 0b10111010, 0b10000001, 0b00110100, 0b10111001, 0b11101011, 0b10111100, 0b01111010)

_C: Final = (
    0x517CC1B727220A94FE13ABE8FA9A6EE0,
    0x6DB14ACC9E21C820FF28B1D5EF5DE2B0,
    0xDB92371D2126E9700324977504E8C90E,
)

# Row i: the input bytes that make output byte i of the diffusion layer A (RFC 5794 section 2.4.3).
_DIFFUSION: Final = (
    (3, 4, 6, 8, 9, 13, 14),
    (2, 5, 7, 8, 9, 12, 15),
    (1, 4, 6, 10, 11, 12, 15),
    (0, 5, 7, 10, 11, 13, 14),
    (0, 2, 5, 8, 11, 14, 15),
    (1, 3, 4, 9, 10, 14, 15),
    (0, 2, 7, 9, 10, 12, 13),
    (1, 3, 6, 8, 11, 12, 13),
    (0, 1, 4, 7, 10, 13, 15),
    (0, 1, 5, 6, 11, 12, 14),
    (2, 3, 5, 6, 8, 13, 15),
    (2, 3, 4, 7, 9, 12, 14),
    (1, 2, 6, 7, 9, 11, 12),
    (0, 3, 6, 7, 8, 10, 13),
    (0, 3, 4, 5, 9, 11, 14),
    (1, 2, 4, 5, 8, 10, 15),
)


@cache
def boxes() -> tuple[bytes, bytes, bytes, bytes]:
    """SB1, SB2 and their inverses SB3, SB4 (RFC 5794 section 2.4.2)."""
    sb1 = bytes(affine(power(x, 254, _POLYNOMIAL), _ROWS_1, 0x63) for x in range(256))
    sb2 = bytes(affine(power(x, 247, _POLYNOMIAL), _ROWS_2, 0xE2) for x in range(256))
    return sb1, sb2, _inverse(sb1), _inverse(sb2)


def _inverse(box: bytes) -> bytes:
    out = bytearray(256)
    for x, s in enumerate(box):
        out[s] = x
    return bytes(out)


@cache
def _spread() -> tuple[int, ...]:
    """For input byte i: 01 in every output byte that it reaches, as one 128-bit number."""
    return tuple(sum(1 << 8 * (15 - j) for j, row in enumerate(_DIFFUSION) if i in row) for i in range(16))


@cache
def _tables(kind: int) -> tuple[tuple[int, ...], ...]:
    """Substitution layer 1 (odd rounds) or 2 (even rounds) followed by diffusion, by byte position."""
    order = boxes() if kind == 1 else boxes()[2:] + boxes()[:2]
    return tuple(tuple(mask * s for s in order[i % 4]) for i, mask in enumerate(_spread()))


def _round(state: int, kind: int) -> int:
    out = 0
    for table, octet in zip(_tables(kind), state.to_bytes(16, "big"), strict=True):
        out ^= table[octet]
    return out


def _diffuse(state: int) -> int:
    out = 0
    for mask, octet in zip(_spread(), state.to_bytes(16, "big"), strict=True):
        out ^= mask * octet
    return out


def _rotate(value: int, right: int) -> int:
    """Rotation to the right; a negative count rotates to the left."""
    right %= 128
    return (value >> right | value << (128 - right)) & _FULL


def encryption_keys(key: bytes) -> list[int]:
    """The 13, 15 or 17 round keys of a key of 16, 24 or 32 bytes (RFC 5794 section 2.2)."""
    padded = int.from_bytes(key.ljust(32, b"\0"), "big")
    left, right = padded >> 128, padded & _FULL
    first = len(key) // 8 - 2
    c1, c2, c3 = (_C[(first + i) % 3] for i in range(3))
    w0 = left
    w1 = _round(w0 ^ c1, 1) ^ right
    w2 = _round(w1 ^ c2, 2) ^ w0
    w3 = _round(w2 ^ c3, 1) ^ w1
    w = (w0, w1, w2, w3)
    keys = [w[i] ^ _rotate(w[(i + 1) % 4], turn) for turn in (19, 31, -61, -31) for i in range(4)]
    keys.append(w0 ^ _rotate(w1, -19))
    return keys[: len(key) // 4 + 9]


def decryption_keys(key: bytes) -> list[int]:
    """The round keys of decryption: reversed, the inner ones diffused."""
    keys = encryption_keys(key)[::-1]
    return [keys[0], *map(_diffuse, keys[1:-1]), keys[-1]]


def crypt_block(block: bytes, keys: list[int]) -> bytes:
    """One 16-byte block under round keys of either direction (RFC 5794 section 2.3)."""
    state = int.from_bytes(block, "big")
    last = len(keys) - 2
    for turn in range(last):
        state = _round(state ^ keys[turn], 1 if turn % 2 == 0 else 2)
    order = boxes()[2:] + boxes()[:2]
    substituted = bytes(order[i % 4][octet] for i, octet in enumerate((state ^ keys[last]).to_bytes(16, "big")))
    return (int.from_bytes(substituted, "big") ^ keys[-1]).to_bytes(16, "big")
