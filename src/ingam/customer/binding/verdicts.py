"""What the numbered checks say of a certificate that somebody only looks at: a verdict each, and no more (W7).

Nobody signed anything, so nothing is proven about who looks, and nothing is told about whom it is bound to (H5). The
order is that of a login: the status is asked for only after path and signature held (A13).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from ingam.customer.binding.proof import CheckFailed, Prover
from ingam.kernel.errors import Refusal
from ingam.npki import certificate
from ingam.npki.certificate import Certificate
from ingam.ports.status import IssuingAuthority, Source, StatusUnavailable

MOST: Final = 8 * 1024
"""Octets of a certificate; those of the profile have less than two thousand."""


class VerifyMalformed(Refusal):
    """What came is no certificate."""

    code = "verify-malformed"


class Check(StrEnum):
    """What is looked at."""

    FORM = "form"
    PATH = "path"
    POLICY = "policy"
    VALIDITY = "validity"
    STATUS = "status"


class Word(StrEnum):
    """`open`: it could not be looked at, or was not because of what came before."""

    GOOD = "good"
    BAD = "bad"
    OPEN = "open"


@dataclass(frozen=True, slots=True)
class Verdict:
    """One check. `code`: why it is not good; `source`, `produced`: where a status comes from, and of when it is."""

    check: Check
    word: Word
    code: str | None = None
    source: Source | None = None
    produced: datetime | None = None


async def verdicts(prover: Prover, der: bytes, at: datetime) -> tuple[Verdict, ...]:
    """Of every check one. Raises VerifyMalformed."""
    person = _parsed(der)
    try:
        authority, out_of_time = await prover.path(person, at)
    except CheckFailed as failed:
        form = failed.code == "cert-malformed"
        first = Verdict(Check.FORM, Word.BAD if form else Word.GOOD, failed.code if form else None)
        path = Verdict(Check.PATH, Word.OPEN if form else Word.BAD, "not-asked" if form else failed.code)
        return (first, path, *(Verdict(one, Word.OPEN, "not-asked") for one in (Check.VALIDITY, Check.STATUS)))
    except StatusUnavailable:
        # The root's own list did not come: nothing is known to be wrong, and nothing is acquitted (A10).
        return (
            Verdict(Check.FORM, Word.GOOD),
            Verdict(Check.PATH, Word.OPEN, "status-unavailable"),
            Verdict(Check.STATUS, Word.OPEN, "status-unavailable"),
        )
    return (
        Verdict(Check.FORM, Word.GOOD),
        Verdict(Check.PATH, Word.GOOD),
        _policy(prover, person, authority),
        Verdict(Check.VALIDITY, Word.GOOD if out_of_time is None else Word.BAD, out_of_time),
        await _status(prover, person, authority, at),
    )


def _parsed(der: bytes) -> Certificate:
    if not 0 < len(der) <= MOST:
        raise VerifyMalformed
    try:
        return certificate.parse(der)
    except Refusal:
        raise VerifyMalformed from None


def _policy(prover: Prover, person: Certificate, authority: IssuingAuthority) -> Verdict:
    try:
        prover.policy(person, authority)
    except CheckFailed as failed:
        return Verdict(Check.POLICY, Word.BAD, failed.code)
    return Verdict(Check.POLICY, Word.GOOD)


async def _status(prover: Prover, person: Certificate, authority: IssuingAuthority, at: datetime) -> Verdict:
    try:
        good = await prover.status(person, authority, at)
    except CheckFailed as failed:
        source = failed.facts.get("source")
        return Verdict(Check.STATUS, Word.BAD, failed.code, Source(str(source)) if source else None)
    except StatusUnavailable:
        return Verdict(Check.STATUS, Word.OPEN, "status-unavailable")
    return Verdict(Check.STATUS, Word.GOOD, None, good.source, good.produced)
