"""Regions of networks: from a table in a file, or none."""
