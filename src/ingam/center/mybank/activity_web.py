"""GET /mybank/activity: 이용 기록."""

from __future__ import annotations

from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from ingam.center.doorway import logged_in, to_login
from ingam.center.mybank.activity import Activity
from ingam.page import render

HERE: Final = "/mybank/activity"


class ActivityWeb:
    """The page over the service."""

    def __init__(self, activity: Activity) -> None:
        self._activity = activity

    def routes(self) -> list[Route]:
        """One."""
        return [Route(HERE, self.show, methods=["GET"])]

    async def show(self, request: Request) -> Response:
        """For whoever is logged in, in either way; others log in first."""
        session = logged_in(request)
        if session is None or session.customer_id is None:
            return to_login(request)
        asked = request.query_params.get("page", "1")
        page = int(asked) if asked.isascii() and asked.isdigit() and len(asked) < 4 else 1
        shown = await self._activity.shown(session, page)
        return render(request, "mybank/activity.html", place="mybank", shown=shown, here=HERE)
