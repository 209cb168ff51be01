"""Several heads of a union; claims of an import and where it is; data keys of customers that others keep."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

STANDING = sa.text("status IN ('ACTIVE', 'SUSPENDED')")
ACTIVE = sa.text("status = 'ACTIVE'")


def upgrade() -> None:
    """A binding has a slot: one for everybody, more for a union with several heads."""
    op.add_column("binding", sa.Column("slot", sa.Integer(), nullable=False, server_default=sa.text("1")))
    op.drop_index("binding_one_active", "binding")
    op.create_index(
        "binding_one_active", "binding", ["customer_id", "slot"], unique=True,
        sqlite_where=STANDING, postgresql_where=STANDING,
    )  # fmt: skip
    op.create_index("binding_by_customer", "binding", ["customer_id"])
    op.create_table(
        "union_head",
        sa.Column("head_id", sa.Text(), primary_key=True),
        sa.Column("customer_id", sa.Text(), nullable=False),
        sa.Column("slot", sa.Integer(), nullable=False),
        sa.Column("details", sa.LargeBinary(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("since_at", sa.BigInteger(), nullable=False),
        sa.Column("ended_at", sa.BigInteger()),
    )
    op.create_index(
        "union_head_by_slot", "union_head", ["customer_id", "slot"], unique=True,
        sqlite_where=ACTIVE, postgresql_where=ACTIVE,
    )  # fmt: skip
    op.create_table(
        "binding_claim",
        sa.Column("claim_key", sa.Text(), primary_key=True),
        sa.Column("customer_id", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("ended_at", sa.BigInteger()),
    )
    op.create_index("binding_claim_by_customer", "binding_claim", ["customer_id"])
    op.create_table(
        "import_run",
        sa.Column("run_id", sa.Text(), primary_key=True),
        sa.Column("started_at", sa.BigInteger(), nullable=False),
        sa.Column("at_row", sa.BigInteger(), nullable=False),
        sa.Column("bound", sa.BigInteger(), nullable=False),
        sa.Column("claimed", sa.BigInteger(), nullable=False),
        sa.Column("there", sa.BigInteger(), nullable=False),
        sa.Column("refused", sa.BigInteger(), nullable=False),
        sa.Column("report_bytes", sa.BigInteger(), nullable=False),
        sa.Column("finished_at", sa.BigInteger()),
    )
    op.create_table(
        "customer_key",
        sa.Column("customer_id", sa.Text(), primary_key=True),
        sa.Column("data_key", sa.LargeBinary(), nullable=False),
        sa.Column("key_version", sa.Integer(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
    )
    op.create_table(
        "customer_number",
        sa.Column("customer_id", sa.Text(), primary_key=True),
        sa.Column("phone", sa.Text(), primary_key=True),
        sa.Column("number", sa.LargeBinary(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("told_at", sa.BigInteger()),
    )
