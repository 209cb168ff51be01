"""전자금융사기 예방서비스: for now a page that says what comes."""

from ingam.center.protection import web

__all__ = ["web"]
