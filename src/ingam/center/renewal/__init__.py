"""갱신: a certificate of our own authority is renewed by its old key, and the registration with it (security D10)."""
