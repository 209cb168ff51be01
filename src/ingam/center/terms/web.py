"""약관보기: the page of a consent document, in force or of another day."""

from __future__ import annotations

from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from ingam.center.terms.registry import Document, Registry
from ingam.center.terms.rendering import html
from ingam.kernel.errors import Refusal
from ingam.page import render
from ingam.ports.clock import Clock

TEMPLATES: Final = "ingam.center.terms"


class TermsWeb:
    """Handlers over the registry; the texts are public, and a page of them says nothing of its reader."""

    def __init__(self, registry: Registry, clock: Clock) -> None:
        self._registry = registry
        self._clock = clock

    def routes(self) -> list[Route]:
        """GET /terms/{code} and GET /terms/{code}/{version}."""
        return [
            Route("/terms/{code}", self.current, methods=["GET"]),
            Route("/terms/{code}/{version}", self.version, methods=["GET"]),
        ]

    async def current(self, request: Request) -> Response:
        """The version in force. Raises Refusal not-found."""
        return self._page(request, self._current(request))

    async def version(self, request: Request) -> Response:
        """A version that somebody agreed to, or will. Raises Refusal not-found."""
        found = self._registry.find(request.path_params["code"], request.path_params["version"])
        if found is None:
            raise Refusal("not-found")
        return self._page(request, found)

    def _current(self, request: Request) -> Document:
        code = request.path_params["code"]
        if code not in self._registry.codes:
            raise Refusal("not-found")
        return self._registry.current(code, self._clock.now())

    def _page(self, request: Request, document: Document) -> Response:
        now = self._current(request)
        standing = "current" if document.version == now.version else "later"
        if document.effective < now.effective:
            standing = "earlier"
        body = html(document.text(request.state.lang))
        return render(request, "terms/document.html", document=document, body=body, standing=standing)
