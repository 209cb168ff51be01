"""What every feature of the console builds its routes with: who may open them, the frame around them, who asks.

    class NoticesWeb(ConsoleWeb):
        entries = (Entry("notices", "console-notices.menu", "/notices", (Role.ADMINISTRATOR,)),)

        def routes(self) -> list[Route]:
            return [
                self.get("/notices", self.show, Role.ADMINISTRATOR),
                self.post("/notices", self.publish, Role.ADMINISTRATOR),
            ]

A route without an operator leads to the login; one that the operator may not open is refused and written down (G2). A
POST has passed origin and token (F3) before its handler runs, which finds the form in `request.state.form`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable
from typing import Any, TypeAlias

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from ingam.console import menu
from ingam.console.doorway import address_of
from ingam.console.menu import Entry
from ingam.console.operators import Operator, Role
from ingam.console.trail import Trail, Visit
from ingam.kernel.errors import Refusal
from ingam.kernel.words import has, say
from ingam.page import check_post, local_path, see_other

Handler: TypeAlias = Callable[[Request], Awaitable[Response]]


class Forbidden(Refusal):
    """None of the operator's roles opens this."""

    code = "forbidden"


class ConsoleWeb(ABC):
    """The base of a feature's routes. `entries`: its lines of the menu."""

    entries: tuple[Entry, ...] = ()

    def __init__(self, trail: Trail) -> None:
        self.trail = trail

    @abstractmethod
    def routes(self) -> list[Route]:
        """The feature's routes."""

    def get(self, path: str, handler: Handler, *roles: Role) -> Route:
        """A page for operators with one of these roles; without any, for every operator."""
        return Route(path, self._guarded(handler, roles), methods=["GET"])

    def post(self, path: str, handler: Handler, *roles: Role) -> Route:
        """A POST for them; `request.state.form` is its form."""

        async def checked(request: Request) -> Response:
            form = await request.form()
            check_post(request, form)
            request.state.form = form
            return await handler(request)

        return Route(path, self._guarded(checked, roles), methods=["POST"])

    def _guarded(self, handler: Handler, roles: tuple[Role, ...]) -> Handler:
        async def guarded(request: Request) -> Response:
            operator: Operator | None = request.state.operator
            if operator is None:
                return to_login(request)
            if not operator.may(*roles):
                await self.trail.write(visit(request), "console.forbidden", "refused", facts={"route": _route(request)})
                raise Forbidden
            return await handler(request)

        return guarded


def require(request: Request, *roles: Role) -> Visit:
    """Who asks, where only a part of a page is for these roles. Raises Forbidden."""
    asking = visit(request)
    if not asking.operator.may(*roles):
        raise Forbidden
    return asking


def visit(request: Request) -> Visit:
    """Who asks, behind a guarded route. Raises Forbidden where nobody has shown a passkey."""
    operator: Operator | None = request.state.operator
    if operator is None:
        raise Forbidden
    return Visit(operator, request.state.session, address_of(request), request.state.lang)


def more(request: Request) -> dict[str, Any]:
    """What every template of the console knows: the operator, the lines of the menu, the roles."""
    operator: Operator | None = getattr(request.state, "operator", None)
    entries: tuple[Entry, ...] = request.app.state.entries
    return {
        "operator": operator,
        "entries": menu.shown(entries, operator),
        "Role": Role,
        "has_word": has,
        "bank_name": say("console.brand", request.state.lang),
    }


def to_login(request: Request) -> Response:
    """303 to the login, which leads back here afterwards."""
    then = local_path(request.url.path, "/") if request.method == "GET" else "/"
    ended = f"&ended={request.state.ended}" if request.state.ended in ("idle", "absolute") else ""
    return see_other(f"/login?then={then}{ended}")


def _route(request: Request) -> str:
    """The route's template, never the path itself."""
    route = request.scope.get("route")
    return str(getattr(route, "path", "-"))
