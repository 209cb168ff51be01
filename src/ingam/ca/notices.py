"""Notices of the authority itself to the registered contact, whatever the center says or does not (security D2, D10)."""

from __future__ import annotations

from datetime import datetime

import msgspec

from ingam.ca.facts import NOTICE, Facts
from ingam.ca.office import Office
from ingam.kernel.instants import korean_day, korean_minute
from ingam.kernel.words import say
from ingam.ports.books import IssueIntent, Notice

SMS = "sms"


def issued_notice(office: Office, facts: Facts, intent: IssueIntent, at: datetime) -> Notice:
    """That a certificate was issued, for what and until when; no number, no link."""
    profile = office.authority.profile(intent.profile)
    text = say(
        "ko", "ca.issued", authority=office.authority.name_ko, use=profile.title_ko,
        date=korean_day(intent.not_after), time=korean_minute(at),
    )  # fmt: skip
    dedup = f"issued {intent.ca} {intent.serial:x}"
    inner = msgspec.json.encode({"to": facts.mobile, "text": text, "reference": dedup})
    return Notice(SMS, office.sealer.seal(inner, f"{NOTICE} {dedup}"), dedup, at)
