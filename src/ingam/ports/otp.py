"""보안매체 of a customer: a token that shows one-time codes; its holder is asked for one, not for 미소지고객 인증.

A code is good once. An adapter over our own tables gives the change that uses it up, to save with what it proves; one
that asks an outside party used it up by asking, and gives none.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from ingam.kernel.errors import Outage
from ingam.kernel.secret import Secret
from ingam.ports.store import Change

DIGITS = 6


class OtpOutage(Outage):
    """Whoever checks codes did not answer; nothing was stored, and the try was counted."""

    code = "otp-outage"


@dataclass(frozen=True, slots=True)
class OtpAccepted:
    """The code was right; `rows` use it up."""

    rows: Sequence[Change] = ()


class OtpTokens(Protocol):
    """The tokens that customers hold."""

    async def holds(self, customer_id: str) -> bool:
        """Whether this customer holds a token."""

    async def verify(self, customer_id: str, code: Secret[str]) -> OtpAccepted | None:
        """None for a wrong code or one that was used. Raises OtpOutage."""
