"""The ledger of single-use things against a model, in random walks with many claims at once (security F1)."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule
from tests import postgres

from ingam.adapters.hsm.file import OutboxSealer
from ingam.adapters.store import open_store
from ingam.adapters.store.postgresql import PostgresqlStore
from ingam.kernel.errors import Failure
from ingam.ports.store import Issue, LedgerMove, Save, Store, Use, Void

START = datetime(2026, 11, 22, tzinfo=UTC)
SEALER = OutboxSealer(bytes(32))
NAMES = st.sampled_from("abc")


class Ledger(RuleBasedStateMachine):
    """Issue, use, void, wait; `model` holds of each name when it ends and whether it is spent."""

    fresh: Callable[[], Store]

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.store = self.fresh()
        self.now = START
        self.model: dict[str, tuple[datetime, bool]] = {}

    def do(self, *moves: LedgerMove) -> str:
        return self.all(self.store.save(Save(ledger=moves)))[0]

    def all(self, *calls: Awaitable[Any]) -> list[str]:
        async def together() -> list[Any]:
            return await asyncio.gather(*calls, return_exceptions=True)

        found = self.loop.run_until_complete(together())
        assert not [f for f in found if isinstance(f, BaseException) and not isinstance(f, Failure)]
        return sorted(f.code if isinstance(f, Failure) else "done" for f in found)

    def usable(self, name: str) -> str:
        end, spent = self.model.get(name, (START, False))
        if end <= self.now:
            return "not-issued"
        return "already-used" if spent else "done"

    @rule(name=NAMES, seconds=st.integers(1, 5))
    def issue(self, name: str, seconds: int) -> None:
        end = self.now + timedelta(seconds=seconds)
        expected = "conflict" if name in self.model else "done"
        assert self.do(Issue("nonce", name, end)) == expected
        self.model.setdefault(name, (end, False))

    @rule(name=NAMES, rivals=st.integers(1, 3))
    def use(self, name: str, rivals: int) -> None:
        expected = self.usable(name)
        calls = [self.store.save(Save(ledger=[Use("nonce", name, self.now)])) for _ in range(rivals)]
        codes = [expected] * rivals if expected != "done" else ["already-used"] * (rivals - 1) + ["done"]
        assert self.all(*calls) == codes
        self.spend(name, expected)

    @rule(first=NAMES, second=NAMES)
    def use_two_in_one_save(self, first: str, second: str) -> None:
        expected = self.usable(first)
        if expected == "done":
            expected = "already-used" if first == second else self.usable(second)
        assert self.do(Use("nonce", first, self.now), Use("nonce", second, self.now)) == expected
        if expected == "done":
            self.spend(first, "done")
            self.spend(second, "done")

    @rule(name=NAMES)
    def void(self, name: str) -> None:
        assert self.do(Void("nonce", name, self.now)) == "done"
        if name in self.model:
            self.spend(name, "done")

    @rule(name=NAMES)
    def look(self, name: str) -> None:
        row = self.loop.run_until_complete(self.store.issued("nonce", name))
        found = None if row is None else (row.expires_at, row.used_at is not None)
        assert found == self.model.get(name)

    @rule(seconds=st.integers(1, 4))
    def wait(self, seconds: int) -> None:
        self.now += timedelta(seconds=seconds)

    def spend(self, name: str, outcome: str) -> None:
        if outcome == "done":
            self.model[name] = (self.model[name][0], True)

    def teardown(self) -> None:
        self.loop.run_until_complete(self.store.close())
        self.loop.run_until_complete(self.loop.shutdown_default_executor())
        self.loop.close()


def walk(fresh: Callable[[], Store], examples: int) -> None:
    class Walk(Ledger):
        pass

    Walk.fresh = staticmethod(fresh)
    case = Walk.TestCase
    case.settings = settings(max_examples=examples, stateful_step_count=20, deadline=None, database=None)
    case("runTest").runTest()


def test_F1_the_ledger_keeps_to_its_model_on_sqlite(sqlite_template: Path) -> None:
    with tempfile.TemporaryDirectory() as folder:
        numbers = iter(range(1_000_000))

        def fresh() -> Store:
            path = Path(folder) / f"{next(numbers)}.db"
            shutil.copyfile(sqlite_template, path)
            return open_store(f"sqlite:///{path}", SEALER)

        walk(fresh, 40)


def test_F1_the_ledger_keeps_to_its_model_on_postgresql(postgresql: postgres.Server) -> None:
    url = postgresql.fresh()

    def fresh() -> Store:
        postgresql.execute_in(url, "TRUNCATE ledger_issued, ledger_used")
        return PostgresqlStore(url, SEALER)

    walk(fresh, 25)
