"""인증서복사: for now a page that says what comes."""

from ingam.center.copying import web

__all__ = ["web"]
