"""The schema that the revisions make is the schema that the code speaks of, on both databases."""

from __future__ import annotations

import contextlib
import sqlite3
import threading
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, create_engine, text
from tests import postgres

from ingam.adapters.sqlite.writer import connect, create
from ingam.adapters.store import migrate as migrating
from ingam.adapters.store.addresses import sqlite_path
from ingam.adapters.store.migrate import WrongRevision, check_revision, migrate
from ingam.adapters.store.schema import metadata
from ingam.kernel.errors import Refusal
from ingam.ports.store import StoreOutage


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'deep' / 'center.db'}"
    server: postgres.Server = request.getfixturevalue("postgresql")
    return server.empty()


def differences(connection: Connection) -> list[Any]:
    context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
    return list(compare_metadata(context, metadata))


def test_the_migrated_schema_is_the_one_of_the_code(empty_url: str) -> None:
    migrate(empty_url)
    assert migrating._on(empty_url, differences) == []


def test_sqlite_indexes_and_keys_are_the_ones_of_the_code_to_the_letter(tmp_path: Path) -> None:
    made, migrated = tmp_path / "made.db", tmp_path / "migrated.db"
    metadata.create_all(create_engine(f"sqlite:///{made}"))
    migrate(f"sqlite:///{migrated}")

    def shape(path: Path) -> dict[str, str]:
        with sqlite3.connect(path) as connection:
            rows = connection.execute("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL").fetchall()
        connection.close()
        return {name: " ".join(str(sql).split()) for name, sql in rows if name != "alembic_version"}

    assert shape(made) == shape(migrated)


def test_migrating_again_changes_nothing_and_the_revision_is_right(empty_url: str) -> None:
    migrate(empty_url)
    migrate(empty_url)
    check_revision(empty_url)


FLOWS = {
    "issuance:c-hong:7": "issuance:c-hong",
    "issuance:c-lee:1:0a5c:12": "issuance:c-lee:1:0a5c",
    "registration:s0123456789:1": "registration:s0123456789",
    "copying:c-hong": "",
}
"""Ids of before, and the runs that each is one of."""


def test_runs_that_began_before_0023_are_found_by_it(empty_url: str) -> None:
    if (path := sqlite_path(empty_url)) is not None:
        create(path)

    def as_before(connection: Connection) -> None:
        config = migrating._config()
        config.attributes["connection"] = connection
        command.upgrade(config, "0022")
        for flow_id in FLOWS:
            row = {"flow_id": flow_id, "machine": flow_id.partition(":")[0]}
            into = "INSERT INTO flow (flow_id, machine, version, state, session, expires_at)"
            connection.execute(text(f"{into} VALUES (:flow_id, :machine, 1, '', '', 0)"), row)

    migrating._on(empty_url, as_before)
    migrate(empty_url)
    found = migrating._on(
        empty_url, lambda connection: connection.execute(text("SELECT flow_id, runs FROM flow")).all()
    )
    assert {str(flow_id): str(runs) for flow_id, runs in found} == FLOWS


FEES = {
    "1" * 32: ("Issued", False, "unpaid"),
    "2" * 32: ("Renewed", False, "unpaid"),
    "3" * 32: ("Expired", False, "unclear"),
    "4" * 32: (None, False, "unclear"),  # the run was tidied away
    "5" * 32: (None, True, "unpaid"),  # it is owed, and a night will try it
}
"""Fees that were `unpaid`: how their run ended, whether a night is put down, and what they are from 0025 on."""


def test_nobody_is_asked_to_pay_what_nobody_could_settle_before_0025(empty_url: str) -> None:
    if (path := sqlite_path(empty_url)) is not None:
        create(path)

    def as_before(connection: Connection) -> None:
        config = migrating._config()
        config.attributes["connection"] = connection
        command.upgrade(config, "0024")
        for key, (state, night, _) in FEES.items():
            columns = '"key", customer_id, flow_id, machine, product, amount, stage, approval, opened_at, settled_at'
            values = ":key, 'c', :key, 'issuance', 'universal', 1, 'unpaid', '', 0, 1"
            connection.execute(text(f"INSERT INTO payment ({columns}) VALUES ({values})"), {"key": key})
            if state is not None:
                row = {"flow_id": key, "state": f'{{"state":"{state}","version":1,"facts":{{}}}}'}
                into = "INSERT INTO flow (flow_id, machine, version, state, session, expires_at)"
                connection.execute(text(f"{into} VALUES (:flow_id, 'issuance', 1, :state, '', 0)"), row)
            why = "night" if night else "ended"
            sent = {"dedup": f"payment:{key}:{why}:7"}
            connection.execute(text("INSERT INTO outbox (due_at, kind, dedup) VALUES (0, 'payment', :dedup)"), sent)

    migrating._on(empty_url, as_before)
    migrate(empty_url)
    found = migrating._on(
        empty_url, lambda connection: connection.execute(text('SELECT "key", stage FROM payment')).all()
    )
    assert {str(key): str(stage) for key, stage in found} == {key: after for key, (_, _, after) in FEES.items()}


def test_many_that_start_at_once_migrate_once(empty_url: str) -> None:
    failures: list[BaseException] = []

    def start() -> None:
        try:
            migrate(empty_url)
        except BaseException as failure:
            failures.append(failure)

    threads = [threading.Thread(target=start) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    check_revision(empty_url)


def test_many_that_open_a_new_file_at_once_all_may_write(tmp_path: Path) -> None:
    failures: list[BaseException] = []

    def start(path: Path, together: threading.Barrier) -> None:
        together.wait()
        try:
            create(path)
            with contextlib.closing(connect(path)) as connection:
                connection.execute("BEGIN IMMEDIATE")
                connection.execute("COMMIT")
        except BaseException as failure:
            failures.append(failure)

    for number in range(100):  # two meet in one file of ten
        start_all = threading.Barrier(4)
        threads = [
            threading.Thread(target=start, args=(tmp_path / str(number) / "center.db", start_all)) for _ in range(4)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert failures == []


def test_a_process_refuses_a_database_of_another_revision(empty_url: str) -> None:
    with pytest.raises(WrongRevision):
        check_revision(empty_url)
    migrate(empty_url)
    migrating._on(
        empty_url, lambda connection: connection.execute(text("UPDATE alembic_version SET version_num = 'x'"))
    )
    with pytest.raises(WrongRevision) as refused:
        check_revision(empty_url)
    assert refused.value.facts == {"found": "x", "expected": "0025"}


def test_an_sqlite_file_is_its_owners_only(tmp_path: Path) -> None:
    path = tmp_path / "center" / "center.db"
    migrate(f"sqlite:///{path}")
    assert path.stat().st_mode & 0o077 == 0
    assert path.parent.stat().st_mode & 0o077 == 0


def test_an_address_that_is_none_is_refused_without_repeating_it() -> None:
    for url in ("", "mysql://u:canary@h/db", "sqlite://", "sqlite:///"):
        with pytest.raises(Refusal) as refused:
            sqlite_path(url)
        assert refused.value.code == "store-address"
        assert "canary" not in str(refused.value)


def test_a_server_that_is_away_is_an_outage() -> None:
    with pytest.raises(StoreOutage):
        migrate("postgresql://nobody@localhost:1/none")


def test_looking_at_a_missing_file_makes_none(tmp_path: Path) -> None:
    with pytest.raises(WrongRevision):
        check_revision(f"sqlite:///{tmp_path / 'center.db'}")
    assert list(tmp_path.iterdir()) == []
