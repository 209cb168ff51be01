"""The clock of this machine."""
