"""What 인증서복사 asks of a device: whether this person proved more on it than an ID and its password (security C2)."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column of revision 0003."""
    op.add_column("device_seen", sa.Column("proved_at", sa.BigInteger(), nullable=True))
