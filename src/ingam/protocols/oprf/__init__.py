"""OPRF(ristretto255, SHA-512) of RFC 9497, base mode: a pseudorandom function of two who tell each other nothing.

The client learns the output for its input and nothing of the key; the server learns neither. Names are the RFC's. The
browser's twin is `browser/src/pure/oprf.ts`. Randomness is a parameter; a key never meets Python's integers bare, for
these do not take constant time.
"""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha512
from typing import Final, NamedTuple

from ingam.kernel.errors import Refusal
from ingam.protocols.mailbox.group import GROUP, Group
from ingam.protocols.mailbox.ristretto import IDENTITY, ORDER, PointRefused

ELEMENT: Final = 32
SCALAR: Final = 32
OUTPUT: Final = 64
SEED: Final = 32
INPUT_MOST: Final = 2**16 - 1
MODE: Final = 0

_CONTEXT: Final = b"OPRFV1-" + bytes([MODE]) + b"-ristretto255-SHA512"
_BLOCK: Final = 128
_WIDE: Final = 64
_ATTEMPTS: Final = 256

Randomness = Callable[[int], bytes]


class ElementRefused(Refusal):
    """The bytes are no element, or the identity."""

    code = "oprf-element"


class InputRefused(Refusal):
    """No input gives this (RFC 9497 InvalidInputError); of a hash it is not to be met."""

    code = "oprf-input"


class Blinded(NamedTuple):
    """`blind`: the client's scalar, which it keeps; `element`: what it sends. 32 bytes each."""

    blind: bytes
    element: bytes


def derive_key(seed: bytes, info: bytes) -> bytes:
    """DeriveKeyPair's private key (§3.2.1): 32 bytes of a seed of 32 bytes, little-endian."""
    if len(seed) != SEED:
        raise ValueError("a seed is 32 bytes")
    given = seed + _lp(info)
    for counter in range(_ATTEMPTS):
        scalar = _hash_to_scalar(given + bytes([counter]), b"DeriveKeyPair" + _CONTEXT)
        if scalar:
            return _written(scalar)
    raise InputRefused


def new_key(random: Randomness) -> bytes:
    """A private key of 64 random bytes, never zero."""
    return _written(_random_scalar(random))


def blind(text: bytes, random: Randomness, group: Group = GROUP) -> Blinded:
    """Blind (§3.3.1). Raises InputRefused."""
    return blind_with(text, _written(_random_scalar(random)), group)


def blind_with(text: bytes, scalar: bytes, group: Group = GROUP) -> Blinded:
    """The same with a given scalar. Raises InputRefused."""
    return Blinded(scalar, group.multiply(scalar, _hash_to_group(text, group)))


def evaluate(key: bytes, element: bytes, random: Randomness, group: Group = GROUP) -> bytes:
    """BlindEvaluate (§3.3.1): 32 bytes. Raises ElementRefused.

    The key is split into two random factors first: what a product takes says nothing of it, whatever the group's code.
    """
    factor = _random_scalar(random)
    rest = int.from_bytes(key, "little") * pow(factor, -1, ORDER) % ORDER
    try:
        return group.multiply(_written(rest), group.multiply(_written(factor), element))
    except PointRefused:
        raise ElementRefused from None


def finalize(text: bytes, scalar: bytes, evaluated: bytes, group: Group = GROUP) -> bytes:
    """Finalize (§3.3.1): 64 bytes. `scalar`: of `blind`. Raises ElementRefused."""
    inverse = pow(int.from_bytes(scalar, "little"), -1, ORDER)
    try:
        element = group.multiply(_written(inverse), evaluated)
    except PointRefused:
        raise ElementRefused from None
    return sha512(_lp(text) + _lp(element) + b"Finalize").digest()


def _hash_to_group(text: bytes, group: Group) -> bytes:
    element = group.derive(_expand(text, b"HashToGroup-" + _CONTEXT, _WIDE))
    if element == IDENTITY:
        raise InputRefused
    return element


def _hash_to_scalar(text: bytes, tag: bytes) -> int:
    return int.from_bytes(_expand(text, tag, _WIDE), "little") % ORDER


def _expand(text: bytes, tag: bytes, size: int) -> bytes:
    """expand_message_xmd with SHA-512 (RFC 9380 §5.3.1), for one block of output."""
    assert size == sha512().digest_size
    if len(text) > INPUT_MOST:
        raise InputRefused
    prime = tag + bytes([len(tag)])
    first = sha512(bytes(_BLOCK) + text + size.to_bytes(2, "big") + b"\0" + prime).digest()
    return sha512(first + b"\x01" + prime).digest()


def _lp(text: bytes) -> bytes:
    if len(text) > INPUT_MOST:
        raise InputRefused
    return len(text).to_bytes(2, "big") + text


def _random_scalar(random: Randomness) -> int:
    """1 … ORDER − 1; the bias of 64 bytes is below 2^-250."""
    return int.from_bytes(random(_WIDE), "little") % (ORDER - 1) + 1


def _written(scalar: int) -> bytes:
    return scalar.to_bytes(SCALAR, "little")
