"""Certificates that a ceremony made, entered into the books: else OCSP would call the services of our own unknown."""

from __future__ import annotations

import hashlib
import json
from datetime import datetime

from ingam.ca.log import entries
from ingam.ca.profiles import Authority
from ingam.npki.certificate import Certificate
from ingam.ports.books import AuditLine, Books, IssueIntent


async def enter_services(
    books: Books, authority: Authority, generation: int, services: dict[str, Certificate], at: datetime
) -> None:
    """`services`: name (`cmp-1`) → certificate that issuing CA `generation` issued. What is there stays as it is."""
    for name, one in services.items():
        digest = hashlib.sha256(one.tbs).digest()
        intent = IssueIntent(
            sender=digest, transaction=digest[:16], request_hash=digest, reference=None, ca=generation,
            serial=one.serial, profile=f"service-{name.rpartition('-')[0]}", policy=authority.service_policy,
            person=None, partition=1, not_before=one.not_before, not_after=one.not_after,
            spki_hash=hashlib.sha256(one.spki).digest(), tbs=one.tbs, digest=digest, at=at,
        )  # fmt: skip
        line = AuditLine(at, "ceremony", "ok", json.dumps({"ca": generation, "serial": f"{one.serial:x}"}))
        await books.enter(intent, one.der, entries.issued(generation, one.serial, one.der, at), line)
