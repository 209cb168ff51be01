"""전자금융사기 예방서비스: the address of its page."""

from __future__ import annotations

from typing import Final

from starlette.routing import Route

from ingam.page import Coming, coming_route

PAGE: Final = Coming(
    place="protection",
    heading="page.menu_protection",
    lead="coming.protection_lead",
    offers=(
        ("", "coming.protection_1"),
        ("", "coming.protection_2"),
        ("", "coming.protection_3"),
    ),
    now_word="coming.protection_now",
)


def routes() -> list[Route]:
    """GET /protection."""
    return [coming_route("/protection", PAGE)]
