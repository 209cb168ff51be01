"""약관보기: the consent documents T1–T9 by version, as data, and the page on which one is read."""

from ingam.center.terms.registry import Document, Registry, TermsRefused
from ingam.center.terms.web import TermsWeb

__all__ = ["Document", "Registry", "TermsRefused", "TermsWeb"]
