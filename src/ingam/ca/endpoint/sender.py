"""Who sends messages, and who may send which: somebody with a code, the holder of a certificate of ours, an RA."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum, auto
from typing import Final, TypeAlias

from ingam.ca.facts import Facts
from ingam.kernel.secret import Secret
from ingam.npki.certificate import Certificate
from ingam.ports import books
from ingam.ports.books import Registration
from ingam.protocols.cmp.message import BodyKind, Protection
from ingam.protocols.cmp.status import CmpRefused, FailInfo


class Role(Enum):
    """What a sender is to the authority."""

    CODE = auto()
    HOLDER = auto()
    REGISTRAR = auto()


@dataclass(frozen=True, slots=True, repr=False)
class Coded:
    """Somebody who has a reference number and its code. `key`: 32 bytes that stand for the sender.

    `answering`: from 16 random octets the protection of an answer; `costly`: more is derived than a loop waits for.
    """

    key: bytes
    registration: Registration
    code: Secret[bytes]
    facts: Facts | None
    answering: Callable[[bytes], Protection]
    costly: bool = False

    @property
    def role(self) -> Role:
        """CODE."""
        return Role.CODE


@dataclass(frozen=True, slots=True, repr=False)
class Certified:
    """The holder of a certificate that the books have; `registrar`: an RA (EKU id-kp-cmcRA)."""

    key: bytes
    certificate: Certificate
    entry: books.Certificate
    registrar: bool

    @property
    def role(self) -> Role:
        """HOLDER or REGISTRAR."""
        return Role.REGISTRAR if self.registrar else Role.HOLDER


Sender: TypeAlias = Coded | Certified


def profile_of(sender: Sender) -> str | None:
    """The profile of the sender's certificate."""
    return sender.entry.profile if isinstance(sender, Certified) else None


_FIRST: Final = frozenset((Role.CODE, Role.REGISTRAR))
_OWN: Final = frozenset((Role.HOLDER, Role.REGISTRAR))
_ALL: Final = frozenset(Role)

MAY: Final[Mapping[BodyKind, frozenset[Role]]] = {
    BodyKind.IR: _FIRST,
    BodyKind.CR: _FIRST,
    BodyKind.P10CR: _FIRST,
    BodyKind.KUR: _OWN,
    BodyKind.RR: _OWN,
    BodyKind.CERT_CONF: _ALL,
    BodyKind.POLL_REQ: _ALL,
    BodyKind.GENM: _ALL,
    BodyKind.NESTED: frozenset((Role.REGISTRAR,)),
    BodyKind.CCR: frozenset(),
}
"""Whose word counts for what (security D5). Another authority is certified in a ceremony, never by a ccr."""


def check_may(role: Role, kind: BodyKind) -> None:
    """Raises CmpRefused: cmp-body-refused (badRequest), cmp-by-code (wrongIntegrity), cmp-not-authorized."""
    allowed = MAY.get(kind)
    if allowed is None:
        raise CmpRefused("cmp-body-refused", FailInfo.BAD_REQUEST)
    if role not in allowed:
        if role is Role.CODE:  # a signature is wanted there
            raise CmpRefused("cmp-by-code", FailInfo.WRONG_INTEGRITY)
        raise CmpRefused("cmp-not-authorized", FailInfo.NOT_AUTHORIZED)
