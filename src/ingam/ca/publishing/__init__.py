"""Revocation lists of an authority: which there are, when each is due, made in a stream, published and tried again."""
