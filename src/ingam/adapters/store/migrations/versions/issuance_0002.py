"""What 신규공동인증서신청 keeps: consents, the proof of identity, masked identity cards, contacts."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables of revision 0002."""
    op.create_index("flow_by_customer", "flow", ["customer_id", "machine"])
    op.create_table(
        "consent",
        sa.Column("consent_id", sa.Text(), nullable=False),
        sa.Column("customer_id", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("version", sa.Text(), nullable=False),
        sa.Column("hash", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("flow_id", sa.Text(), nullable=True),
        sa.Column("withdrawn_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("consent_id"),
    )
    op.create_index("consent_by_customer", "consent", ["customer_id", "at"])
    op.create_table(
        "identity_proof",
        sa.Column("customer_id", sa.Text(), nullable=False),
        sa.Column("ci_key", sa.Text(), nullable=False),
        sa.Column("method", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("customer_id"),
    )
    op.create_table(
        "id_card_image",
        sa.Column("image_id", sa.Text(), nullable=False),
        sa.Column("flow_id", sa.Text(), nullable=False),
        sa.Column("customer_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("image", sa.LargeBinary(), nullable=False),
        sa.Column("taken_at", sa.BigInteger(), nullable=False),
        sa.Column("delete_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("image_id"),
    )
    op.create_index("ix_id_card_image_flow_id", "id_card_image", ["flow_id"])
    op.create_index("id_card_image_by_date", "id_card_image", ["delete_at"])
    op.create_table(
        "contact",
        sa.Column("contact_id", sa.Text(), nullable=False),
        sa.Column("customer_id", sa.Text(), nullable=False),
        sa.Column("details", sa.LargeBinary(), nullable=False),
        sa.Column("flow_id", sa.Text(), nullable=True),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("contact_id"),
    )
    op.create_index("contact_by_customer", "contact", ["customer_id", "at"])
