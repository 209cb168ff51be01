"""The automatic call of 2채널 인증 (ARS승인): a telephone is rung, and what it keys in is compared at the other end.

The voice says who calls and for what before it asks for the two digits of the screen, and that `0` refuses (security
E4). Only a final state counts, and it comes from the adapter's own question, never from a callback (E7).
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, Protocol

from ingam.kernel.errors import Outage
from ingam.kernel.secret import Secret

RINGING_S: Final = 30
"""How long a telephone rings at most."""

ANSWERING_S: Final = 60
"""How long an answered call lasts at most."""

CODE_DIGITS: Final = "123456789"
"""What both digits of a code are drawn from: `0` refuses, at any moment of the call."""


class CallState(StrEnum):
    """Where a call stands. The first three pass; the last six are final.

    REFUSED: `0` was pressed, the alarm of E4. NO_ANSWER: nobody took the call, or it was declined. FAILED: the number
    cannot be reached, or the call ended before two digits.
    """

    PLACED = "placed"
    RINGING = "ringing"
    ANSWERED = "answered"
    APPROVED = "approved"
    WRONG = "wrong"
    REFUSED = "refused"
    NO_ANSWER = "no-answer"
    BUSY = "busy"
    FAILED = "failed"

    @property
    def final(self) -> bool:
        """No state comes after this one."""
        return self in FINAL


FINAL: Final = frozenset(
    {
        CallState.APPROVED,
        CallState.WRONG,
        CallState.REFUSED,
        CallState.NO_ANSWER,
        CallState.BUSY,
        CallState.FAILED,
    }
)


class ArsOutage(Outage):
    """The call was not placed: no telephone rang, and the customer's count of calls stays as it was."""

    code = "ars-outage"


@dataclass(frozen=True, slots=True)
class Call:
    """One call. `call_id`: 32 hex digits, unguessable, ours; the same one is placed once. `to`: digits. `code`: the two
    digits of the screen. `lang`: ko or en. `institution` and `purpose`: phrases that the voice says first."""

    call_id: str
    to: str = field(repr=False)
    code: Secret[str] = field(repr=False)
    lang: str
    institution: str
    purpose: str


class ArsCaller(Protocol):
    """Places a call and tells of it; the digits are compared there, in constant time."""

    def place(self, call: Call) -> AsyncIterator[CallState]:
        """The states as they come (an async generator); the last one is final.

        Raises ArsOutage before anything rang. After the first state no Outage is raised any more: what goes wrong
        later is FAILED. Closing the generator hangs up.
        """

    async def aclose(self) -> None:
        """Hang up and close what is open."""
