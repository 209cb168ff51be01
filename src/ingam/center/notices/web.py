"""GET and POST /management/notices, and POST /language: in it whoever is logged in is written to from then on."""

from __future__ import annotations

from contextlib import suppress
from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from ingam.center.doorway import address_of, logged_in, to_login
from ingam.center.notices.service import NoticeSettings
from ingam.customer.notice.wishes import Wish
from ingam.kernel.errors import Failure
from ingam.page import check_post, render, see_other
from ingam.page.language import choose_language

TEMPLATES: Final = "ingam.center.notices"
HERE: Final = "/management/notices"
SAVED: Final = ("yes", "same")


class NoticesWeb:
    """The page over the service. `quiet_hours`: as the settings write them, "" for none."""

    def __init__(self, service: NoticeSettings, quiet_hours: str) -> None:
        self._service = service
        self._quiet_hours = quiet_hours.replace("-", "–")

    def routes(self) -> list[Route]:
        """Its two, and the switch of languages before the one that everybody has."""
        return [
            Route(HERE, self.show, methods=["GET"]),
            Route(HERE, self.change, methods=["POST"]),
            Route("/language", self.language, methods=["POST"]),
        ]

    async def show(self, request: Request) -> Response:
        """For whoever is logged in; others log in first."""
        session = logged_in(request)
        if session is None:
            return to_login(request)
        saved = request.query_params.get("saved", "")
        shown = await self._service.shown(session)
        return render(
            request, "notices/wishes.html", place="notices", shown=shown, here=HERE,
            saved=saved if saved in SAVED else "", quiet_hours=self._quiet_hours,
        )  # fmt: skip

    async def change(self, request: Request) -> Response:
        """What is ticked is wanted."""
        form = await request.form()
        check_post(request, form)
        session = logged_in(request)
        if session is None:
            return to_login(request)
        wish = Wish(
            "en" if form.get("lang") == "en" else "ko",
            mails=form.get("mails") == "yes",
            expiry=form.get("expiry") == "yes",
            logins=form.get("logins") == "yes",
        )
        changed = await self._service.change(session, address_of(request), wish)
        return see_other(f"{HERE}?saved={'yes' if changed else 'same'}")

    async def language(self, request: Request) -> Response:
        """The switch works for everybody, and whether or not the store answers."""
        response = await choose_language(request)
        session = logged_in(request)
        if session is not None:
            form = await request.form()  # read before, and kept
            with suppress(Failure):
                await self._service.speak(session, "en" if form.get("lang") == "en" else "ko")
        return response
