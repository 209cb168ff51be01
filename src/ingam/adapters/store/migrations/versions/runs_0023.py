"""Which runs a flow is one of: a person's own are found by that, however many the other heads of their union began."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """A run's id ends in its number; ids with one colon are of no run."""
    op.add_column("flow", sa.Column("runs", sa.Text(), nullable=False, server_default=sa.text("''")))
    op.execute("UPDATE flow SET runs = rtrim(rtrim(flow_id, '0123456789'), ':') WHERE flow_id LIKE '%:%:%'")
    op.create_index("flow_by_runs", "flow", ["runs"])
