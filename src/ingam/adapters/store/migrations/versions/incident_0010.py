"""A binding that a report of loss suspended still holds its certificate and its customer's one place (security E11)."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

STANDING = sa.text("status IN ('ACTIVE', 'SUSPENDED')")


def upgrade() -> None:
    """Widen the two unique indexes."""
    for name, column in (("binding_one_active", "customer_id"), ("binding_one_owner", "fingerprint")):
        op.drop_index(name, "binding")
        op.create_index(
            name, "binding", [column], unique=True, sqlite_where=STANDING, postgresql_where=STANDING
        )  # fmt: skip
