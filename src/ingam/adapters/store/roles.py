"""Database roles of PostgreSQL: the center, the console and the auditor each may do their own (security G1, G6).

Center and console may add lines to the audit and read them, and neither change nor delete one. The auditor reads the
chain and deletes bodies and secrets on their date, and adds nothing. The schema's owner stays with whoever migrates.
"""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass
from typing import Final

import asyncpg

from ingam.adapters.store.addresses import sqlite_path
from ingam.adapters.store.schema import metadata
from ingam.adapters.store.statements import CHAINED
from ingam.kernel.errors import Refusal
from ingam.ports.store import StoreOutage

OPERATORS: Final = ("operator", "operator_change", "operator_key", "operator_session")
"""The console's own: the center neither reads nor writes them."""

DECIDED: Final = ("policy", "service_notice", "way")
"""Decided in the console, read by the center."""

KEPT: Final = ("evidence",)
"""What a person signed: added and read, never changed or deleted."""

HISTORY: Final = ("binding", "binding_claim", "finance_binding", "import_run", "loan_application", "payment")
"""Ends, and is never deleted: who registered which certificate, what was imported, what was paid."""

CONSOLE_WRITES: Final = (
    *OPERATORS, *DECIDED, "branch_number", "counter", "flow", "ledger_issued", "ledger_used", "outbox",
)  # fmt: skip
"""What acts of operators change beside the audit: numbers, locks, messages."""

CONSOLE_READS: Final = (
    "binding", "binding_claim", "customer", "customer_key", "customer_medium", "customer_number", "designated_device",
    "device_seen", "esop_union", "finance_binding", "former_mobile", "import_run", "notice_wish", "party_health",
    "payment",
)  # fmt: skip
"""What its screens show beside that. A table that is in no list here, such as one of keys, evidence or pictures of
identity cards, is not the console's.
"""

_NAME: Final = re.compile(r"[a-z_][a-z0-9_]{0,62}")
_ADD: Final = "SELECT, INSERT"
_MOVE: Final = "SELECT, INSERT, UPDATE"
_ALL: Final = "SELECT, INSERT, UPDATE, DELETE"
_APPEND: Final = "ingam_audit_append(bigint, bigint, bytea, text, text, text, text, bytea, bytea)"
_REFUSE: Final = "ingam_refuse(text)"


class RoleNameRefused(Refusal):
    """A role's name is lower-case letters, digits and underscores (facts: name)."""

    code = "store-role-name"


class RolesNeedServer(Refusal):
    """SQLite has no roles: whoever reads the file may write it."""

    code = "store-roles-sqlite"


@dataclass(frozen=True, slots=True)
class Roles:
    """Names of the three. Raises RoleNameRefused."""

    center: str = "ingam_center"
    console: str = "ingam_console"
    auditor: str = "ingam_auditor"

    def __post_init__(self) -> None:
        for name in (self.center, self.console, self.auditor):
            if _NAME.fullmatch(name) is None:
                raise RoleNameRefused(name=name)


def grants(roles: Roles) -> list[str]:
    """The statements, in order; twice is as good as once. Passwords are set by whoever runs the server."""
    everyone = (roles.center, roles.console, roles.auditor)
    tables = sorted(metadata.tables)
    said = [_create(role) for role in everyone]
    said += [f"REVOKE ALL ON {', '.join(_quoted(tables))} FROM PUBLIC, {', '.join(everyone)}"]
    said += [f"REVOKE ALL ON FUNCTION {name} FROM PUBLIC" for name in (_APPEND, _REFUSE)]
    said += [f"GRANT SELECT ON alembic_version TO {', '.join(everyone)}"]
    said += _of_center(roles.center, tables) + _of_console(roles.console)
    said += [
        f"GRANT SELECT ON audit_chain TO {roles.auditor}",
        f"GRANT SELECT, DELETE ON audit, audit_key TO {roles.auditor}",
    ]
    for role in (roles.center, roles.console):
        said += [f"GRANT EXECUTE ON FUNCTION {name} TO {role}" for name in (_APPEND, _REFUSE)]
        said += [f"GRANT USAGE ON SEQUENCE outbox_id_seq TO {role}"]
    return said


def apply(url: str, roles: Roles) -> None:
    """Carry them out as the schema's owner, in one transaction. Raises RolesNeedServer, StoreOutage."""
    if sqlite_path(url) is not None:
        raise RolesNeedServer
    try:
        asyncio.run(_apply(url, grants(roles)))
    except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        raise StoreOutage from error


async def _apply(url: str, said: list[str]) -> None:
    connection = await asyncpg.connect(url, timeout=5)
    try:
        async with connection.transaction():
            for statement in said:
                await connection.execute(statement)
    finally:
        await connection.close()


def _of_center(role: str, tables: list[str]) -> list[str]:
    own = [name for name in tables if name not in (*CHAINED, *KEPT, *HISTORY, *OPERATORS, *DECIDED)]
    return [
        f"GRANT {_ALL} ON {', '.join(_quoted(own))} TO {role}",
        f"GRANT {_MOVE} ON {', '.join(_quoted([*HISTORY]))} TO {role}",
        f"GRANT SELECT ON {', '.join(DECIDED)} TO {role}",
        f"GRANT {_ADD} ON {', '.join((*CHAINED, *KEPT))} TO {role}",
    ]


def _of_console(role: str) -> list[str]:
    return [
        f"GRANT {_ALL} ON {', '.join(_quoted([*CONSOLE_WRITES]))} TO {role}",
        f"GRANT SELECT ON {', '.join(_quoted([*CONSOLE_READS]))} TO {role}",
        f"GRANT {_ADD} ON {', '.join(CHAINED)} TO {role}",
    ]


def _quoted(tables: list[str]) -> list[str]:
    return [f'"{name}"' for name in tables]


def _create(role: str) -> str:
    return (
        f"DO $$ BEGIN IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{role}') "
        f"THEN CREATE ROLE {role} LOGIN; END IF; END $$"
    )
