"""Challenges of the console's passkeys: single-use things of the ledger, for one session and one act (F1, A6)."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from datetime import timedelta
from hashlib import sha256
from typing import Final

import msgspec

from ingam.console.sessions import OperatorSession
from ingam.kernel.errors import Refusal
from ingam.ports.clock import Clock
from ingam.ports.store import AlreadyUsed, Count, Issue, NotIssued, Save, Store, Use
from ingam.protocols.webauthn import WebAuthnRefused, decode

KIND: Final = "operator-challenge"
BYTES: Final = 32
TTL_S: Final = 180
AN_HOUR: Final = 60


class ChallengesCrowded(Refusal):
    """More challenges than a person asks for in an hour."""

    code = "too-many-challenges"


class Challenges:
    """Gives challenges and takes them back, each once whatever comes of it. `token` gives random bytes."""

    def __init__(self, store: Store, clock: Clock, token: Callable[[int], bytes] = secrets.token_bytes) -> None:
        self._store = store
        self._clock = clock
        self._token = token

    async def give(self, session: OperatorSession, act: str) -> bytes:
        """32 random bytes that this session may answer once, within three minutes. Raises ChallengesCrowded."""
        now = self._clock.now()
        count = Count(f"operator-challenges:{session.session}", 3600, AN_HOUR, now)
        if await self._store.count(count) > AN_HOUR:
            raise ChallengesCrowded
        challenge = self._token(BYTES)
        facts = msgspec.json.encode({"session": session.session, "act": act}).decode()
        issue = Issue(KIND, sha256(challenge).hexdigest(), now + timedelta(seconds=TTL_S), facts)
        await self._store.save(Save(ledger=[issue]))
        return challenge

    async def take(self, session: OperatorSession, act: str, answer: Mapping[str, object]) -> bytes:
        """The challenge that an answer says it signed, now used up; WebAuthnRefused (challenge) for any other."""
        challenge, now = said(answer), self._clock.now()
        name = sha256(challenge).hexdigest()
        row = await self._store.issued(KIND, name)
        if row is None or msgspec.json.decode(row.facts) != {"session": session.session, "act": act}:
            raise WebAuthnRefused(cause="challenge")
        try:
            await self._store.save(Save(ledger=[Use(KIND, name, now)]))
        except (AlreadyUsed, NotIssued):
            raise WebAuthnRefused(cause="challenge") from None
        return challenge


def said(answer: Mapping[str, object]) -> bytes:
    """The challenge in an answer's client data, unproven. Raises WebAuthnRefused (malformed)."""
    try:
        response = answer["response"]
        assert isinstance(response, Mapping)
        told = msgspec.json.decode(decode(str(response["clientDataJSON"])))
        return decode(str(told["challenge"]))
    except (AssertionError, KeyError, TypeError, ValueError, msgspec.MsgspecError):
        raise WebAuthnRefused(cause="malformed") from None
