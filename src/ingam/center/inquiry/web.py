"""조회: the address of its page."""

from __future__ import annotations

from typing import Final

from starlette.routing import Route

from ingam.page import Coming, coming_route

PAGE: Final = Coming(
    place="inquiry",
    heading="page.menu_inquiry",
    lead="coming.inquiry_lead",
    offers=(
        ("", "coming.inquiry_1"),
        ("", "coming.inquiry_2"),
    ),
)


def routes() -> list[Route]:
    """GET /inquiry."""
    return [coming_route("/inquiry", PAGE)]
