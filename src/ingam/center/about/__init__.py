"""공동인증서란?: what a joint certificate is, its kinds, how long it lasts, and where to report a loss."""

from ingam.center.about import web

__all__ = ["web"]
