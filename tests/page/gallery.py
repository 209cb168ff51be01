"""Every part of the look on one page, for the tests of the page folder and for looking at it; never shipped."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from jinja2 import ChoiceLoader, DictLoader
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from ingam.center.about import web as about
from ingam.center.inquiry import web as inquiry
from ingam.center.issuance import menu as issuance
from ingam.kernel.errors import Defect, Outage, Refusal
from ingam.npki import policies
from ingam.page import Bundle, Pages, Viewer, check_post, failure_handlers, middleware, render, see_other, shell_routes
from ingam.ports.customers import CustomerKind
from ingam.settings import Settings

NOW = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)
CSRF = "c" * 43

GALLERY = Path(__file__).with_name("gallery.html").read_text(encoding="utf-8")


class FixedClock:
    """A clock that a test sets."""

    def now(self) -> datetime:
        return NOW


class LoggedIn:
    """Stands for the session middleware: sets the viewer of a person who is logged in."""

    def __init__(self, app: ASGIApp, viewer: Viewer | None) -> None:
        self.app = app
        self.viewer = viewer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and self.viewer is not None:
            lang = scope["state"]["lang"]
            given = self.viewer
            scope["state"]["viewer"] = Viewer(lang, given.csrf, given.name, given.level, given.idle_left_s)
        await self.app(scope, receive, send)


async def show(request: Request) -> Response:
    errors = {
        "code": "인증번호가 맞지 않습니다. 남은 횟수 4번",
        "rrn_back": "주민등록번호 뒷자리 7자리를 입력해 주세요.",
    }
    chosen = errors if "wrong" in request.query_params else {}
    left = int(request.query_params.get("left", 161))
    return render(request, "gallery.html", end=NOW + timedelta(seconds=left), errors=chosen)


async def accept(request: Request) -> Response:
    check_post(request, await request.form())
    return see_other("/gallery")


async def card(request: Request) -> Response:
    """Stands for the route that takes the photograph of an ID card."""
    return JSONResponse({"bytes": len(await request.body())})


async def fail(request: Request) -> Response:
    kind = request.path_params["kind"]
    if kind == "refusal":
        raise Refusal("csrf-refused")
    if kind == "outage":
        raise Outage()
    if kind == "defect":
        raise Defect("template-missing", what="751005-2123456")
    raise ValueError("751005-2123456 홍길동")


async def extend(request: Request) -> Response:
    check_post(request, await request.form())
    return JSONResponse({"left": 600})


class Everything:
    """Takes what the table takes."""

    def accepted(self, kind: CustomerKind) -> tuple[policies.Policy, ...]:
        """Of every authority."""
        kind_of_table = policies.CustomerKind(str(kind))
        return tuple(
            row for row in policies.policies()
            if policies.judged(row, kind_of_table) is policies.Acceptance.ACCEPTED
        )  # fmt: skip


def app(viewer: Viewer | None = None, settings: Settings | None = None, bundle: Bundle | None = None) -> Starlette:
    """The center's shell around the gallery, the static menu pages and a route for every family of failure."""
    settings = settings or Settings(mode="test")
    pages = Pages([about.TEMPLATES, "ingam.center.issuance"], settings, bundle or Bundle.empty(), FixedClock())
    loader = pages.environment.loader
    assert loader is not None
    pages.environment.loader = ChoiceLoader([loader, DictLoader({"gallery.html": GALLERY})])
    routes = [
        Route("/gallery", show),
        Route("/gallery", accept, methods=["POST"]),
        Route("/issuance/new/card", card, methods=["POST", "PUT"]),
        Route("/fail/{kind}", fail),
        Route("/session/extend", extend, methods=["POST"]),
        *shell_routes(pages),
    ]
    routes += [*about.routes(Everything()), *inquiry.routes(), *issuance.routes()]
    made = Starlette(
        routes=routes,
        middleware=[middleware(settings), Middleware(LoggedIn, viewer=viewer)],
        exception_handlers=failure_handlers(),
    )
    made.state.pages = pages
    return made


def served() -> Starlette:
    """For looking at it: `uvicorn --factory tests.page.gallery:served --port 8790` after the browser build."""
    port = "8790"
    settings = Settings(mode="test", center_origin=f"http://localhost:{port}")
    folder = Path(__file__).resolve().parents[2] / "build" / "browser"
    return app(Viewer("ko", CSRF, "홍길동", "id", 581), settings, Bundle.read(folder))
