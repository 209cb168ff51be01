"""The NPKI profile as the field's clients speak it over raw TCP (npki.md section 6): off unless a port is set for it.

It is of RFC 2510's time: pvno 1, hardly a header, the historic DES-MAC, and the client's own pkiConf as confirmation.
None of that protects by itself, so it listens on the loopback or in a tunnel, and takes only codes that were
registered for it and no other way (security D8). R comes in an EncryptedVID here as anywhere.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import datetime
from typing import Final

from ingam.ca.endpoint.practice import SKEW, Mac, Practice
from ingam.ca.endpoint.sender import Role
from ingam.npki.certificate import Certificate
from ingam.protocols.cmp import des_mac
from ingam.protocols.cmp.header import Header
from ingam.protocols.cmp.message import BodyKind, UnverifiedMessage
from ingam.protocols.cmp.status import CmpRefused, FailInfo

SALT_OCTETS: Final = 8
_MAY: Final[Mapping[BodyKind, frozenset[Role]]] = {
    BodyKind.IR: frozenset((Role.CODE,)),
    BodyKind.KUR: frozenset((Role.HOLDER,)),
    BodyKind.GENM: frozenset((Role.CODE, Role.HOLDER)),
    BodyKind.PKICONF: frozenset((Role.CODE, Role.HOLDER)),
}


class Npki(Practice):
    """The practice of the profile."""

    versions = frozenset((1,))
    npki = True

    def transaction(self, header: Header) -> bytes:
        """Some clients name none: a reference number has one exchange anyway."""
        named = header.transaction_id
        return named or hashlib.sha256(b"npki " + (header.sender_kid or b"")).digest()[:16]

    def check_header(self, header: Header, kind: BodyKind, now: datetime) -> None:
        del kind
        if header.message_time is not None and abs(header.message_time - now) > SKEW:
            raise CmpRefused("cmp-time", FailInfo.BAD_TIME)

    def mac(self, algorithm: bytes) -> Mac | None:
        if not des_mac.is_des_mac(algorithm):
            return super().mac(algorithm)
        _, iterations = des_mac.parameters(algorithm)
        return Mac(
            iterations,
            ("sha1",),
            des_mac.verify,
            lambda code, salt: des_mac.DesMacProtection(code, des_mac.algorithm(salt[:SALT_OCTETS], iterations)),
        )

    def check_may(self, role: Role, kind: BodyKind, profile: str | None = None) -> None:
        del profile
        if role not in _MAY.get(kind, ()):
            raise CmpRefused("cmp-body-refused", FailInfo.BAD_REQUEST)

    def is_sender(self, message: UnverifiedMessage, given: Certificate) -> bool:
        """Senders are labels such as `INI_RENEW`, or nobody."""
        del message, given
        return True

    def is_key_id(self, kid: bytes | None, given: Certificate) -> bool:
        """The old certificate's key identifier, or its serial number in decimal."""
        return kid in (None, given.ski, str(given.serial).encode())
