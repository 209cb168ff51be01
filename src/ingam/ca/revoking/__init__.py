"""Ending, holding and releasing certificates: by their holder, by an RA, by two operators, or because time is over."""
