"""금융인증서: for now a page that says what comes."""

from ingam.center.finance_cert import web

__all__ = ["web"]
