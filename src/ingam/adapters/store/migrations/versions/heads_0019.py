"""Whose a session and a key are at a union of several heads: the place, and a keyed digest of the number."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Empty digests: of a union nobody is let in by them any more, of everybody else nothing changes."""
    for table in ("session", "finance_binding"):
        op.add_column(table, sa.Column("head", sa.Text(), nullable=False, server_default=sa.text("''")))
    for table in ("designated_device", "passkey"):
        op.add_column(table, sa.Column("head_slot", sa.Integer(), nullable=False, server_default="1"))
        op.add_column(table, sa.Column("head", sa.Text(), nullable=False, server_default=sa.text("''")))
        op.drop_index(f"{table}_by_slot", table_name=table)
        op.create_index(
            f"{table}_by_slot", table, ["customer_id", "head_slot", "head", "slot"], unique=True,
            sqlite_where=sa.text("status = 'ACTIVE'"), postgresql_where=sa.text("status = 'ACTIVE'"),
        )  # fmt: skip
    for table in ("branch_number", "pin_key"):
        op.add_column(table, sa.Column("slot", sa.Integer(), nullable=False, server_default="1"))
