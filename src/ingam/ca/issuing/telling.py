"""What an RA is told of a person's certificates (security D2): every one that was ever issued, of nobody else."""

from __future__ import annotations

import hashlib
from typing import Final

from ingam.ca.office import Office
from ingam.kernel.secret import Secret
from ingam.npki import certificate
from ingam.ports.books import Certificate, State
from ingam.protocols.cmp import issued
from ingam.protocols.cmp.header import Info
from ingam.protocols.cmp.issued import MOST_ISSUED, Ended, One, Standing

_STANDINGS: Final = {
    State.PENDING: Standing.PENDING,
    State.VALID: Standing.VALID,
    State.HELD: Standing.HELD,
    State.REVOKED: Standing.REVOKED,
}
_ENDED: Final = frozenset({State.HELD, State.REVOKED})
_UNSPECIFIED: Final = 0


async def issued_to(office: Office, idn: Secret[str]) -> tuple[Info, int]:
    """The answer for a number, and how many certificates the books have; none for whoever is not known.

    Raises BlindIndexOutage, BooksOutage.
    """
    found = office.books.of_person(await office.index.index("idn", idn))
    return issued.tell(map(_one, found[:MOST_ISSUED]), more=len(found) > MOST_ISSUED), len(found)


def _one(of: Certificate) -> One:
    issued_at = of.issued_at or of.not_before
    ended = Ended(of.reason or _UNSPECIFIED, of.changed_at or issued_at) if of.state in _ENDED else None
    return One(
        of.serial, hashlib.sha256(of.der).digest(), certificate.parse(of.der).subject.raw, of.profile, of.policy,
        issued_at, of.not_before, of.not_after, _STANDINGS[of.state], ended,
    )  # fmt: skip
