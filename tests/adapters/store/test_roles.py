"""Roles on a real PostgreSQL: what each process may do to the audit, and what the database refuses it."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import asyncpg
import pytest

from ingam.adapters.hsm.file import OutboxSealer
from ingam.adapters.store import open_store
from ingam.adapters.store.audit_lines import RECORD
from ingam.adapters.store.audit_tables import open_tables
from ingam.adapters.store.migrate import check_revision
from ingam.adapters.store.roles import RoleNameRefused, Roles, RolesNeedServer, apply, grants
from ingam.ports.store import Audit, Count, FlowSave, Issue, Outgoing, Save

NOW = datetime(2026, 11, 26, tzinfo=UTC)
SEALER = OutboxSealer(bytes(32))


def of(url: str, role: str) -> str:
    return url.replace("postgres@", f"{role}@")


async def refused(url: str, *statements: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        for statement in statements:
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await connection.execute(statement)
    finally:
        await connection.close()


@pytest.mark.parametrize("role", ["ingam_center", "ingam_console"])
def test_G6_the_role_of_center_and_console_only_adds_to_the_audit(postgresql_url: str, role: str) -> None:
    apply(postgresql_url, Roles())
    apply(postgresql_url, Roles())  # again is fine
    check_revision(of(postgresql_url, role))

    async def act() -> None:
        store = open_store(of(postgresql_url, role), SEALER)
        save = Save(
            flow=FlowSave("f", "m", 0, "{}", "s", None, NOW), ledger=[Issue("nonce", "n", NOW)],
            outbox=[Outgoing("sms", b"x", "d", NOW)], audit=[Audit(NOW, "login.id", "ok", "p", "s", "a")] * 2,
        )  # fmt: skip
        await store.save(save)
        assert await store.count(Count("k", 60, 5, NOW)) == 1
        assert len(await store.many("audit", {"subject": "p"})) == 2
        await store.close()
        await refused(
            of(postgresql_url, role),
            *(f"UPDATE {table} SET seq = 9" for table in ("audit", "audit_chain", "audit_key")),
            *(f"DELETE FROM {table}" for table in ("audit", "audit_chain", "audit_key")),
            "TRUNCATE audit", "DROP TABLE audit", "ALTER TABLE audit DISABLE TRIGGER ALL",
            "CREATE OR REPLACE FUNCTION ingam_refuse(part text) RETURNS integer LANGUAGE sql AS 'SELECT 1'",
        )  # fmt: skip

    asyncio.run(act())


def test_G1_the_center_has_no_operators_and_decides_no_policy(postgresql_url: str) -> None:
    apply(postgresql_url, Roles())
    asyncio.run(
        refused(
            of(postgresql_url, "ingam_center"), "SELECT * FROM operator", "SELECT * FROM operator_key",
            "DELETE FROM policy", "DELETE FROM way",
        )
    )  # fmt: skip
    asyncio.run(
        refused(of(postgresql_url, "ingam_console"), "DELETE FROM customer", "UPDATE binding SET status = 'RELEASED'")
    )


def test_G6_the_auditor_deletes_what_is_over_and_adds_nothing(postgresql_url: str) -> None:
    apply(postgresql_url, Roles())

    async def act() -> None:
        store = open_store(of(postgresql_url, "ingam_center"), SEALER)
        await store.save(Save(audit=[Audit(NOW, "registration.factor", "ok", "p", "s", "a")]))
        await store.close()
        tables = open_tables(of(postgresql_url, "ingam_auditor"))
        assert len(await tables.entries(0, 10)) == 1 and len(await tables.bodies(0, 10)) == 1
        assert await tables.expire(NOW + RECORD + timedelta(seconds=1)) == 1
        await tables.close()
        await refused(
            of(postgresql_url, "ingam_auditor"), "DELETE FROM audit_chain", "SELECT * FROM customer",
            "SELECT ingam_audit_append(1, 1, '', 'a', 'ok', NULL, NULL, '', '')",
            "INSERT INTO audit_key (seq, delete_at, wrapped) VALUES (1, 1, '')",
        )  # fmt: skip

    asyncio.run(act())


def test_a_name_that_is_none_never_reaches_a_statement() -> None:
    for name in ("", "Ingam", "a b", "x; DROP TABLE audit", 'a"b', "1a"):
        with pytest.raises(RoleNameRefused):
            grants(Roles(center=name))


def test_sqlite_has_no_roles(sqlite_url: str) -> None:
    with pytest.raises(RolesNeedServer):
        apply(sqlite_url, Roles())
