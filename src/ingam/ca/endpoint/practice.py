"""Where the RFCs leave an authority a choice: how every authority here chooses.

`conformance.Suite` and `npki.Npki` are the two that choose otherwise, each behind a setting; the endpoint asks its
practice and makes no exceptions of its own.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from ingam.ca.endpoint.sender import Role, check_may
from ingam.ca.issuing.service import CONFIRM_WITHIN, Holder
from ingam.ca.revoking.service import Revoking
from ingam.kernel.secret import Secret
from ingam.npki import certificate, subject
from ingam.npki.subject import Name, NameMalformed, same_name
from ingam.ports.books import Certificate, State, StatusChange
from ingam.protocols.cmp.header import (
    CONFIRM_WAIT_TIME,
    IMPLICIT_CONFIRM,
    Header,
    confirm_wait_time,
    implicit_confirm,
    name_in,
)
from ingam.protocols.cmp.message import BodyKind, PKIMessage, Protection, UnverifiedMessage
from ingam.protocols.cmp.protection import MacParameters, MacProtection, is_mac, mac_parameters, salted, verify_mac
from ingam.protocols.cmp.status import CmpRefused, FailInfo
from ingam.protocols.cmp.template import CertTemplate

SKEW: Final = timedelta(minutes=5)
NONCE_OCTETS: Final = range(16, 65)
"""At least 128 bits (RFC 9483 section 3.1), and no more than anybody sends."""

TRANSACTION_OCTETS: Final = 16
FOLLOWING: Final = frozenset((BodyKind.CERT_CONF, BodyKind.POLL_REQ, BodyKind.PKICONF))
"""Bodies that go on with an exchange instead of beginning one."""


class Mac(NamedTuple):
    """A shared secret's protection, read from a header and bounded. `iterations`: what it costs.

    `hashes`: names of hashlib; `verify`: the message if its MAC is the secret's; `answering`: the same algorithm with
    another salt (RFC 9810 section 5.1.3.1), from random octets.
    """

    iterations: int
    hashes: tuple[str, ...]
    verify: Callable[[UnverifiedMessage, Secret[bytes]], PKIMessage]
    answering: Callable[[Secret[bytes], bytes], Protection]


class Practice:
    """What every authority does."""

    versions: frozenset[int] = frozenset((2, 3))
    """cmp2000 and cmp2021 (RFC 9483 section 3.1)."""

    npki = False
    confirm_within = CONFIRM_WITHIN
    burn_at: int | None = 5
    """Wrong MACs after which a short code is void (security D3); None: never."""

    reference: str | None = None
    """Of the registration that a request by certificate uses where it names none."""

    def transaction(self, header: Header) -> bytes:
        """What the books know the exchange by."""
        return header.transaction_id or b""

    def check_header(self, header: Header, kind: BodyKind, now: datetime) -> None:
        """What a message must have before anything is computed for it (RFC 9483 sections 3.1, 3.5; security D9).

        Raises CmpRefused with the first that it lacks.
        """
        # 1. The transactionID: 128 bits.
        identifier, follows = header.transaction_id, kind in FOLLOWING
        if identifier is None:
            # Of what goes on with nothing, no exchange is named.
            raise CmpRefused("cmp-transaction-id", FailInfo.BAD_REQUEST if follows else FailInfo.BAD_DATA_FORMAT)
        if len(identifier) != TRANSACTION_OCTETS:
            raise CmpRefused("cmp-transaction-id", FailInfo.BAD_REQUEST)
        # 2. The senderNonce.
        if len(header.sender_nonce or b"") not in NONCE_OCTETS:
            raise CmpRefused("cmp-sender-nonce", FailInfo.BAD_SENDER_NONCE)
        # 3. The recipNonce: where there is something that it answers, and only there; an envelope has its content's.
        if kind is not BodyKind.NESTED and (header.recip_nonce is not None) != follows:
            raise CmpRefused("cmp-recip-nonce", FailInfo.BAD_RECIPIENT_NONCE)
        # 4. generalInfo does not contradict itself.
        _check_confirmation(header, follows)
        # 5. The time.
        if header.message_time is None or abs(header.message_time - now) > SKEW:
            raise CmpRefused("cmp-time", FailInfo.BAD_TIME)

    def mac(self, algorithm: bytes) -> Mac | None:
        """The password-based MAC of a protectionAlg, or None where it is none. Raises CmpRefused (badAlg)."""
        return usual_mac(mac_parameters(algorithm)) if is_mac(algorithm) else None

    def check_coded(self, message: UnverifiedMessage, reference: str, mac: Mac) -> None:
        """Whether the sender of a MAC is named as it must be: any name will do, senderKID says who it is."""

    def is_sender(self, message: UnverifiedMessage, given: certificate.Certificate) -> bool:
        """Whether the header names the signer as its sender (RFC 9483 section 3.1)."""
        name = name_in(message.header.sender)
        return name is not None and self.is_name(name, given.subject)

    def is_key_id(self, kid: bytes | None, given: certificate.Certificate) -> bool:
        """Whether senderKID names the signer's key, where its certificate has an identifier for it."""
        return given.ski is None or kid == given.ski

    def check_chain(self, message: UnverifiedMessage, given: certificate.Certificate) -> None:
        """Whether the signer's chain is whole: its certificate is enough, the authority knows its own chain."""

    def check_signer(self, entry: Certificate, kind: BodyKind) -> None:
        """Whether a certificate may sign now. Raises CmpRefused: cmp-signer-pending, cmp-signer-ended."""
        del kind
        if entry.state is State.PENDING:
            raise CmpRefused("cmp-signer-pending", FailInfo.BAD_REQUEST)
        if entry.state is not State.VALID:
            raise CmpRefused("cmp-signer-ended", FailInfo.CERT_REVOKED)

    def check_may(self, role: Role, kind: BodyKind, profile: str | None = None) -> None:
        """Whether such a sender, with a certificate of a profile, may send such a body. Raises CmpRefused."""
        del profile
        check_may(role, kind)

    def is_name(self, asked: bytes | None, known: Name) -> bool:
        """Whether a DER Name in a template says nothing or this name."""
        try:
            return asked is None or asked == known.raw or same_name(subject.parse(asked), known)
        except NameMalformed:
            return False

    def check_update(self, given: certificate.Certificate, wishes: CertTemplate) -> None:
        """An update is of the same name (security D5). Raises CmpRefused (cmp-kur-subject, badCertTemplate)."""
        if not (self.is_name(wishes.subject, given.subject) and self.is_name(wishes.issuer, given.issuer)):
            raise CmpRefused("cmp-kur-subject", FailInfo.BAD_CERT_TEMPLATE)

    def granted(self, holder: Holder, wishes: CertTemplate) -> Holder:
        """What of a template is granted: nothing; name, profile and validity come from the registration (D4)."""
        del wishes
        return holder

    def resumption(self, revoking: Revoking, one: Certificate, by: str) -> StatusChange:
        """The release of a certificate that is held. Raises CmpRefused (cmp-rr-not-held, badCertId)."""
        if one.state is not State.HELD:
            raise CmpRefused("cmp-rr-not-held", FailInfo.BAD_CERT_ID)
        return revoking.resumption(one, by=by)


def usual_mac(parameters: MacParameters) -> Mac:
    """PasswordBasedMac or PBMAC1."""
    return Mac(
        parameters.iterations,
        (parameters.hash, parameters.mac),
        lambda message, secret: verify_mac(message, secret, parameters=parameters),
        lambda secret, salt: MacProtection(secret, salted(parameters, salt)),
    )


def _check_confirmation(header: Header, follows: bool) -> None:
    implicit = implicit_confirm(header)
    if implicit and (follows or header.info(CONFIRM_WAIT_TIME) is not None):
        raise CmpRefused("cmp-header-info", FailInfo.BAD_REQUEST, found=IMPLICIT_CONFIRM)
    confirm_wait_time(header)
