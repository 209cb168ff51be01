"""What every reader of a CMP structure shares: one refusal for bytes that are not what their place asks for."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Final, ParamSpec, TypeVar

from ingam.kernel.errors import Refusal
from ingam.npki import der, scan
from ingam.npki.certificate import CertificateMalformed
from ingam.npki.der import NotDer
from ingam.protocols.cmp.status import CmpRefused

P = ParamSpec("P")
R = TypeVar("R")

MOST_NUMBER: Final = 1 << 31
"""Bound of certReqId, checkAfter, errorCode: what a 32-bit peer can hold."""


def strict(read: Callable[P, R]) -> Callable[P, R]:
    """The reader, refusing with `cmp-malformed` (badDataFormat) whatever DER the bytes are not."""

    @wraps(read)
    def reader(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return read(*args, **kwargs)
        except CmpRefused:
            raise
        except (NotDer, CertificateMalformed) as wrong:
            raise malformed(wrong) from None

    return reader


def malformed(wrong: Refusal) -> CmpRefused:
    """The refusal of a message for what was wrong in its bytes."""
    return CmpRefused("cmp-malformed", None, **wrong.facts)


def number(data: bytes, at: int, limit: int) -> tuple[int, int]:
    """A small INTEGER and where it ends. Raises NotDer."""
    value, end = scan.integer(data, at, limit)
    if not -MOST_NUMBER <= value < MOST_NUMBER:
        raise NotDer(expected="a small number", found=value.bit_length())
    return value, end


def only(data: bytes, at: int, limit: int, tag: int) -> tuple[int, int]:
    """Content of the one element of this tag that fills `at` to `limit`. Raises NotDer."""
    body, end = scan.inside(data, at, limit, tag)
    if end != limit:
        raise NotDer(expected="nothing behind", found=limit - end)
    return body, end


def items(data: bytes, at: int, limit: int, tag: int, most: int) -> list[scan.Part]:
    """The elements of the SEQUENCE OF that fills `at` to `limit`: 1 to `most`, all of one tag. Raises NotDer."""
    body, end = only(data, at, limit, der.SEQUENCE)
    found = scan.parts(data, body, end)
    if not 1 <= len(found) <= most or any(one[0] != tag for one in found):
        raise NotDer(expected=f"1 to {most} elements of {tag:02x}", found=len(found))
    return found
