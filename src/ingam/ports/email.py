"""E-mail to a customer: plain text, and no link (flows.md)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

from ingam.kernel.errors import Outage


class EmailOutage(Outage):
    """The mail server did not take the message; it may be tried again under the same reference."""

    code = "email-outage"


@dataclass(frozen=True, slots=True)
class Email:
    """`to`: one address. `reference`: the same one is the same message, whose Message-ID says so."""

    to: str = field(repr=False)
    subject: str = field(repr=False)
    text: str = field(repr=False)
    reference: str


class EmailSender(Protocol):
    """Hands a message to the mail server."""

    async def send(self, email: Email) -> None:
        """Returns when the server has taken it. Raises EmailOutage."""
