"""The SMS provider."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

from ingam.kernel.errors import Outage


class SmsOutage(Outage):
    """The provider did not take the message; it may be tried again under the same reference."""

    code = "sms-outage"


@dataclass(frozen=True, slots=True)
class Sms:
    """`to`: digits. `text`: up to 90 bytes in EUC-KR as SMS, else LMS. `reference`: the same one is sent once."""

    to: str = field(repr=False)
    text: str = field(repr=False)
    reference: str


class SmsSender(Protocol):
    """Hands a message to the provider."""

    async def send(self, sms: Sms) -> str:
        """The provider's message id. Raises SmsOutage."""
