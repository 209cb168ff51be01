"""Notices of the authority itself to the registered contact, whatever the center says or does not (security D2, D10).

They are written in the transaction of what they tell of, sealed, and leave afterwards.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final

import msgspec

from ingam.ca import facts as sealed
from ingam.ca.facts import NOTICE, Facts
from ingam.ca.office import Office
from ingam.kernel.instants import korean_day, korean_minute
from ingam.kernel.words import say
from ingam.ports.books import Certificate, IssueIntent, Notice, State
from ingam.ports.sms import Sms

SMS: Final = "sms"
_TEXTS: Final = {State.REVOKED: "ca.revoked", State.HELD: "ca.held", State.VALID: "ca.resumed"}


def issued_notice(office: Office, facts: Facts, intent: IssueIntent, at: datetime) -> Notice:
    """That a certificate was issued, for what and until when; no number, no link."""
    title, end = office.authority.profile(intent.profile).title_ko, korean_day(intent.not_after)
    text = say("ca.issued", authority=office.authority.name_ko, use=title, date=end, time=korean_minute(at))
    return _notice(office, facts.mobile, text, f"issued {intent.ca} {intent.serial:x}", at)


def status_notice(office: Office, one: Certificate, state: State, at: datetime) -> list[Notice]:
    """That a certificate was revoked, held or released; nobody to tell: no notice."""
    kept = None if one.person is None else office.books.person(one.person)
    if one.person is None or kept is None:
        return []
    mobile = sealed.open_person(office.sealer, one.person, kept).mobile
    if not mobile:
        return []
    title = office.authority.profile(one.profile).title_ko
    text = say(_TEXTS[state], authority=office.authority.name_ko, use=title, time=korean_minute(at))
    return [_notice(office, mobile, text, f"{state.value} {one.ca} {one.serial:x} {int(at.timestamp())}", at)]


def contact_notice(office: Office, mobile: str, reference: str, at: datetime) -> Notice:
    """To the contact that stood: another one is told from now on. Whoever registers cannot end notices unnoticed."""
    text = say("ca.contact", authority=office.authority.name_ko, time=korean_minute(at))
    return _notice(office, mobile, text, f"contact {reference}", at)


def opened(office: Office, notice: Notice) -> Sms:
    """The message of a notice. Raises Defect `sealed-payload`."""
    inner = msgspec.json.decode(office.sealer.open(notice.sealed, f"{NOTICE} {notice.dedup}"))
    return Sms(**inner)


def _notice(office: Office, mobile: str, text: str, dedup: str, at: datetime) -> Notice:
    inner = msgspec.json.encode({"to": mobile, "text": text, "reference": dedup})
    return Notice(SMS, office.sealer.seal(inner, f"{NOTICE} {dedup}"), dedup, at)
