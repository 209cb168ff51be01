"""What the one who speaks HTTP makes of an answer, so that it is kept ready to send."""

from __future__ import annotations

from typing import NamedTuple, Protocol, TypeVar

R_co = TypeVar("R_co", covariant=True)


class Signed(NamedTuple):
    """A pre-signed answer. `der`: the OCSPResponse; instants: seconds since 1970; `max_age`: seconds, for caches."""

    der: bytes
    this_update: int
    next_update: int
    max_age: int


class Carrier(Protocol):
    """What brings a question: `body` is the OCSPRequest."""

    @property
    def body(self) -> bytes:
        """As received."""


class Bare(NamedTuple):
    """A question that nothing else comes with."""

    body: bytes


class Framing(Protocol[R_co]):
    """Makes replies."""

    def posted(self, answer: Signed) -> R_co:
        """For a POST: nobody keeps it."""

    def fetched(self, answer: Signed) -> R_co:
        """For a GET: caches may keep it for `max_age` (RFC 5019 section 6, security D13)."""

    def once(self, der: bytes) -> R_co:
        """For this question alone: an error, an answer to a nonce, or one about what was never issued."""
