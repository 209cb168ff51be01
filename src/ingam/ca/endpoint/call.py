"""One verified message on its way to its answer, and the exchange that it begins or goes on with (security D9)."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from ingam.ca.endpoint.answering import Made
from ingam.ca.endpoint.practice import FOLLOWING
from ingam.ca.endpoint.sender import Coded, Sender
from ingam.ca.office import Office
from ingam.ports.books import Answer, Exchange
from ingam.protocols.cmp import message
from ingam.protocols.cmp.header import Header
from ingam.protocols.cmp.message import Body, PKIMessage, UnverifiedMessage
from ingam.protocols.cmp.protection import is_mac
from ingam.protocols.cmp.status import CmpRefused, FailInfo

KEPT: Final = timedelta(hours=1)
"""After the exchange is closed: so long its answers are repeated for the very same requests (security D9)."""


@dataclass(frozen=True, slots=True, repr=False)
class Call:
    """`transaction`: what the books know its exchange by; `request_hash`: SHA-256 of the whole message.

    `source`: the address that it came from; `depth`: 1 for what came by itself, more for what lay in a nested one;
    `added`: whether that one has an RA's protection (RFC 9483 section 5.2.2).
    """

    message: PKIMessage
    sender: Sender
    transaction: bytes
    request_hash: bytes
    source: str
    depth: int = 1
    added: bool = False

    @property
    def header(self) -> Header:
        return self.message.header

    @property
    def body(self) -> Body:
        return self.message.body

    def kept(self, office: Office, made: Made) -> Answer:
        """The answer as the books keep it."""
        until, follows = office.now() + KEPT, self.body.kind in FOLLOWING
        return Answer(self.sender.key, self.transaction, self.request_hash, made.der, made.nonce, until, follows)


@dataclass(frozen=True, slots=True)
class Begun:
    """The exchange that a message goes on with. `told`: our answer before it."""

    exchange: Exchange
    told: UnverifiedMessage


def digest(given: UnverifiedMessage) -> bytes:
    """SHA-256 of the whole message: all that is kept of a request (security D7)."""
    return hashlib.sha256(given.raw).digest()


def begun(call: Call, office: Office) -> Begun | None:
    """The exchange that a message goes on with, or None for one that begins.

    Raises CmpRefused: cmp-transaction-in-use, cmp-nothing-begun (badRequest), cmp-protection-changed (wrongIntegrity),
    cmp-closed (certConfirmed), cmp-recip-nonce (badRecipientNonce), cmp-sender-nonce (badSenderNonce).
    """
    exchange = office.books.exchange(call.transaction)
    if call.body.kind not in FOLLOWING:
        if exchange is not None:
            raise CmpRefused("cmp-transaction-in-use", FailInfo.TRANSACTION_ID_IN_USE)
        return None
    # 1. Something has begun, and its answer is there still.
    if exchange is None or not exchange.answer:
        raise CmpRefused("cmp-nothing-begun", FailInfo.BAD_REQUEST)
    told = message.parse(exchange.answer)
    # 2. It is the same sender's, in the same way.
    if exchange.sender != call.sender.key:
        if is_mac(told.header.protection_alg or b"") != isinstance(call.sender, Coded):
            raise CmpRefused("cmp-protection-changed", FailInfo.WRONG_INTEGRITY)
        raise CmpRefused("cmp-transaction-in-use", FailInfo.TRANSACTION_ID_IN_USE)
    # 3. It is not over.
    if exchange.closed:
        raise CmpRefused("cmp-closed", FailInfo.CERT_CONFIRMED)
    # 4. It answers our latest message, with a nonce of its own.
    if call.header.recip_nonce not in (None, exchange.nonce):
        raise CmpRefused("cmp-recip-nonce", FailInfo.BAD_RECIPIENT_NONCE)
    if call.header.sender_nonce is not None and call.header.sender_nonce == told.header.recip_nonce:
        raise CmpRefused("cmp-sender-nonce", FailInfo.BAD_SENDER_NONCE)
    return Begun(exchange, told)
