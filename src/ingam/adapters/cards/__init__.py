"""보안카드: kept in our own tables, or by the institution's core system."""
