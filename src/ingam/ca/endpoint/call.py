"""One verified message on its way to its answer, and what every body shares: D9's repetition, nonces, transactions."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from ingam.ca.endpoint.answering import Made
from ingam.ca.endpoint.sender import Sender
from ingam.ca.office import Office
from ingam.ports.books import Answer, Exchange
from ingam.protocols.cmp.header import (
    CONFIRM_WAIT_TIME,
    IMPLICIT_CONFIRM,
    Header,
    confirm_wait_time,
    implicit_confirm,
)
from ingam.protocols.cmp.message import Body, BodyKind, PKIMessage
from ingam.protocols.cmp.status import CmpRefused, FailInfo

KEPT: Final = timedelta(hours=1)
"""After the exchange is closed: so long its answers are repeated for the very same requests (security D9)."""

SKEW: Final = timedelta(minutes=5)
NONCE_BYTES: Final = 16
TRANSACTION_BYTES: Final = 16
FOLLOWING: Final = frozenset((BodyKind.CERT_CONF, BodyKind.POLL_REQ))
"""Bodies that go on with an exchange instead of beginning one."""


@dataclass(frozen=True, slots=True, repr=False)
class Call:
    """`request_hash`: SHA-256 of the whole message; `transaction`: its transactionID."""

    message: PKIMessage
    sender: Sender
    request_hash: bytes

    @property
    def header(self) -> Header:
        return self.message.header

    @property
    def body(self) -> Body:
        return self.message.body

    @property
    def transaction(self) -> bytes:
        return self.message.header.transaction_id or b""

    def kept(self, office: Office, made: Made) -> Answer:
        """The answer as the books keep it."""
        until = office.now() + KEPT
        follows = self.body.kind in FOLLOWING
        return Answer(self.sender.key, self.transaction, self.request_hash, made.der, made.nonce, until, follows)


def check_header(header: Header, office: Office) -> None:
    """What every message must have (RFC 9483 section 3.1). Raises CmpRefused with the first that it lacks."""
    identifier, nonce, time = header.transaction_id, header.sender_nonce, header.message_time
    if identifier is None:
        raise CmpRefused("cmp-transaction-id", FailInfo.BAD_DATA_FORMAT)
    if len(identifier) != TRANSACTION_BYTES:
        raise CmpRefused("cmp-transaction-id", FailInfo.BAD_REQUEST)
    if nonce is None or len(nonce) != NONCE_BYTES:
        raise CmpRefused("cmp-sender-nonce", FailInfo.BAD_SENDER_NONCE)
    wait = confirm_wait_time(header) if not implicit_confirm(header) else header.info(CONFIRM_WAIT_TIME)
    if wait is not None and header.info(IMPLICIT_CONFIRM) is not None:
        raise CmpRefused("cmp-header-info", FailInfo.BAD_REQUEST, found="confirmWaitTime")
    if time is None or abs(time - office.clock.now()) > SKEW:
        raise CmpRefused("cmp-time", FailInfo.BAD_TIME)


def repeated(call: Call, office: Office) -> bytes | None:
    """The answer that this very request had (security D9): same sender, valid protection, every byte the same."""
    return office.books.answered(call.transaction, call.request_hash)


def begun(call: Call, office: Office) -> Exchange | None:
    """The exchange that a message goes on with, or None for one that begins.

    Raises CmpRefused: cmp-transaction-in-use, cmp-recip-nonce (badRecipientNonce), cmp-nothing-begun (badRequest).
    """
    exchange = office.books.exchange(call.transaction)
    if call.body.kind not in FOLLOWING:
        if exchange is not None:
            raise CmpRefused("cmp-transaction-in-use", FailInfo.TRANSACTION_ID_IN_USE)
        if call.header.recip_nonce is not None:
            raise CmpRefused("cmp-recip-nonce", FailInfo.BAD_RECIPIENT_NONCE)
        return None
    if exchange is None:
        raise CmpRefused("cmp-nothing-begun", FailInfo.BAD_REQUEST)
    if exchange.closed:
        raise CmpRefused("cmp-closed", FailInfo.CERT_CONFIRMED)
    if call.header.recip_nonce != exchange.nonce:
        raise CmpRefused("cmp-recip-nonce", FailInfo.BAD_RECIPIENT_NONCE)
    return exchange
