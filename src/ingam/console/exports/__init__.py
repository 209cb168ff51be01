"""Bulk export of the audit: two persons sign the period, the one who asked takes it once (security G2)."""
