"""인증서복사: the address of its page."""

from __future__ import annotations

from typing import Final

from starlette.routing import Route

from ingam.page import Coming, coming_route

PAGE: Final = Coming(
    place="copying",
    heading="page.menu_copying",
    lead="coming.copying_lead",
    offers=(
        ("", "coming.copying_1"),
        ("", "coming.copying_2"),
        ("", "coming.copying_3"),
    ),
    now_word="coming.copying_now",
    next_word="about.next",
    next_path="/registration",
)


def routes() -> list[Route]:
    """GET /copying."""
    return [coming_route("/copying", PAGE)]
