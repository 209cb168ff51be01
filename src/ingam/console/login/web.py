"""The routes of the passkey login, of enrolment, of the way out and of the session's time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import msgspec
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from ingam.console.doorway import Cookie, address_of
from ingam.console.login.service import Login
from ingam.console.sessions import OperatorSessions
from ingam.console.trail import Trail
from ingam.console.web import ConsoleWeb, visit
from ingam.kernel.errors import Refusal
from ingam.page import check_post, local_path, render, see_other, status_of
from ingam.page.failures import message_of, wants_json
from ingam.ports.clock import Clock
from ingam.protocols.webauthn import WebAuthnRefused

ANSWER_MOST: Final = 48 * 1024


class LoginWeb(ConsoleWeb):
    """Handlers over the service."""

    def __init__(self, trail: Trail, login: Login, sessions: OperatorSessions, clock: Clock, cookie: Cookie) -> None:
        super().__init__(trail)
        self._login = login
        self._sessions = sessions
        self._clock = clock
        self._cookie = cookie

    def routes(self) -> list[Route]:
        """What is open before a passkey was shown, and the way out."""
        return [
            Route("/login", self.show, methods=["GET"]),
            Route("/login", self.enter, methods=["POST"]),
            Route("/login/options", self.options, methods=["POST"]),
            Route("/enrol", self.show_enrolment, methods=["GET"]),
            Route("/enrol", self.enrol, methods=["POST"]),
            Route("/enrol/options", self.enrolment_options, methods=["POST"]),
            self.post("/logout", self.leave),
            self.post("/session/extend", self.extend),
        ]

    async def show(self, request: Request) -> Response:
        """The login; whoever is in already goes on."""
        then = local_path(request.query_params.get("then"), "/")
        return see_other(then) if request.state.operator is not None else _login(request, then)

    async def options(self, request: Request) -> Response:
        """What the passkey signs, as JSON."""
        check_post(request, await request.form())
        return JSONResponse({"options": await self._login.options(request.state.session)})

    async def enter(self, request: Request) -> Response:
        """POST of the passkey's answer."""
        form = await request.form()
        check_post(request, form)
        then = local_path(form.get("then"), "/")
        try:
            entered = await self._login.enter(request.state.session, address_of(request), answer_of(form))
        except Refusal as refusal:
            request.state.failure = refusal.code
            return _login(request, then, status_of(refusal), {"form": message_of(refusal, request.state.lang)})
        response = see_other(then)
        response.headers.append("set-cookie", self._cookie.set(entered.opened.cookie))
        return response

    async def show_enrolment(self, request: Request) -> Response:
        """Where an enrolment link leads; its secret stands behind `#` and reaches no log."""
        return _enrolment(request, request.query_params.get("with") == "code")

    async def enrolment_options(self, request: Request) -> Response:
        """Who is invited and what their passkey is made by, as JSON."""
        form = await request.form()
        check_post(request, form)
        halves = (_token(form), _code(form))
        operator, options = await self._login.invited(request.state.session, address_of(request), *halves)
        return JSONResponse({"options": options, "who": f"{operator.name} ({operator.employee}, {operator.branch})"})

    async def enrol(self, request: Request) -> Response:
        """POST of the new passkey; the login follows with it."""
        form = await request.form()
        check_post(request, form)
        try:
            halves = (_token(form), _code(form))
            await self._login.enrol(request.state.session, address_of(request), *halves, answer_of(form))
        except Refusal as refusal:
            request.state.failure = refusal.code
            errors = {"form": message_of(refusal, request.state.lang)}
            return _enrolment(request, "code" in form, status_of(refusal), errors)
        return see_other("/login?ended=enrolled")

    async def leave(self, request: Request) -> Response:
        """Logout."""
        await self._login.leave(visit(request))
        response = see_other("/login?ended=logout")
        response.headers.append("set-cookie", self._cookie.set("", 0))
        return response

    async def extend(self, request: Request) -> Response:
        """연장: the idle clock starts again."""
        session = await self._sessions.touch(request.state.session, at_once=True)
        left = int((self._sessions.idle_until(session) - self._clock.now()).total_seconds())
        if wants_json(request):
            return JSONResponse({"left": left})
        return see_other(local_path(request.state.form.get("back"), "/"))


def answer_of(form: Mapping[str, Any]) -> dict[str, object]:
    """The JSON of a passkey's answer in the field `answer`. Raises WebAuthnRefused (malformed)."""
    text = form.get("answer")
    if not isinstance(text, str) or len(text) > ANSWER_MOST:
        raise WebAuthnRefused(cause="malformed")
    try:
        return msgspec.json.decode(text, type=dict[str, object])
    except (msgspec.MsgspecError, UnicodeError):
        raise WebAuthnRefused(cause="malformed") from None


def _token(form: Mapping[str, Any]) -> str:
    return str(form.get("token", ""))[:64]


def _code(form: Mapping[str, Any]) -> str:
    """The other half, which the person types; links of the ceremony have none."""
    return str(form.get("code", ""))[:64]


def _login(request: Request, then: str, status: int = 200, errors: Mapping[str, str] | None = None) -> Response:
    ended = request.query_params.get("ended")
    ended = ended if ended in ("idle", "absolute", "over", "logout", "enrolled") else ""
    return render(request, "login/login.html", status=status, then=then, ended=ended, errors=errors or {})


def _enrolment(
    request: Request, asks_code: bool, status: int = 200, errors: Mapping[str, str] | None = None
) -> Response:
    return render(request, "login/enrol.html", status=status, asks_code=asks_code, errors=errors or {})
