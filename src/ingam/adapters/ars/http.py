"""The automatic call by a provider over HTTP: `PUT /calls/{id}`, `GET /calls/{id}`, `POST /calls/{id}/end`.

The id is ours and unguessable, and what is believed is the record that we fetch under it (security E7): no address for
a callback is given. The provider dials, speaks the sentences it was given and tells which keys were pressed; it never
learns the code, so a record that says "approved" means nothing. Bodies and states are in docs/reference/ars.md.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from types import TracebackType
from typing import Any, Final, NamedTuple

import httpx2

from ingam.adapters.ars.judging import DIGITS, check, verdict
from ingam.adapters.ars.voice import lines
from ingam.adapters.outgoing import Breaker, Caller
from ingam.adapters.outgoing.caller import ANSWER_S
from ingam.kernel.secret import Secret
from ingam.ports.ars import ANSWERING_S, RINGING_S, ArsOutage, Call, CallState

PACE_S: Final = 1.0
"""Between two questions."""

MARGIN_S: Final = 15.0
"""What a provider may take beyond the times it was given."""

SILENT_MOST: Final = 5
"""Questions in a row without an answer, after which the call is given up."""

LONGEST_ANSWER: Final = 16_384

_STATES: Final = {
    "placed": CallState.PLACED,
    "ringing": CallState.RINGING,
    "answered": CallState.ANSWERED,
    "no-answer": CallState.NO_ANSWER,
    "busy": CallState.BUSY,
    "failed": CallState.FAILED,
    "ended": CallState.FAILED,  # the telephone was put down before two digits
}
_ANSWERED: Final = frozenset({"answered", "ended"})
_ORDER: Final = (CallState.PLACED, CallState.RINGING, CallState.ANSWERED)
_KEYED: Final = re.compile(r"[0-9*#]{0,32}")


class Record(NamedTuple):
    """What the provider tells of a call: its state, the keys pressed so far, whether somebody took it."""

    state: CallState
    keyed: str
    answered: bool


class HttpArs:
    """`ports.ars.ArsCaller` at one configured address."""

    def __init__(
        self,
        base_url: str,
        *,
        key: Secret[str],
        caller_id: str,
        transport: httpx2.AsyncBaseTransport | None = None,
        answer_s: float = ANSWER_S,
        breaker: Breaker | None = None,
        pace_s: float = PACE_S,
        longest_s: float = RINGING_S + ANSWERING_S + MARGIN_S,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._caller_id = caller_id
        self._pace_s = pace_s
        self._longest_s = longest_s
        self._sleep = sleep
        self._clock = clock
        self._caller = Caller(
            base_url, outage=ArsOutage, headers={"Authorization": f"Bearer {key.reveal()}"}, transport=transport,
            answer_s=answer_s, longest=LONGEST_ANSWER, breaker=breaker, sleep=sleep,
        )  # fmt: skip

    async def place(self, call: Call) -> AsyncIterator[CallState]:
        """Places the call and asks for its record until it is over; whoever closes this hangs up."""
        check(call)
        until, last = self._clock() + self._longest_s, CallState.PLACED
        await self._put(call)
        try:
            yield last
            while not last.final:
                found = await self._next(call, last, until)
                if found.final:
                    await self._end(call, found)
                last = found
                yield last
        finally:
            if not last.final:
                await self._end(call, CallState.FAILED)

    async def aclose(self) -> None:
        """Close the connections."""
        await self._caller.aclose()

    async def __aenter__(self) -> HttpArs:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def _put(self, call: Call) -> None:
        """A call whose answer was lost is asked for again: the provider places the same id once."""
        said = lines(call)
        body = {
            "to": call.to,
            "from": self._caller_id,
            "lang": call.lang,
            "say": {"opening": said.opening, "asking": said.asking},
            "digits": DIGITS,
            "ring_s": RINGING_S,
            "answer_s": ANSWERING_S,
        }
        try:
            await self._caller.json("PUT", f"/calls/{call.call_id}", body=body, idempotent=True)
        except BaseException:
            await self._end(call, CallState.FAILED)  # it may be ringing all the same
            raise

    async def _next(self, call: Call, last: CallState, until: float) -> CallState:
        """The next state that is not the last one."""
        silent = 0
        while self._clock() < until and silent < SILENT_MOST:
            try:
                found = _state(call, await self._record(call))
            except ArsOutage:
                silent += 1
            else:
                silent = 0
                if found.final or _ORDER.index(found) > _ORDER.index(last):
                    return found
            await self._sleep(self._pace_s)
        return CallState.FAILED

    async def _record(self, call: Call) -> Record:
        answer = await self._caller.json("GET", f"/calls/{call.call_id}", idempotent=True)
        return _read(answer, call)

    async def _end(self, call: Call, state: CallState) -> None:
        """The last sentence, then the line is put down; what was decided stands whatever comes of it."""
        body = {"say": lines(call).ending(state)}
        with suppress(ArsOutage):
            await self._caller.json("POST", f"/calls/{call.call_id}/end", body=body, idempotent=False)


def _read(answer: dict[str, Any], call: Call) -> Record:
    """The record of this call and of no other (E7). Raises ArsOutage."""
    state, keyed = answer.get("state"), answer.get("keyed")
    ours = (answer.get("id"), answer.get("to")) == (call.call_id, call.to)
    if not (
        ours and isinstance(state, str) and state in _STATES and isinstance(keyed, str) and _KEYED.fullmatch(keyed)
    ):
        raise ArsOutage(cause="answer-malformed")
    return Record(_STATES[state], re.sub(r"[*#]", "", keyed), state in _ANSWERED)


def _state(call: Call, record: Record) -> CallState:
    """Keys count in a call that was answered; the code is compared here and nowhere else."""
    if record.answered:
        return verdict(call.code, record.keyed) or record.state
    return record.state
