"""What an RA is told of a person's certificates (security D2): every one that was ever issued, of nobody else."""

from __future__ import annotations

import hashlib
from datetime import datetime
from functools import partial
from typing import Final

from ingam.ca.issuing.withdrawing import never_stood
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
    return issued.tell(map(partial(_one, office), found[:MOST_ISSUED]), more=len(found) > MOST_ISSUED), len(found)


def _one(office: Office, of: Certificate) -> One:
    made, issued_at = certificate.parse(of.der), of.issued_at or of.not_before
    return One(
        of.serial, hashlib.sha256(of.der).digest(), made.issuer.raw, made.subject.raw, of.profile, of.policy,
        issued_at, of.not_before, of.not_after, _STANDINGS[of.state], _ended(office, of, issued_at),
    )  # fmt: skip


def _ended(office: Office, of: Certificate, issued_at: datetime) -> Ended | None:
    if of.state not in _ENDED:
        return None
    return Ended(of.reason or _UNSPECIFIED, of.changed_at or issued_at, never_stood(office, of))
