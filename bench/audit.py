"""What the audit's chain costs a save: beside the same save without a line, and with a plain row in its place.

`python -m bench.audit`. Callers save at once, as a center does; commits wait for the disk on both databases. The aims
are ratios of rounds that were run in turn. On PostgreSQL whoever adds a line holds the chain until its commit; the wait
for the disk comes after, for many at once.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from time import perf_counter

from tests import postgres

from bench.figures import Figure, at_least, at_most, measure, ratio, report, spread, timing
from ingam.adapters.hsm.file import OutboxSealer
from ingam.adapters.store import open_store
from ingam.adapters.store.audit_lines import written
from ingam.adapters.store.audit_tables import open_tables
from ingam.adapters.store.migrate import migrate
from ingam.ports.store import Audit, FlowSave, Insert, Issue, Outgoing, Save, Store
from ingam.run.examining import examine

NOW = datetime(2026, 11, 26, tzinfo=UTC)
SEALER = OutboxSealer(bytes(32))
SAVES, CALLERS, ROUNDS = 320, 32, 9
_numbers = count()


def save(lines: int, plain: int = 0) -> Save:
    """What a step of registration stores: its state, a code, a message; and lines, or plain rows of their size."""
    number = next(_numbers)
    return Save(
        flow=FlowSave(f"f{number}", "registration", 0, '{"state":"AwaitingFactor"}' * 4, "s" * 64, "c", NOW),
        ledger=[Issue("sms-code", f"{number}", NOW)],
        outbox=[Outgoing("sms", b"x" * 120, f"{number}", NOW)],
        audit=[line(n) for n in range(lines)],
        rows=[Insert("consent", row(f"{number}.{n}")) for n in range(plain)],
    )


def line(number: int) -> Audit:
    return Audit(NOW, "registration.factor", "ok", "p" * 64, "s" * 64, "a" * 64, {"method": "sms", "n": number})


def row(id: str) -> dict[str, str | datetime | None]:
    return {"consent_id": id, "customer_id": "p" * 64, "code": "T1", "version": "1", "hash": "a" * 64, "at": NOW,
            "channel": "registration.factor", "flow_id": "s" * 64, "withdrawn_at": None}  # fmt: skip


def saving(runner: asyncio.Runner, store: Store, lines: int, plain: int = 0) -> Callable[[], None]:
    """SAVES saves by CALLERS at once."""

    async def caller(saves: Sequence[Save]) -> None:
        for one in saves:
            await store.save(one)

    def run() -> None:
        made = [save(lines, plain) for _ in range(SAVES)]

        async def all_of_them() -> None:
            await asyncio.gather(*(caller(made[n::CALLERS]) for n in range(CALLERS)))

        runner.run(all_of_them())

    return run


def of_database(name: str, url: str, most_plain: float, least: float) -> list[Figure]:
    """Saves a second of each kind, and what a line costs. `least`: audited saves a second."""
    with asyncio.Runner() as runner:
        store = open_store(url, SEALER)
        seconds = measure(
            {
                "bare": saving(runner, store, 0),
                "plain row": saving(runner, store, 0, 1),
                "line": saving(runner, store, 1),
                "two lines": saving(runner, store, 2),
            },
            ROUNDS,
        )
        runner.run(store.close())
        examined, verifying = runner.run(verified(url))
    figures = [Figure(f"{name}: saves, {kind}", SAVES / spread(took).median, "/s") for kind, took in seconds.items()]
    audited = SAVES / spread(seconds["line"]).median
    return [
        *figures,
        at_least(f"{name}: audited saves a second", audited, "/s", least),
        at_most(f"{name}: a save with a line / with a plain row", ratio(seconds["line"], seconds["plain row"]), "x",
                most_plain),
        Figure(f"{name}: a save with a line / bare", ratio(seconds["line"], seconds["bare"]), "x"),
        at_least(f"{name}: ingam audit verify, entries with bodies", examined / verifying, "/s", 2_500),
    ]  # fmt: skip


async def verified(url: str) -> tuple[int, float]:
    """Entries, and seconds to examine them with their bodies."""
    tables = open_tables(url)
    start = perf_counter()
    done = await examine(tables, [], SEALER, NOW)
    took = perf_counter() - start
    await tables.close()
    assert not done.findings and done.bodies == done.entries
    return done.entries, took


def main() -> int:
    """0 where every aim was met."""
    seconds = measure({"a line made, in the process": lambda: [written(line(1), SEALER) for _ in range(1000)]}, ROUNDS)
    figures = [figure for name, took in seconds.items() for figure in timing(f"1000 x {name}", took)]
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{Path(folder) / 'center.db'}"
        migrate(url)
        figures += of_database("SQLite", url, 1.8, 500)
    with postgres.server(durable=True) as server:
        figures += of_database("PostgreSQL", server.fresh(), 2.5, 200)
    return 0 if report("audit", figures) else 1


if __name__ == "__main__":
    sys.exit(main())
