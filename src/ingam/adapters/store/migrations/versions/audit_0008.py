"""The chain of the audit, with bodies apart (security G5, G6)."""

from __future__ import annotations

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add what revision 0008 needs."""
