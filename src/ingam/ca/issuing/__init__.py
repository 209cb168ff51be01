"""Issuing: from an accepted request to a certificate that the books know."""
