"""What is offered now: the switch and hours of each way, and notices of the service."""

from __future__ import annotations

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add what revision 0007 needs."""
