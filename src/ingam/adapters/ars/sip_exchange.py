"""Requests and their answers on one line: the machine of `protocols.sip.transaction`, run by the loop's clock."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from ingam.adapters.ars.sip_line import Line
from ingam.protocols.sip import message, transaction
from ingam.protocols.sip.message import Message, Request, Response, SipMalformed
from ingam.protocols.sip.transaction import Act, Event, Kind, Phase, State, Timer, Timers

MOST: Final = 4096
"""Transactions that are open at once."""

Told: TypeAlias = Callable[[Response | None], None]
"""An answer; None where nobody answers."""

Key: TypeAlias = tuple[str, str, bool]
"""Branch, method, and whether we are the server."""


@dataclass(slots=True)
class _Open:
    state: State
    sent: bytes
    request: Request
    told: Told
    timers: list[asyncio.TimerHandle] = field(default_factory=list)


class Exchange:
    """`asked`: a request that arrives and is none of those that were answered already; its answer, None for none."""

    def __init__(self, timers: Timers, reliable: bool, asked: Callable[[Request], Response | None]) -> None:
        self._timers = timers
        self._reliable = reliable
        self._asked = asked
        self._open: dict[Key, _Open] = {}
        self.line: Line | None = None

    def request(self, one: Request, told: Told) -> None:
        """Sends a request and tells each answer, or None once."""
        kind = Kind.INVITE if one.method == "INVITE" else Kind.REQUEST
        key = (message.branch(one), one.method, False)
        self._begin(key, _Open(State(kind, self._reliable), message.write(one), one, told))

    def send(self, one: Request) -> None:
        """What has no answer: the ACK of a success."""
        self._put(message.write(one))

    def receive(self, one: Message) -> None:
        """What arrives; malformed messages and answers to nothing are dropped."""
        with suppress(SipMalformed):
            if isinstance(one, Response):
                self._answered(one)
            else:
                self._requested(one)

    def lost(self) -> None:
        """The line is gone: nobody answers any more."""
        for key in list(self._open):
            self._step(key, Event.BROKEN, None)

    def close(self) -> None:
        """Ends all timers and the line."""
        for one in self._open.values():
            _stop(one)
        self._open.clear()
        if self.line is not None:
            self.line.close()

    def _answered(self, response: Response) -> None:
        key = (message.branch(response), message.cseq(response)[1], False)
        if key in self._open:
            self._step(key, transaction.event_of(response.status), response)

    def _requested(self, request: Request) -> None:
        key = (message.branch(request), request.method, True)
        if key in self._open:
            self._step(key, Event.AGAIN, None)
        elif (answer := self._asked(request)) is not None:
            self._begin(key, _Open(State(Kind.SERVER, self._reliable), message.write(answer), request, _nobody))

    def _begin(self, key: Key, one: _Open) -> None:
        if len(self._open) >= MOST:
            one.told(None)
            return
        self._open[key] = one
        self._step(key, Event.STARTED, None)

    def _step(self, key: Key, event: Event, response: Response | None) -> None:
        one = self._open.get(key)
        if one is None:
            return
        before = one.state.phase
        one.state, effects = transaction.advance(one.state, event, self._timers)
        if one.state.phase not in (before, Phase.PROCEEDING):  # timer F goes on there; A and B move nothing
            _stop(one)
        for effect in effects:
            self._do(key, one, effect, response)
        if one.state.phase is Phase.TERMINATED and key in self._open:
            del self._open[key]
            _stop(one)

    def _do(self, key: Key, one: _Open, effect: Act | Timer, response: Response | None) -> None:
        if isinstance(effect, Timer):
            loop = asyncio.get_running_loop()
            one.timers.append(loop.call_later(effect.seconds, self._step, key, effect.event, None))
        elif effect is Act.SEND:
            self._put(one.sent)
        elif effect is Act.ACKNOWLEDGE and response is not None:
            self._put(message.write(_acknowledgement(one.request, response)))
        elif effect is Act.TELL:
            one.told(response)
        elif effect is Act.TIMED_OUT:
            one.told(None)

    def _put(self, data: bytes) -> None:
        if self.line is not None:
            self.line.send(data)


def _stop(one: _Open) -> None:
    for timer in one.timers:
        timer.cancel()
    one.timers.clear()


def _nobody(_response: Response | None) -> None:
    return


def _acknowledgement(invite: Request, response: Response) -> Request:
    """Of a failure: the same transaction, the answer's To (section 17.1.1.3)."""
    kept = [
        (name, value) for name, value in invite.headers if name in ("Via", "Max-Forwards", "From", "Call-ID", "Route")
    ]
    to = message.first(response, "to") or ""
    number, _ = message.cseq(invite)
    return Request("ACK", invite.uri, (*kept, ("To", to), ("CSeq", f"{number} ACK")))
