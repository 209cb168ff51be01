"""The lists of one round of the night: each is fetched once, and answers for every certificate that names it.

A list is fetched where many of a batch name it; the rest is asked one by one, and so is everybody whose list cannot be
had or is not of now. A list that is there answers for whoever names it, in this round and no longer.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from typing import Final, NamedTuple

import structlog

from ingam.npki.certificate import Certificate
from ingam.ports.status import Status, StatusChecker, StatusList, StatusUnavailable
from ingam.protocols import crl

log = structlog.get_logger()

MOST: Final = 64
"""Lists held at a time: one may have hundreds of thousands of entries."""


class Named(NamedTuple):
    """A list, as certificates name it. `issuer`: SHA-256 of the issuing CA's certificate."""

    issuer: bytes
    partition: str


class NightLists:
    """`least`: from so many certificates on a list is fetched."""

    def __init__(self, status: StatusChecker, least: int) -> None:
        self._status = status
        self._least = max(1, least)
        self._held: dict[Named, StatusList | None] = {}

    async def fetch(self, batch: Iterable[tuple[Certificate, Certificate]], at: datetime) -> None:
        """The lists that are worth it for these (person, issuer), one after the other; none twice."""
        named = [(found, issuer) for person, issuer in batch if (found := _named(person, issuer)) is not None]
        counts, issuers = Counter(found for found, _ in named), dict(named)
        for found, count in counts.items():
            if count >= self._least and found not in self._held:
                self._hold(found, await self._fetched(found, issuers[found], at))

    def status(self, person: Certificate, issuer: Certificate) -> Status | None:
        """What its list says; None where the responder is to be asked."""
        found = _named(person, issuer)
        held = None if found is None else self._held.get(found)
        return None if held is None else held.status(person.serial)

    async def _fetched(self, found: Named, issuer: Certificate, at: datetime) -> StatusList | None:
        try:
            return await self._status.whole_list(issuer, found.partition, at)
        except StatusUnavailable as none:
            log.warning("recheck.no-list", partition=found.partition, code=none.code)
            return None

    def _hold(self, found: Named, held: StatusList | None) -> None:
        while len(self._held) >= MOST:
            self._held.pop(next(iter(self._held)))
        self._held[found] = held


def _named(person: Certificate, issuer: Certificate) -> Named | None:
    partition = crl.partition_of(person)
    return None if partition is None else Named(issuer.fingerprint, partition)
