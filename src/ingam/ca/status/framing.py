"""What the one who speaks HTTP makes of an answer, so that it is kept ready to send."""

from __future__ import annotations

from typing import Any, NamedTuple, Protocol, TypeVar

R_co = TypeVar("R_co", covariant=True)


class Signed(NamedTuple):
    """A pre-signed answer. `der`: the OCSPResponse; instants: seconds since 1970; `max_age`: seconds, for caches."""

    der: bytes
    this_update: int
    next_update: int
    max_age: int


class Carrier(Protocol):
    """What brings a question, perhaps again and again. `body`: the OCSPRequest; `memo`: of who answers it."""

    memo: Any

    @property
    def body(self) -> bytes:
        """As received."""


class Bare:
    """A question that nothing else comes with."""

    __slots__ = ("body", "memo")

    def __init__(self, body: bytes) -> None:
        self.body = body
        self.memo: Any = None


class Framing(Protocol[R_co]):
    """Makes replies."""

    def posted(self, answer: Signed) -> R_co:
        """For a POST: nobody keeps it."""

    def fetched(self, answer: Signed) -> R_co:
        """For a GET: caches may keep it for `max_age` (RFC 5019 section 6, security D13)."""

    def once(self, der: bytes) -> R_co:
        """For this question alone: an error, an answer to a nonce, or one about what was never issued."""
