"""What is true at each step of an issuance. A state carries exactly that, and nothing that identifies a person.

What does is a keyed digest, or sealed under the customer's own key, before it comes here (security H6).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import TypeAlias


class Kind(StrEnum):
    """What a run is for, from its beginning. REISSUE: 재발급, which keeps the end date and ends the old one."""

    NEW = "new"
    REISSUE = "reissue"


@dataclass(frozen=True, slots=True)
class Door:
    """Who may go on, and with what: this session on this device. `stepped_at`: of the last finished step (F10).

    `session`: SHA-256 of the session cookie, hex; `device`: SHA-256 of the device cookie, hex, or None. `kind` is
    carried through every state; states that were stored before there was one are of a new certificate.
    `head`: keyed digest of whose number the run is of at a union, else ""; `began_at`: None in older states.
    """

    session: str
    device: str | None
    stepped_at: datetime
    kind: Kind = Kind.NEW
    head: str = ""
    began_at: datetime | None = None

    @property
    def began(self) -> datetime:
        """When the run began; of an older state the earliest that is known."""
        return self.began_at or self.stepped_at


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
