"""인증서관리: for now a page that says what comes."""

from ingam.center.management import web

__all__ = ["web"]
