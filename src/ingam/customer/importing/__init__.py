"""Registrations that exist already, taken over row by row: what a row must be, and what becomes of it."""
