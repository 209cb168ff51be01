"""Side-by-side comparisons with peers and with bare floors, one command each: `python -m bench.<name>`."""
