"""Revisions of the schema, in order; the program runs them at start (`ingam.adapters.store.migrate`)."""
