"""제3연락처: the fourth registered telephone number that a call may go to (W8, E9)."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Nobody has one yet."""
    op.add_column("customer", sa.Column("third_phone", sa.LargeBinary(), nullable=True))
    op.add_column("customer", sa.Column("third_phone_changed_at", sa.BigInteger(), nullable=True))
