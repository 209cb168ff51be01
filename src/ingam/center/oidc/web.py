"""The routes of the provider: discovery, keys, the person's screens, token and userinfo (OpenID Connect, RFC 9700).

After a login the answer goes to the client by a link of a page, and never by a redirect of a form: our policy lets
forms lead to ourselves alone (`form-action 'self'`).
"""

from __future__ import annotations

import base64
import hmac
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import parse_qsl, unquote_plus, urlencode

from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from ingam.center.additional_auth.web import FactorWeb, screen
from ingam.center.doorway import Cookies, address_of, logged_in, to_login
from ingam.center.oidc.clients import Client
from ingam.center.oidc.flow import Asked, AwaitingSecond, Refused, second
from ingam.center.oidc.leaving import Leaving
from ingam.center.oidc.service import FLOW_S, Here, Need, Oidc, OidcOver
from ingam.center.oidc.tokens import Asking, TokenError, Tokens
from ingam.center.walks import NotLoggedIn
from ingam.customer.additional_auth import Method
from ingam.customer.additional_auth.ars import Calling
from ingam.customer.additional_auth.medium import MediumTyped
from ingam.customer.additional_auth.service import STOPS, AdditionalAuth, DeviceNotExempt, Typed
from ingam.kernel.errors import Failure
from ingam.kernel.secret import Secret
from ingam.page import render, see_other
from ingam.ports.clock import Clock
from ingam.ports.customers import Customer, Phone
from ingam.ports.ephemeral import Ephemeral
from ingam.protocols.oidc import ACRS, CERTIFICATE, SCOPES, ClientUnknown, LogoutRefused

TEMPLATES: Final = "ingam.center.oidc"
CONTINUE: Final = "/oidc/continue"
LOGOUT: Final = "/oidc/logout"
LEAVE: Final = "/oidc/leave"
ASSERTION_TYPE: Final = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
FIELDS_MOST: Final = 50
TOKENS_A_MINUTE: Final = 3000
"""Of one network; every secret and code has 256 random bits, so that this bounds work and not guesses."""


class OidcWeb:
    """Handlers over the services; also the FactorHost of the second proof."""

    prefix = "/oidc/second"
    beside = False

    def __init__(
        self,
        oidc: Oidc,
        tokens: Tokens,
        leaving: Leaving,
        auth: AdditionalAuth,
        ephemeral: Ephemeral,
        clock: Clock,
        cookies: Cookies,
    ) -> None:
        self._leaving = leaving
        self._oidc = oidc
        self._tokens = tokens
        self._auth = auth
        self._ephemeral = ephemeral
        self._clock = clock
        self._cookies = cookies
        self._cookie = "__Host-ingam-oidc" if cookies.secure else "ingam-center-oidc"

    def routes(self) -> list[BaseRoute]:
        """Everything below /oidc, and the discovery document."""
        return [
            Route("/.well-known/openid-configuration", self.discovery, methods=["GET"]),
            Route("/oidc/jwks", self.jwks, methods=["GET"]),
            Route("/oidc/authorize", self.authorize, methods=["GET"]),
            Route(CONTINUE, self.go_on, methods=["GET"]),
            Route("/oidc/answer", self.answered, methods=["GET"]),
            Route(self.prefix, self.show_second, methods=["GET"]),
            Route("/oidc/token", self.token, methods=["POST"]),
            Route(LOGOUT, self.log_out, methods=["GET", "POST"]),
            Route(LEAVE, self.leave, methods=["GET"]),
            Route("/oidc/userinfo", self.userinfo, methods=["GET", "POST"]),
            *FactorWeb(self, self._auth).routes(),
        ]

    # ── for programs ──

    async def discovery(self, _: Request) -> Response:
        """OpenID Connect Discovery 1.0."""
        issuer = self._tokens.issuer
        return JSONResponse({
            "issuer": issuer,
            "authorization_endpoint": f"{issuer}/oidc/authorize",
            "token_endpoint": f"{issuer}/oidc/token",
            "userinfo_endpoint": f"{issuer}/oidc/userinfo",
            "jwks_uri": f"{issuer}/oidc/jwks",
            "scopes_supported": list(SCOPES),
            "response_types_supported": ["code"],
            "response_modes_supported": ["query"],
            "grant_types_supported": ["authorization_code"],
            "acr_values_supported": list(ACRS),
            "subject_types_supported": ["pairwise"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "end_session_endpoint": f"{issuer}{LOGOUT}",
            "token_endpoint_auth_methods_supported": [
                "client_secret_basic", "client_secret_post", "private_key_jwt", "none",
            ],
            "token_endpoint_auth_signing_alg_values_supported": ["RS256", "ES256"],
            "claims_supported": ["iss", "sub", "aud", "exp", "iat", "auth_time", "nonce", "acr", "amr", "name"],
            "code_challenge_methods_supported": ["S256"],
            "authorization_response_iss_parameter_supported": True,
            "claims_parameter_supported": False,
            "request_parameter_supported": False,
            "request_uri_parameter_supported": False,
            "ui_locales_supported": ["ko", "en"],
        })  # fmt: skip

    async def jwks(self, _: Request) -> Response:
        """The public keys."""
        return JSONResponse(self._tokens.signer.public())

    async def token(self, request: Request) -> Response:
        """RFC 6749 3.2, with the client's own proof in a header or in the form, never in both."""
        try:
            if not await self._ephemeral.hit(f"oidc-token:{address_of(request)}", 60, TOKENS_A_MINUTE):
                raise TokenError("temporarily_unavailable")
            fields = await _form(request)
            client = await self._client(request, fields)
            asking = Asking(
                client, fields.get("grant_type", ""), Secret(fields.get("code", "")), fields.get("redirect_uri", ""),
                Secret(fields.get("code_verifier", "")),
            )  # fmt: skip
            return JSONResponse(await self._tokens.exchange(asking))
        except TokenError as fault:
            request.state.failure = f"oidc-{fault.error}".replace("_", "-")
            headers = {"WWW-Authenticate": 'Basic realm="oidc"'} if fault.error == "invalid_client" else None
            return JSONResponse({"error": fault.error}, 401 if headers else 400, headers)

    async def _client(self, request: Request, fields: Mapping[str, str]) -> Client:
        """Who asks, by one proof alone (RFC 6749 2.3). Raises TokenError."""
        if "client_assertion" not in fields and "client_assertion_type" not in fields:
            return self._tokens.client(*_credentials(request, fields))
        if "authorization" in request.headers or "client_secret" in fields:
            raise TokenError("invalid_request")
        if fields.get("client_assertion_type") != ASSERTION_TYPE:
            raise TokenError("invalid_client")
        assertion = Secret(fields.get("client_assertion", ""))
        return await self._tokens.asserted(fields.get("client_id", ""), assertion)

    async def userinfo(self, request: Request) -> Response:
        """OpenID Connect Core 5.3; the token in the header alone (RFC 9700 4.3.2)."""
        kind, _, access = request.headers.get("authorization", "").partition(" ")
        try:
            if kind.lower() != "bearer" or not access:
                raise TokenError("invalid_token")
            return JSONResponse(await self._tokens.userinfo(Secret(access.strip())))
        except TokenError as fault:
            request.state.failure = "oidc-invalid-token"
            return JSONResponse({"error": fault.error}, 401, {"WWW-Authenticate": f'Bearer error="{fault.error}"'})

    # ── for the person ──

    async def authorize(self, request: Request) -> Response:
        """The client's request: kept for this browser, and gone on with from there."""
        try:
            pairs = parse_qsl(request.url.query, keep_blank_values=True, max_num_fields=FIELDS_MOST)
        except ValueError:
            raise ClientUnknown from None  # it may name its client anywhere: nothing of it is looked at
        begun = await self._oidc.begin(pairs, request.state.session, address_of(request))
        if isinstance(begun, str):
            return _away(begun)
        cookie, _ = begun
        response = see_other(CONTINUE)
        response.headers.append("set-cookie", self._cookies.set(self._cookie, cookie, FLOW_S))
        return response

    async def go_on(self, request: Request) -> Response:
        """Where the person is: the login, the second proof, or the question."""
        here, session = await self._here(request), request.state.session
        if isinstance(here.state, Refused):
            return render(request, "oidc/refused.html", here=here, client=_name(request, here))
        need = self._oidc.need(here, session)
        if need is Need.LOGIN:
            return see_other(f"/login?way={_way(here)}&then={CONTINUE}")
        if need is Need.SECOND:
            return see_other(self.prefix)
        customer = await self._oidc.customer(session)
        return render(
            request, "oidc/confirm.html", client=_name(request, here), customer_name=customer.name,
            profile="profile" in here.request.scope, yes=self._oidc.yes(here, session),
        )  # fmt: skip

    async def answered(self, request: Request) -> Response:
        """Yes or no, by the links of the page that was shown to this session; the client gets its answer."""
        here, session = await self._here(request), request.state.session
        no = request.query_params.get("no")
        given = no or request.query_params.get("yes", "")
        if not hmac.compare_digest(given.encode(), self._oidc.yes(here, session).encode()) and not (
            no and isinstance(here.state, Refused)
        ):
            raise OidcOver
        if no:
            return self._done(await self._oidc.decline(here, session, address_of(request)))
        return self._done(await self._oidc.give(here, session, address_of(request)))

    async def log_out(self, request: Request) -> Response:
        """RP-Initiated Logout 1.0, by GET or by a form of the client's, with which our cookie does not come: it is
        asked again here, as a link."""
        return see_other(f"{LEAVE}?{urlencode(await _pairs(request))}")

    async def leave(self, request: Request) -> Response:
        """The same, by this browser's session."""
        left = await self._leaving.leave(await _pairs(request), request.state.session, address_of(request))
        if left.asks:
            return render(request, "oidc/logout.html")
        response = see_other("/login?ended=logout") if left.to is None else _away(left.to)
        response.headers.append("set-cookie", self._cookies.set(self._cookies.session, "", 0))
        return response

    def _done(self, address: str) -> Response:
        response = _away(address)
        response.headers.append("set-cookie", self._cookies.set(self._cookie, "", 0))
        return response

    async def _here(self, request: Request) -> Here:
        return await self._oidc.at(request.cookies.get(self._cookie))

    # ── the second proof ──

    async def show_second(self, request: Request) -> Response:
        """본인확인 추가인증 선택."""
        here = await self._here(request)
        if logged_in(request) is None or self._oidc.need(here, request.state.session) is not Need.SECOND:
            return see_other(CONTINUE)
        return await self._second(request, await self._oidc.settled(here, request.state.session))

    async def _second(
        self, request: Request, here: Here, errors: Mapping[str, str] | None = None, status: int = 200, chosen: str = ""
    ) -> Response:
        if not isinstance(here.state, Asked | AwaitingSecond):
            return see_other(CONTINUE)
        factor = await screen(self._auth, self, request, second(here.state), self._clock.now(), chosen=chosen)
        facts: dict[str, Any] = {"factor": factor, "errors": errors or {}, "client": _name(request, here)}
        return render(request, "oidc/second.html", status=status, **facts)

    async def customer(self, request: Request) -> Customer:
        """FactorHost."""
        if logged_in(request) is None:
            raise NotLoggedIn
        return await self._oidc.customer(request.state.session)

    async def call(self, request: Request) -> Calling | None:
        """FactorHost."""
        return await self._oidc.call(await self._here(request), request.state.session)

    async def ask(self, request: Request, fields: Mapping[str, str], method: Method, to: Phone) -> None:
        """FactorHost."""
        del fields  # the cookie says which flow
        here = await self._wanting(request)
        await self._oidc.ask(here, request.state.session, address_of(request), method, to, request.state.lang)

    async def answer(self, request: Request, fields: Mapping[str, str], typed: Typed) -> str:
        """FactorHost."""
        del fields  # the cookie says which flow
        here = await self._wanting(request)
        await self._oidc.prove(here, request.state.session, address_of(request), typed, request.state.lang)
        return CONTINUE

    async def by_device(
        self, request: Request, fields: Mapping[str, str], answer: Mapping[str, str], medium: MediumTyped | None
    ) -> str:
        """A designated device exempts from nothing here: the client asked for a second proof."""
        del request, fields, answer, medium
        raise DeviceNotExempt

    async def refused(
        self, request: Request, fields: Mapping[str, str], errors: Mapping[str, str], status: int
    ) -> Response:
        """FactorHost."""
        here = await self._here(request)
        return await self._second(request, here, errors, status, fields.get("method", ""))

    async def failed(self, request: Request, failure: Failure) -> Response | None:
        """FactorHost."""
        if isinstance(failure, NotLoggedIn):
            return to_login(request)
        return see_other(CONTINUE) if isinstance(failure, (OidcOver, *STOPS)) else None

    async def _wanting(self, request: Request) -> Here:
        here = await self._here(request)
        if self._oidc.need(here, request.state.session) is not Need.SECOND:
            raise OidcOver
        return await self._oidc.settled(here, request.state.session)


def _away(address: str) -> Response:
    """303 to a registered address: the method becomes GET whatever it was (RFC 9700 4.12)."""
    return RedirectResponse(address, 303, {"Referrer-Policy": "no-referrer"})


def _way(here: Here) -> str:
    return "cert" if ACRS.index(here.request.acr) >= ACRS.index(CERTIFICATE) else "id"


def _name(request: Request, here: Here) -> str:
    return here.client.name(request.state.lang)


async def _pairs(request: Request) -> list[tuple[str, str]]:
    """The parameters of a GET or of a form. Raises LogoutRefused."""
    try:
        text = (await request.body()).decode("ascii") if request.method == "POST" else request.url.query
        return parse_qsl(text, keep_blank_values=True, max_num_fields=FIELDS_MOST)
    except ValueError:
        raise LogoutRefused from None


async def _form(request: Request) -> dict[str, str]:
    """The fields, each once (RFC 6749 3.2). Raises TokenError."""
    if not request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
        raise TokenError("invalid_request")
    form = await request.form()
    pairs = [(name, value) for name, value in form.multi_items() if isinstance(value, str)]
    if len(dict(pairs)) != len(pairs):
        raise TokenError("invalid_request")
    return dict(pairs)


def _credentials(request: Request, fields: Mapping[str, str]) -> tuple[str, Secret[str] | None]:
    """client_id and secret, by RFC 6749 2.3.1. Raises TokenError."""
    kind, _, given = request.headers.get("authorization", "").partition(" ")
    if not kind:
        secret = fields.get("client_secret")
        return fields.get("client_id", ""), None if secret is None else Secret(secret)
    if kind.lower() != "basic" or "client_secret" in fields:
        raise TokenError("invalid_client" if kind.lower() != "basic" else "invalid_request")
    try:
        name, _, word = base64.b64decode(given, validate=True).decode("utf-8").partition(":")
    except ValueError:  # binascii.Error, UnicodeDecodeError, and what a text that is not ASCII raises
        raise TokenError("invalid_client") from None
    return unquote_plus(name), Secret(unquote_plus(word))
