"""A caller that rings no telephone: it keeps what it was given and tells what a test says; never in production."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import structlog

from ingam.adapters.ars.judging import check, verdict
from ingam.ports.ars import ArsOutage, Call, CallState

log = structlog.get_logger()


class RecordingArs:
    """`ports.ars.ArsCaller` in memory. `down`: the next calls are not placed. `hung_up`: calls that were let go of."""

    def __init__(self) -> None:
        self.placed: dict[str, Call] = {}
        self.hung_up: set[str] = set()
        self.down = False
        self._told: dict[str, asyncio.Queue[CallState]] = {}
        log.warning("ars.recording", meaning="no telephone rings")

    async def place(self, call: Call) -> AsyncIterator[CallState]:
        """PLACED, then whatever `tell` and `key` say until a final state."""
        if self.down:
            raise ArsOutage(cause="recording-down")
        self.placed[check(call).call_id] = call
        told, last = self._told.setdefault(call.call_id, asyncio.Queue()), CallState.PLACED
        try:
            yield last
            while not last.final:
                last = await told.get()
                yield last
        finally:
            if not last.final:
                self.hung_up.add(call.call_id)

    async def aclose(self) -> None:
        """Nothing is open."""

    def tell(self, call_id: str, *states: CallState) -> None:
        """What happens next in a call."""
        for state in states:
            self._told.setdefault(call_id, asyncio.Queue()).put_nowait(state)

    def key(self, call_id: str, digits: str) -> None:
        """Rings, is answered, and these digits are pressed, which must be enough to end the call."""
        judged = verdict(self.placed[call_id].code, digits)
        assert judged is not None
        self.tell(call_id, CallState.RINGING, CallState.ANSWERED, judged)
