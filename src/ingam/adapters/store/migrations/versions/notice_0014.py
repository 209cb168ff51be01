"""How a person wants to be told, the mobile number before the last change, and when an end to come is told next."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add what revision 0014 needs."""
    op.create_table(
        "notice_wish",
        sa.Column("customer_id", sa.Text, primary_key=True),
        sa.Column("lang", sa.Text, nullable=False),
        sa.Column("mails", sa.Boolean, nullable=False),
        sa.Column("expiry", sa.Boolean, nullable=False),
        sa.Column("logins", sa.Boolean, nullable=False),
        sa.Column("changed_at", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "former_mobile",
        sa.Column("customer_id", sa.Text, primary_key=True),
        sa.Column("number", sa.LargeBinary, nullable=False),
        sa.Column("until", sa.BigInteger, nullable=False),
    )
    op.create_index("former_mobile_by_end", "former_mobile", ["until"])
    op.add_column("binding", sa.Column("remind_at", sa.BigInteger, nullable=False, server_default=sa.text("0")))
    op.create_index("binding_by_reminder", "binding", ["remind_at"])
