"""The store on SQLite and on PostgreSQL, over one schema."""
