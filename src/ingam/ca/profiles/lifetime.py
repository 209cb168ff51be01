"""From when to when a certificate is valid: a year to the end of the day in Korea, renewed or reissued (facts.md §2).

The person's last day is what they see and count with, so every sum is done in Korean days; the clock is a parameter.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from enum import StrEnum

from ingam.ca.profiles.profile import Profile
from ingam.kernel.errors import Defect, Refusal
from ingam.kernel.instants import KST
from ingam.npki.shapes import Validity, end_of_day


class Operation(StrEnum):
    """Issue a first one, renew one that ends soon (갱신), or replace one within its validity (재발급)."""

    ISSUE = "issue"
    RENEW = "renew"
    REISSUE = "reissue"


class RenewalEarly(Refusal):
    """The certificate can be renewed from thirty days before its end (facts: days, until then)."""

    code = "ca-renewal-early"


class RenewalLate(Refusal):
    """The certificate has ended; a new one is issued instead."""

    code = "ca-renewal-late"


class ReissueLate(Refusal):
    """The certificate has ended; there is no validity left to carry into another one."""

    code = "ca-reissue-late"


class GenerationEnds(Refusal):
    """This generation of the CA ends before the certificate would; the authority has to be rolled over first."""

    code = "ca-generation-ends"


def validity(
    profile: Profile,
    now: datetime,
    operation: Operation,
    old_not_after: datetime | None = None,
    within: Validity | None = None,
) -> Validity:
    """The validity of a certificate that is issued at `now` (aware). `old_not_after`: of the one renewed or reissued.

    It begins at the full minute, as the published ones do. `within`: the CA's own. Raises RenewalEarly, RenewalLate,
    ReissueLate, GenerationEnds; Defect `ca-validity` where an instant is naive or the old end is missing.
    """
    if now.tzinfo is None or (old_not_after is None) != (operation is Operation.ISSUE):
        raise Defect("ca-validity")
    if old_not_after is None:
        end = _year_from(profile, now)
    elif operation is Operation.RENEW:
        end = _renewed(profile, now, old_not_after)
    else:
        end = _reissued(profile, now, old_not_after)
    begin = now.astimezone(UTC).replace(second=0, microsecond=0)
    if within is not None:
        if end > within.not_after or now < within.not_before:
            raise GenerationEnds
        begin = max(begin, within.not_before)
    return Validity(begin, end)


def _renewed(profile: Profile, now: datetime, old: datetime) -> datetime:
    if now >= old:
        raise RenewalLate
    early = (_korean_date(old) - timedelta(days=profile.renew_from_days) - _korean_date(now)).days
    if early > 0:
        raise RenewalEarly(days=early)
    return _year_from(profile, old if profile.renewal_carries else now)


def _reissued(profile: Profile, now: datetime, old: datetime) -> datetime:
    if now >= old:
        raise ReissueLate
    return old.astimezone(UTC) if profile.reissue_keeps else _year_from(profile, now)


def _year_from(profile: Profile, at: datetime) -> datetime:
    if not profile.day_end:
        local = at.astimezone(KST)
        same_day = _years_later(local.date(), profile.years)
        return local.replace(year=same_day.year, day=same_day.day, microsecond=0).astimezone(UTC)
    return end_of_day(_years_later(_korean_date(at), profile.years))


def _years_later(day: date, years: int) -> date:
    """The same day; 29 February becomes the last day of the month (Civil Act of Korea, article 160 paragraph 3)."""
    try:
        return day.replace(year=day.year + years)
    except ValueError:
        return day.replace(year=day.year + years, day=28)


def _korean_date(at: datetime) -> date:
    return at.astimezone(KST).date()
