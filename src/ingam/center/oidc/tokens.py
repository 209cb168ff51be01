"""The token endpoint and userinfo: a code for an ID token and a short access token, once (OpenID Connect, F12).

A code is used up by the first presentation of its own client, right or wrong; a second one takes the access token of
the first with it (RFC 6749 4.1.2). The subject is pairwise: two sectors cannot tell that they have the same person. An
access token ends with the person's session here, and opens userinfo alone.
"""

from __future__ import annotations

import base64
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

import msgspec

from ingam.center.oidc.clients import Client
from ingam.center.oidc.service import CODE, TOKEN_BYTES, hashed
from ingam.kernel.secret import Secret
from ingam.ports.clock import Clock
from ingam.ports.customers import Customer, Customers
from ingam.ports.keys import Digests
from ingam.ports.store import (
    AlreadyUsed,
    Audit,
    Conflict,
    Insert,
    Issue,
    Issued,
    NotIssued,
    Row,
    Save,
    Store,
    Use,
    Void,
)
from ingam.ports.tokens import TokenSigner
from ingam.protocols import oidc

TOKEN: Final = "oidc-token"
TOKEN_S: Final = 300
ASSERTION: Final = "oidc-assertion"
ASSERTION_S: Final = 3600
"""The longest that an assertion may say it is good for; it is remembered as long."""
SKEW_S: Final = 60


class TokenError(Exception):
    """`error` of RFC 6749 5.2, or of RFC 6750 3.1 at userinfo."""

    def __init__(self, error: str) -> None:
        super().__init__(error)
        self.error = error


@dataclass(frozen=True, slots=True)
class Asking:
    """A token request as it came; the client has been authenticated."""

    client: Client
    grant: str
    code: Secret[str]
    redirect_uri: str
    verifier: Secret[str]


class _Facts(msgspec.Struct, frozen=True):
    """What the ledger keeps of a code."""

    client: str
    redirect_uri: str
    challenge: str
    nonce: str | None
    scope: tuple[str, ...]
    customer: str
    session: str
    acr: str
    amr: tuple[str, ...]
    auth_time: int


class _Bearer(msgspec.Struct, frozen=True):
    """What the ledger keeps of an access token."""

    client: str
    scope: tuple[str, ...]
    customer: str
    session: str


@dataclass(frozen=True, slots=True)
class Tokens:
    """Exchanges and tells. `issuer`: the center's origin."""

    store: Store
    clock: Clock
    customers: Customers
    digests: Digests
    clients: Mapping[str, Client]
    signer: TokenSigner
    issuer: str
    token: Callable[[int], bytes] = field(default=secrets.token_bytes)

    def client(self, client_id: str, secret: Secret[str] | None) -> Client:
        """The client that proved itself, or a public one that has nothing to prove. Raises TokenError."""
        found = self.clients.get(client_id)
        if found is None or found.public != (secret is None) or (secret is not None and not found.knows(secret)):
            raise TokenError("invalid_client")
        return found

    async def asserted(self, client_id: str, assertion: Secret[str]) -> Client:
        """The client that signed this very assertion for us, just now and once (RFC 7523, private_key_jwt).

        `client_id`: the form's, where it has one. Raises TokenError.
        """
        named = _named(assertion.reveal())
        found = self.clients.get(named)
        claims = None if found is None else self.signer.signed_by(found.keys, assertion.reveal())
        if found is None or claims is None or client_id not in ("", named):
            raise TokenError("invalid_client")
        now = self.clock.now()
        expires, jti = self._current(claims, named, now), claims.get("jti")
        if expires is None or not isinstance(jti, str) or not 0 < len(jti) <= 256:
            raise TokenError("invalid_client")
        once = hashed(f"{named}:{jti}")
        try:
            await self.store.save(Save(ledger=[Issue(ASSERTION, once, expires), Use(ASSERTION, once, now)]))
        except (Conflict, AlreadyUsed):
            raise TokenError("invalid_client") from None
        return found

    def _current(self, claims: Mapping[str, Any], client_id: str, now: datetime) -> datetime | None:
        """Until when the assertion is good; None where it is not for us, not of this client, or not of now."""
        audience, at = claims.get("aud"), int(now.timestamp())
        ends, begins = _instant(claims.get("exp")), _instant(claims.get("nbf", claims.get("iat", at)))
        ours = audience in (self.issuer, f"{self.issuer}/oidc/token")
        if not (ours and claims.get("iss") == claims.get("sub") == client_id):
            return None
        if ends is None or begins is None or not (at < ends <= at + ASSERTION_S + SKEW_S and begins <= at + SKEW_S):
            return None
        return now + timedelta(seconds=ends - at + SKEW_S)

    async def exchange(self, asking: Asking) -> dict[str, Any]:
        """The token response. Raises TokenError."""
        if asking.grant != "authorization_code":
            raise TokenError("unsupported_grant_type")
        now, code = self.clock.now(), hashed(asking.code.reveal())
        row = await self.store.issued(CODE, code)
        facts = None if row is None else msgspec.json.decode(row.facts, type=_Facts)
        if row is None or facts is None or facts.client != asking.client.client_id:
            raise TokenError("invalid_grant")
        if row.used_at is not None:
            await self._used_before(code, facts, now)
        if not self._fits(asking, facts):
            await self._use_up(code, facts, now)
        customer = await self._live(facts.customer, facts.session, now)
        if customer is None:
            raise TokenError("invalid_grant")
        access = oidc.base64url(self.token(TOKEN_BYTES))
        await self._save(row, facts, access, customer, now)
        return {
            "access_token": access, "token_type": "Bearer", "expires_in": TOKEN_S,
            "scope": " ".join(facts.scope), "id_token": self._id_token(facts, access, now),
        }  # fmt: skip

    async def userinfo(self, access: Secret[str]) -> dict[str, Any]:
        """What the scopes of an access token open. Raises TokenError."""
        now = self.clock.now()
        row = await self.store.issued(TOKEN, hashed(access.reveal()))
        if row is None or row.used_at is not None or row.expires_at <= now:
            raise TokenError("invalid_token")
        bearer = msgspec.json.decode(row.facts, type=_Bearer)
        customer = await self._live(bearer.customer, bearer.session, now)
        if customer is None or bearer.client not in self.clients:
            raise TokenError("invalid_token")
        told: dict[str, Any] = {"sub": self.subject(self.clients[bearer.client], bearer.customer)}
        return told | ({"name": customer.name} if "profile" in bearer.scope else {})

    def subject(self, client: Client, customer_id: str) -> str:
        """The person's pairwise name: a keyed digest of sector and person (OpenID Connect Core 8.1)."""
        return self.digests.digest("oidc-subject", f"{client.sector}:{customer_id}")

    def _fits(self, asking: Asking, facts: _Facts) -> bool:
        same = asking.redirect_uri == facts.redirect_uri
        return oidc.verifies(facts.challenge, asking.verifier.reveal()) and same

    async def _use_up(self, code: str, facts: _Facts, now: datetime) -> None:
        """A code that is shown with a wrong verifier or address is good for nobody any more."""
        await self.store.save(
            Save(ledger=[Void(CODE, code, now)], audit=[self._line(facts, None, "oidc-code-misused", now)])
        )
        raise TokenError("invalid_grant")

    async def _used_before(self, code: str, facts: _Facts, now: datetime) -> None:
        """Somebody else may have had it first: what it gave is worth nothing from now on."""
        given = await self.store.one("oidc_grant", {"code": code})
        moves = [] if given is None else [Void(TOKEN, str(given["token"]), now)]
        await self.store.save(Save(ledger=moves, audit=[self._line(facts, None, "already-used", now)]))
        raise TokenError("invalid_grant")

    async def _save(self, row: Issued, facts: _Facts, access: str, customer: Customer, now: datetime) -> None:
        expires, token = now + timedelta(seconds=TOKEN_S), hashed(access)
        bearer = _Bearer(facts.client, facts.scope, facts.customer, facts.session)
        grant: Row = {
            "code": row.id, "token": token, "client_id": facts.client, "customer_id": facts.customer, "at": now,
            "expires_at": expires,
        }  # fmt: skip
        save = Save(
            rows=[Insert("oidc_grant", grant)],
            ledger=[Use(CODE, row.id, now), Issue(TOKEN, token, expires, msgspec.json.encode(bearer).decode())],
            audit=[self._line(facts, customer, "ok", now)],
        )
        try:
            await self.store.save(save)
        except AlreadyUsed:
            await self._used_before(row.id, facts, now)
        except NotIssued:
            raise TokenError("invalid_grant") from None

    def _id_token(self, facts: _Facts, access: str, now: datetime) -> str:
        at, client = int(now.timestamp()), self.clients[facts.client]
        claims: dict[str, Any] = {
            "iss": self.issuer, "sub": self.subject(client, facts.customer), "aud": client.client_id,
            "iat": at, "exp": at + TOKEN_S, "auth_time": facts.auth_time, "acr": facts.acr, "amr": list(facts.amr),
            "at_hash": oidc.access_token_hash(access),
        }  # fmt: skip
        return self.signer.sign(claims if facts.nonce is None else claims | {"nonce": facts.nonce})

    async def _live(self, customer_id: str, session: str, now: datetime) -> Customer | None:
        """The person, while the session lasts in which the yes was said."""
        row = await self.store.one("session", {"session": session})
        if row is None or row["ended_at"] is not None or not isinstance(ends := row["expires_at"], datetime):
            return None
        customer = await self.customers.by_id(customer_id) if ends > now else None
        return customer if customer is not None and customer.status == "ACTIVE" else None

    def _line(self, facts: _Facts, customer: Customer | None, result: str, now: datetime) -> Audit:
        subject = None if customer is None else self.digests.digest("banking-id", customer.banking_id)
        return Audit(now, "oidc.token", result, subject, facts.session, None, {"client": facts.client})


def _named(assertion: str) -> str:
    """Who an assertion says that it is of, before anything of it is believed: which keys to look for."""
    try:
        part = assertion.split(".")[1]
        said = msgspec.json.decode(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)), type=dict[str, Any])
    except (IndexError, ValueError, msgspec.DecodeError, RecursionError):  # the last one of what is nested too deep
        return ""
    name = said.get("iss")
    return name if isinstance(name, str) else ""


def _instant(value: object) -> int | float | None:
    """A NumericDate (RFC 7519); True is none. As it came: not every whole number is a float."""
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None
