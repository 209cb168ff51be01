"""The status of other authorities' certificates (OCSP first, CRL as fallback; security A10-A13), and who is trusted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol, TypeAlias

from ingam.kernel.errors import Outage
from ingam.npki.certificate import Certificate


class Source(StrEnum):
    """Where a definite answer came from; it goes to the audit line with its age."""

    OCSP = "ocsp"
    CRL = "crl"


@dataclass(frozen=True, slots=True)
class Good:
    """Not revoked and not on hold, as of `produced`.

    `answer`: the answer or list as it came, for evidence; b"" out of a cache.
    """

    source: Source
    produced: datetime
    answer: bytes = field(default=b"", repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class Revoked:
    """Revoked (폐지) for a CRLReason at an instant."""

    source: Source
    produced: datetime
    at: datetime
    reason: str


@dataclass(frozen=True, slots=True)
class Suspended:
    """On hold (효력정지, certificateHold)."""

    source: Source
    produced: datetime
    at: datetime


@dataclass(frozen=True, slots=True)
class Unknown:
    """The authority says that it does not know this certificate."""

    source: Source
    produced: datetime


Status: TypeAlias = Good | Revoked | Suspended | Unknown


class StatusUnavailable(Outage):
    """Cannot confirm, which never counts as good; the code says why.

    Codes: status-unreachable, status-slow, status-responder-untrusted, status-stale, status-malformed, status-mismatch,
    status-refused, status-crl-stale, status-crl-untrusted, status-crl-older, status-not-configured,
    root-list-unavailable …
    """

    code = "status-unavailable"


@dataclass(frozen=True, slots=True)
class IssuingAuthority:
    """One configured issuing CA (A7, A11, A13); addresses are configured, never taken from a certificate.

    `root` None: the CA is pinned without its root. `crl` holds `{partition}`; "" has no CRL.
    """

    name: str
    certificate: Certificate
    root: Certificate | None
    responders: tuple[Certificate, ...]
    ocsp: str
    crl: str
    root_list: str


class StatusList(Protocol):
    """One verified list of an issuer; only certificates that name its partition may be asked about."""

    def status(self, serial: int) -> Status:
        """What it says of a serial; Good of every one that it does not name."""


@dataclass(frozen=True, slots=True)
class Authorities:
    """All that is trusted, by the SHA-256 of the issuing CA's certificate."""

    by_fingerprint: Mapping[bytes, IssuingAuthority]


class StatusChecker(Protocol):
    """Asks for the status of a certificate whose signature and path were checked before (A13)."""

    async def check(self, person: Certificate, issuer: Certificate, *, fresh: bool, at: datetime) -> Status:
        """`fresh`: no cache of ours (registration, re-binding); else at most 10 min old (login).

        Raises StatusUnavailable with the code of its cause.
        """

    async def root_list(self, issuer: Certificate, at: datetime) -> tuple[frozenset[int], datetime]:
        """The root's list of revoked CA serials and its nextUpdate (A10). Raises StatusUnavailable."""

    async def whole_list(self, issuer: Certificate, partition: str, at: datetime) -> StatusList:
        """The list of a partition of this issuer's certificates, fetched now, for whoever asks about many (A12).

        Raises StatusUnavailable: no list, or none that is of now.
        """
