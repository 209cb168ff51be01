"""인증서관리: the address of its page."""

from __future__ import annotations

from typing import Final

from starlette.routing import Route

from ingam.page import Coming, coming_route

PAGE: Final = Coming(
    place="management",
    heading="page.menu_management",
    lead="coming.management_lead",
    offers=(
        ("view", "coming.management_view"),
        ("password", "coming.management_password"),
        ("files", "coming.management_files"),
        ("release", "coming.management_release"),
        ("revocation", "coming.management_revocation"),
    ),
    now_word="coming.management_now",
)


def routes() -> list[Route]:
    """GET /management."""
    return [coming_route("/management", PAGE)]
