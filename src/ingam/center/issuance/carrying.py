"""What the center reads of a PKIMessage that it carries: which kind it is, whose code it is under, what it brings.

It believes nothing of it: the authority checks the vault's messages and the vault the authority's. The center looks in
order to know where the run stands.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Final, TypeAlias

from ingam.center.carrying import refused
from ingam.kernel.errors import Refusal
from ingam.npki import certificate
from ingam.npki.certificate import Certificate, CertificateMalformed
from ingam.protocols.cmp import bodies, cert_response, message
from ingam.protocols.cmp.message import BodyKind, UnverifiedMessage
from ingam.protocols.cmp.status import CmpRefused, Status, StatusInfo

FROM_VAULT: Final = frozenset((BodyKind.IR, BodyKind.CERT_CONF, BodyKind.POLL_REQ))


class NotCarried(Refusal):
    """It is no message of an issuance under this registration."""

    code = "issuance-not-carried"


class RefusedByAuthority(Refusal):
    """The authority refuses to issue (fact `cause`, its own word); nothing was charged, the old one stands."""

    code = "issuance-refused"


@dataclass(frozen=True, slots=True)
class Certified:
    """An ip with a certificate."""

    certificate: Certificate


@dataclass(frozen=True, slots=True)
class Confirmed:
    """A pkiConf."""


@dataclass(frozen=True, slots=True)
class Rejected:
    """The authority refuses for good; `word`: its own code where it gave one."""

    word: str


@dataclass(frozen=True, slots=True)
class Nothing:
    """Anything else: a wait, a passing failure, or bytes that only the vault may judge."""


Brought: TypeAlias = Certified | Confirmed | Rejected | Nothing


class Asked(Enum):
    """What the vault's message asks for."""

    CERTIFICATE = "certificate"
    CONFIRMATION = "confirmation"
    REJECTION = "rejection"


def from_vault(data: bytes, reference: str) -> Asked:
    """What a message of this registration asks for. Raises NotCarried."""
    try:
        found = message.parse(data)
        kind = found.body.kind
        if kind not in FROM_VAULT or found.header.sender_kid != reference.encode():
            raise NotCarried
        if kind is not BodyKind.CERT_CONF:
            return Asked.CERTIFICATE
        states = bodies.read_cert_conf(found.body)
    except CmpRefused:
        raise NotCarried from None
    # Nothing at all, or one that is not accepted, declines the certificate (RFC 9810 section 5.3.18).
    accepted = states and all(one.status.status is Status.ACCEPTED for one in states)
    return Asked.CONFIRMATION if accepted else Asked.REJECTION


def is_confirmation_of(data: bytes, fingerprint: str) -> bool:
    """Whether it is a certConf that accepts the certificate of this SHA-256 (hex) and nothing else."""
    try:
        found = message.parse(data)
        states = bodies.read_cert_conf(found.body) if found.body.kind is BodyKind.CERT_CONF else ()
    except CmpRefused:
        return False
    return [(one.cert_hash.hex(), one.status.status) for one in states] == [(fingerprint, Status.ACCEPTED)]


def from_authority(data: bytes) -> Brought:
    """What an answer brings."""
    try:
        found = message.parse(data)
        if found.body.kind is BodyKind.PKICONF:
            return Confirmed()
        if found.body.kind is BodyKind.ERROR:
            return _rejected(bodies.read_error(found.body).status)
        return _response(found)
    except (CmpRefused, CertificateMalformed):
        return Nothing()


def _response(found: UnverifiedMessage) -> Brought:
    if found.body.kind is not BodyKind.IP:
        return Nothing()
    responses = cert_response.read_cert_rep(found.body).responses
    if len(responses) != 1:
        return Nothing()
    if responses[0].certificate is not None:
        return Certified(certificate.parse(responses[0].certificate))
    return _rejected(responses[0].status)


def _rejected(info: StatusInfo) -> Brought:
    word = refused(info)
    return Nothing() if word is None else Rejected(word)
