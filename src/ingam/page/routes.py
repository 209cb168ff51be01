"""The routes that every process with pages has: static files, the language switch, and the health answer."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from ingam.page import web_app
from ingam.page.language import choose_language
from ingam.page.pages import Pages


def shell_routes(pages: Pages) -> list[Route]:
    """GET /static/{name}, POST /language, GET /healthz; with the center's frame, the service worker."""
    app = [web_app.worker_route(pages.bundle, on=pages.service_worker)] if pages.frame == "center" else []
    return [
        *app,
        Route("/static/{name}", pages.bundle.serve, methods=["GET"]),
        Route("/language", choose_language, methods=["POST"]),
        Route("/healthz", _healthy, methods=["GET"]),
    ]


async def _healthy(_request: Request) -> Response:
    return PlainTextResponse("ok\n")
