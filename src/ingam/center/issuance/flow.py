"""The issuance machine, ①–⑥ of 신규공동인증서신청 and 재발급: Consenting → NameConfirmed → PhoneProved →
IdCardAccepted → AwaitingOneWon → Describing → AwaitingKey → ChoosingProduct → Requested → Delivered → Issued.

Pure: instants, ids and digests arrive on events. A state carries exactly what is true in it; what identifies a person
is a keyed digest or sealed under the customer's own key before it comes here (security H6).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Final, TypeAlias

from ingam.kernel.errors import Defect
from ingam.kernel.flow import Machine, Step


class Kind(StrEnum):
    """What a run is for, from its beginning. REISSUE: 재발급, which keeps the end date and ends the old one."""

    NEW = "new"
    REISSUE = "reissue"


@dataclass(frozen=True, slots=True)
class Door:
    """Who may go on, and with what: this session on this device. `stepped_at`: of the last finished step (F10).

    `session`: SHA-256 of the session cookie, hex; `device`: SHA-256 of the device cookie, hex, or None. `kind` is
    carried through every state; states that were stored before there was one are of a new certificate.
    """

    session: str
    device: str | None
    stepped_at: datetime
    kind: Kind = Kind.NEW


@dataclass(frozen=True, slots=True)
class Asked:
    """휴대폰본인인증 under way: the provider's unguessable transaction (E7), and a keyed digest of the number.

    `method`: SMS, whose code is typed here, or APP, where the carrier's app asks.
    """

    transaction: str
    mobile_key: str
    expires_at: datetime
    method: str = "SMS"


@dataclass(frozen=True, slots=True)
class Proved:
    """본인인증: `phone` or `certificate`; of a telephone the keyed digest of its number."""

    method: str
    mobile_key: str | None


@dataclass(frozen=True, slots=True)
class Consenting:
    """①: nothing was consented to yet, or the name is not confirmed."""

    door: Door


@dataclass(frozen=True, slots=True)
class NameConfirmed:
    """①: consents are stored and the real name is confirmed; 본인인증 is to be chosen, or under way in `asked`."""

    door: Door
    asked: Asked | None = None


@dataclass(frozen=True, slots=True)
class PhoneProved:
    """②신분증: the person is proven by telephone or certificate; an identity card is to be photographed."""

    door: Door
    proved: Proved


@dataclass(frozen=True, slots=True)
class IdCardAccepted:
    """③1원 인증: the card is genuine and the person's; an account is to be named. `lapsed`: a code ran out before."""

    door: Door
    proved: Proved
    card: str
    lapsed: bool = False


@dataclass(frozen=True, slots=True)
class AwaitingOneWon:
    """③: 1원 was sent to `account` (masked) with four digits that are valid until `expires_at`."""

    door: Door
    proved: Proved
    card: str
    request_id: str
    bank_code: str
    account: str
    sent_at: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Describing:
    """④고객정보입력: the account is the person's."""

    door: Door
    proved: Proved


@dataclass(frozen=True, slots=True)
class AwaitingKey:
    """⑤공동인증서 비밀번호 등록: the vault is to make the key pair."""

    door: Door


@dataclass(frozen=True, slots=True)
class ChoosingProduct:
    """⑥: the vault keeps a key whose SubjectPublicKeyInfo has this SHA-256, hex."""

    door: Door
    spki: str


@dataclass(frozen=True, slots=True)
class Requested:
    """The holder is registered at the authority for this key; `sealed`: its two codes, for the vault alone, base64."""

    door: Door
    spki: str
    product: str
    sealed: str


@dataclass(frozen=True, slots=True)
class Delivered:
    """The authority's certificate went through the center to the vault, which has not confirmed it yet.

    `sealed`: the certificate, base64 under the customer's key; `fingerprint`: its SHA-256, hex.
    """

    door: Door
    spki: str
    product: str
    sealed: str
    certificate: str
    fingerprint: str


@dataclass(frozen=True, slots=True)
class Issued:
    """The vault keeps it, the authority has its confirmation, and it is bound for login."""

    fingerprint: str
    product: str
    serial: str
    not_after: datetime
    replaced: bool
    kind: Kind = Kind.NEW


@dataclass(frozen=True, slots=True)
class Refused:
    """Stopped; `cause` is the code that says why and what to do next."""

    cause: str
    kind: Kind = Kind.NEW
    sealed: str = ""
    """The codes, if the holder was registered: whoever settles the run has to withdraw them."""


@dataclass(frozen=True, slots=True)
class Expired:
    """Its time is over, or it was interrupted too long; the next visit starts anew. `sealed`: as Refused has it."""

    sealed: str = ""


@dataclass(frozen=True, slots=True)
class Cancelled:
    """The person left it."""


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


Open: TypeAlias = (
    Consenting
    | NameConfirmed
    | PhoneProved
    | IdCardAccepted
    | AwaitingOneWon
    | Describing
    | AwaitingKey
    | ChoosingProduct
    | Requested
    | Delivered
)
State: TypeAlias = Open | Issued | Refused | Expired | Cancelled
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


def kind_of(state: State) -> Kind:
    """What a run is for. Of one that ran out or was left nobody asks."""
    if isinstance(state, Expired | Cancelled):
        return Kind.NEW
    return state.kind if isinstance(state, Issued | Refused) else state.door.kind


def codes_of(state: State) -> str:
    """The sealed codes of the holder's registration; "" where nobody is registered, or a certificate is bound."""
    return state.sealed if isinstance(state, Requested | Delivered | Refused | Expired) else ""


def stepped(door: Door, at: datetime) -> Door:
    """The door after a finished step."""
    return replace(door, stepped_at=at)


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
            return Step(replace(state, door=replace(door, kind=state.door.kind)))
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
