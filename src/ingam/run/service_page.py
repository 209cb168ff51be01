"""The one page of a process whose screens come later: what it will be, in the shell that every process has."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Final

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from ingam.adapters.clock.system import SystemClock
from ingam.kernel.errors import Failure
from ingam.page import Bundle, Pages, failure_handlers, middleware, render, set_up_log, shell_routes
from ingam.run.http import BoundedHttp
from ingam.settings import Settings, read

# Where scripts/build_browser.py writes, seen from a checkout.
BUNDLE: Final = Path(__file__).resolve().parents[3] / "build" / "browser"


def service_app(settings: Settings, process: str, bundle: Bundle) -> Starlette:
    """`process`: "console", "ca" or "va": the keys of its words. It has no session and no form but the language."""
    origin = f"http://localhost:{settings.port(process)}"
    pages = Pages([], settings, bundle, SystemClock(), frame="plain", origin=origin)

    async def show(request: Request) -> Response:
        return render(
            request, "page/service.html", heading=f"page.service_{process}", text=f"page.service_{process}_text"
        )

    app = Starlette(
        routes=[Route("/", show, methods=["GET"]), *shell_routes(pages)],
        middleware=[middleware(settings, origin)],
        exception_handlers=failure_handlers(),
    )
    app.state.pages = pages
    return app


def serve(process: str) -> int:
    """Serve one such process on loopback until a signal; 2 where the settings or the bundle are refused."""
    set_up_log()
    try:
        settings = read(os.environ)
        app = service_app(settings, process, Bundle.read(BUNDLE))
    except Failure as failure:
        print(failure, file=sys.stderr)
        return 2
    uvicorn.run(
        app,
        host="127.0.0.1",
        port=settings.port(process),
        http=BoundedHttp,
        log_config=None,
        access_log=False,
        server_header=False,
        date_header=True,
    )
    return 0
