"""금융인증서 (facts.md §10): a certificate in a provider's cloud, whose own window a person opens to sign a text.

The provider is spoken to from server to server. The person comes back from its window with a word that only the
browser that finished there has seen; without it a signature is not given out, so that a window's address that was sent
to somebody else signs nothing for its sender (security E7). No script of the provider runs in a document of ours (B5).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Protocol

from ingam.kernel.errors import Outage, Refusal
from ingam.kernel.secret import Secret


class FinanceCertOutage(Outage):
    """The provider did not answer, or not in form; nothing was signed for us."""

    code = "finance-cert-outage"


class FinanceCertUnfinished(Refusal):
    """There is no signature to be had: see `Stage`, which fact `stage` names. Nothing happened here."""

    code = "finance-cert-unfinished"


class Stage(StrEnum):
    """What became of a window. OPEN: still there. UNKNOWN: no such one, taken already, or not this browser's."""

    OPEN = "open"
    CANCELLED = "cancelled"
    LOCKED = "locked"
    EXPIRED = "expired"
    UNKNOWN = "unknown"


class Purpose(StrEnum):
    """What the provider's window says that the signature is for."""

    LOGIN = "login"
    REGISTER = "register"


@dataclass(frozen=True, slots=True)
class Asked:
    """`text`: the exact bytes to be signed, ASCII, at most 2048; `return_to`: where the window leads back to."""

    text: bytes = field(repr=False)
    purpose: Purpose
    return_to: str
    lang: str = "ko"


@dataclass(frozen=True, slots=True)
class Started:
    """`transaction`: 32 lower hex, unguessable, kept here and shown to nobody; `window`: the address to open."""

    transaction: str = field(repr=False)
    window: str = field(repr=False)
    expires: datetime


@dataclass(frozen=True, slots=True, repr=False)
class Signed:
    """What the provider gives out, once. Nothing in it is verified yet.

    `signed`: DER of a CMS SignedData over the text, in it the certificate; `name`, `birth_date`: of whom the provider
    identified; `random`: DER of R's BIT STRING, None where the contract has none.
    """

    signed: bytes
    name: str
    birth_date: date
    random: Secret[bytes] | None


class FinanceCert(Protocol):
    """The provider of 금융인증서."""

    async def start(self, asked: Asked) -> Started:
        """Opens a window. Raises FinanceCertOutage."""

    async def verify(self, transaction: str, proof: str) -> Signed:
        """The signature, once. `proof`: what the browser brought back. Raises FinanceCertUnfinished, -Outage."""
