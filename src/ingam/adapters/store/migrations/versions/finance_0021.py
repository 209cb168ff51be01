"""A 금융인증서 is a head's own at a union with several: one active for a place, and no longer for an account."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

ACTIVE = sa.text("status = 'ACTIVE'")


def upgrade() -> None:
    """Those that are there are the first head's."""
    op.add_column("finance_binding", sa.Column("slot", sa.Integer(), nullable=False, server_default=sa.text("1")))
    op.drop_index("finance_one_active", table_name="finance_binding")
    op.create_index(
        "finance_one_active", "finance_binding", ["customer_id", "slot"], unique=True, sqlite_where=ACTIVE,
        postgresql_where=ACTIVE,
    )  # fmt: skip
