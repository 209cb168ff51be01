"""Where a customer stands now, what to say, and what an operator can do about it."""
