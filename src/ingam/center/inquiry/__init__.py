"""조회: for now a page that says what comes."""

from ingam.center.inquiry import web

__all__ = ["web"]
