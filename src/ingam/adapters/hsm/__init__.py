"""The center's own keys: in a file for a demo or a small house, behind an HSM by another module."""
