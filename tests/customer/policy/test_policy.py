"""What two operators approved, as the center reads it: within bounds, narrowing only, kept when the store is away."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest

from ingam.customer.policy import ANCHORS, LIMITS, OIDS, TERMS, Approved, Policy, approved, approving
from ingam.customer.policy.limits import BOUNDS, LiveLimits
from ingam.ports.store import Insert, Row, Store, StoreOutage, Update
from ingam.settings import Limits

NOW = datetime(2026, 11, 22, tzinfo=UTC)


class Rows:
    """A store that holds the policy's rows, or is away."""

    def __init__(self, **values: str) -> None:
        self.values = values
        self.away = False

    async def many(self, table: str, where: Row, **how: Any) -> list[Row]:
        if self.away:
            raise StoreOutage
        return [
            {"name": name, "value": value, "version": 1, "change_id": "c", "at": NOW}
            for name, value in self.values.items()
        ]

    async def one(self, table: str, where: Row) -> Row | None:
        return next((row for row in await self.many(table, {}) if row["name"] == where["name"]), None)


def policy(rows: Rows) -> Policy:
    store: Store = rows  # type: ignore[assignment]
    return Policy(store)


def read(**values: str) -> Policy:
    made = policy(Rows(**{name.replace("_", "-"): value for name, value in values.items()}))
    asyncio.run(made.read())
    return made


def test_every_limit_of_the_bounds_is_one_of_the_settings_and_its_default_lies_within() -> None:
    ground = Limits()
    for name, bound in BOUNDS.items():
        assert bound.holds(getattr(ground, name)), name


@pytest.mark.parametrize(
    ("value", "limit"),
    [("120", 120), ("60", 60), ("59", 180), ("181", 180), ('"120"', 180), ("true", 180), ("1.5", 180), ("null", 180)],
)
def test_G2_an_approved_limit_holds_within_its_bounds_alone(value: str, limit: int) -> None:
    limits = LiveLimits(Limits(), read(limits=f'{{"sms_ttl_s": {value}, "session_max_s": 1}}'))
    assert (limits.sms_ttl_s, limits.session_max_s) == (limit, Limits().session_max_s)


def test_a_limit_that_nobody_knows_is_none() -> None:
    with pytest.raises(AttributeError):
        _ = LiveLimits(Limits(), read()).no_such_limit


def test_nothing_approved_narrows_nothing() -> None:
    made = read()
    assert made.takes("signkorea", "1.2") and made.trusts(b"\x01") and not made.approves("T1", "2026-12-01", "0")


def test_what_was_withdrawn_is_taken_and_trusted_no_more() -> None:
    made = read(policy_oids='{"withdrawn": ["signkorea 1.2"]}', trust_anchors='{"withdrawn": ["01ff"]}')
    assert not made.takes("signkorea", "1.2") and made.takes("yessign", "1.2")
    assert not made.trusts(b"\x01\xff") and made.trusts(b"\x01\xfe")


def test_a_version_of_terms_is_approved_with_its_very_text() -> None:
    made = read(terms='{"T1 2026-12-01": "ab"}')
    assert made.approves("T1", "2026-12-01", "ab") and not made.approves("T1", "2026-12-01", "ac")


def test_a_store_that_is_away_leaves_what_was_read() -> None:
    rows = Rows(**{OIDS: '{"withdrawn": ["signkorea 1.2"]}'})

    async def go() -> Policy:
        made, stop = policy(rows), asyncio.Event()
        await made.read()
        rows.away = True
        following = asyncio.create_task(made.follow(stop, every_s=0.001))
        for _ in range(3):
            await asyncio.sleep(0)
        stop.set()
        await following
        return made

    assert not asyncio.run(go()).takes("signkorea", "1.2")


def test_a_change_is_followed_without_a_new_start() -> None:
    rows = Rows()

    async def go() -> None:
        made, stop = policy(rows), asyncio.Event()
        following = asyncio.create_task(made.follow(stop, every_s=0.001))
        rows.values[ANCHORS] = '{"withdrawn": ["01"]}'
        while made.trusts(b"\x01"):
            await asyncio.sleep(0.001)
        stop.set()
        await following

    asyncio.run(asyncio.wait_for(go(), 10))


def test_the_first_approval_is_a_new_row_and_the_next_ones_count_up() -> None:
    first = approving(Approved(LIMITS, {}, 0), {"sms_ttl_s": 120}, "c1", NOW)
    assert isinstance(first, Insert) and first.values["version"] == 1
    store: Any = Rows(**{TERMS: "{}"})
    now = asyncio.run(approved(store, TERMS))
    following = approving(now, {"b": 1, "a": 2}, "c2", NOW)
    assert isinstance(following, Update) and following.where == {"name": TERMS, "version": 1}
    values: Mapping[str, Any] = following.values
    assert values["value"] == '{"a":2,"b":1}' and values["version"] == 2
