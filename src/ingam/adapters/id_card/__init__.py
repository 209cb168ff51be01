"""Verification of identity cards: over HTTP, in the shape of CLOVA eKYC's."""
