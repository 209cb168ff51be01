"""G.711 μ-law: eight bits for a sample of sixteen (ITU-T G.711; the standard library's audioop is gone)."""

from __future__ import annotations

import array
from collections.abc import Iterable
from functools import cache
from typing import Final

RATE: Final = 8000
"""Samples a second."""

SILENCE: Final = 0xFF
"""The byte of zero."""

_BIAS: Final = 0x84
_CLIP: Final = 32635


def encode(samples: Iterable[int]) -> bytes:
    """Samples of -32768…32767."""
    table = _encoding()
    return bytes(table[sample & 0xFFFF] for sample in samples)


def decode(data: bytes) -> array.array[int]:
    """Samples of 16 bits, in the machine's order."""
    table = _decoding()
    return array.array("h", (table[one] for one in data))


def _byte(sample: int) -> int:
    sign = 0x80 if sample < 0 else 0
    magnitude = min(abs(sample), _CLIP) + _BIAS
    exponent = magnitude.bit_length() - 8
    return ~(sign | exponent << 4 | (magnitude >> (exponent + 3)) & 0x0F) & 0xFF


def _sample(byte: int) -> int:
    told = ~byte & 0xFF
    magnitude = ((((told & 0x0F) << 3) + _BIAS) << ((told >> 4) & 7)) - _BIAS
    return -magnitude if told & 0x80 else magnitude


@cache
def _encoding() -> bytes:
    return bytes(_byte(one if one < 0x8000 else one - 0x10000) for one in range(0x10000))


@cache
def _decoding() -> tuple[int, ...]:
    return tuple(_sample(one) for one in range(256))
