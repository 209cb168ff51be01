"""Certificates that no authority of ours would issue: by the stranger, or with a house's key and a mistake in them."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from ingam.kernel.instants import KST
from ingam.npki import der, shapes, vid
from ingam.npki.shapes import Policy, Validity
from ingam.npki.vid import Vid
from ingam.sandbox.authorities.houses import SIGNKOREA
from ingam.sandbox.authorities.stranger import authority_key
from ingam.sandbox.behind import Signing
from ingam.sandbox.people import Person

PARTITION: Final = "dp4p1"
_SECURITIES: Final = Policy(
    "1.2.410.200004.5.1.1.9", "http://www.signkorea.com/cps.html", "이 인증서는 공동인증서입니다"
)
_YEAR: Final = timedelta(days=365)


def securities(
    by: Signing, owner: Person, number: str, spki: bytes, r: bytes | None, *, serial: int, begins: datetime
) -> bytes:
    """DER of a securities certificate of a year in SignKorea's shape. `r` None: without a VID."""
    identifier = None if r is None else Vid("sha256", vid.compute_vid(owner.idn, der.bits(r)))
    entry = f"ou={PARTITION},ou=AccreditedCA,o={SIGNKOREA.organisation},c=KR"
    shape = shapes.person(
        _SECURITIES,
        owner.name,
        identifier,
        crl=f"ldap://{SIGNKOREA.directory}:389/{entry}",
        ocsp=f"http://{SIGNKOREA.ocsp}",
    )
    last = (begins.astimezone(KST) + _YEAR).date()
    units = (("OU", "증권"), ("OU", "가온"), ("OU", "HTS"))
    tbs = shapes.tbs_certificate(
        shape,
        serial=serial,
        issuer=by.certificate.subject.raw,
        validity=Validity(begins.replace(second=0, microsecond=0), shapes.end_of_day(last)),
        subject=shapes.name(("C", "KR"), ("O", "SignKorea"), *units, ("CN", f"{owner.name}-{number}")),
        spki=spki,
        authority_key=authority_key(by),
        algorithm=by.algorithm,
    )
    return shapes.assemble(tbs, by.sign(tbs), by.algorithm)
