"""A value that does not print, pickle, format or enter an exception (security H1)."""

from __future__ import annotations

import hmac
from typing import Generic, NoReturn, TypeVar, final

T = TypeVar("T", str, bytes, bytearray)


@final
class Secret(Generic[T]):
    """Wraps a password, a number, R, a code or key bytes; `reveal()` is the one way back, easy to grep for.

    Equality is constant-time for equal lengths. A bytearray can be overwritten with `wipe()`.
    """

    __slots__ = ("__value",)

    def __init__(self, value: T) -> None:
        self.__value: T = value

    def reveal(self) -> T:
        """The value itself; keep it in one function."""
        return self.__value

    def wipe(self) -> None:
        """Overwrite a bytearray with zeros; a str or bytes cannot be overwritten and is left to the collector."""
        if isinstance(self.__value, bytearray):
            self.__value[:] = bytes(len(self.__value))

    def __repr__(self) -> str:
        return "<secret>"

    __str__ = __repr__

    def __format__(self, spec: str) -> str:
        return "<secret>"

    def __len__(self) -> int:
        return len(self.__value)

    def __bool__(self) -> bool:
        return len(self.__value) > 0

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        return hmac.compare_digest(_bytes(self.__value), _bytes(other.reveal()))

    def __hash__(self) -> NoReturn:
        raise TypeError("a secret is no dictionary key")

    def __reduce__(self) -> NoReturn:
        raise TypeError("a secret does not pickle")


def _bytes(value: str | bytes | bytearray) -> bytes:
    return value.encode() if isinstance(value, str) else bytes(value)
