"""The automatic call by our own SIP user agent: it rings over a trunk, speaks, and listens to the keys (E4, E6).

An INVITE goes to the trunk; once the telephone is answered the opening is said, then the question up to three times.
Keys of before the end of the opening count for nothing, except `0`. The last sentence is said while the screen goes on.
"""

from __future__ import annotations

import asyncio
import secrets
import ssl
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing
from dataclasses import dataclass, field
from types import TracebackType
from typing import Final

from ingam.adapters.ars.judging import REFUSING, check, verdict
from ingam.adapters.ars.prompts import Voice
from ingam.adapters.ars.sip_exchange import Exchange
from ingam.adapters.ars.sip_leg import Answered, HungUp, Leg, LegEvent, NobodyAnswers, Progress, Refused
from ingam.adapters.ars.sip_line import Trunk, open_line
from ingam.adapters.ars.sip_speech import Guard, Speech, open_speech
from ingam.adapters.ars.voice import lines
from ingam.kernel.secret import Secret
from ingam.ports.ars import ANSWERING_S, RINGING_S, ArsOutage, Call, CallState
from ingam.protocols.sip import message, sdp
from ingam.protocols.sip.message import Request, Response
from ingam.protocols.sip.transaction import Timers

ASKED: Final = 3
"""How often the question is said."""

PAUSE_S: Final = 5.0
"""After the question, until it is said again."""

BUSY: Final = frozenset({486, 600})
NOT_TAKEN: Final = frozenset({408, 480, 487, 603})
OURS: Final = frozenset({401, 403, 407, 488})
"""What the trunk has against us rather than the telephone against the call."""

Guarding = Callable[[Secret[bytes], Secret[bytes]], Guard]
"""SRTP of one call, from our key and theirs."""


@dataclass(frozen=True, slots=True)
class Patience:
    """Seconds: `ringing` and `answered` at most, `pause` after each question."""

    ringing: float = RINGING_S
    answered: float = ANSWERING_S
    pause: float = PAUSE_S


@dataclass(slots=True)
class _Talk:
    """One call. `events`: keys, and None when the other end is gone or everything was said."""

    leg: Leg
    speech: Speech
    clips: dict[str, bytes]
    call: Call
    key: Secret[bytes] | None
    events: asyncio.Queue[str | None] = field(default_factory=asyncio.Queue)
    opened: bool = False


class SipArs:
    """`ports.ars.ArsCaller` over one trunk. `guarding` is needed where the trunk is secured."""

    def __init__(
        self,
        trunk: Trunk,
        voice: Voice,
        *,
        guarding: Guarding | None = None,
        timers: Timers | None = None,
        patience: Patience | None = None,
    ) -> None:
        self._trunk = trunk
        self._voice = voice
        self._guarding = guarding
        self._timers = timers or Timers()
        self._patience = patience or Patience()
        self._exchange: Exchange | None = None
        self._talks: dict[str, _Talk] = {}
        self._after: set[asyncio.Task[None]] = set()
        self._opening = asyncio.Lock()

    async def place(self, call: Call) -> AsyncIterator[CallState]:
        """Rings, speaks and listens; whoever closes this hangs up."""
        check(call)
        talk = await self._begun(call)
        last = None
        try:
            async with aclosing(self._states(talk)) as states:
                async for last in states:
                    yield last
        finally:
            if last is None or not last.final or last not in _SPOKEN:
                self._put_down(talk)

    async def aclose(self) -> None:
        """Hangs up every call and closes the line."""
        for task in list(self._after):
            task.cancel()
        await asyncio.gather(*self._after, return_exceptions=True)
        for talk in list(self._talks.values()):
            self._put_down(talk)
        if self._exchange is not None:
            self._exchange.close()

    async def __aenter__(self) -> SipArs:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def _begun(self, call: Call) -> _Talk:
        """The sentences are made, the ways are open, the INVITE is out. Raises ArsOutage."""
        said = lines(call)
        names = ("opening", "asking", "approved", "wrong", "refused", "silence")
        clips = dict(zip(names, await self._clips([getattr(said, name) for name in names], call.lang), strict=True))
        exchange = await self._way()
        try:
            speech = open_speech(self._trunk.bind)
        except OSError:
            raise ArsOutage(cause="no-port") from None
        leg = Leg(exchange, self._trunk, call.call_id, call.to)
        key = Secret(secrets.token_bytes(sdp.KEY_BYTES)) if self._trunk.secured else None
        talk = _Talk(leg, speech, clips, call, key)
        self._talks[call.call_id] = talk
        host = self._trunk.address or (exchange.line.local[0] if exchange.line is not None else "")
        leg.invite(sdp.offer(host, speech.port, secrets.randbits(31), key))
        return talk

    async def _clips(self, texts: list[str], lang: str) -> list[bytes]:
        """All sentences before anything rings; nobody waits in silence for a voice, and none is missing later."""
        return [await self._voice.clip(text, lang) for text in texts]

    async def _way(self) -> Exchange:
        """The exchange with the trunk, opened anew where its line was lost."""
        async with self._opening:
            if self._exchange is not None and self._exchange.line is not None and self._exchange.line.open:
                return self._exchange
            exchange = Exchange(self._timers, self._trunk.reliable, self._asked)
            try:
                exchange.line = await open_line(self._trunk, exchange.receive, exchange.lost)
            except (OSError, TimeoutError) as error:
                kind = "tls" if isinstance(error, ssl.SSLError) else type(error).__name__
                raise ArsOutage(cause=kind) from None
            self._exchange = exchange
            return exchange

    async def _states(self, talk: _Talk) -> AsyncGenerator[CallState, None]:
        """From the first sign of the telephone. Raises ArsOutage where there is none."""
        until = asyncio.get_running_loop().time() + self._patience.ringing
        event = await self._next(talk, until + self._timers.whole)
        if isinstance(event, NobodyAnswers) or (isinstance(event, Refused) and _trunks(event.status)):
            status = event.status if isinstance(event, Refused) else 0
            if not status:
                self._forget(talk)
            raise ArsOutage(cause="trunk", status=status)
        yield CallState.PLACED
        if isinstance(event, Progress):
            yield CallState.RINGING
            while isinstance(event, Progress):
                event = await self._next(talk, until)
        if not isinstance(event, Answered):
            yield _untaken(event)
            return
        judging = await self._answered(talk, event)
        if judging is None:
            yield CallState.FAILED
            return
        try:
            yield CallState.ANSWERED
            state = await judging
        finally:
            judging.cancel()
        if state in _SPOKEN:
            self._farewell(talk, state)
        yield state

    async def _next(self, talk: _Talk, until: float) -> LegEvent:
        """What happens to the call; a time that is over is as if it were not taken."""
        try:
            async with asyncio.timeout_at(until):
                return await talk.leg.events.get()
        except TimeoutError:
            return Refused(408)

    async def _answered(self, talk: _Talk, event: Answered) -> asyncio.Task[CallState] | None:
        """Begins to speak; None where the answer is none that we can speak under (E6)."""
        try:
            answer = sdp.answer(event.sdp, secured=talk.key is not None)
        except sdp.SdpUnusable:
            return None
        guard = None
        if talk.key is not None and answer.key is not None and self._guarding is not None:
            guard = self._guarding(talk.key, answer.key)
        if (talk.key is None) != (guard is None):
            return None
        await talk.speech.begin(answer, guard, talk.events.put_nowait)
        return asyncio.create_task(self._judged(talk))

    async def _judged(self, talk: _Talk) -> CallState:
        """The end of an answered call: two digits, `0`, silence, or a telephone that was put down."""
        speaking = [asyncio.create_task(one) for one in (self._speak(talk), self._watched(talk))]
        keyed = ""
        try:
            async with asyncio.timeout(self._patience.answered):
                while (key := await talk.events.get()) is not None:
                    if not key.isdigit() or not (talk.opened or key == REFUSING):
                        continue
                    talk.speech.hush()
                    keyed += key
                    if (state := verdict(talk.call.code, keyed)) is not None:
                        return state
        except TimeoutError:
            pass
        finally:
            for task in speaking:
                task.cancel()
        return CallState.FAILED

    async def _speak(self, talk: _Talk) -> None:
        await talk.speech.say(talk.clips["opening"])
        talk.opened = True
        for _ in range(ASKED):
            await talk.speech.say(talk.clips["asking"])
            await asyncio.sleep(self._patience.pause)
        await talk.speech.say(talk.clips["silence"])
        talk.events.put_nowait(None)

    async def _watched(self, talk: _Talk) -> None:
        """Tells when the other end is gone."""
        while not isinstance(await talk.leg.events.get(), HungUp | NobodyAnswers):
            pass
        talk.events.put_nowait(None)

    def _farewell(self, talk: _Talk, state: CallState) -> None:
        """The last sentence, then the line is put down; nobody waits for it."""
        task = asyncio.create_task(self._said(talk, state))
        self._after.add(task)
        task.add_done_callback(self._after.discard)

    async def _said(self, talk: _Talk, state: CallState) -> None:
        watched = asyncio.create_task(self._watched(talk))
        saying = asyncio.create_task(talk.speech.say(talk.clips[state.value]))
        try:
            await asyncio.wait({watched, saying}, timeout=self._patience.answered, return_when=asyncio.FIRST_COMPLETED)
        finally:
            watched.cancel()
            saying.cancel()
            self._put_down(talk)

    def _forget(self, talk: _Talk) -> None:
        """A line on which nobody answers is opened anew for the next call, unless somebody speaks over it."""
        if self._exchange is not None and list(self._talks) == [talk.call.call_id]:
            self._exchange.close()
            self._exchange = None

    def _put_down(self, talk: _Talk) -> None:
        talk.leg.leave()
        talk.speech.close()
        self._talks.pop(talk.call.call_id, None)

    def _asked(self, request: Request) -> Response | None:
        """A request of the trunk: within one of our calls, or it concerns nobody here."""
        if request.method == "ACK":
            return None
        talk = self._talks.get(message.first(request, "call-id") or "")
        leg = None if talk is None else talk.leg
        to = message.first(request, "to") or ""
        known = leg is not None and message.parameter(to, "tag") == leg.tag
        status = leg.asked(request) if leg is not None and known else 200 if request.method == "OPTIONS" else 481
        kept = tuple(one for one in request.headers if one[0].lower() in ("via", "from", "to", "call-id", "cseq"))
        return Response(status, "OK" if status == 200 else "No", kept)


_SPOKEN: Final = frozenset({CallState.APPROVED, CallState.WRONG, CallState.REFUSED})
"""After these a last sentence is said."""


def _trunks(status: int) -> bool:
    """Whether a refusal is the trunk's own trouble, so that no telephone rang."""
    return status in OURS or 500 <= status < 600


def _untaken(event: LegEvent) -> CallState:
    if isinstance(event, Refused) and event.status in BUSY:
        return CallState.BUSY
    if isinstance(event, Refused) and event.status in NOT_TAKEN:
        return CallState.NO_ANSWER
    return CallState.FAILED
