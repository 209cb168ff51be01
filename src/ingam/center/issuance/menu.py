"""인증서발급/재발급 as the menu opens it: a new certificate is made on a phone, so that a PC shows the way there."""

from __future__ import annotations

from functools import cache
from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from ingam.page import Pages, render
from ingam.page.qr import QrCode

NEW: Final = "/issuance/new"
CODE: Final = cache(QrCode.of)


async def show(request: Request) -> Response:
    """The QR code and the address of 신규공동인증서신청 for a PC, the link for a phone."""
    pages: Pages = request.app.state.pages
    address = pages.origin + NEW
    only_here = pages.origin.startswith("http://localhost")
    return render(
        request, "issuance/menu.html", place="issuance", address=address, code=CODE(address), only_here=only_here
    )


def routes() -> list[Route]:
    """GET /issuance."""
    return [Route("/issuance", show, methods=["GET"])]
