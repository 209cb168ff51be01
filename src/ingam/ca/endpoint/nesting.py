"""Messages inside messages: what an RA's envelope must share with its content, and what it encloses of others."""

from __future__ import annotations

from ingam.protocols.cmp import bodies
from ingam.protocols.cmp.header import ORIG_PKI_MESSAGE, Header
from ingam.protocols.cmp.message import UnverifiedMessage
from ingam.protocols.cmp.status import CmpRefused, FailInfo


def check_added(outer: Header, inner: Header) -> None:
    """An envelope around one message has its transactionID and its nonces (RFC 9483 section 5.2.2.1).

    Raises CmpRefused: cmp-transaction-id (badRequest), cmp-sender-nonce (badSenderNonce), cmp-recip-nonce
    (badRecipientNonce).
    """
    if outer.transaction_id != inner.transaction_id:
        raise CmpRefused("cmp-transaction-id", FailInfo.BAD_REQUEST)
    if outer.sender_nonce != inner.sender_nonce:
        raise CmpRefused("cmp-sender-nonce", FailInfo.BAD_SENDER_NONCE)
    if outer.recip_nonce != inner.recip_nonce:
        raise CmpRefused("cmp-recip-nonce", FailInfo.BAD_RECIPIENT_NONCE)


def check_batch(outer: Header) -> None:
    """An envelope around several messages begins an exchange of its own. Raises CmpRefused (cmp-recip-nonce)."""
    if outer.recip_nonce is not None:
        raise CmpRefused("cmp-recip-nonce", FailInfo.BAD_RECIPIENT_NONCE)


def originals(header: Header) -> tuple[UnverifiedMessage, ...]:
    """What an RA encloses as it came from the end entity (origPKIMessage, RFC 9810 section 5.1.1.3): PKIMessages.

    They support the RA's word, so each must be whole and protected; what is asked is what the RA's own message says.
    Raises CmpRefused (cmp-malformed).
    """
    found = header.info(ORIG_PKI_MESSAGE)
    if found is None:
        return ()
    return bodies.read_messages(found.value or b"")
