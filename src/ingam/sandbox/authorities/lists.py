"""Revocation lists that are wrong on purpose: the house's own list, changed in one thing and signed anew."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Final

from ingam.npki import der
from ingam.npki.der import Element
from ingam.protocols import crl
from ingam.protocols.crl import writing
from ingam.protocols.crl.writing import Outline
from ingam.sandbox.authorities.answers import NOISE
from ingam.sandbox.behind import Signing

STALE: Final = timedelta(days=40)
OLDEST: Final = 0
"""Below every number that the houses give."""

_IDP: Final = "2.5.29.28"
_PARTITION: Final = re.compile(r"(dp\d+p)(\d+)")


def bent(honest: bytes, by: Signing, stranger: Signing, position: str, now: datetime) -> bytes:
    """DER of a CertificateList. `honest`: the list of a partition or a root as published; `by`: its issuer."""
    if position == "malformed":
        return NOISE
    given = crl.parse(honest)
    lasts = given.next_update - given.this_update
    begins = now.replace(microsecond=0) - STALE if position == "stale" else given.this_update
    outline = Outline(
        algorithm=by.algorithm,
        issuer=given.issuer,
        authority_key=writing.authority_key(by.certificate),
        number=OLDEST if position == "older-number" else given.number,
        this_update=begins,
        next_update=begins + lasts,
        addresses=tuple(_other(one) if position == "other-partition" else one for one in _addresses(honest)),
    )
    entries = () if given.revoked is None else tuple(one.raw for one in given.revoked.children())
    tbs = writing.tbs(outline, entries)
    signer = stranger if position == "wrong-signature" else by
    return writing.assemble(tbs, by.algorithm, signer.sign(tbs))


def _other(address: str) -> str:
    """Of another partition of the same CA."""
    return _PARTITION.sub(lambda found: f"{found[1]}{int(found[2]) + 1}", address, count=1)


def _addresses(data: bytes) -> tuple[str, ...]:
    """The addresses in the IssuingDistributionPoint; () for a list of everything."""
    tbs, _, _ = der.whole(data).exactly(3)
    *_, last = tbs.sequence()
    for extension in last.explicit(0).sequence() if last.tag == 0xA0 else ():
        kind, *_, value = extension.sequence()
        if kind.oid() == _IDP:
            return tuple(_names(der.whole(value.content)))
    return ()


def _names(point: Element) -> list[str]:
    (name,) = (part for part in point.sequence() if part.tag == 0xA0)
    (full,) = name.at_least(1, 0xA0)
    return [one.content.decode("ascii") for one in full.at_least(1, 0xA0)]
