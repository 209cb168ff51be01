"""Codes of OpenID Connect (security F12)."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the table of revision 0009."""
    op.create_table(
        "oidc_grant",
        sa.Column("code", sa.Text(), primary_key=True),
        sa.Column("token", sa.Text(), nullable=False),
        sa.Column("client_id", sa.Text(), nullable=False),
        sa.Column("customer_id", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
    )
    op.create_index("oidc_grant_by_expiry", "oidc_grant", ["expires_at"])
    op.create_index("oidc_grant_by_customer", "oidc_grant", ["customer_id", "at"])
