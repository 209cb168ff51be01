"""The audit's chain as bytes: what a line is committed to with, and how each entry holds all before it (security G5).

No I/O, no clock; docs/reference/audit.md has every byte.
"""
