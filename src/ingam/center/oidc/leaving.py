"""A client asks that the person be logged out here (OpenID Connect RP-Initiated Logout 1.0).

At once where the client shows an ID token that we signed, of the very person whose session this browser has: then the
client had a login of theirs. Anybody else's request is a question to the person, and leads to nobody's address. An
address is gone to only if it is registered for that client, byte for byte.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlencode, urlsplit, urlunsplit

from ingam.center.oidc.clients import Client
from ingam.center.oidc.tokens import Tokens
from ingam.customer.session import Session
from ingam.customer.session.sessions import Sessions
from ingam.ports.clock import Clock
from ingam.ports.customers import Customers
from ingam.ports.keys import Digests
from ingam.ports.store import Audit, Save, Store
from ingam.protocols.oidc import LogoutRefused, LogoutRequest, logout_asked

ENDED: Final = "logout"


@dataclass(frozen=True, slots=True)
class Left:
    """`to`: the client's address, or None for a page of ours. `asks`: the person is asked first."""

    to: str | None = None
    asks: bool = False


class Leaving:
    """Ends sessions at a client's wish."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        customers: Customers,
        digests: Digests,
        clients: Mapping[str, Client],
        tokens: Tokens,
        sessions: Sessions,
    ) -> None:
        self._store = store
        self._clock = clock
        self._customers = customers
        self._digests = digests
        self._clients = clients
        self._tokens = tokens
        self._sessions = sessions

    async def leave(self, pairs: Sequence[tuple[str, str]], session: Session, address: str) -> Left:
        """Where the browser goes from here. Raises LogoutRefused; then nobody is logged out."""
        asked = logout_asked(pairs)
        client, subject = self._shown(asked)
        to = _registered(asked, client if subject is not None else None)
        if session.customer_id is None:
            return Left(to)
        if client is None or subject is None or not self._same(client, subject, session.customer_id):
            return Left(asks=True)
        await self._end(session, session.customer_id, client, address)
        return Left(to)

    def _shown(self, asked: LogoutRequest) -> tuple[Client | None, str | None]:
        """The client, and whose login its ID token was; an old one does as well (section 2)."""
        if asked.hint is None:
            return None, None
        claims: Mapping[str, Any] = self._tokens.signer.own(asked.hint) or {}
        client = self._clients.get(str(claims.get("aud", "")))
        subject = claims.get("sub")
        if client is None or claims.get("iss") != self._tokens.issuer or not isinstance(subject, str):
            raise LogoutRefused
        if asked.client_id not in (None, client.client_id):
            raise LogoutRefused
        return client, subject

    def _same(self, client: Client, subject: str, customer_id: str) -> bool:
        return hmac.compare_digest(self._tokens.subject(client, customer_id).encode(), subject.encode())

    async def _end(self, session: Session, customer_id: str, client: Client, address: str) -> None:
        now, customer = self._clock.now(), await self._customers.by_id(customer_id)
        subject = None if customer is None else self._digests.digest("banking-id", customer.banking_id)
        network = self._digests.digest("address", address)
        line = Audit(now, "logout", "ok", subject, session.session, network, {"client": client.client_id})
        await self._store.save(Save(rows=[self._sessions.ending(session, ENDED)], audit=[line]))


def _registered(asked: LogoutRequest, client: Client | None) -> str | None:
    """The address with `state`, if there is one and it is this client's. Raises LogoutRefused."""
    if asked.redirect_uri is None:
        return None
    if client is None or asked.redirect_uri not in client.post_logout_redirect_uris:
        raise LogoutRefused
    if asked.state is None:
        return asked.redirect_uri
    at = urlsplit(asked.redirect_uri)
    return urlunsplit(at._replace(query="&".join(one for one in (at.query, urlencode({"state": asked.state})) if one)))
