"""Witnesses outside: who remembers the audit's heads where the institution cannot reach them."""
