"""보안카드: what is asked for, the printed numbers apart from it, and what kind of medium a customer holds (E9)."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Who holds a token holds that kind."""
    op.create_table(
        "security_card",
        sa.Column("customer_id", sa.Text, primary_key=True),
        sa.Column("first", sa.Integer, nullable=False),
        sa.Column("second", sa.Integer, nullable=False),
        sa.Column("turn", sa.BigInteger, nullable=False),
        sa.Column("issued_at", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "security_card_numbers",
        sa.Column("customer_id", sa.Text, primary_key=True),
        sa.Column("numbers", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "customer_medium",
        sa.Column("customer_id", sa.Text, primary_key=True),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("since_at", sa.BigInteger, nullable=False),
    )
    op.execute("INSERT INTO customer_medium SELECT customer_id, kind, enrolled_at FROM otp_token")
