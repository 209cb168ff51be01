"""Alembic's entry: runs the revisions on the connection that `migrate` opened and locked."""

from __future__ import annotations

from alembic import context

from ingam.adapters.store.schema import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
with context.begin_transaction():
    context.run_migrations()
