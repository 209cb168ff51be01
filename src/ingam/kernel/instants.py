"""Instants: aware UTC datetimes; what people read is Korean time. No clock lives here."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

KST = timezone(timedelta(hours=9), "KST")

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def to_micros(at: datetime) -> int:
    """Microseconds since 1970-01-01 UTC, exact, as the store keeps instants."""
    if at.tzinfo is None:
        raise ValueError("an instant is aware")
    return (at - EPOCH) // timedelta(microseconds=1)


def from_micros(micros: int) -> datetime:
    """The instant of a stored number."""
    return EPOCH + timedelta(microseconds=micros)


def rfc3339(at: datetime) -> str:
    """`2026-11-22T10:00:00Z`: UTC, whole seconds (RFC 3339)."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def korean_day(at: datetime) -> str:
    """`2027-04-17`: the day in Korea, as certificate windows show it."""
    return at.astimezone(KST).strftime("%Y-%m-%d")


def korean_minute(at: datetime) -> str:
    """`2027-04-17 23:59`: the minute in Korea, for notices."""
    return at.astimezone(KST).strftime("%Y-%m-%d %H:%M")
