"""Time-stamp authorities outside (RFC 3161)."""
