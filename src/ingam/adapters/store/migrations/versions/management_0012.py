"""When each binding's status is asked for next."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add what revision 0012 needs."""
    op.add_column("binding", sa.Column("recheck_at", sa.BigInteger, nullable=False, server_default=sa.text("0")))
    op.create_index("binding_by_recheck", "binding", ["recheck_at"])
