"""Roles on a real PostgreSQL: what each process may do to the audit, and what the database refuses it."""

from __future__ import annotations

import asyncio
import re
from datetime import UTC, datetime, timedelta

import asyncpg
import pytest

from ingam.adapters.hsm.file import OutboxSealer
from ingam.adapters.store import open_store
from ingam.adapters.store.audit_lines import RECORD
from ingam.adapters.store.audit_tables import open_tables
from ingam.adapters.store.migrate import check_revision
from ingam.adapters.store.roles import RoleNameRefused, Roles, RolesNeedServer, apply, grants
from ingam.adapters.store.schema import metadata
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


ALL, MOVE, ADD, SEE, DROP, NONE = "SIUD", "SIU", "SI", "S", "SD", ""
TABLES = {
    # table: what center, console and auditor may do with it: select, insert, update, delete
    "flow": (ALL, ALL, NONE), "ledger_issued": (ALL, ALL, NONE), "ledger_used": (ALL, ALL, NONE),
    "outbox": (ALL, ALL, NONE), "counter": (ALL, ALL, NONE), "branch_number": (ALL, ALL, NONE),
    "audit": (ADD, ADD, DROP), "audit_chain": (ADD, ADD, SEE), "audit_key": (ADD, ADD, DROP),
    "operator": (NONE, ALL, NONE), "operator_key": (NONE, ALL, NONE), "operator_session": (NONE, ALL, NONE),
    "operator_change": (NONE, ALL, NONE),
    "policy": (SEE, ALL, NONE), "way": (SEE, ALL, NONE), "service_notice": (SEE, ALL, NONE),
    "binding": (MOVE, SEE, NONE), "binding_claim": (MOVE, SEE, NONE), "finance_binding": (MOVE, SEE, NONE),
    "import_run": (MOVE, SEE, NONE), "payment": (MOVE, SEE, NONE), "loan_application": (MOVE, NONE, NONE),
    "evidence": (ADD, NONE, NONE),
    "customer": (ALL, SEE, NONE), "customer_key": (ALL, SEE, NONE), "customer_number": (ALL, SEE, NONE),
    "designated_device": (ALL, SEE, NONE), "device_seen": (ALL, SEE, NONE), "esop_union": (ALL, SEE, NONE),
    "former_mobile": (ALL, SEE, NONE), "notice_wish": (ALL, SEE, NONE), "party_health": (ALL, SEE, NONE),
    "session": (ALL, NONE, NONE), "crl_seen": (ALL, NONE, NONE), "consent": (ALL, NONE, NONE),
    "identity_proof": (ALL, NONE, NONE), "id_card_image": (ALL, NONE, NONE), "contact": (ALL, NONE, NONE),
    "protection": (ALL, NONE, NONE), "protection_event": (ALL, NONE, NONE), "passkey": (ALL, NONE, NONE),
    "ars_call": (ALL, NONE, NONE), "otp_token": (ALL, NONE, NONE), "oidc_grant": (ALL, NONE, NONE),
    "union_head": (ALL, NONE, NONE), "pin_key": (ALL, NONE, NONE), "security_card": (ALL, NONE, NONE),
    "security_card_numbers": (ALL, NONE, NONE), "customer_medium": (ALL, SEE, NONE),
}  # fmt: skip
"""A new table is not here: whoever adds it says whose it is."""


def test_G1_every_table_is_for_whom_the_list_says_and_for_nobody_else() -> None:
    allowed = {table: dict.fromkeys(("ingam_center", "ingam_console", "ingam_auditor"), "") for table in TABLES}
    assert set(allowed) == set(metadata.tables)
    for said in grants(Roles()):
        found = re.fullmatch(r"GRANT ([A-Z, ]+) ON (?!FUNCTION|SEQUENCE|alembic)(.+) TO (\w+)", said)
        for table in found[2].split(", ") if found else ():
            assert found is not None
            allowed[table.strip('"')][found[3]] += "".join(one[0] for one in found[1].split(", "))
    assert {table: tuple(rights.values()) for table, rights in allowed.items()} == TABLES


def test_G1_the_console_sees_no_keys_and_no_evidence_and_history_is_never_deleted(postgresql_url: str) -> None:
    apply(postgresql_url, Roles())
    unseen = [f"SELECT * FROM {table}" for table, (_, console, _) in TABLES.items() if not console]
    asyncio.run(refused(of(postgresql_url, "ingam_console"), *unseen, "UPDATE payment SET amount = 0"))
    kept = [f"DELETE FROM {table}" for table, (center, _, _) in TABLES.items() if center in (MOVE, ADD)]
    asyncio.run(refused(of(postgresql_url, "ingam_center"), *kept, "UPDATE evidence SET act = 'x'"))


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
