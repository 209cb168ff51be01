"""ristretto255 for the protocol: libsodium (constant-time, through `pysodium`) where it is installed, else our own.

Both give the same bytes for the same input and refuse the same input; a test holds them to each other.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any, Final, NamedTuple

from ingam.protocols.mailbox import ristretto
from ingam.protocols.mailbox.ristretto import IDENTITY, PointRefused


class Group(NamedTuple):
    """`derive`: 64 bytes → element. `multiply`: (scalar 32 little-endian, element 32) → element, or PointRefused."""

    name: str
    derive: Callable[[bytes], bytes]
    multiply: Callable[[bytes, bytes], bytes]


OURS: Final = Group("ours", ristretto.derive, ristretto.multiply)


def sodium() -> Group | None:
    """The group by libsodium, or None where package or library is missing or too old (before 1.0.18)."""
    try:
        library: Any = import_module("pysodium")
        library.crypto_core_ristretto255_from_hash(bytes(64))
    except (ImportError, OSError, ValueError, AttributeError):
        return None

    def multiply(scalar: bytes, element: bytes) -> bytes:
        if len(scalar) != ristretto.SCALAR or scalar[31] >= 128:
            raise ValueError("a scalar is 32 bytes with a clear top bit")
        try:
            product = bytes(library.crypto_scalarmult_ristretto255(scalar, element))
        except ValueError:
            raise PointRefused from None
        if product == IDENTITY:
            raise PointRefused
        return product

    def derive(uniform: bytes) -> bytes:
        return bytes(library.crypto_core_ristretto255_from_hash(uniform))

    return Group("libsodium", derive, multiply)


GROUP: Final = sodium() or OURS
