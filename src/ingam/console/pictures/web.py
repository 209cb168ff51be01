"""The route of the pictures of the day: counts and codes and nothing of anybody, so every operator sees them."""

from __future__ import annotations

from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from ingam.console.menu import Entry
from ingam.console.pictures.service import PicturesOfTheDay
from ingam.console.trail import Trail
from ingam.console.web import ConsoleWeb
from ingam.page import render

HERE: Final = "/pictures"
MOST_BACK: Final = 30


class PicturesWeb(ConsoleWeb):
    """Handlers over the service."""

    entries = (Entry("pictures", "console-pictures.menu", HERE),)

    def __init__(self, trail: Trail, pictures: PicturesOfTheDay) -> None:
        super().__init__(trail)
        self._pictures = pictures

    def routes(self) -> list[Route]:
        """GET /pictures, `?back=1` for yesterday."""
        return [self.get(HERE, self.show)]

    async def show(self, request: Request) -> Response:
        """The page."""
        asked = request.query_params.get("back", "0")
        back = min(int(asked), MOST_BACK) if asked.isascii() and asked.isdigit() and len(asked) < 4 else 0
        return render(
            request,
            "pictures/day.html",
            place="pictures",
            pictures=await self._pictures.of(back),
            back=back,
            most_back=MOST_BACK,
        )
