"""RC2, one block at a time (RFC 2268): some old .pfx files hide their certificates under it.

For reading only; nothing is ever written with it.
"""

from __future__ import annotations

from typing import Final

BLOCK: Final = 8

# From the digits of pi (RFC 2268 section 2).
PITABLE: Final = bytes.fromhex(
    "d978f9c419ddb5ed28e9fd794aa0d89dc67e37832b76538e624c6488448bfba2"
    "179a59f587b34f1361456d8d09817d32bd8f40eb86b77b0bf09521225c6b4e82"
    "54d66593ce60b21c7356c014a78cf1dc1275ca1f3bbee4d1423dd430a33cb626"
    "6fbf0eda4669075727f21d9bbc944303f811c7f690ef3ee706c3d52fc8661ed7"
    "08e8eade8052eef784aa72ac354d6a2a961ad2715a1549744b9fd05e0418a4ec"
    "c2e0416e0f51cbcc2491af50a1f47039997c3a8523b8b47afc02365b25559731"
    "2d5dfa98e38a92ae05df2910676cbac9d300e6cfe19ea82c6316013f58e289a9"
    "0d38341bab33ffb0bb480c5fb9b1cd2ec5f3db47e5a59c770aa62068fe7fc1ad"
)

_MASK = 0xFFFF
_SHIFTS: Final = (1, 2, 3, 5)


def schedule(key: bytes, effective_bits: int) -> list[int]:
    """The 64 words of an expanded key (RFC 2268 section 2)."""
    size = len(key)
    buffer = bytearray(key) + bytearray(128 - size)
    for i in range(size, 128):
        buffer[i] = PITABLE[(buffer[i - 1] + buffer[i - size]) & 0xFF]
    octets = (effective_bits + 7) // 8
    buffer[128 - octets] = PITABLE[buffer[128 - octets] & (0xFF >> (8 * octets - effective_bits))]
    for i in range(127 - octets, -1, -1):
        buffer[i] = PITABLE[buffer[i + 1] ^ buffer[i + octets]]
    return [int.from_bytes(buffer[i : i + 2], "little") for i in range(0, 128, 2)]


def decrypt_block(block: bytes, words: list[int]) -> bytes:
    """One 8-byte block (RFC 2268 section 4): five, six and five mixing rounds with a mashing round between."""
    r = [int.from_bytes(block[i : i + 2], "little") for i in range(0, 8, 2)]
    at = 63
    for rounds in (5, 6, 5):
        for _ in range(rounds):
            at = _unmix(r, words, at)
        if at >= 0:
            _unmash(r, words)
    return b"".join(word.to_bytes(2, "little") for word in r)


def _unmix(r: list[int], words: list[int], at: int) -> int:
    for i in (3, 2, 1, 0):
        shift = _SHIFTS[i]
        turned = (r[i] >> shift | r[i] << (16 - shift)) & _MASK
        one, two, three = r[i - 1], r[i - 2], r[i - 3]
        r[i] = (turned - words[at] - (one & two) - (~one & three)) & _MASK
        at -= 1
    return at


def _unmash(r: list[int], words: list[int]) -> None:
    for i in (3, 2, 1, 0):
        r[i] = (r[i] - words[r[i - 1] & 63]) & _MASK
