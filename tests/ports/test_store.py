"""What every store promises (`ingam.ports.store`), on SQLite and on PostgreSQL, there joined and step by step."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from ingam.adapters.hsm.file import OutboxSealer
from ingam.adapters.store import open_store
from ingam.adapters.store.postgresql import PostgresqlStore
from ingam.kernel.errors import Defect, Failure
from ingam.ports.store import (
    AlreadyUsed,
    Audit,
    Change,
    Conflict,
    Count,
    Delete,
    Flow,
    FlowSave,
    Insert,
    Issue,
    NotIssued,
    Outgoing,
    Row,
    Save,
    Stale,
    Store,
    StoreOutage,
    Tally,
    Update,
    UpdateAll,
    Use,
    Void,
)

NOW = datetime(2026, 11, 22, 10, 0, 0, 123456, tzinfo=UTC)
SEALER = OutboxSealer(bytes(range(32)))


def later(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


@dataclass(frozen=True)
class World:
    """A fresh database; each walk opens a store of its own on it."""

    open: Callable[[], Store]

    def run(self, walk: Callable[[Store], Awaitable[None]]) -> None:
        async def walked() -> None:
            store = self.open()
            try:
                await walk(store)
            finally:
                await store.close()

        asyncio.run(walked())


@pytest.fixture(params=["sqlite", "postgresql", "postgresql-stepwise"])
def world(request: pytest.FixtureRequest) -> World:
    kind = str(request.param)
    url: str = request.getfixturevalue(f"{kind.partition('-')[0]}_url")
    if kind == "postgresql-stepwise":
        return World(lambda: PostgresqlStore(url, SEALER, stepwise=True))
    return World(lambda: open_store(url, SEALER))


def flow(version: int = 0, *, id: str = "f1", state: str = "{}", session: str = "s1") -> FlowSave:
    return FlowSave(id, "registration", version, state, session, None, later(60))


def binding(id: str, customer: str = "c1", fingerprint: str = "aa", **other: Any) -> Row:
    row: dict[str, Any] = {
        "binding_id": id, "customer_id": customer, "fingerprint": fingerprint, "name_key": "n", "policy_oid": "1.2.3",
        "not_after": later(1000), "details": b"\x00sealed", "status": "ACTIVE", "bound_at": NOW, "ended_at": None,
    }  # fmt: skip
    return {**row, **other}


def session(id: str, customer: str = "c1") -> Row:
    return {
        "session": id, "level": "cert", "customer_id": customer, "csrf": "x", "device": None, "created_at": NOW,
        "seen_at": NOW, "expires_at": later(600), "ended_at": None, "ended_by": None,
    }  # fmt: skip


def sms(dedup: str, *, due: datetime = NOW, payload: bytes = b"text") -> Outgoing:
    return Outgoing("sms", payload, dedup, due)


async def outcomes(*saves: Awaitable[Any]) -> list[str]:
    """The codes of what came of each, `done` for none, sorted."""
    results = await asyncio.gather(*saves, return_exceptions=True)
    strange = [r for r in results if isinstance(r, BaseException) and not isinstance(r, Failure)]
    assert not strange
    return sorted(r.code if isinstance(r, Failure) else "done" for r in results)


# -- flows -------------------------------------------------------------------------------------------------------------


def test_a_flow_is_created_once_and_moves_on_from_the_version_that_was_read(world: World) -> None:
    async def walk(store: Store) -> None:
        assert await store.flow("f1") is None
        await store.save(Save(flow=flow()))
        assert await store.flow("f1") == Flow("f1", "registration", 1, "{}", "s1", None, later(60))
        await store.save(Save(flow=flow(1, state='{"a":"가"}', session="s2")))
        assert await store.flow("f1") == Flow("f1", "registration", 2, '{"a":"가"}', "s2", None, later(60))

    world.run(walk)


def test_a_flow_that_somebody_else_moved_is_stale_and_nothing_is_stored(world: World) -> None:
    async def walk(store: Store) -> None:
        await store.save(Save(flow=flow()))
        for stale in (flow(0), flow(2), flow(1, id="other")):
            with pytest.raises(Stale):
                await store.save(Save(flow=stale, rows=[Insert("binding", binding("b1"))], outbox=[sms("x")]))
        assert await store.one("binding", {"binding_id": "b1"}) is None
        assert await store.claim(NOW, 10, 10) == []
        assert (await store.flow("f1")) == Flow("f1", "registration", 1, "{}", "s1", None, later(60))

    world.run(walk)


def test_of_two_that_advance_from_one_version_one_is_stale(world: World) -> None:
    async def walk(store: Store) -> None:
        await store.save(Save(flow=flow()))
        for version in range(1, 6):
            rivals = [
                store.save(Save(flow=flow(version, state=str(rival)), outbox=[sms(f"{version}.{rival}")]))
                for rival in range(8)
            ]
            assert await outcomes(*rivals) == ["done"] + ["stale"] * 7
        assert len(await store.claim(NOW, 10, 100)) == 5

    world.run(walk)


# -- rows --------------------------------------------------------------------------------------------------------------


def test_every_kind_of_value_comes_back_as_it_was(world: World) -> None:
    korean = datetime(2027, 1, 1, 9, 0, 0, 1, tzinfo=timezone(timedelta(hours=9)))
    row = binding("b1", details=bytes(range(256)), not_after=korean, name_key="가'\"; DROP TABLE binding; --")

    async def walk(store: Store) -> None:
        await store.save(Save(rows=[Insert("binding", row)]))
        found = await store.one("binding", {"binding_id": "b1"})
        assert found is not None and {name: found[name] for name in row} == row  # the rest are defaults
        await store.save(Save(ledger=[Issue("nonce", "n", NOW)]))
        await store.save(Save(ledger=[Void("nonce", "n", NOW)]))
        used = await store.one("ledger_used", {"id": "n"})
        assert used == {"kind": "nonce", "id": "n", "used_at": NOW, "voided": True}

    world.run(walk)


def test_a_taken_key_or_unique_value_is_a_conflict(world: World) -> None:
    async def walk(store: Store) -> None:
        await store.save(Save(rows=[Insert("binding", binding("b1"))]))
        for taken in (binding("b1", "c2", "bb"), binding("b2", "c1", "bb"), binding("b3", "c2", "aa")):
            with pytest.raises(Conflict) as refused:
                await store.save(
                    Save(rows=[Insert("binding", taken)], audit=[Audit(NOW, "bind", "no", None, None, None)])
                )
            assert refused.value.facts == {"table": "binding"}
        assert len(await store.many("binding", {})) == 1
        assert await store.many("audit", {}) == []

    world.run(walk)


def test_an_update_that_would_break_uniqueness_is_a_conflict(world: World) -> None:
    async def walk(store: Store) -> None:
        other = binding("b2", "c2", "aa", status="REPLACED")
        await store.save(Save(rows=[Insert("binding", binding("b1")), Insert("binding", other)]))
        with pytest.raises(Conflict):
            await store.save(Save(rows=[Update("binding", {"binding_id": "b2"}, {"status": "ACTIVE"})]))

    world.run(walk)


def test_the_old_binding_ends_and_the_new_one_begins_in_one_save(world: World) -> None:
    async def walk(store: Store) -> None:
        await store.save(Save(rows=[Insert("binding", binding("b1"))]))
        end = Update("binding", {"binding_id": "b1", "status": "ACTIVE"}, {"status": "REPLACED", "ended_at": NOW})
        await store.save(Save(rows=[end, Insert("binding", binding("b2"))]))
        kept = await store.many("binding", {"customer_id": "c1"}, order="binding_id")
        assert [(row["binding_id"], row["status"]) for row in kept] == [("b1", "REPLACED"), ("b2", "ACTIVE")]

    world.run(walk)


def test_an_update_must_find_exactly_one_row(world: World) -> None:
    async def walk(store: Store) -> None:
        await store.save(Save(rows=[Insert("binding", binding(f"b{n}", f"c{n}", f"a{n}")) for n in range(2)]))
        wrong: list[Row] = [{"binding_id": "b9"}, {"status": "ACTIVE"}, {"binding_id": "b0", "ended_at": NOW}]
        for where in wrong:
            with pytest.raises(Stale):
                await store.save(Save(rows=[Update("binding", where, {"status": "STALE"})]))
        await store.save(Save(rows=[Update("binding", {"binding_id": "b0", "ended_at": None}, {"status": "STALE"})]))
        assert [row["status"] for row in await store.many("binding", {}, order="binding_id")] == ["STALE", "ACTIVE"]

    world.run(walk)


def test_every_row_of_a_condition_is_changed_but_those_that_are_named(world: World) -> None:
    async def walk(store: Store) -> None:
        rows = [Insert("binding", binding(f"b{n}", f"c{n % 2}", f"f{n}", status="STALE")) for n in range(6)]
        await store.save(Save(rows=rows))
        ended: Row = {"status": "RELEASED", "ended_at": NOW}
        where: Row = {"customer_id": "c0", "ended_at": None}
        await store.save(Save(rows=[UpdateAll("binding", where, ended, but={"binding_id": "b2"})]))
        found = {str(row["binding_id"]) for row in await store.many("binding", {"status": "RELEASED"})}
        assert found == {"b0", "b4"}
        await store.save(Save(rows=[UpdateAll("binding", {"customer_id": "nobody"}, ended)]))
        for wrong in (UpdateAll("binding", {}, ended), UpdateAll("binding", where, {}),
                      UpdateAll("binding", where, ended, but={"nothing": "x"})):  # fmt: skip
            with pytest.raises(Defect):
                await store.save(Save(rows=[wrong]))

    world.run(walk)


def test_what_another_save_wrote_with_a_row_is_seen_once_that_row_was_waited_for(world: World) -> None:
    """A login opens a session together with the binding that it holds; whoever ends the binding ends that session."""

    async def walk(store: Store) -> None:
        await store.save(Save(rows=[Insert("binding", binding("b0"))]))
        held = Update("binding", {"binding_id": "b0", "status": "ACTIVE"}, {"status": "ACTIVE"})
        over = Update("binding", {"binding_id": "b0", "status": "ACTIVE"}, {"status": "RELEASED"})
        all_ = UpdateAll("session", {"customer_id": "c1", "ended_at": None}, {"ended_at": NOW, "ended_by": "released"})
        logins = [store.save(Save(rows=[held, Insert("session", session(f"s{n}"))])) for n in range(8)]
        found = await outcomes(*logins[:4], store.save(Save(rows=[over, all_])), *logins[4:])
        rows = await store.many("session", {"customer_id": "c1"})
        assert found.count("done") == len(rows) + 1 and all(row["ended_at"] is not None for row in rows)

    world.run(walk)


def test_deleting_nothing_is_fine(world: World) -> None:
    async def walk(store: Store) -> None:
        await store.save(Save(rows=[Insert("binding", binding("b1"))]))
        await store.save(Save(rows=[Delete("binding", {"binding_id": "b9"})]))
        await store.save(Save(rows=[Delete("binding", {"binding_id": "b1"})]))
        assert await store.many("binding", {}) == []

    world.run(walk)


def test_a_save_sees_its_own_earlier_changes(world: World) -> None:
    async def walk(store: Store) -> None:
        changes: list[Change] = [
            Insert("binding", binding("b1")),
            Update("binding", {"binding_id": "b1"}, {"status": "RELEASED"}),
            Update("binding", {"binding_id": "b1", "status": "RELEASED"}, {"ended_at": NOW}),
        ]
        await store.save(Save(rows=changes, ledger=[Issue("proof", "p", later(9)), Use("proof", "p", NOW)]))
        row = await store.one("binding", {"binding_id": "b1"})
        assert row is not None
        assert (row["status"], row["ended_at"]) == ("RELEASED", NOW)
        with pytest.raises(AlreadyUsed):
            await store.save(Save(ledger=[Use("proof", "p", NOW)]))

    world.run(walk)


def test_of_two_inserts_of_one_binding_one_is_a_conflict(world: World) -> None:
    async def walk(store: Store) -> None:
        rivals = [store.save(Save(rows=[Insert("binding", binding(f"b{n}"))])) for n in range(8)]
        assert await outcomes(*rivals) == ["conflict"] * 7 + ["done"]

    world.run(walk)


def test_reading_orders_and_limits_the_same_way_everywhere(world: World) -> None:
    keys = ["b", "A", "가", "a", "~", "B"]

    async def walk(store: Store) -> None:
        rows = [binding(key, f"c{key}", key, ended_at=NOW if key == "a" else None) for key in keys]
        await store.save(Save(rows=[Insert("binding", row) for row in rows]))
        up = [row["binding_id"] for row in await store.many("binding", {}, order="fingerprint")]
        assert up == ["A", "B", "a", "b", "~", "가"]
        down = await store.many("binding", {}, order="fingerprint", descending=True, limit=2)
        assert [row["binding_id"] for row in down] == ["가", "~"]
        assert [r["binding_id"] for r in await store.many("binding", {}, order="ended_at")][-1] == "a"
        assert [r["binding_id"] for r in await store.many("binding", {"ended_at": NOW})] == ["a"]
        with pytest.raises(Conflict):
            await store.one("binding", {"status": "ACTIVE"})

    world.run(walk)


@pytest.mark.parametrize(
    ("table", "where"),
    [
        ("nobody", {}),
        ('binding" --', {}),
        ("binding", {'status" = 1 --': "x"}),
        ("binding", {"status": 1}),
        ("binding", {"status": "a\x00b"}),
        ("binding", {"status": "\ud800"}),
        ("binding", {"bound_at": 5}),
        ("binding", {"bound_at": datetime(2026, 1, 1)}),  # noqa: DTZ001 - a naive one is what is refused
        ("outbox", {"attempts": 1 << 40}),
        ("outbox", {"attempts": True}),
    ],
)
def test_a_name_or_value_that_the_schema_lacks_is_a_defect(world: World, table: str, where: dict[str, Any]) -> None:
    async def walk(store: Store) -> None:
        with pytest.raises(Defect):
            await store.many(table, where)
        with pytest.raises(Defect):
            await store.save(Save(rows=[Delete(table, where)]))

    world.run(walk)


def test_a_missing_column_is_a_defect_and_spoils_nobody_elses_save(world: World) -> None:
    async def walk(store: Store) -> None:
        bad = store.save(Save(rows=[Insert("esop_union", {"union_id": "u"})], outbox=[sms("bad")]))
        good = [store.save(Save(flow=flow(id=f"g{n}"))) for n in range(4)]
        assert await outcomes(good[0], bad, *good[1:]) == ["done"] * 4 + ["store-statement"]
        assert await store.claim(NOW, 10, 10) == []

    world.run(walk)


# -- the ledger of single-use things (security F1) ---------------------------------------------------------------------


def test_F1_what_was_never_issued_or_is_over_cannot_be_used(world: World) -> None:
    async def walk(store: Store) -> None:
        await store.save(Save(ledger=[Issue("nonce", "n", later(180), '{"purpose":"login"}')]))
        for wrong in (Use("nonce", "m", NOW), Use("code", "n", NOW), Use("nonce", "n", later(180))):
            with pytest.raises(NotIssued) as refused:
                await store.save(Save(flow=flow(), ledger=[wrong]))
            assert refused.value.facts == {"kind": wrong.kind}
        assert await store.flow("f1") is None
        await store.save(Save(ledger=[Use("nonce", "n", later(179.999999))]))
        row = await store.issued("nonce", "n")
        assert row is not None
        assert (row.facts, row.expires_at, row.used_at) == ('{"purpose":"login"}', later(180), later(179.999999))
        assert await store.issued("nonce", "m") is None

    world.run(walk)


def test_F1_a_single_use_thing_is_used_once(world: World) -> None:
    async def walk(store: Store) -> None:
        await store.save(Save(ledger=[Issue("nonce", "n", later(180))]))
        await store.save(Save(ledger=[Use("nonce", "n", NOW)]))
        with pytest.raises(AlreadyUsed) as refused:
            await store.save(Save(flow=flow(), ledger=[Use("nonce", "n", later(1))]))
        assert refused.value.facts == {"kind": "nonce"}
        assert await store.flow("f1") is None
        with pytest.raises(Conflict):
            await store.save(Save(ledger=[Issue("nonce", "n", later(500))]))

    world.run(walk)


def test_F1_a_use_whose_save_is_refused_did_not_happen(world: World) -> None:
    async def walk(store: Store) -> None:
        await store.save(Save(ledger=[Issue("nonce", "n", later(180))]))
        with pytest.raises(Stale):
            await store.save(Save(flow=flow(7), ledger=[Use("nonce", "n", NOW)]))
        await store.save(Save(ledger=[Use("nonce", "n", NOW)]))

    world.run(walk)


def test_F1_of_many_claims_of_one_nonce_one_succeeds(world: World) -> None:
    async def walk(store: Store) -> None:
        for round in range(5):
            await store.save(Save(ledger=[Issue("nonce", f"n{round}", later(180))]))
            claims = [
                store.save(Save(flow=flow(id=f"{round}.{n}"), ledger=[Use("nonce", f"n{round}", NOW)]))
                for n in range(10)
            ]
            assert await outcomes(*claims) == ["already-used"] * 9 + ["done"]
        assert len(await store.many("flow", {})) == 5

    world.run(walk)


def test_a_voided_thing_cannot_be_used_and_voiding_is_always_fine(world: World) -> None:
    async def walk(store: Store) -> None:
        await store.save(Save(ledger=[Void("code", "missing", NOW), Issue("code", "a", later(180))]))
        await store.save(Save(ledger=[Void("code", "a", NOW), Issue("code", "b", later(180))]))
        with pytest.raises(AlreadyUsed):
            await store.save(Save(ledger=[Use("code", "a", NOW)]))
        await store.save(Save(ledger=[Use("code", "b", NOW)]))
        await store.save(Save(ledger=[Void("code", "b", NOW), Void("code", "a", NOW)]))
        with pytest.raises(AlreadyUsed):
            await store.save(Save(ledger=[Issue("code", "c", later(9)), Void("code", "c", NOW), Use("code", "c", NOW)]))

    world.run(walk)


# -- counters ----------------------------------------------------------------------------------------------------------


def test_a_counter_rises_to_its_ceiling_and_no_further(world: World) -> None:
    async def walk(store: Store) -> None:
        assert await store.counted("k", 60, NOW) == 0
        assert [await store.count(Count("k", 60, 3, NOW)) for _ in range(6)] == [1, 2, 3, 4, 4, 4]
        assert await store.counted("k", 60, NOW) == 3
        assert await store.count(Count("other", 60, 3, NOW)) == 1

    world.run(walk)


def test_a_counter_starts_again_when_its_window_is_over_or_it_is_reset(world: World) -> None:
    async def walk(store: Store) -> None:
        await store.count(Count("k", 60, 3, NOW))
        assert await store.count(Count("k", 60, 3, later(59.9))) == 2
        assert await store.counted("k", 60, later(60)) == 0
        assert await store.count(Count("k", 60, 3, later(60))) == 1
        assert await store.counted("k", 60, later(119)) == 1
        await store.save(Save(resets=["k", "missing"]))
        assert await store.counted("k", 60, later(60)) == 0
        assert await store.count(Count("k", 60, 3, later(61))) == 1

    world.run(walk)


def test_F9_concurrent_hits_at_the_ceiling_let_no_more_through(world: World) -> None:
    async def walk(store: Store) -> None:
        hits = await asyncio.gather(*(store.count(Count("k", 60, 5, NOW)) for _ in range(40)))
        assert sorted(hits) == [1, 2, 3, 4, 5] + [6] * 35

    world.run(walk)


def test_a_refused_save_resets_no_counter(world: World) -> None:
    async def walk(store: Store) -> None:
        await store.count(Count("k", 60, 5, NOW))
        with pytest.raises(Stale):
            await store.save(Save(flow=flow(3), resets=["k"]))
        assert await store.counted("k", 60, NOW) == 1

    world.run(walk)


# -- the outbox --------------------------------------------------------------------------------------------------------


def test_a_due_message_is_claimed_by_one_until_its_lease_ends(world: World) -> None:
    async def walk(store: Store) -> None:
        await store.save(Save(outbox=[sms("b", due=later(2)), sms("a", due=later(1)), sms("c", due=later(9))]))
        assert await store.claim(NOW, 10, 10) == []
        first = await store.claim(later(3), 10, 10)
        assert [(m.dedup, m.kind, m.payload, m.attempts) for m in first] == [
            ("a", "sms", b"text", 1),
            ("b", "sms", b"text", 1),
        ]
        assert await store.claim(later(8), 10, 10) == []
        again = await store.claim(later(13), 10, 1)
        assert [(m.dedup, m.attempts) for m in again] == [("a", 2)]

    world.run(walk)


def test_many_workers_share_the_outbox_without_overlap(world: World) -> None:
    async def walk(store: Store) -> None:
        await store.save(Save(outbox=[sms(f"m{n:02}") for n in range(30)]))
        shares = await asyncio.gather(*(store.claim(NOW, 10, 5) for _ in range(10)))
        taken = [message.dedup for share in shares for message in share]
        left = [message.dedup for message in await store.claim(NOW, 10, 100)]
        assert sorted(taken + left) == [f"m{n:02}" for n in range(30)]

    world.run(walk)


def test_a_delivered_message_leaves_only_its_dedup_key(world: World) -> None:
    async def walk(store: Store) -> None:
        await store.save(Save(outbox=[sms("a")]))
        [message] = await store.claim(NOW, 10, 10)
        await store.delivered(message.id, later(1))
        row = await store.one("outbox", {"dedup": "a"})
        assert row is not None
        assert (row["payload"], row["delivered_at"], row["lease_until"]) == (None, later(1), None)
        await store.retry(message.id, NOW)
        await store.save(Save(flow=flow(), outbox=[sms("a", payload=b"another")]))
        assert await store.claim(later(100), 10, 10) == []
        assert await store.flow("f1") is not None

    world.run(walk)


def test_a_message_given_back_comes_again_when_it_is_due(world: World) -> None:
    async def walk(store: Store) -> None:
        await store.save(Save(outbox=[sms("a")]))
        [message] = await store.claim(NOW, 1000, 10)
        await store.retry(message.id, later(4))
        assert await store.claim(later(3), 10, 10) == []
        assert [m.attempts for m in await store.claim(later(4), 10, 10)] == [2]

    world.run(walk)


def test_the_same_dedup_key_in_one_save_and_in_many_gives_one_message(world: World) -> None:
    async def walk(store: Store) -> None:
        saves = [store.save(Save(flow=flow(id=f"f{n}"), outbox=[sms("one"), sms("one")])) for n in range(5)]
        assert await outcomes(*saves) == ["done"] * 5
        assert len(await store.claim(NOW, 10, 10)) == 1

    world.run(walk)


def test_H1_an_outbox_payload_is_sealed_at_rest_and_bound_to_its_message(world: World) -> None:
    canary = b"canary 010-8513-0000"

    async def walk(store: Store) -> None:
        await store.save(Save(outbox=[sms("a", payload=canary), sms("b")]))
        rows = {str(row["dedup"]): row for row in await store.many("outbox", {})}
        sealed = rows["a"]["payload"]
        assert isinstance(sealed, bytes)
        assert canary not in sealed
        await store.save(Save(rows=[Update("outbox", {"dedup": "b"}, {"payload": sealed})]))
        assert [message.dedup for message in await store.claim(NOW, 10, 10)] == ["a"]

    world.run(walk)


def test_the_wake_hook_is_called_after_a_commit_with_a_message_only(world: World) -> None:
    async def walk(store: Store) -> None:
        calls: list[int] = []
        store.on_outgoing(lambda: calls.append(1))
        await store.save(Save(flow=flow()))
        with pytest.raises(Stale):
            await store.save(Save(flow=flow(5), outbox=[sms("a")]))
        assert calls == []
        await store.save(Save(outbox=[sms("a")]))
        assert calls == [1]

    world.run(walk)


def test_rows_are_counted_without_being_read(world: World) -> None:
    async def walk(store: Store) -> None:
        rows = [
            Insert("binding_claim", {"claim_key": f"k{n}", "customer_id": f"c{n % 2}", "at": NOW, "ended_at": ended})
            for n, ended in enumerate((None, None, None, NOW))
        ]
        assert await store.how_many("binding_claim", {}) == 0
        await store.save(Save(rows=rows))
        assert await store.how_many("binding_claim", {}) == 4
        assert await store.how_many("binding_claim", {"ended_at": None}) == 3
        assert await store.how_many("binding_claim", {"customer_id": "c1", "ended_at": None}) == 1

    world.run(walk)


# -- the audit ---------------------------------------------------------------------------------------------------------


def test_audit_lines_keep_their_order_and_facts(world: World) -> None:
    async def walk(store: Store) -> None:
        lines = [Audit(NOW, "login", "refused", "p", "s", "127.0.0.1", {"code": f"c{n}", "n": n}) for n in range(3)]
        await store.save(Save(audit=lines))
        kept = await store.many("audit", {"action": "login"}, order="seq")
        assert [row["facts"] for row in kept] == [f'{{"code": "c{n}", "n": {n}}}' for n in range(3)]
        assert kept[0]["at"] == NOW

    world.run(walk)


def test_audit_lines_are_tallied_by_action_result_and_hour(world: World) -> None:
    async def walk(store: Store) -> None:
        told = [
            (0, "login", "ok"),
            (60, "login", "ok"),
            (60, "login", "wrong"),
            (3600, "login", "ok"),
            (0, "other", "ok"),
        ]
        assert await store.tally(NOW, later(7200)) == []
        lines = [Audit(later(seconds), action, result, None, None, None) for seconds, action, result in told]
        await store.save(Save(audit=lines))
        hour = NOW.replace(minute=0, second=0, microsecond=0)
        next_hour = hour + timedelta(hours=1)
        assert await store.tally(NOW, later(7200)) == [
            Tally("login", "ok", hour, 2),
            Tally("login", "ok", next_hour, 1),
            Tally("login", "wrong", hour, 1),
            Tally("other", "ok", hour, 1),
        ]
        assert [one.count for one in await store.tally(NOW, later(1))] == [1, 1]
        assert await store.tally(later(7200), later(9000)) == []

    world.run(walk)


@pytest.mark.parametrize("facts", [{"x": "900101-1234567"}, {"x": "no 9001011234567."}, {"x": 9001011234567}])
def test_H9_a_personal_number_never_enters_the_audit(world: World, facts: dict[str, str | int]) -> None:
    async def walk(store: Store) -> None:
        with pytest.raises(Defect) as refused:
            await store.save(Save(flow=flow(), audit=[Audit(NOW, "a", "ok", None, None, None, facts)]))
        assert refused.value.code == "audit-personal-number"
        assert await store.flow("f1") is None

    world.run(walk)


# -- together, apart and away ------------------------------------------------------------------------------------------


def test_saves_that_share_a_commit_stay_apart(world: World) -> None:
    async def walk(store: Store) -> None:
        await store.save(Save(rows=[Insert("binding", binding("b0", "c0", "a0"))]))
        many = [
            store.save(
                Save(
                    flow=flow(id=f"f{n}"),
                    rows=[Insert("binding", binding(f"b{n}", f"c{n}", "a0" if n % 3 == 0 else f"a{n}"))],
                    outbox=[sms(f"m{n}")],
                )
            )
            for n in range(1, 61)
        ]
        assert await outcomes(*many) == ["conflict"] * 20 + ["done"] * 40
        good = {f"f{n}" for n in range(1, 61) if n % 3}
        assert {row["flow_id"] for row in await store.many("flow", {})} == good
        assert {m.dedup for m in await store.claim(NOW, 10, 100)} == {f"m{n}" for n in range(1, 61) if n % 3}

    world.run(walk)


def test_saves_that_cross_each_other_all_end(world: World) -> None:
    async def walk(store: Store) -> None:
        await store.save(Save(rows=[Insert("binding", binding(f"b{n}", f"c{n}", f"a{n}")) for n in range(2)]))

        def both(order: list[int]) -> Save:
            return Save(rows=[Update("binding", {"binding_id": f"b{n}"}, {"name_key": f"{order}"}) for n in order])

        crossing = [store.save(both([0, 1] if n % 2 else [1, 0])) for n in range(4)]
        assert set(await outcomes(*crossing)) == {"done"}
        assert len({row["name_key"] for row in await store.many("binding", {})}) == 1

    world.run(walk)


def test_a_caller_that_goes_away_leaves_a_whole_save_or_none(world: World) -> None:
    async def walk(store: Store) -> None:
        await store.save(Save(flow=flow(id="warm")))
        task = asyncio.ensure_future(store.save(Save(flow=flow(), outbox=[sms("a")])))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await store.save(Save(flow=flow(id="after")))
        stored = await store.flow("f1") is not None
        assert len(await store.claim(NOW, 10, 10)) == stored

    world.run(walk)


def test_an_empty_save_is_fine(world: World) -> None:
    world.run(lambda store: store.save(Save()))


def test_a_closed_store_is_an_outage(world: World) -> None:
    async def walk(store: Store) -> None:
        await store.save(Save(flow=flow()))
        await store.close()
        for call in (store.save(Save(flow=flow(1))), store.flow("f1"), store.count(Count("k", 1, 1, NOW))):
            with pytest.raises(StoreOutage):
                await call

    world.run(walk)


def test_what_was_stored_is_there_after_closing_and_opening(world: World) -> None:
    async def first(store: Store) -> None:
        await store.save(Save(flow=flow(), outbox=[sms("a")]))
        await store.count(Count("k", 60, 3, NOW))

    async def second(store: Store) -> None:
        assert await store.flow("f1") is not None
        assert len(await store.claim(NOW, 10, 10)) == 1
        assert await store.counted("k", 60, NOW) == 1

    world.run(first)
    world.run(second)


@pytest.mark.parametrize("url", ["sqlite:////proc/none/center.db", "postgresql://nobody@localhost:1/none"])
def test_a_database_that_is_away_is_an_outage(url: str, tmp_path: Path) -> None:
    async def walk() -> None:
        store = open_store(url, SEALER)
        for call in (store.save(Save(flow=flow())), store.flow("f1"), store.claim(NOW, 1, 1)):
            with pytest.raises(StoreOutage):
                await call
        await store.close()

    asyncio.run(walk())
