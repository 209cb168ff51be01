"""The console: operators, their passkeys and sessions, changes that two persons sign (security G1–G4)."""

from __future__ import annotations

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add what revision 0006 needs."""
