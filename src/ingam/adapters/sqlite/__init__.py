"""SQLite as the store and the authority's books use it: one writing thread, and the standard library alone."""
