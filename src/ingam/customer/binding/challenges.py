"""Challenges: what the server wants signed, good for one presentation whatever its outcome (security A1, A6, F1).

A challenge is a row of the ledger under its session's own kind, so that another session's nonce is simply unknown.
It is claimed before anything of the answer is looked at.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Final, Protocol

import msgspec

from ingam.kernel.errors import Refusal
from ingam.kernel.instants import rfc3339
from ingam.ports.clock import Clock
from ingam.ports.ephemeral import Ephemeral
from ingam.ports.store import AlreadyUsed, Audit, Count, Issue, Issued, NotIssued, Save, Store, Use, Void
from ingam.protocols.challenge import Challenge, Purpose

NONCE_BYTES: Final = 32
NONCE: Final = re.compile(r"[0-9a-f]{64}")
HOUR_S: Final = 3600


class ChallengeLimits(Protocol):
    """The settings that bound challenges; seconds and counts."""

    @property
    def nonce_ttl_s(self) -> int: ...
    @property
    def nonces_open(self) -> int: ...
    @property
    def nonces_an_hour(self) -> int: ...
    @property
    def address_nonces_an_hour(self) -> int: ...


class NonceInvalid(Refusal):
    """Check 2: unknown, used, over, or issued to another session or for another purpose. Fact `cause` for the audit."""

    code = "nonce-invalid"


class TooManyChallenges(Refusal):
    """More challenges than a person needs, from this session or address (A6)."""

    code = "too-many-challenges"


@dataclass(frozen=True, slots=True)
class Given:
    """A challenge, the very text that the person is shown (its SHA-256 is `body`), and the issuer's own notes."""

    challenge: Challenge
    body_text: str | None = None
    notes: Mapping[str, str] = field(default_factory=dict)

    def for_window(self, *, seal: bool, customer_kind: str | None, lang: str) -> dict[str, str | bool | None]:
        """What the certificate window is told; the vault builds the signed bytes from these fields itself."""
        told = self.challenge
        return {
            "purpose": str(told.purpose),
            "origin": told.origin,
            "nonce": told.nonce,
            "issued": rfc3339(told.issued),
            "expires": rfc3339(told.expires),
            "session": told.session,
            "body": told.body,
            "body_text": self.body_text,
            "seal": seal,
            "customer_kind": customer_kind,
            "lang": lang,
        }


class _Row(msgspec.Struct, frozen=True):
    """What the ledger keeps of a challenge; all of it is rebuilt from here, nothing from a message (A1)."""

    purpose: str
    origin: str
    issued: datetime
    expires: datetime
    body: str | None
    notes: dict[str, str]


class Challenges:
    """Issues and claims. `origin`: the center's, from settings (F3). `token` gives random bytes."""

    def __init__(
        self,
        store: Store,
        ephemeral: Ephemeral,
        clock: Clock,
        limits: ChallengeLimits,
        origin: str,
        token: Callable[[int], bytes] = secrets.token_bytes,
    ) -> None:
        self._store = store
        self._ephemeral = ephemeral
        self._clock = clock
        self._limits = limits
        self._origin = origin
        self._token = token

    async def issue(
        self,
        purpose: Purpose,
        session: str,
        address: str,
        *,
        body_text: str | None = None,
        notes: Mapping[str, str] | None = None,
        audit: Audit | None = None,
    ) -> Given:
        """A new challenge of a session (64 lower hex), stored before it is given out.

        `notes` come back with the claim (what it was issued about); never a secret. Raises TooManyChallenges.
        """
        now = self._clock.now()
        await self._refuse_crowd(session, address, now)
        issued = now.replace(microsecond=0)
        challenge = Challenge(
            purpose=purpose,
            origin=self._origin,
            nonce=self._token(NONCE_BYTES).hex(),
            issued=issued,
            expires=issued + timedelta(seconds=self._limits.nonce_ttl_s),
            session=session,
            body=None if body_text is None else sha256(body_text.encode()).hexdigest(),
        )
        row = _Row(str(purpose), self._origin, issued, challenge.expires, challenge.body, dict(notes or {}))
        ledger = Issue(_kind(session), challenge.nonce, challenge.expires, msgspec.json.encode(row).decode())
        await self._store.save(Save(ledger=[ledger], audit=[audit] if audit else []))
        await self._refuse_race(session, challenge.nonce, now)
        return Given(challenge, body_text, row.notes)

    async def claim(
        self, purposes: Purpose | Collection[Purpose], session: str, nonce: str, *, audit: Audit | None = None
    ) -> Given:
        """The challenge of a nonce, used up from here on, whatever comes of the answer (A6). Raises NonceInvalid.

        `purposes`: what it may have been issued for; a nonce of another one is used up as well. `body_text` is not
        kept; its hash is.
        """
        now = self._clock.now()
        wanted = {purposes} if isinstance(purposes, Purpose) else set(purposes)
        if not NONCE.fullmatch(nonce):  # a script's answer brings any text; the store is asked for what we gave out
            raise NonceInvalid(check=2, cause="not-issued")
        try:
            await self._store.save(Save(ledger=[Use(_kind(session), nonce, now)], audit=[audit] if audit else []))
        except NotIssued:
            raise NonceInvalid(check=2, cause="not-issued") from None
        except AlreadyUsed:
            raise NonceInvalid(check=2, cause="already-used") from None
        row = await self._store.issued(_kind(session), nonce)
        if row is None:
            raise NonceInvalid(check=2, cause="not-issued")
        kept = msgspec.json.decode(row.facts, type=_Row)
        if kept.purpose not in wanted:
            raise NonceInvalid(check=2, cause="other-purpose")
        if kept.origin != self._origin:
            raise NonceInvalid(check=2, cause="other-origin")
        challenge = Challenge(Purpose(kept.purpose), kept.origin, nonce, kept.issued, kept.expires, session, kept.body)
        return Given(challenge, None, kept.notes)

    async def _refuse_crowd(self, session: str, address: str, now: datetime) -> None:
        """Counted before the work: the session's hour durably, the address's in what may vanish (A6, F9)."""
        hour = Count(f"nonces:{session}", HOUR_S, self._limits.nonces_an_hour, now)
        if await self._store.count(hour) > self._limits.nonces_an_hour:
            raise TooManyChallenges(cause="session-hour")
        if not await self._ephemeral.hit(f"nonces:{address}", HOUR_S, self._limits.address_nonces_an_hour):
            raise TooManyChallenges(cause="address-hour")
        if len(await self._open(session, now)) >= self._limits.nonces_open:
            raise TooManyChallenges(cause="open")

    async def _refuse_race(self, session: str, nonce: str, now: datetime) -> None:
        """Two requests at one moment may both have seen room for one: whoever now sees too many takes its own back."""
        if len(await self._open(session, now)) > self._limits.nonces_open:
            await self._store.save(Save(ledger=[Void(_kind(session), nonce, now)]))
            raise TooManyChallenges(cause="open")

    async def _open(self, session: str, now: datetime) -> list[Issued]:
        rows = await self._store.many(
            "ledger_issued", {"kind": _kind(session)}, order="expires_at", descending=True, limit=100
        )
        live = [row for row in rows if isinstance(row["expires_at"], datetime) and row["expires_at"] > now]
        found = [await self._store.issued(_kind(session), str(row["id"])) for row in live]
        return [one for one in found if one is not None and one.used_at is None]


def _kind(session: str) -> str:
    return f"challenge:{session}"
