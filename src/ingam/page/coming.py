"""An honest page of a menu that comes later: what it will offer, and what a person can do now."""

from __future__ import annotations

from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from ingam.page.pages import render


@dataclass(frozen=True, slots=True)
class Coming:
    """`place`: the menu's name. The other texts are keys of kernel/words; `offers` are (anchor or "", key)."""

    place: str
    heading: str
    lead: str
    offers: tuple[tuple[str, str], ...]
    now_word: str = ""
    warning: str = ""
    next_word: str = ""
    next_path: str = ""


def coming_route(path: str, page: Coming) -> Route:
    """GET `path` shows the page."""

    async def show(request: Request) -> Response:
        facts = {name: getattr(page, name) for name in Coming.__dataclass_fields__}
        return render(request, "page/coming.html", **facts)

    return Route(path, show, methods=["GET"])
