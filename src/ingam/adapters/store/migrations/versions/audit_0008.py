"""The chain of the audit, with bodies apart (security G5, G6); lines of before stay in a table of their own."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

LOCK: Final = 0x1E6A5
"""Advisory lock of the chain's turn, held to the end of the transaction."""

# The chain's turn ends with the transaction: a commit that waited for the disk would let audited saves follow one
# another at the disk's pace. So it does not wait, and `PostgresqlStore` waits for the disk afterwards, with many others
# at once, before anybody hears that it is stored.
#
# VOLATILE, so each statement in it sees what was committed before it got the lock, also where the whole save is one
# statement. `protocols.audit.chain` says the same in Python, and the contract suite holds one against the other.
APPEND: Final = f"""
CREATE FUNCTION ingam_audit_append(
    its_at bigint, its_delete_at bigint, its_commitment bytea, its_action text, its_result text, its_subject text,
    its_operator text, its_sealed bytea, its_wrapped bytea
) RETURNS bigint LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    its_seq bigint;
    before bytea;
BEGIN
    PERFORM set_config('synchronous_commit', 'off', true);
    PERFORM pg_advisory_xact_lock({LOCK});
    SELECT seq, link INTO its_seq, before FROM audit_chain ORDER BY seq DESC LIMIT 1;
    its_seq := coalesce(its_seq, 0) + 1;
    before := coalesce(before, sha256(convert_to(E'INGAM-AUDIT/1\\n', 'UTF8')));
    INSERT INTO audit_chain (seq, at, delete_at, commitment, link) VALUES (
        its_seq, its_at, its_delete_at, its_commitment,
        sha256(convert_to(E'INGAM-AUDIT/1\\n', 'UTF8') || before || int8send(its_seq) || int8send(its_at)
               || int8send(its_delete_at) || its_commitment)
    );
    INSERT INTO audit (seq, at, action, result, subject, operator, sealed)
    VALUES (its_seq, its_at, its_action, its_result, its_subject, its_operator, its_sealed);
    INSERT INTO audit_key (seq, delete_at, wrapped) VALUES (its_seq, its_delete_at, its_wrapped);
    RETURN its_seq;
END $$
"""  # noqa: S608 - a number of ours


def upgrade() -> None:
    """Make everything of revision 0008."""
    _set_aside()
    op.create_table(
        "audit",
        _number(),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("result", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=True),
        sa.Column("operator", sa.Text(), nullable=True),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("seq"),
    )
    op.create_index("audit_by_action", "audit", ["action", "at"])
    op.create_index("audit_by_operator", "audit", ["operator", "seq"])
    op.create_index("audit_by_subject", "audit", ["subject", "seq"])
    op.create_table(
        "audit_chain",
        _number(),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("delete_at", sa.BigInteger(), nullable=False),
        sa.Column("commitment", sa.LargeBinary(), nullable=False),
        sa.Column("link", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("seq"),
    )
    op.create_table(
        "audit_key",
        _number(),
        sa.Column("delete_at", sa.BigInteger(), nullable=False),
        sa.Column("wrapped", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("seq"),
    )
    op.create_index("audit_key_by_date", "audit_key", ["delete_at"])
    if op.get_bind().dialect.name == "postgresql":
        op.execute(APPEND)


def _number() -> sa.Column[int]:
    kind = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    return sa.Column("seq", kind, autoincrement=False, nullable=False)


def _set_aside() -> None:
    """Lines that nobody chained are evidence all the same: they are kept under another name, if there are any."""
    if op.get_bind().execute(sa.text("SELECT 1 FROM audit LIMIT 1")).first() is None:
        op.drop_table("audit")
        return
    op.rename_table("audit", "audit_unchained")
    if op.get_bind().dialect.name == "postgresql":
        op.execute("ALTER TABLE audit_unchained RENAME CONSTRAINT audit_pkey TO audit_unchained_pkey")
