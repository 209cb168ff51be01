"""Somebody outside who says when: a time-stamp authority (RFC 3161)."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple, Protocol

from ingam.kernel.errors import Outage, Refusal


class TimestampOutage(Outage):
    """The authority does not answer, or not with a stamp (facts: cause)."""

    code = "timestamp-outage"


class TimestampInvalid(Refusal):
    """The stamp is not the authority's over this message (facts: cause)."""

    code = "timestamp-invalid"


class Stamp(NamedTuple):
    """`der`: the TimeStampResp as it came; `at`: the time that it says."""

    der: bytes
    at: datetime


class Timestamps(Protocol):
    """A time-stamp authority. Blocks: call it in a thread."""

    def stamp(self, message: bytes) -> Stamp:
        """A stamp over SHA-256 of the message, checked. Raises TimestampOutage, TimestampInvalid."""

    def check(self, der: bytes, message: bytes) -> datetime:
        """The time that a kept stamp says. Raises TimestampInvalid."""
