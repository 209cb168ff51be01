"""The issuance machine, ①–⑥ of 신규공동인증서신청 and 재발급: Consenting → NameConfirmed → PhoneProved →
IdCardAccepted → AwaitingOneWon → Describing → AwaitingKey → ChoosingProduct → Requested → Delivered → Issued.

Pure: instants, ids and digests arrive on events. What is true in each state: `states`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final, TypeAlias

from ingam.center.issuance.states import (
    Asked,
    AwaitingKey,
    AwaitingOneWon,
    Cancelled,
    ChoosingProduct,
    Consenting,
    Delivered,
    Describing,
    Door,
    Expired,
    IdCardAccepted,
    Issued,
    NameConfirmed,
    Open,
    PhoneProved,
    Proved,
    Refused,
    Requested,
    State,
    codes_of,
    kind_of,
    stepped,
)
from ingam.kernel.errors import Defect
from ingam.kernel.flow import Machine, Step


@dataclass(frozen=True, slots=True)
class NameChecked:
    """The documents were agreed to and [실명확인] succeeded."""

    at: datetime


@dataclass(frozen=True, slots=True)
class IdentityAsked:
    """휴대폰본인인증 was begun, or begun anew."""

    asked: Asked


@dataclass(frozen=True, slots=True)
class IdentityProved:
    """Name, birth date and the rest agree."""

    at: datetime
    proved: Proved


@dataclass(frozen=True, slots=True)
class CardAccepted:
    """The card's fields are the person's, and its issuer's record says the same."""

    at: datetime
    card: str


@dataclass(frozen=True, slots=True)
class OneWonSent:
    """1원 left with fresh digits; older ones are void (E5)."""

    request_id: str
    bank_code: str
    account: str
    sent_at: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class OneWonLapsed:
    """The digits ran out; another 1원 may be asked for."""


@dataclass(frozen=True, slots=True)
class OneWonProved:
    """The four digits were right."""

    at: datetime


@dataclass(frozen=True, slots=True)
class Described:
    """고객정보입력 is stored."""

    at: datetime


@dataclass(frozen=True, slots=True)
class KeyMade:
    """The vault wrote key and R, read them back and opened them (B10)."""

    at: datetime
    spki: str


@dataclass(frozen=True, slots=True)
class HolderRegistered:
    """The choice was made, the end of the old certificate agreed to, and the authority gave its codes."""

    at: datetime
    product: str
    sealed: str


@dataclass(frozen=True, slots=True)
class CertificateCarried:
    """An ip with a certificate for this key passed through."""

    at: datetime
    certificate: str
    fingerprint: str


@dataclass(frozen=True, slots=True)
class Confirmed:
    """The authority's pkiConf passed through: the certificate stands, an older one is superseded."""

    serial: str
    not_after: datetime
    replaced: bool


@dataclass(frozen=True, slots=True)
class Resumed:
    """The same person on the same device, with the banking password again, soon enough."""

    door: Door


@dataclass(frozen=True, slots=True)
class WentBack:
    """이전: one screen back, where that loses nothing that costs anybody anything."""


@dataclass(frozen=True, slots=True)
class Declined:
    """A limit is reached, or the authority refused; `cause` is the code."""

    cause: str


@dataclass(frozen=True, slots=True)
class TimeRanOut:
    """The flow's own time is over."""


@dataclass(frozen=True, slots=True)
class Left:
    """취소, or another start."""


Event: TypeAlias = (
    NameChecked
    | IdentityAsked
    | IdentityProved
    | CardAccepted
    | OneWonSent
    | OneWonLapsed
    | OneWonProved
    | Described
    | KeyMade
    | HolderRegistered
    | CertificateCarried
    | Confirmed
    | Resumed
    | WentBack
    | Declined
    | TimeRanOut
    | Left
)

_ENDINGS: Final = {
    Declined: frozenset({Refused}),
    TimeRanOut: frozenset({Expired}),
    Left: frozenset({Cancelled}),
}


def _open(state: type[Open]) -> dict[type[Event], frozenset[type[State]]]:
    """What every state allows that is not over."""
    return {Resumed: frozenset({state}), **_ENDINGS}


EDGES: Final = {
    Consenting: {NameChecked: frozenset({NameConfirmed}), **_open(Consenting)},
    NameConfirmed: {
        IdentityAsked: frozenset({NameConfirmed}),
        IdentityProved: frozenset({PhoneProved}),
        WentBack: frozenset({Consenting}),
        **_open(NameConfirmed),
    },
    PhoneProved: {CardAccepted: frozenset({IdCardAccepted}), **_open(PhoneProved)},
    IdCardAccepted: {
        OneWonSent: frozenset({AwaitingOneWon}),
        WentBack: frozenset({PhoneProved}),
        **_open(IdCardAccepted),
    },
    AwaitingOneWon: {
        OneWonSent: frozenset({AwaitingOneWon}),
        OneWonLapsed: frozenset({IdCardAccepted}),
        OneWonProved: frozenset({Describing}),
        WentBack: frozenset({IdCardAccepted}),
        **_open(AwaitingOneWon),
    },
    Describing: {Described: frozenset({AwaitingKey}), **_open(Describing)},
    AwaitingKey: {KeyMade: frozenset({ChoosingProduct}), **_open(AwaitingKey)},
    ChoosingProduct: {
        KeyMade: frozenset({ChoosingProduct}),
        HolderRegistered: frozenset({Requested}),
        WentBack: frozenset({AwaitingKey}),
        **_open(ChoosingProduct),
    },
    # From here on the authority may have issued: nobody leaves by a button, what was asked for is fetched again.
    Requested: {
        CertificateCarried: frozenset({Delivered}),
        Resumed: frozenset({Requested}),
        Declined: frozenset({Refused}),
        TimeRanOut: frozenset({Expired}),
    },
    Delivered: {
        CertificateCarried: frozenset({Delivered}),
        Confirmed: frozenset({Issued}),
        Resumed: frozenset({Delivered}),
        Declined: frozenset({Refused}),
        TimeRanOut: frozenset({Expired}),
    },
}


def move(state: State, event: Event) -> Step[State]:
    """The next state; the table was asked before."""
    match event:
        case Declined(cause):
            return Step(Refused(cause, kind_of(state), codes_of(state)))
        case TimeRanOut():
            return Step(Expired(codes_of(state)))
        case Left():
            return Step(Cancelled())
        case Resumed(door) if not isinstance(state, Issued | Refused | Expired | Cancelled):
            return Step(replace(state, door=replace(door, kind=state.door.kind, began_at=state.door.began)))
    found = _identity(state, event) or _account(state, event) or _issue(state, event)
    if found is None:
        raise Defect("flow-off-table", machine="issuance", state=type(state).__name__)
    return Step(found)


def _identity(state: State, event: Event) -> State | None:
    """① and ②."""
    match state, event:
        case Consenting(door), NameChecked(at):
            return NameConfirmed(stepped(door, at))
        case NameConfirmed(door), IdentityAsked(asked):
            return NameConfirmed(door, asked)
        case NameConfirmed(door), IdentityProved(at, proved):
            return PhoneProved(stepped(door, at), proved)
        case NameConfirmed(door), WentBack():
            return Consenting(door)
        case PhoneProved(door, proved), CardAccepted(at, card):
            return IdCardAccepted(stepped(door, at), proved, card)
    return None


def _account(state: State, event: Event) -> State | None:
    """③ and ④."""
    match state, event:
        case IdCardAccepted(door, proved), WentBack():
            return PhoneProved(door, proved)
        case (
            (IdCardAccepted(door, proved, card) | AwaitingOneWon(door, proved, card)),
            OneWonSent(request_id, bank_code, account, sent_at, expires_at),
        ):
            return AwaitingOneWon(
                stepped(door, sent_at), proved, card, request_id, bank_code, account, sent_at, expires_at
            )
        case AwaitingOneWon(door, proved, card), OneWonLapsed():
            return IdCardAccepted(door, proved, card, lapsed=True)
        case AwaitingOneWon(door, proved, card), WentBack():
            return IdCardAccepted(door, proved, card)
        case AwaitingOneWon(door, proved), OneWonProved(at):
            return Describing(stepped(door, at), proved)
        case Describing(door), Described(at):
            return AwaitingKey(stepped(door, at))
    return None


def _issue(state: State, event: Event) -> State | None:
    """⑤, ⑥ and the authority."""
    match state, event:
        case ((AwaitingKey(door) | ChoosingProduct(door)), KeyMade(at, spki)):
            return ChoosingProduct(stepped(door, at), spki)
        case ChoosingProduct(door), WentBack():
            return AwaitingKey(door)
        case ChoosingProduct(door, spki), HolderRegistered(at, product, sealed):
            return Requested(stepped(door, at), spki, product, sealed)
        case (
            (Requested(door, spki, product, sealed) | Delivered(door, spki, product, sealed)),
            CertificateCarried(at, certificate, fingerprint),
        ):
            return Delivered(stepped(door, at), spki, product, sealed, certificate, fingerprint)
        case Delivered(), Confirmed(serial, not_after, replaced):
            return Issued(state.fingerprint, state.product, serial, not_after, replaced, state.door.kind)
    return None


ISSUANCE: Final[Machine[State, Event]] = Machine("issuance", 1, EDGES, move)
