"""본인확인 추가인증: calls of 2채널 인증 (ARS승인), and the numbers that a branch gave out (security E4, E10)."""

from __future__ import annotations

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add what revision 0004 needs."""
