"""Who may turn and press things on the sandbox's pages: its own pages, and programs."""

from __future__ import annotations

from starlette.requests import Request

from ingam.page.origin import OriginRefused


def check_browser(request: Request) -> None:
    """Another site's page may do nothing; a program, which sends neither header, may: this is a sandbox."""
    ours: str = request.app.state.origin
    origin, site = request.headers.get("origin"), request.headers.get("sec-fetch-site")
    if site is not None and site != "same-origin":
        raise OriginRefused
    if origin is not None and origin != ours and not (origin == "null" and site == "same-origin"):
        raise OriginRefused
