"""A login for another service, from the client's request to the code that it is given (OpenID Connect, security F12).

A request is a flow, named by a cookie of this browser alone (F10): who was sent somebody else's address has nothing to
go on with. The person always sees who asks and what is told, and says yes; only a trusted client may ask silently. A
code is a ledger row of one minute, good once, for the client, the address and the PKCE challenge that it was made for.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from hashlib import sha256
from typing import Any, Final
from urllib.parse import urlencode, urlsplit, urlunsplit

import msgspec

from ingam.center.oidc import flow
from ingam.center.oidc.clients import Client
from ingam.center.oidc.flow import OIDC, Asked, AwaitingSecond, Event, Given, Proved, Refused, State, Wanted
from ingam.customer.additional_auth import Method, Purpose
from ingam.customer.additional_auth.ars import Calling
from ingam.customer.additional_auth.flow import Answered
from ingam.customer.additional_auth.proof import Bound, consume
from ingam.customer.additional_auth.service import STOPS, AdditionalAuth, FactorsRefused, Typed
from ingam.customer.heads import in_session
from ingam.customer.session import Level, Session
from ingam.kernel.errors import Refusal
from ingam.ports.clock import Clock
from ingam.ports.customers import Customer, Customers, Phone
from ingam.ports.ephemeral import Ephemeral
from ingam.ports.keys import Digests
from ingam.ports.store import AlreadyUsed, Audit, FlowSave, Issue, LedgerMove, Save, Stale, Store
from ingam.protocols import oidc
from ingam.protocols.oidc import CERTIFICATE, ID, PASSKEY, SECOND, AuthorizationRequest, ClientUnknown, RequestError

CODE: Final = "oidc-code"
CODE_S: Final = 60
FLOW_S: Final = 15 * 60
TOKEN_BYTES: Final = 32
AN_HOUR: Final = 1200
"""Requests of one network: an institution's branch has one, and each person asks once."""

_REACHED: Final = {Level.PRE: -1, Level.ID: 0, Level.FINANCE: 0, Level.PASSKEY: 1, Level.CERT: 2}
_ACR: Final = {Level.ID: ID, Level.FINANCE: ID, Level.PASSKEY: PASSKEY, Level.CERT: CERTIFICATE}
_AMR: Final = {
    Level.ID: ("pwd",), Level.FINANCE: ("pin",), Level.PASSKEY: ("hwk", "user"), Level.CERT: ("swk", "pwd")
}  # fmt: skip
_SECOND_AMR: Final = {Method.SMS: "sms", Method.ARS: "tel", Method.BRANCH_OTP: "otp"}


class OidcOver(Refusal):
    """This browser has no request of another service under way, or it was answered or ran out."""

    code = "oidc-over"


class OidcCrowded(Refusal):
    """Too many requests from one network."""

    code = "too-many-requests"


class Need(StrEnum):
    """What is missing before the person may be asked for a yes."""

    LOGIN = "login"
    SECOND = "second"
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class Here:
    """The request of this browser as it stands."""

    flow_id: str
    version: int
    state: State
    expires_at: datetime
    client: Client

    @property
    def wanted(self) -> Wanted:
        """What was asked for. Raises OidcOver where it was given."""
        if isinstance(self.state, Given):
            raise OidcOver
        return self.state.wanted

    @property
    def request(self) -> AuthorizationRequest:
        """The client's request."""
        return self.wanted.request


class Oidc:
    """The provider's part before the token endpoint. `issuer`: the center's origin."""

    def __init__(
        self,
        store: Store,
        ephemeral: Ephemeral,
        clock: Clock,
        customers: Customers,
        digests: Digests,
        clients: Mapping[str, Client],
        auth: AdditionalAuth,
        issuer: str,
        token: Callable[[int], bytes] = secrets.token_bytes,
    ) -> None:
        self._store = store
        self._ephemeral = ephemeral
        self._clock = clock
        self._customers = customers
        self._digests = digests
        self._clients = clients
        self._auth = auth
        self._issuer = issuer
        self._token = token

    # ── the request ──

    async def begin(self, pairs: Sequence[tuple[str, str]], session: Session, address: str) -> tuple[str, Here] | str:
        """The new flow's cookie and where it stands; or the address that the fault goes back to.

        Raises ClientUnknown, OidcCrowded.
        """
        if not await self._ephemeral.hit(f"oidc:{address}", 3600, AN_HOUR):
            raise OidcCrowded
        registered, redirect_uri = oidc.addressed(pairs, self._clients)
        client = self._clients[registered.client_id]
        try:
            request = oidc.requested(pairs, client, redirect_uri)
        except RequestError as refused:
            return self._back(redirect_uri, {"error": refused.error}, refused.state)
        now = self._clock.now()
        cookie, state = oidc.base64url(self._token(TOKEN_BYTES)), Asked(Wanted(request, now))
        here = Here(_flow_id(cookie), 0, state, now + timedelta(seconds=FLOW_S), client)
        if "none" in request.prompt:
            return await self._silent(here, session, address)
        await self._store.save(Save(flow=self._saved(here, state, session)))
        return cookie, replace(here, version=1)

    async def _silent(self, here: Here, session: Session, address: str) -> str:
        """prompt=none: an answer at once, of a trusted client alone (OIDC Core 3.1.2.6)."""
        need = self.need(here, session)
        if need is Need.LOGIN:
            return self._error(here, "login_required")
        if need is Need.SECOND or not here.client.trusted:
            return self._error(here, "interaction_required" if need is Need.SECOND else "consent_required")
        return await self._give(here, session, address)

    async def at(self, cookie: str | None) -> Here:
        """Where this browser's request stands. Raises OidcOver."""
        row = None if not cookie else await self._store.flow(_flow_id(cookie))
        if row is None or row.machine != OIDC.name or row.expires_at <= self._clock.now():
            raise OidcOver
        state = OIDC.load(row.state)
        if isinstance(state, Given) or state.wanted.request.client_id not in self._clients:
            raise OidcOver
        client = self._clients[state.wanted.request.client_id]
        return Here(row.flow_id, row.version, state, row.expires_at, client)

    def need(self, here: Here, session: Session) -> Need:
        """What is missing still. A login counts from when its session began."""
        request, asked = here.request, here.wanted.at
        least = min(oidc.ACRS.index(request.acr), oidc.ACRS.index(CERTIFICATE))
        fresh = asked if "login" in request.prompt else None
        if request.max_age is not None:
            fresh = max(fresh or asked - timedelta(seconds=request.max_age), asked - timedelta(seconds=request.max_age))
        if _REACHED[session.level] < least or (fresh is not None and session.created_at < fresh):
            return Need.LOGIN
        if request.acr == SECOND and not self._proved(here.state, session):
            return Need.SECOND
        return Need.NOTHING

    def _proved(self, state: State, session: Session) -> bool:
        return isinstance(state, Proved) and state.session == session.session and state.expires_at > self._clock.now()

    # ── additional authentication ──

    async def settled(self, here: Here, session: Session) -> Here:
        """A proof that ran out, or of an older session, is worth nothing: the choice is shown again."""
        if not isinstance(here.state, Proved) or self._proved(here.state, session):
            return here
        return await self._save(here, flow.ProofLapsed(), session)

    async def call(self, here: Here, session: Session) -> Calling | None:
        """The call that is under way, or None."""
        state = here.state
        if not isinstance(state, AwaitingSecond) or state.factor.method != Method.ARS:
            return None
        return await self._auth.look(self._bound(here, session), state.factor.request_id)

    async def ask(self, here: Here, session: Session, address: str, method: Method, to: Phone, lang: str) -> None:
        """A code, or a call. Raises the refusals of AdditionalAuth.request, OidcOver."""
        customer = await self.customer(session)
        try:
            asked = await self._auth.request(customer, self._bound(here, session), method, to, lang)
        except STOPS as stopped:
            await self._stop(here, session, address, stopped)
            raise
        await self._save(
            here, flow.SecondAsked(asked.event), session,
            self._with(customer, session, address, "oidc.second-asked", "ok", here, ledger=asked.ledger),
            rows=asked.rows, outbox=asked.outbox,
        )  # fmt: skip

    async def prove(self, here: Here, session: Session, address: str, typed: Typed, lang: str) -> None:
        """The answer. Raises FactorsRefused, WayOff, what STOPS, OidcOver."""
        customer, state = await self.customer(session), here.state
        if not isinstance(state, Asked | AwaitingSecond):
            raise OidcOver
        try:
            bound = self._bound(here, session)
            verified = await self._auth.prove(customer, bound, flow.second(state), typed, lang)
        except STOPS as stopped:
            await self._stop(here, session, address, stopped)
            raise
        except FactorsRefused as refused:
            line = self._line(customer, session, address, "oidc.second", refused.code, here)
            await self._store.save(Save(audit=[line], resets=list(refused.resets)))
            raise
        proof = verified.proof
        event = flow.SecondProved(Answered(proof.proof_id, proof.expires_at), session.session, str(typed.method))
        await self._save(
            here, event, session,
            self._with(customer, session, address, "oidc.second", "ok", here, ledger=verified.ledger),
            rows=verified.rows, resets=verified.resets,
        )  # fmt: skip

    async def _stop(self, here: Here, session: Session, address: str, why: Refusal) -> None:
        customer = await self.customer(session)
        beside = self._with(customer, session, address, "oidc.second", why.code, here)
        await self._save(here, flow.Declined("access_denied"), session, beside)

    def _bound(self, here: Here, session: Session) -> Bound:
        return Bound(session.customer_id or "", Purpose.LOGIN, here.flow_id, session.session, session.slot or 1)

    # ── yes and no ──

    def yes(self, here: Here, session: Session) -> str:
        """What only the page that was shown to this session can send back."""
        return self._digests.digest("oidc-answer", f"{here.flow_id}:{here.version}:{session.session}")[:32]

    async def give(self, here: Here, session: Session, address: str) -> str:
        """Yes: the client's address with a code. Raises OidcOver."""
        if self.need(here, session) is not Need.NOTHING or isinstance(here.state, Refused):
            raise OidcOver
        return await self._give(here, session, address)

    async def _give(self, here: Here, session: Session, address: str) -> str:
        request, now = here.request, self._clock.now()
        customer = await self.customer(session)
        code, acr = oidc.base64url(self._token(TOKEN_BYTES)), _ACR[session.level]
        amr, moves = _AMR[session.level], list[LedgerMove]()
        if request.acr == SECOND and isinstance(here.state, Proved):
            moves.append(await consume(self._store, here.state.proof_id, self._bound(here, session), now))
            acr, amr = SECOND, (*amr, _SECOND_AMR[Method(here.state.method)], "mfa")
        facts = {
            "client": request.client_id, "redirect_uri": request.redirect_uri, "challenge": request.challenge,
            "nonce": request.nonce, "scope": request.scope, "customer": customer.customer_id,
            "session": session.session, "acr": acr, "amr": amr, "auth_time": int(session.created_at.timestamp()),
        }  # fmt: skip
        told = msgspec.json.encode(facts).decode()
        moves.append(Issue(CODE, hashed(code), now + timedelta(seconds=CODE_S), told))
        beside = self._with(customer, session, address, "oidc.code", "ok", here, ledger=moves, acr=acr)
        try:
            await self._save(here, flow.CodeGiven(), session, beside)
        except AlreadyUsed:
            raise OidcOver from None
        return self._back(request.redirect_uri, {"code": code}, request.state)

    async def decline(self, here: Here, session: Session, address: str) -> str:
        """No: the client's address with `access_denied`."""
        if isinstance(here.state, Refused):
            return self._error(here, here.state.error)
        beside: dict[str, Any] = {}
        if session.customer_id is not None:
            customer = await self.customer(session)
            beside = self._with(customer, session, address, "oidc.code", "declined", here)
        await self._save(here, flow.Declined("access_denied"), session, beside)
        return self._error(here, "access_denied")

    async def customer(self, session: Session) -> Customer:
        """Whose session it is. Raises OidcOver."""
        kept = None if session.customer_id is None else await self._customers.by_id(session.customer_id)
        found = None if kept is None else in_session(self._digests, kept, session)
        if found is None:
            raise OidcOver
        return found

    # ── small facts ──

    def _error(self, here: Here, error: str) -> str:
        return self._back(here.request.redirect_uri, {"error": error}, here.request.state)

    def _back(self, redirect_uri: str, told: Mapping[str, str], state: str | None) -> str:
        """The registered address with an answer: its own query stays, and `iss` says who answers (RFC 9207)."""
        answer = {**told, **({} if state is None else {"state": state}), "iss": self._issuer}
        at = urlsplit(redirect_uri)
        return urlunsplit(at._replace(query="&".join(part for part in (at.query, urlencode(answer)) if part)))

    def _with(
        self, customer: Customer, session: Session, address: str, action: str, result: str, here: Here,
        ledger: Sequence[LedgerMove] = (), **facts: str,
    ) -> dict[str, Any]:  # fmt: skip
        return {
            "audit": [self._line(customer, session, address, action, result, here, **facts)],
            "ledger": list(ledger),
        }

    def _line(
        self, customer: Customer, session: Session, address: str, action: str, result: str, here: Here, **facts: str
    ) -> Audit:
        return Audit(
            at=self._clock.now(),
            action=action,
            result=result,
            subject=self._digests.digest("banking-id", customer.banking_id),
            session=session.session,
            address=self._digests.digest("address", address),
            facts={"client": here.client.client_id, **facts},
        )

    async def _save(
        self, here: Here, event: Event, session: Session, beside: Mapping[str, Any] | None = None, **more: Any
    ) -> Here:
        """ONE transaction. Raises OidcOver where somebody moved first."""
        state = OIDC.advance(here.state, event).state
        try:
            await self._store.save(Save(flow=self._saved(here, state, session), **(beside or {}), **more))
        except Stale:
            raise OidcOver from None
        return replace(here, version=here.version + 1, state=state)

    def _saved(self, here: Here, state: State, session: Session) -> FlowSave:
        return FlowSave(
            here.flow_id, OIDC.name, here.version, OIDC.dump(state), session.session, session.customer_id,
            here.expires_at,
        )  # fmt: skip


def hashed(secret: str) -> str:
    """What the ledger knows of a code or a token; 256 random bits need no slow hash."""
    return sha256(secret.encode()).hexdigest()


def _flow_id(cookie: str) -> str:
    return f"oidc:{hashed(cookie)}"


__all__ = ["ClientUnknown", "Here", "Need", "Oidc", "OidcCrowded", "OidcOver", "hashed"]
