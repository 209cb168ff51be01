"""The OpenID Connect provider over the center's ports; nothing where no clients are named."""

from __future__ import annotations

from starlette.routing import BaseRoute

from ingam.center.doorway import Cookies
from ingam.center.oidc import clients
from ingam.center.oidc.leaving import Leaving
from ingam.center.oidc.service import Oidc
from ingam.center.oidc.tokens import Tokens
from ingam.center.oidc.web import OidcWeb
from ingam.customer.additional_auth.service import AdditionalAuth
from ingam.customer.session.sessions import Sessions, Times
from ingam.settings import Settings, SettingsRefused
from ingam.wiring import CenterPorts


def oidc_routes(settings: Settings, given: CenterPorts, auth: AdditionalAuth, cookies: Cookies) -> list[BaseRoute]:
    """Raises ClientsRefused, SettingsRefused."""
    if settings.oidc_clients is None:
        return []
    if given.tokens is None:
        raise SettingsRefused(variable="INGAM_OIDC_CLIENTS", missing="signer")
    known, issuer = clients.read(settings.oidc_clients, production=settings.production), settings.center_origin
    store, clock, customers, digests = given.store, given.clock, given.customers, given.digests
    oidc = Oidc(store, given.ephemeral, clock, customers, digests, known, auth, issuer)
    tokens = Tokens(store, clock, customers, digests, known, given.tokens, issuer)
    sessions = Sessions(store, clock, Times(settings.limits.session_idle_s, settings.limits.session_max_s))
    leaving = Leaving(store, clock, customers, digests, known, tokens, sessions)
    return OidcWeb(oidc, tokens, leaving, auth, given.ephemeral, clock, cookies).routes()
