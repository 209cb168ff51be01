"""The token that 오픈뱅킹 gives an institution: client credentials, scope `oob`, kept until just before it ends."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from typing import Any, Final

from ingam.adapters.outgoing import Caller
from ingam.kernel.secret import Secret
from ingam.ports.bank import BankOutage
from ingam.ports.clock import Clock

EARLY: Final = timedelta(seconds=60)
LONGEST: Final = timedelta(days=90)


class AccessToken:
    """One for all calls; whoever needs it while it is being fetched waits for the same one."""

    def __init__(self, caller: Caller, client_id: str, client_secret: Secret[str], clock: Clock) -> None:
        self._caller = caller
        self._client_id = client_id
        self._client_secret = client_secret
        self._clock = clock
        self._lock = asyncio.Lock()
        self._held: tuple[Secret[str], datetime] | None = None

    async def current(self) -> Secret[str]:
        """A token that is good now. Raises BankOutage, whose cause begins with `token`."""
        async with self._lock:
            if self._held is None or self._clock.now() >= self._held[1]:
                self._held = await self._fetched()
            return self._held[0]

    def forget(self) -> None:
        """The other side does not take it any more."""
        self._held = None

    async def _fetched(self) -> tuple[Secret[str], datetime]:
        form = {
            "client_id": self._client_id,
            "client_secret": self._client_secret.reveal(),
            "scope": "oob",
            "grant_type": "client_credentials",
        }
        try:
            answer = await self._caller.json("POST", "/oauth/2.0/token", form=form, idempotent=True)
        except BankOutage as outage:
            raise BankOutage(None, **outage.facts | {"cause": f"token-{outage.facts['cause']}"}) from None
        return _token(answer), self._clock.now() + _good_for(answer)


def _token(answer: dict[str, Any]) -> Secret[str]:
    found = answer.get("access_token")
    if not isinstance(found, str) or not found or not found.isascii() or not found.isprintable():
        raise BankOutage(cause="token-refused")
    return Secret(found)


def _good_for(answer: dict[str, Any]) -> timedelta:
    """Some answers say the seconds as text. One that is over already is used for this call alone."""
    said = answer.get("expires_in")
    if not isinstance(said, int | str) or not str(said).isdecimal() or len(str(said)) > 12:
        return timedelta()
    return max(min(timedelta(seconds=int(said)), LONGEST) - EARLY, timedelta())
