"""인증서발급/재발급: for now a page that says what comes."""

from ingam.center.issuance import web

__all__ = ["web"]
