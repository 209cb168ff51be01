"""The renewal machine: Agreeing → Requested → Delivered → Renewed. A run begins when the vault has made the new key.

Pure: instants and ids arrive on events; what identifies a person is sealed before it comes here (security H6).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final, TypeAlias

from ingam.kernel.errors import Defect
from ingam.kernel.flow import Machine, Step


@dataclass(frozen=True, slots=True)
class Agreeing:
    """The vault keeps the new key. `spki`: SHA-256 of its public half; `old`: of the certificate that is renewed, hex.

    `device`: SHA-256 of the device cookie, or without one of the session cookie, hex: where the draft lies.
    """

    device: str
    spki: str
    old: str
    product: str


@dataclass(frozen=True, slots=True)
class Requested:
    """The terms were agreed to: the vault may ask the authority."""

    device: str
    spki: str
    old: str
    product: str


@dataclass(frozen=True, slots=True)
class Delivered:
    """The new certificate went through the center; the vault has not confirmed it. `certificate`: sealed, base64."""

    device: str
    spki: str
    old: str
    product: str
    certificate: str
    fingerprint: str


@dataclass(frozen=True, slots=True)
class Renewed:
    """The authority has the confirmation. `bound`: whether the registration of the old one went over to the new one."""

    fingerprint: str
    product: str
    serial: str
    not_after: datetime
    bound: bool


@dataclass(frozen=True, slots=True)
class Refused:
    """Stopped; `cause` is the code that says why."""

    cause: str


@dataclass(frozen=True, slots=True)
class Expired:
    """Its time is over."""


@dataclass(frozen=True, slots=True)
class Cancelled:
    """The person left it."""


@dataclass(frozen=True, slots=True)
class KeyMade:
    """Another key, or for another certificate, before anything was asked for."""

    state: Agreeing


@dataclass(frozen=True, slots=True)
class Agreed:
    """The terms, and what they are for."""


@dataclass(frozen=True, slots=True)
class CertificateCarried:
    """A kup with a certificate for this key passed through."""

    certificate: str
    fingerprint: str


@dataclass(frozen=True, slots=True)
class Confirmed:
    """The authority's pkiConf passed through: the new one stands, the old one is superseded."""

    serial: str
    not_after: datetime
    bound: bool


@dataclass(frozen=True, slots=True)
class Declined:
    """The authority or the vault refused."""

    cause: str


@dataclass(frozen=True, slots=True)
class TimeRanOut:
    """Its time is over, or another browser begins, before anything was asked for."""


@dataclass(frozen=True, slots=True)
class Left:
    """취소."""


Open: TypeAlias = Agreeing | Requested | Delivered
State: TypeAlias = Open | Renewed | Refused | Expired | Cancelled
Event: TypeAlias = KeyMade | Agreed | CertificateCarried | Confirmed | Declined | TimeRanOut | Left

EDGES: Final = {
    Agreeing: {
        KeyMade: frozenset({Agreeing}),
        Agreed: frozenset({Requested}),
        Left: frozenset({Cancelled}),
        TimeRanOut: frozenset({Expired}),
    },
    # From here on the authority may have renewed: neither a button nor time nor another browser ends it, only its word.
    Requested: {CertificateCarried: frozenset({Delivered}), Declined: frozenset({Refused})},
    Delivered: {
        CertificateCarried: frozenset({Delivered}),
        Confirmed: frozenset({Renewed}),
        Declined: frozenset({Refused}),
    },
}


def move(state: State, event: Event) -> Step[State]:
    """The next state; the table was asked before."""
    match state, event:
        case _, Declined(cause):
            return Step(Refused(cause))
        case _, TimeRanOut():
            return Step(Expired())
        case _, Left():
            return Step(Cancelled())
        case Agreeing(), KeyMade(made):
            return Step(made)
        case Agreeing(device, spki, old, product), Agreed():
            return Step(Requested(device, spki, old, product))
        case (
            (Requested(device, spki, old, product) | Delivered(device, spki, old, product)),
            CertificateCarried(certificate, fingerprint),
        ):
            return Step(Delivered(device, spki, old, product, certificate, fingerprint))
        case Delivered(), Confirmed(serial, not_after, bound):
            return Step(Renewed(state.fingerprint, state.product, serial, not_after, bound))
    raise Defect("flow-off-table", machine="renewal", state=type(state).__name__)


RENEWAL: Final[Machine[State, Event]] = Machine("renewal", 1, EDGES, move)
