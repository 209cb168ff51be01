"""Korean first: the language of a request is its `lang` cookie, and POST /language changes it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from starlette.requests import Request
from starlette.responses import Response

from ingam.page.back import local_path
from ingam.page.failures import see_other
from ingam.page.origin import check_origin, check_post

if TYPE_CHECKING:
    from ingam.page.viewer import Lang

COOKIE: Final = "lang"
A_YEAR_S: Final = 365 * 86400


def language_of(cookie_header: str) -> Lang:
    """ "en" where the cookie says so, else "ko"."""
    chosen = re.search(r"(?:^|;\s*)lang=(ko|en)(?:;|$)", cookie_header)
    return "en" if chosen and chosen[1] == "en" else "ko"


async def choose_language(request: Request) -> Response:
    """POST /language {lang, back}: sets the cookie and returns to where the person was."""
    form = await request.form()
    # A process without sessions has no token to check; the origin is checked everywhere.
    if request.state.viewer.csrf is None:
        check_origin(request)
    else:
        check_post(request, form)
    response = see_other(local_path(form.get("back")))
    response.set_cookie(
        COOKIE,
        "en" if form.get("lang") == "en" else "ko",
        max_age=A_YEAR_S,
        path="/",
        secure=request.app.state.pages.origin.startswith("https://"),
        httponly=True,
        samesite="lax",
    )
    return response
