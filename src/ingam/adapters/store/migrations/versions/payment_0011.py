"""What is paid for a certificate."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the table of revision 0011."""
    op.create_table(
        "payment",
        sa.Column("key", sa.Text(), primary_key=True),
        sa.Column("customer_id", sa.Text(), nullable=False),
        sa.Column("flow_id", sa.Text(), nullable=False),
        sa.Column("machine", sa.Text(), nullable=False),
        sa.Column("product", sa.Text(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("stage", sa.Text(), nullable=False),
        sa.Column("certificate", sa.Text()),
        sa.Column("approval", sa.Text(), nullable=False),
        sa.Column("opened_at", sa.BigInteger(), nullable=False),
        sa.Column("settled_at", sa.BigInteger()),
    )
    op.create_index("payment_by_flow", "payment", ["flow_id", "opened_at"])
    op.create_index("payment_by_customer", "payment", ["customer_id", "opened_at"])
