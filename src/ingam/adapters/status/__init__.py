"""The status of other authorities' certificates over HTTP: OCSP first, CRL as fallback (security A10-A13)."""
