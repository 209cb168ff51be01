"""Evidence of a signed act: every part that is changed is found, and what is no evidence never reads as one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from hashlib import sha256

import msgspec
import pytest
from cryptography.x509.ocsp import OCSPCertStatus
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.npki import certs
from tests.protocols.ocsp.test_ocsp import answer, responder

from ingam.kernel.errors import Refusal
from ingam.npki import cms
from ingam.npki.chain import Anchors
from ingam.protocols import evidence as form
from ingam.protocols.challenge import text
from ingam.protocols.evidence import Evidence, EvidenceUnreadable, Signed
from ingam.protocols.evidence.examining import Check, Report, TimeFrom, Verdict, examine

NOW = certs.NOW
TEXT = "대출신청서\n접수번호: 20261122-0000000001\n신청 금액: 10,000,000원"


@dataclass(frozen=True)
class Stamper:
    """A time-stamp authority in memory: the stamp is the hash of the message."""

    at: datetime = NOW

    def __call__(self, stamp: bytes, message: bytes) -> datetime:
        if stamp != sha256(message).digest():
            raise Refusal("timestamp-invalid")
        return self.at


@cache
def made() -> Evidence:
    """A right one, stamped."""
    person = certs.person()
    given = Signed("https://center.test", "1" * 64, NOW, NOW + timedelta(seconds=180), "2" * 64)
    one = Evidence(
        number="20261122-0000000001",
        act="loan",
        at=NOW + timedelta(seconds=20),
        text=TEXT,
        signed=given,
        cms=b"",
        authority=certs.ca().certificate.der,
        root=certs.root().certificate.der,
        responders=(responder().certificate.der,),
        source="ocsp",
        status=answer(),
    )
    content = text(one.challenge(), person.certificate.der, None)
    signed = cms.sign(content, person.certificate, person.key, purpose="loan", signing_time=NOW)
    one = msgspec.structs.replace(one, cms=signed)
    return msgspec.structs.replace(one, stamp=sha256(form.stamped(one)).digest())


def looked(one: Evidence, stamper: Stamper | None = Stamper(), *, trusted: bool = True) -> Report:
    anchors = Anchors.sorted_out([certs.root().certificate, certs.ca().certificate] if trusted else [])
    return examine(one, anchors, check_stamp=stamper)


def code_of(report: Report, name: str) -> str:
    return next(one.code for one in report.checks if one.name == name)


def test_a_right_one_is_right_in_every_check_and_says_whose_it_is() -> None:
    report = looked(form.read(form.written(made())))
    assert [(one.name, str(one.verdict)) for one in report.checks] == [
        ("signature", "ok"), ("number", "ok"), ("path", "ok"), ("status", "ok"), ("time", "ok"), ("stamp", "ok"),
    ]  # fmt: skip
    assert report.signer == certs.person().certificate and report.stamped_at == NOW and report.wrong is None
    assert report.time_from is TimeFrom.STAMP


@pytest.mark.parametrize(
    ("changed", "check", "code"),
    [
        ({"text": TEXT + "0"}, "signature", "cms-content"),
        ({"act": "release"}, "signature", "cms-content"),
        ({"act": "nothing"}, "signature", "evidence-unreadable"),
        ({"cms": b"0"}, "signature", "cms-not-der"),
        ({"authority": certs.root().certificate.der}, "path", "evidence-authority"),
        ({"status": answer(status=OCSPCertStatus.REVOKED)},
         "status", "evidence-status-not-good"),
        ({"status": b"0"}, "status", "status-malformed"),
        ({"source": "word of mouth"}, "status", "evidence-unreadable"),
        ({"responders": ()}, "status", "status-responder-untrusted"),
        ({"at": NOW + timedelta(hours=2)}, "time", "evidence-time"),
        ({"at": NOW - timedelta(seconds=1)}, "time", "evidence-time"),
        ({"number": "20261122-0000000002"}, "stamp", "timestamp-invalid"),
        ({"number": "20261122-0000000002"}, "number", "evidence-number"),
        ({"number": "10,000,000원"}, "number", "evidence-number"),
    ],
)  # fmt: skip
def test_what_was_changed_is_found(changed: dict[str, object], check: str, code: str) -> None:
    report = looked(msgspec.structs.replace(made(), **changed))
    assert code_of(report, check) == code
    assert report.wrong is not None


def test_a_responder_that_no_root_signed_is_not_believed_unless_it_is_trusted_by_itself() -> None:
    stranger = responder(key_name="rsa2048-05").certificate
    own = msgspec.structs.replace(made(), responders=(stranger.der,))
    assert code_of(looked(own), "status") in ("status-responder-untrusted", "status-signature-invalid")


def test_without_the_authorities_nothing_is_believed() -> None:
    report = looked(made(), trusted=False)
    assert code_of(report, "path") == "untrusted-issuer"
    assert [one.verdict for one in report.checks if one.name == "status"] == [Verdict.SKIPPED]


def test_a_stamp_of_another_day_is_found_and_one_that_cannot_be_checked_is_said_so() -> None:
    assert code_of(looked(made(), Stamper(NOW + timedelta(days=1))), "stamp") == "evidence-time"
    unchecked = looked(made(), None)
    assert unchecked.checks[-1].verdict is Verdict.UNCHECKED and unchecked.wrong is None
    assert unchecked.time_from is TimeFrom.CENTER


def test_a_stamp_that_was_taken_away_is_missed_by_whoever_brings_the_roots() -> None:
    bare = msgspec.structs.replace(made(), stamp=None)
    report = looked(bare)
    assert report.checks[-1] == Check("stamp", Verdict.MISSING, "evidence-stamp-missing")
    assert report.wrong is report.checks[-1] and report.time_from is TimeFrom.CENTER
    unasked = looked(bare, None)
    assert unasked.checks[-1] == Check("stamp", Verdict.ABSENT) and unasked.wrong is None
    assert unasked.time_from is TimeFrom.CENTER


def test_what_nobody_signed_is_found_without_a_stamp_too() -> None:
    other = msgspec.structs.replace(made(), number="20261122-0000000002", stamp=None)
    report = looked(other, None)
    assert report.wrong is not None and report.wrong.code == "evidence-number"


def test_the_digest_of_the_receipt_tells_every_other_file_apart() -> None:
    held = form.digest(made())
    anchors = Anchors.sorted_out([certs.root().certificate, certs.ca().certificate])
    assert examine(made(), anchors, digest=held.upper()).checks[-1] == Check("digest", Verdict.OK)
    for changed in ({"stamp": None}, {"at": made().at + timedelta(seconds=1)}):
        report = examine(msgspec.structs.replace(made(), **changed), anchors, digest=held)
        assert report.checks[-1] == Check("digest", Verdict.WRONG, "evidence-other-digest")
        assert report.wrong is report.checks[-1]


@given(st.binary(max_size=400))
@settings(max_examples=100, deadline=None)
def test_what_is_no_evidence_is_refused(data: bytes) -> None:
    with pytest.raises(EvidenceUnreadable):
        form.read(data)


@given(st.data())
@settings(max_examples=40, deadline=None)
def test_a_file_in_which_one_byte_was_changed_is_refused_or_found(data: st.DataObject) -> None:
    file = bytearray(form.written(made()))
    at = data.draw(st.integers(0, len(file) - 1))
    file[at] ^= data.draw(st.integers(1, 255))
    try:
        found = form.read(bytes(file))
    except EvidenceUnreadable:
        return
    # Spaces between the parts, and bits behind the last letter of a base64 text, say nothing.
    assert found == made() or looked(found).wrong is not None
