"""Whether the language that a person is written to in was chosen, or is that of the pages of their last login."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add what revision 0024 needs; whatever stands was chosen."""
    op.add_column("notice_wish", sa.Column("spoken", sa.Boolean, nullable=False, server_default=sa.text("false")))
