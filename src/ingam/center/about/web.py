"""공동인증서란?: the address of its page (flows.md W2)."""

from __future__ import annotations

from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from ingam.page import render

TEMPLATES: Final = "ingam.center.about"
KINDS: Final = ("sec", "uni", "bank")


async def show(request: Request) -> Response:
    """GET /about."""
    return render(request, "about/about.html", kinds=KINDS)


def routes() -> list[Route]:
    """GET /about."""
    return [Route("/about", show, methods=["GET"])]
