"""The routes of 로그인, of the way out, and of the session's time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from ingam.center.doorway import Cookies, address_of, enter, logged_in
from ingam.center.keypad import unsealed
from ingam.center.login.finance import AT as FINANCE
from ingam.center.login.forms import Incomplete, certificate_login, id_login, passkey_login
from ingam.center.login.service import Entered, Login, NotRegistered, Rebind
from ingam.customer.binding.challenges import NonceInvalid
from ingam.customer.device.keys import KeyUnknown
from ingam.customer.session import Session
from ingam.customer.session.sessions import Sessions
from ingam.kernel.errors import Failure, Refusal
from ingam.kernel.words import say
from ingam.page import check_post, local_path, render, see_other, status_of
from ingam.page.failures import message_of, wants_json
from ingam.ports.clock import Clock

WAYS: Final = ("id", "cert", "fin")


class LoginRequired(Refusal):
    """This needs somebody who is logged in."""

    code = "login-required"


class LoginWeb:
    """Handlers over the service; one object, so that routes share its parts."""

    def __init__(
        self, login: Login, sessions: Sessions, clock: Clock, cookies: Cookies, finance_origin: str = ""
    ) -> None:
        self._login = login
        self._sessions = sessions
        self._clock = clock
        self._cookies = cookies
        self._finance_origin = finance_origin

    def routes(self) -> list[Route]:
        """Everything below /login, /logout and /session."""
        return [
            Route("/login", self.show, methods=["GET"]),
            Route("/login/id", self.by_id, methods=["POST"]),
            Route("/login/challenge", self.challenge, methods=["POST"]),
            Route("/login/certificate", self.by_certificate, methods=["POST"]),
            Route("/login/passkey/challenge", self.passkey_challenge, methods=["POST"]),
            Route("/login/passkey", self.by_passkey, methods=["POST"]),
            Route(f"{FINANCE}/open", self.finance_open, methods=["POST"]),
            Route(f"{FINANCE}/window/{{nonce}}", self.finance_window, methods=["GET"]),
            Route(f"{FINANCE}/back/{{nonce}}", self.finance_back, methods=["GET"]),
            Route("/logout", self.leave, methods=["POST"]),
            Route("/session/extend", self.extend, methods=["POST"]),
        ]

    async def show(self, request: Request) -> Response:
        """The three tabs; `then` is where the login leads."""
        way = request.query_params.get("way", "id")
        offered = self._login.finance is not None
        return _page(request, way if way in WAYS else "id", then=_then(request.query_params), fin_offered=offered)

    async def by_id(self, request: Request) -> Response:
        """POST of 아이디 로그인."""
        form = await request.form()
        check_post(request, form)
        then, typed_id = _then(form), str(form.get("banking_id", "")).strip()[:20]
        try:
            typed = await unsealed(request, "login", form)
            entered = await self._login.by_id(
                id_login(typed), request.state.session, self._device(request), address_of(request), request.state.lang
            )
        except Incomplete as incomplete:
            errors = {name: say(key, request.state.lang) for name, key in incomplete.errors.items()}
            return _page(request, "id", then=then, status=422, errors=errors, banking_id=typed_id)
        except Refusal as refusal:
            request.state.failure = refusal.code
            told: dict[str, Any] = {"errors": {"form": message_of(refusal, request.state.lang)}, "failed": refusal.code}
            return _page(request, "id", then=then, status=status_of(refusal), banking_id=typed_id, **told)
        return self._in(entered, then)

    async def challenge(self, request: Request) -> Response:
        """What the certificate window signs, as JSON."""
        check_post(request, await request.form())
        given = await self._login.challenge(request.state.session, address_of(request))
        return JSONResponse(given.for_window(seal=False, customer_kind=None, lang=request.state.lang))

    async def by_certificate(self, request: Request) -> Response:
        """POST of 공동인증서 로그인: the nonce and the CMS from the certificate window."""
        form = await request.form()
        check_post(request, form)
        then = _then(form)
        try:
            typed = certificate_login(form)
            entered = await self._login.by_certificate(
                typed, request.state.session, self._device(request), address_of(request), request.state.lang
            )
        except Incomplete as incomplete:
            errors = {name: say(key, request.state.lang) for name, key in incomplete.errors.items()}
            return _page(request, "cert", then=then, status=422, errors=errors)
        except Failure as failure:
            request.state.failure = failure.code
            told: dict[str, Any] = {"errors": {"form": message_of(failure, request.state.lang)}, "failed": failure.code}
            told["register"] = isinstance(failure, NotRegistered | Rebind)
            return _page(request, "cert", then=then, status=status_of(failure), **told)
        return self._in(entered, then)

    async def passkey_challenge(self, request: Request) -> Response:
        """What a passkey signs, as JSON."""
        check_post(request, await request.form())
        return JSONResponse(await self._login.passkey_challenge(request.state.session, address_of(request)))

    async def by_passkey(self, request: Request) -> Response:
        """POST of a passkey's answer."""
        form = await request.form()
        check_post(request, form)
        then = _then(form)
        try:
            answer = passkey_login(form)
            entered = await self._login.by_passkey(
                answer, request.state.session, self._device(request), address_of(request), request.state.lang
            )
        except Incomplete as incomplete:
            errors = {name: say(key, request.state.lang) for name, key in incomplete.errors.items()}
            return _page(request, "id", then=then, status=422, errors=errors)
        except Refusal as refusal:
            request.state.failure = refusal.code
            code = "passkey-unknown" if isinstance(refusal, KeyUnknown) else refusal.code
            told: dict[str, Any] = {"errors": {"form": say(f"refusal.{code}", request.state.lang)}}
            return _page(request, "id", then=then, status=status_of(refusal), **told)
        return self._in(entered, then)

    async def finance_open(self, request: Request) -> Response:
        """금융인증서로 로그인: a window of the provider's."""
        form = await request.form()
        check_post(request, form)
        then, way = _then(form), self._login.finance
        if way is None:
            return _page(request, "fin", then=then, fin_offered=False)
        try:
            nonce = await way.open(request.state.session, address_of(request), request.state.lang, then)
        except Failure as failure:
            return self._finance_failed(request, failure, then)
        return see_other(f"{FINANCE}/window/{nonce}")

    async def finance_window(self, request: Request) -> Response:
        """The page before the window."""
        way = self._login.finance
        try:
            if way is None:
                raise NonceInvalid(check=2, cause="not-issued")
            address = await way.window(request.state.session, request.path_params["nonce"])
        except NonceInvalid:
            return see_other("/login?way=fin")
        return render(
            request, "finance_cert/window.html", place="finance_cert", address=address, origin=self._finance_origin,
            purpose="login", leave="/login?way=fin",
        )  # fmt: skip

    async def finance_back(self, request: Request) -> Response:
        """From the window. What the address brings is a word for the provider, never a result (E7)."""
        if self._login.finance is None:
            return see_other("/login?way=fin")
        nonce, proof = request.path_params["nonce"], request.query_params.get("proof", "")
        try:
            entered, then = await self._login.by_finance(
                nonce, proof, request.state.session, self._device(request), address_of(request), request.state.lang
            )
        except Failure as failure:
            return self._finance_failed(request, failure, "/cert-center")
        return self._in(entered, local_path(then, "/cert-center"))

    def _finance_failed(self, request: Request, failure: Failure, then: str) -> Response:
        request.state.failure = failure.code
        told: dict[str, Any] = {"errors": {"form": message_of(failure, request.state.lang)}, "failed": failure.code}
        return _page(request, "fin", then=then, status=status_of(failure), fin_offered=True, **told)

    async def leave(self, request: Request) -> Response:
        """Logout: the session ends on the server; the cookie goes too, and a kept copy of it opens nothing (F2)."""
        check_post(request, await request.form())
        if logged_in(request):
            await self._login.leave(request.state.session, address_of(request))
        response = see_other("/login?ended=logout")
        response.headers.append("set-cookie", self._cookies.set(self._cookies.session, "", 0))
        return response

    async def extend(self, request: Request) -> Response:
        """연장: the idle clock starts again."""
        form = await request.form()
        check_post(request, form)
        if logged_in(request) is None:
            raise LoginRequired
        session: Session = await self._sessions.touch(request.state.session, at_once=True)
        left = int((self._sessions.idle_until(session) - self._clock.now()).total_seconds())
        if wants_json(request):
            return JSONResponse({"left": left})
        return see_other(local_path(form.get("back"), "/cert-center"))

    def _device(self, request: Request) -> str | None:
        return self._cookies.device_in(request.cookies)

    def _in(self, entered: Entered, then: str) -> Response:
        return enter(see_other(then), self._cookies, entered.opened, entered.device)


def _then(given: Mapping[str, Any]) -> str:
    return local_path(given.get("then"), "/cert-center")


def _page(request: Request, way: str, *, then: str, status: int = 200, **facts: Any) -> Response:
    ended = request.query_params.get("ended")
    shown: dict[str, Any] = {"errors": {}, "banking_id": "", "failed": "", "register": False, "fin_offered": True}
    shown |= facts
    ended = ended if ended in ("idle", "absolute", "over", "logout") else ""
    return render(request, "login/login.html", status=status, way=way, then=then, ended=ended, **shown)
