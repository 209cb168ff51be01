"""A signature of the provider's window: asked for, shown where, taken back once (security A6, E7).

A window is a row of the ledger under its session's own kind, so that another session's nonce is simply unknown. What
stands there opens nothing by itself: the provider gives a signature out to our key alone, and only with the word that
the browser brings back.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Protocol

import msgspec

from ingam.customer.binding.challenges import HOUR_S, NONCE, NONCE_BYTES, NonceInvalid, TooManyChallenges
from ingam.ports.clock import Clock
from ingam.ports.ephemeral import Ephemeral
from ingam.ports.finance_cert import Asked, FinanceCert, FinanceCertOutage, Purpose, Signed
from ingam.ports.store import AlreadyUsed, Count, Issue, NotIssued, Save, Store, Use
from ingam.protocols.finance_challenge import FinanceChallenge, text

PATIENCE_S: Final = 600
"""Longest that a window is waited for; the provider's own time is shorter."""


class Limits(Protocol):
    """Counts."""

    @property
    def nonces_an_hour(self) -> int: ...
    @property
    def address_nonces_an_hour(self) -> int: ...


class _Row(msgspec.Struct, frozen=True):
    purpose: str
    origin: str
    issued: datetime
    expires: datetime
    replaces: str
    bound: str
    then: str
    transaction: str
    window: str


@dataclass(frozen=True, slots=True)
class Returned:
    """What came back. `bound`: the flow that asked, "" of a login; `then`: where a login leads."""

    challenge: FinanceChallenge
    bound: str
    then: str
    signed: Signed


class FinanceWindows:
    """`provider` None: there is none, and every window is an outage. `origin`: the center's, from settings (F3)."""

    def __init__(
        self,
        store: Store,
        ephemeral: Ephemeral,
        clock: Clock,
        limits: Limits,
        provider: FinanceCert | None,
        origin: str,
        token: Callable[[int], bytes] = secrets.token_bytes,
    ) -> None:
        self._store = store
        self._ephemeral = ephemeral
        self._clock = clock
        self._limits = limits
        self._provider = provider
        self._origin = origin
        self._token = token

    @property
    def offered(self) -> bool:
        """Whether this institution has a provider."""
        return self._provider is not None

    async def open(
        self, purpose: Purpose, session: str, address: str, lang: str, at: str, *, replaces: str = "", bound: str = "",
        then: str = "",
    ) -> str:  # fmt: skip
        """A new window: its nonce. `at`: our path that the window leads back below.

        Raises TooManyChallenges, FinanceCertOutage.
        """
        if self._provider is None:
            raise FinanceCertOutage(cause="no-provider")
        now = self._clock.now()
        most = self._limits.nonces_an_hour
        if await self._store.count(Count(f"finance:{session}", HOUR_S, most, now)) > most:
            raise TooManyChallenges(cause="session-hour")
        if not await self._ephemeral.hit(f"finance:{address}", HOUR_S, self._limits.address_nonces_an_hour):
            raise TooManyChallenges(cause="address-hour")
        nonce, issued = self._token(NONCE_BYTES).hex(), now.replace(microsecond=0)
        expires = datetime.fromtimestamp(issued.timestamp() + PATIENCE_S, issued.tzinfo)
        challenge = FinanceChallenge(purpose.value, self._origin, nonce, issued, expires, session, replaces)
        started = await self._provider.start(Asked(text(challenge), purpose, f"{self._origin}{at}/back/{nonce}", lang))
        row = _Row(
            purpose.value, self._origin, issued, expires, replaces, bound, then, started.transaction, started.window
        )
        facts = msgspec.json.encode(row).decode()
        await self._store.save(Save(ledger=[Issue(_kind(session), nonce, min(expires, started.expires), facts)]))
        return nonce

    async def shown(self, session: str, nonce: str) -> str:
        """The address of an open window of this session. Raises NonceInvalid."""
        row = await self._store.issued(_kind(session), nonce) if NONCE.fullmatch(nonce) else None
        if row is None or row.used_at is not None or self._clock.now() >= row.expires_at:
            raise NonceInvalid(check=2, cause="not-issued")
        return msgspec.json.decode(row.facts, type=_Row).window

    async def claim(self, purpose: Purpose, session: str, nonce: str, proof: str) -> Returned:
        """Used up from here on, whatever came of it (A6); then the signature is fetched, once (E7).

        Raises NonceInvalid, FinanceCertUnfinished, FinanceCertOutage.
        """
        if self._provider is None or not NONCE.fullmatch(nonce):
            raise NonceInvalid(check=2, cause="not-issued")
        try:
            await self._store.save(Save(ledger=[Use(_kind(session), nonce, self._clock.now())]))
        except (NotIssued, AlreadyUsed):
            raise NonceInvalid(check=2, cause="not-issued") from None
        row = await self._store.issued(_kind(session), nonce)
        if row is None:
            raise NonceInvalid(check=2, cause="not-issued")
        kept = msgspec.json.decode(row.facts, type=_Row)
        if kept.purpose != purpose.value or kept.origin != self._origin:
            raise NonceInvalid(check=2, cause="other-purpose")
        challenge = FinanceChallenge(
            kept.purpose, kept.origin, nonce, kept.issued, kept.expires, session, kept.replaces
        )  # fmt: skip
        return Returned(challenge, kept.bound, kept.then, await self._provider.verify(kept.transaction, proof))


def _kind(session: str) -> str:
    return f"finance-window:{session}"
