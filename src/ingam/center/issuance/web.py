"""인증서발급/재발급: the address of its page."""

from __future__ import annotations

from typing import Final

from starlette.routing import Route

from ingam.page import Coming, coming_route

PAGE: Final = Coming(
    place="issuance",
    heading="page.menu_issuance",
    lead="coming.issuance_lead",
    offers=(
        ("new", "coming.issuance_new"),
        ("reissue", "coming.issuance_reissue"),
        ("renewal", "coming.issuance_renewal"),
        ("progress", "coming.issuance_progress"),
    ),
    now_word="coming.issuance_now",
    warning="coming.issuance_warn",
    next_word="about.next",
    next_path="/registration",
)


def routes() -> list[Route]:
    """GET /issuance."""
    return [coming_route("/issuance", PAGE)]
