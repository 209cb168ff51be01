"""`unpaid` says that a certificate stands and its fee is owed; before, it was also said where nobody could know."""

from __future__ import annotations

from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Nobody is asked to pay for what no run says to stand: people look, as they did. What is owed has its nights."""
    op.execute(
        "UPDATE payment SET stage = 'unclear' WHERE stage = 'unpaid' "
        "AND NOT EXISTS (SELECT 1 FROM outbox WHERE outbox.dedup LIKE 'payment:' || payment.\"key\" || '%night%') "
        "AND NOT EXISTS (SELECT 1 FROM flow WHERE flow.flow_id = payment.flow_id "
        'AND (flow.state LIKE \'%"state":"Issued"%\' OR flow.state LIKE \'%"state":"Renewed"%\'))'
    )
