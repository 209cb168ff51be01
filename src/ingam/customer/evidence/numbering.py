"""Numbers of receipts, allotted before the act is signed: they stand in the text, and are signed with it (A19).

Nothing is stored before the act. A number travels through the page with a keyed digest of it and of the session, so
that nobody chooses one and none is used by another session.
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Callable
from typing import Final

from ingam.customer.session import Session
from ingam.kernel.errors import Refusal
from ingam.kernel.instants import KST
from ingam.ports.clock import Clock
from ingam.ports.keys import Digests

DIGITS: Final = 10
PURPOSE: Final = "receipt-number"


class NumberNotAllotted(Refusal):
    """The number is not one that this session was given; nothing happened, and the page brings another."""

    code = "receipt-number"


class Numbers:
    """Allots them. `below`: a random integer in 0 … n-1."""

    def __init__(self, digests: Digests, clock: Clock, below: Callable[[int], int] = secrets.randbelow) -> None:
        self._digests = digests
        self._clock = clock
        self._below = below

    def allot(self, session: Session) -> str:
        """A new one as the page carries it: `20261126-0048213907.<64 hex>`.

        The day in Korea, and ten digits that say nothing of how many there were.
        """
        day = self._clock.now().astimezone(KST)
        number = f"{day:%Y%m%d}-{self._below(10**DIGITS):0{DIGITS}}"
        return f"{number}.{self._seal(session, number)}"

    def number(self, session: Session, carried: str) -> str:
        """The number itself. Raises NumberNotAllotted."""
        number, _, seal = carried.partition(".")
        if not hmac.compare_digest(self._seal(session, number).encode(), seal.encode()):
            raise NumberNotAllotted
        return number

    def _seal(self, session: Session, number: str) -> str:
        return self._digests.digest(PURPOSE, f"{session.session} {number}")
