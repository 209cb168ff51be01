"""Showing a customer's masked field, one at a time, with a reason, counted by the day (security G4)."""
