"""Financial certificates that are registered here."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

ACTIVE = sa.text("status = 'ACTIVE'")


def upgrade() -> None:
    """Who registered which."""
    op.create_table(
        "finance_binding",
        sa.Column("binding_id", sa.Text, primary_key=True),
        sa.Column("customer_id", sa.Text, nullable=False),
        sa.Column("fingerprint", sa.Text, nullable=False),
        sa.Column("name_key", sa.Text, nullable=False),
        sa.Column("policy_oid", sa.Text, nullable=False),
        sa.Column("not_after", sa.BigInteger, nullable=False),
        sa.Column("details", sa.LargeBinary, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("bound_at", sa.BigInteger, nullable=False),
        sa.Column("ended_at", sa.BigInteger),
    )
    for name, column in (("finance_one_active", "customer_id"), ("finance_one_owner", "fingerprint")):
        op.create_index(
            name, "finance_binding", [column], unique=True, sqlite_where=ACTIVE, postgresql_where=ACTIVE
        )  # fmt: skip
    op.create_index("finance_by_name", "finance_binding", ["name_key"])
