"""전자금융사기 예방서비스: designated devices, and passkeys to log in with (security E8)."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

ACTIVE = sa.text("status = 'ACTIVE'")


def upgrade() -> None:
    """Add what revision 0005 needs."""
    op.add_column("customer", sa.Column("home_phone_changed_at", sa.BigInteger(), nullable=True))
    op.add_column("customer", sa.Column("work_phone_changed_at", sa.BigInteger(), nullable=True))
    op.add_column("device_seen", sa.Column("confirmed_at", sa.BigInteger(), nullable=True))
    op.create_table(
        "protection",
        sa.Column("customer_id", sa.Text, primary_key=True),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("applied_at", sa.BigInteger, nullable=False),
        sa.Column("ended_at", sa.BigInteger),
    )
    op.create_table(
        "protection_event",
        sa.Column("event_id", sa.Text, primary_key=True),
        sa.Column("customer_id", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("details", sa.LargeBinary),
        sa.Column("at", sa.BigInteger, nullable=False),
    )
    op.create_index("protection_event_by_customer", "protection_event", ["customer_id", "at"])
    _keys(
        "designated_device",
        "device_id",
        [sa.Column("kind", sa.Text, nullable=False), sa.Column("mark", sa.Text, nullable=False)],
    )
    _keys("passkey", "passkey_id", [sa.Column("backed_up", sa.Boolean, nullable=False)])


def _keys(table: str, key: str, own: list[sa.Column[object]]) -> None:
    """A table of a person's keys, of which one takes one slot."""
    op.create_table(
        table,
        sa.Column(key, sa.Text, primary_key=True),
        sa.Column("customer_id", sa.Text, nullable=False),
        sa.Column("credential", sa.Text, nullable=False, unique=True),
        sa.Column("public_key", sa.LargeBinary, nullable=False),
        sa.Column("counter", sa.BigInteger, nullable=False),
        *own,
        sa.Column("details", sa.LargeBinary, nullable=False),
        sa.Column("slot", sa.Integer, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("added_at", sa.BigInteger, nullable=False),
        sa.Column("used_at", sa.BigInteger),
        sa.Column("ended_at", sa.BigInteger),
    )
    op.create_index(f"{table}_by_customer", table, ["customer_id", "status"])
    op.create_index(
        f"{table}_by_slot", table, ["customer_id", "slot"], unique=True, sqlite_where=ACTIVE, postgresql_where=ACTIVE
    )
