"""Whether a signed act holds, years later and with nobody to ask: numbered checks, each with its verdict.

Everything is judged at the instant of the act: a certificate that expired or was revoked since takes nothing back. The
trust comes from whoever examines: the authorities, and – where there is a stamp – the time-stamp authority's roots.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from hmac import compare_digest
from typing import Final, TypeVar

from ingam.kernel.errors import Failure
from ingam.npki import certificate as certificates
from ingam.npki import chain, cms
from ingam.npki.certificate import Certificate
from ingam.npki.chain import Anchors, Path
from ingam.protocols import crl, ocsp
from ingam.protocols.challenge import text
from ingam.protocols.evidence import Evidence, EvidenceUnreadable, numbered, stamped
from ingam.protocols.evidence import digest as digest_of

LATE: Final = timedelta(minutes=10)
"""How far the stamp may be from the act, and the act behind the challenge's end."""

T = TypeVar("T")

StampCheck = Callable[[bytes, bytes], datetime]
"""(the TimeStampResp, the message) → the time that it says; raises a Failure."""


class Verdict(StrEnum):
    """Of one check. `absent`: there is nothing to check; `unchecked`: the means to check it were not given; `missing`:
    the means were given, and what they check is not in the file.
    """

    OK = "ok"
    WRONG = "wrong"
    MISSING = "missing"
    ABSENT = "absent"
    UNCHECKED = "unchecked"
    SKIPPED = "skipped"


FAILED: Final = frozenset({Verdict.WRONG, Verdict.MISSING})


class TimeFrom(StrEnum):
    """Who says when it was: a time-stamp authority whose stamp was checked here, or the center alone."""

    STAMP = "stamp"
    CENTER = "center"


@dataclass(frozen=True, slots=True)
class Check:
    """One check. `name`: signature, number, path, status, time, stamp, digest; `code`: why it failed, or ""."""

    name: str
    verdict: Verdict
    code: str = ""


@dataclass(slots=True)
class Report:
    """All of them, in order, and whose signature it is."""

    checks: list[Check] = field(default_factory=list)
    signer: Certificate | None = None
    stamped_at: datetime | None = None

    @property
    def wrong(self) -> Check | None:
        """The first that failed."""
        return next((one for one in self.checks if one.verdict in FAILED), None)

    @property
    def time_from(self) -> TimeFrom:
        """Without a stamp that was checked, no instant of the file is more than the center's own word."""
        return TimeFrom.CENTER if self.stamped_at is None else TimeFrom.STAMP


class ActTimeWrong(EvidenceUnreadable):
    """The instants contradict each other: signed before it was asked for, or checked long after."""

    code = "evidence-time"


class OtherNumber(EvidenceUnreadable):
    """The number of the file is not the one in the text that was signed."""

    code = "evidence-number"


class StampMissing(EvidenceUnreadable):
    """The file has no time stamp, and whoever examines it expects one: it was taken away, or never there."""

    code = "evidence-stamp-missing"


class OtherDigest(EvidenceUnreadable):
    """The file is not the one whose digest is known: something in it was changed or taken away."""

    code = "evidence-other-digest"


class OtherAuthority(EvidenceUnreadable):
    """The authority in the file is not the one that the path leads to."""

    code = "evidence-authority"


class StatusNotGood(EvidenceUnreadable):
    """The answer that was kept says that the certificate was not good."""

    code = "evidence-status-not-good"


def examine(
    evidence: Evidence,
    anchors: Anchors,
    *,
    responders: Collection[bytes] = (),
    check_stamp: StampCheck | None = None,
    digest: str | None = None,
) -> Report:
    """Every check, also behind one that is wrong where it still can be made.

    `responders`: SHA-256 of responders that are trusted by themselves; others have to be signed by a root of `anchors`.
    `check_stamp`: given where a stamp is expected, a file without one fails; `digest`: 64 hex, of the receipt or
    the audit.
    """
    report = Report()
    signed = _tried(report, "signature", lambda: _signature(evidence))
    report.signer = None if signed is None else signed.certificate
    path = None
    if report.signer is None:
        report.checks += [Check(name, Verdict.SKIPPED) for name in ("number", "path", "status")]
    else:
        signer = report.signer
        _tried(report, "number", lambda: _number(evidence))
        path = _tried(report, "path", lambda: _path(evidence, signer, anchors))
        if path is None:
            report.checks.append(Check("status", Verdict.SKIPPED))
        else:
            held = path
            _tried(report, "status", lambda: _status(evidence, held, anchors, responders))
    signing_time = None if signed is None else signed.signing_time
    _tried(report, "time", lambda: _time(evidence, signing_time))
    _stamp(report, evidence, check_stamp)
    if digest is not None:
        known = digest
        _tried(report, "digest", lambda: _digest(evidence, known))
    return report


def _tried(report: Report, name: str, check: Callable[[], T]) -> T | None:
    try:
        found = check()
    except Failure as wrong:
        report.checks.append(Check(name, Verdict.WRONG, wrong.code))
        return None
    report.checks.append(Check(name, Verdict.OK))
    return found


def _signature(evidence: Evidence) -> cms.VerifiedSignature:
    """The key signed the challenge whose body is the hash of this text, for this act and nothing else (A1-A4, A19)."""
    given = cms.parse(evidence.cms)
    return cms.verify(given, content=text(evidence.challenge(), given.certificate.der, None), purpose=evidence.act)


def _number(evidence: Evidence) -> None:
    if not numbered(evidence.text, evidence.number):
        raise OtherNumber


def _digest(evidence: Evidence, held: str) -> None:
    if not compare_digest(digest_of(evidence), held.lower()):
        raise OtherDigest


def _path(evidence: Evidence, signer: Certificate, anchors: Anchors) -> Path:
    path = chain.validate(signer, anchors, evidence.at)
    if path.authority.der != evidence.authority:
        raise OtherAuthority
    return path


def _status(evidence: Evidence, path: Path, anchors: Anchors, responders: Collection[bytes]) -> None:
    if evidence.source == "crl":
        given = crl.parse(evidence.status)
        found = crl.verify(
            given, issuer=path.authority, partition=crl.partition_of(path.person), lowest_number=-1, at=evidence.at,
            max_age=None,
        )  # fmt: skip
        if path.person.serial in found.entries:
            raise StatusNotGood
        return
    if evidence.source != "ocsp":
        raise EvidenceUnreadable(cause="source")
    answer = ocsp.parse(evidence.status)
    told = ocsp.verify(
        answer,
        person=path.person,
        issuer=path.authority,
        responders=_vouched(evidence, anchors, responders),
        nonce=answer.nonce or b"",
        at=evidence.at,
    )
    if told.status != "good":
        raise StatusNotGood


def _vouched(evidence: Evidence, anchors: Anchors, trusted: Collection[bytes]) -> tuple[Certificate, ...]:
    """The responders of the file that a root signed, or that are trusted by themselves (A11)."""
    found = [certificates.parse(one) for one in evidence.responders]
    return tuple(one for one in found if one.fingerprint in trusted or _of_root(one, anchors))


def _of_root(one: Certificate, anchors: Anchors) -> bool:
    root = anchors.root_of(one)
    if root is None:
        return False
    try:
        chain.verify_signed_by(one, root)
    except chain.PathRefused:
        return False
    return True


def _time(evidence: Evidence, signing_time: datetime | None) -> None:
    told = evidence.signed
    if not told.issued <= evidence.at <= told.expires + LATE:
        raise ActTimeWrong
    # What the signer's device says proves nothing; far from the challenge it only shows that something is odd.
    if signing_time is not None and not told.issued - LATE <= signing_time <= told.expires + LATE:
        raise ActTimeWrong


def _stamp(report: Report, evidence: Evidence, check_stamp: StampCheck | None) -> None:
    stamp = evidence.stamp
    if check_stamp is None:
        report.checks.append(Check("stamp", Verdict.ABSENT if stamp is None else Verdict.UNCHECKED))
        return
    if stamp is None:
        report.checks.append(Check("stamp", Verdict.MISSING, StampMissing.code))
        return

    def checked() -> datetime:
        at = check_stamp(stamp, stamped(evidence))
        if abs(at - evidence.at) > LATE:
            raise ActTimeWrong
        return at

    report.stamped_at = _tried(report, "stamp", checked)
