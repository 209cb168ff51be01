"""금융인증서: the address of its page."""

from __future__ import annotations

from typing import Final

from starlette.routing import Route

from ingam.page import Coming, coming_route

PAGE: Final = Coming(
    place="finance_cert",
    heading="page.menu_finance_cert",
    lead="coming.finance_lead",
    offers=(
        ("", "coming.finance_1"),
        ("", "coming.finance_2"),
    ),
    now_word="coming.finance_now",
    next_word="about.next",
    next_path="/registration",
)


def routes() -> list[Route]:
    """GET /finance-cert."""
    return [coming_route("/finance-cert", PAGE)]
