"""The audit's chain in both databases: numbers without gaps, nothing of a person in it, and bodies that can go."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tests.adapters.store.tampering import Tamper

from ingam.adapters.hsm.file import OutboxSealer
from ingam.adapters.store import open_store
from ingam.adapters.store.audit_lines import ACCESS, RECORD
from ingam.adapters.store.audit_tables import open_tables
from ingam.adapters.store.postgresql import PostgresqlStore
from ingam.kernel.errors import Defect, Failure
from ingam.kernel.instants import to_micros
from ingam.ports.store import Audit, Delete, FlowSave, Insert, Save, Stale, Store, Update
from ingam.protocols.audit.chain import Entry, Gap, Relinked, walk

NOW = datetime(2026, 11, 26, 10, tzinfo=UTC)
SEALER = OutboxSealer(bytes(range(32)))


def line(action: str = "registration.identify", **other: Any) -> Audit:
    return Audit(**{"at": NOW, "action": action, "result": "ok", "subject": "p", "session": "s", "address": "a",
                    "facts": {"n": 1}, **other})  # fmt: skip


def run(url: str, act: Callable[[Store], Awaitable[None]], *, stepwise: bool = False) -> None:
    async def go() -> None:
        store = PostgresqlStore(url, SEALER, stepwise=True) if stepwise else open_store(url, SEALER)
        try:
            await act(store)
        finally:
            await store.close()

    asyncio.run(go())


def entries(url: str) -> list[Entry]:
    async def read() -> list[Entry]:
        tables = open_tables(url)
        try:
            return await tables.entries(0, 10_000)
        finally:
            await tables.close()

    return asyncio.run(read())


@pytest.mark.parametrize("stepwise", [False, True])
def test_G5_each_line_is_chained_to_all_before_it(store_url: str, stepwise: bool) -> None:
    async def act(store: Store) -> None:
        for number in range(3):
            await store.save(Save(audit=[line(facts={"n": number}), line("login.password", result="no")]))

    run(store_url, act, stepwise=stepwise and store_url.startswith("postgresql"))
    chained = entries(store_url)
    assert [one.seq for one in walk(chained)] == [1, 2, 3, 4, 5, 6]
    assert {one.delete_at - one.at for one in chained[::2]} == {to_micros(NOW + RECORD) - to_micros(NOW)}
    assert {one.delete_at - one.at for one in chained[1::2]} == {to_micros(NOW + ACCESS) - to_micros(NOW)}


def test_G5_many_at_once_leave_no_gap_and_a_refused_save_takes_no_number(store_url: str) -> None:
    async def act(store: Store) -> None:
        async def one(number: int) -> None:
            version = 7 if number % 4 == 0 else 0  # every fourth is stale
            await store.save(Save(flow=FlowSave(f"f{number}", "m", version, "{}", "s", None, NOW), audit=[line()]))

        told = await asyncio.gather(*(one(number) for number in range(80)), return_exceptions=True)
        assert sum(isinstance(answer, Stale) for answer in told) == 20
        assert not [answer for answer in told if isinstance(answer, Exception) and not isinstance(answer, Failure)]

    run(store_url, act)
    assert [one.seq for one in walk(entries(store_url))] == list(range(1, 61))


def test_G5_two_stores_on_one_database_share_one_chain(store_url: str) -> None:
    async def act(store: Store) -> None:
        other = open_store(store_url, SEALER)
        await asyncio.gather(*(one.save(Save(audit=[line()])) for one in (store, other) for _ in range(20)))
        await other.close()

    run(store_url, act)
    assert len(list(walk(entries(store_url)))) == 40


def test_a_line_comes_back_whole_and_lies_sealed(store_url: str) -> None:
    written = line(operator="E1001", reason="고객 요청", access=True, facts={"code": "가"}, address="canary-address")

    async def act(store: Store) -> None:
        await store.save(Save(audit=[written]))
        [row] = await store.many("audit", {"subject": "p"})
        assert row == {
            "seq": 1, "at": NOW, "action": written.action, "result": "ok", "subject": "p", "operator": "E1001",
            "session": "s", "address": "canary-address", "reason": "고객 요청", "facts": '{"code": "가"}',
        }  # fmt: skip

    run(store_url, act)
    with tampering(store_url) as tamper:
        assert b"canary" not in repr([tamper.rows(name) for name in ("audit", "audit_chain", "audit_key")]).encode()


def test_G5_a_line_whose_secret_is_deleted_opens_no_more_and_the_chain_holds(store_url: str) -> None:
    async def act(store: Store) -> None:
        await store.save(Save(audit=[line(), line()]))
        with tampering(store_url) as tamper:
            tamper('DELETE FROM "audit_key" WHERE "seq" = 1')
        gone, kept = await store.many("audit", {}, order="seq")
        assert (gone["session"], gone["facts"]) == (None, "{}")
        assert (kept["session"], kept["facts"]) == ("s", '{"n": 1}')

    run(store_url, act)
    assert len(list(walk(entries(store_url)))) == 2


def test_G5_what_is_over_its_date_is_deleted_and_nothing_else(store_url: str) -> None:
    async def act(store: Store) -> None:
        await store.save(Save(audit=[line("login.id"), line()]))
        tables = open_tables(store_url)
        assert await tables.expire(NOW + ACCESS - timedelta(seconds=1)) == 0
        assert await tables.expire(NOW + ACCESS) == 1
        await tables.close()
        assert [row["action"] for row in await store.many("audit", {})] == ["registration.identify"]
        assert len(await store.many("audit_key", {})) == 1

    run(store_url, act)
    assert len(list(walk(entries(store_url)))) == 2


def test_G6_a_save_adds_lines_and_cannot_touch_them(store_url: str) -> None:
    async def act(store: Store) -> None:
        for table in ("audit", "audit_chain", "audit_key"):
            changes = (Insert(table, {"seq": 9}), Update(table, {"seq": 1}, {"at": NOW}), Delete(table, {"seq": 1}))
            for change in changes:
                with pytest.raises(Defect):
                    await store.save(Save(rows=[change]))

    run(store_url, act)


@pytest.mark.parametrize("reason", ["900101-1234567", "번호 9001011234567 확인"])
def test_H9_a_reason_holds_no_personal_number(store_url: str, reason: str) -> None:
    async def act(store: Store) -> None:
        with pytest.raises(Defect) as refused:
            await store.save(Save(audit=[line(reason=reason)]))
        assert refused.value.code == "audit-personal-number"

    run(store_url, act)


def test_a_changed_or_missing_entry_breaks_the_walk(store_url: str) -> None:
    async def act(store: Store) -> None:
        await store.save(Save(audit=[line() for _ in range(5)]))

    run(store_url, act)
    chained = entries(store_url)
    with pytest.raises(Gap) as gap:
        list(walk([*chained[:2], *chained[3:]]))
    assert gap.value.facts == {"seq": 3}
    with pytest.raises(Relinked) as changed:
        list(walk([*chained[:2], chained[2]._replace(at=1), *chained[3:]]))
    assert changed.value.facts == {"seq": 3}


@contextmanager
def tampering(url: str) -> Iterator[Tamper]:
    tamper = Tamper(url)
    try:
        yield tamper
    finally:
        tamper.close()
