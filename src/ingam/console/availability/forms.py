"""What the forms of switches and notices bring, from text to types; instants are Korean minutes: `2026-11-26T18:00`."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final

from starlette.datastructures import FormData

from ingam.customer.availability import Way
from ingam.customer.availability.hours import EVERY_DAY, Hours, HoursRefused, minutes
from ingam.customer.availability.setting import Announcement, AvailabilityRefused, Switch
from ingam.kernel.instants import KST

LOCAL: Final = "%Y-%m-%dT%H:%M"


def switch(way: Way, form: FormData) -> Switch:
    """Raises AvailabilityRefused {part}, HoursRefused {part}."""
    off = text(form, "state") == "off"
    until = text(form, "until")
    return Switch(
        way=way,
        off=off,
        reason_ko=text(form, "reason_ko"),
        reason_en=text(form, "reason_en"),
        until=instant(until, "until") if off and until else None,
        hours=_hours(form),
    )


def announcement(form: FormData, now: datetime) -> Announcement:
    """Raises AvailabilityRefused {part}. Without a beginning it is shown at once."""
    begins = text(form, "from_at")
    return Announcement(
        kind=text(form, "kind"),
        text_ko=text(form, "text_ko"),
        text_en=text(form, "text_en"),
        from_at=instant(begins, "from_at") if begins else now,
        until_at=instant(text(form, "until_at"), "until_at"),
    )


def text(form: Mapping[str, object], name: str) -> str:
    """A field's text, trimmed."""
    return str(form.get(name, "")).strip()


def instant(written: str, part: str) -> datetime:
    """The instant of a Korean minute. Raises AvailabilityRefused {part}."""
    try:
        return datetime.strptime(written, LOCAL).replace(tzinfo=KST).astimezone(UTC)
    except ValueError:
        raise AvailabilityRefused(part=part) from None


def local(at: datetime | None) -> str:
    """The Korean minute of an instant, for a field; "" for none."""
    return "" if at is None else at.astimezone(KST).strftime(LOCAL)


def _hours(form: FormData) -> Hours | None:
    if text(form, "when") != "hours":
        return None
    chosen = {str(day) for day in form.getlist("day")}
    if not chosen <= set(EVERY_DAY):
        raise HoursRefused(part="days")
    return Hours("".join(sorted(chosen)), minutes(text(form, "opens")), minutes(text(form, "closes")))
