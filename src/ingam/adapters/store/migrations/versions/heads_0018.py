"""Which head of a union with several is in a session."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Empty: no certificate opened it."""
    op.add_column("session", sa.Column("slot", sa.Integer()))
