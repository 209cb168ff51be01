"""What the sender's page shows of the receiver and of its own step, at a look and at every change (security C3)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from ingam.center.copying.devices import browser_text, device_text, region_text
from ingam.center.copying.refusals import CopyOver, OtherSession, SameDevice
from ingam.center.copying.states import (
    Allowed,
    Announced,
    Arrived,
    AwaitingFactor,
    Cancelled,
    Cleared,
    Confirmed,
    Copied,
    Device,
    Expired,
    Failed,
    Proved,
    Receiver,
    Role,
    State,
    sender_of,
)
from ingam.center.copying.walks import Here, Walks
from ingam.center.walks import Visit
from ingam.customer.additional_auth import Method
from ingam.customer.device import Devices
from ingam.kernel.instants import rfc3339
from ingam.kernel.words import say
from ingam.ports.clock import Clock
from ingam.ports.customers import Customer
from ingam.ports.store import Store

WATCH_S: Final = 600
"""A window that watches longer asks again, so that a forgotten one ends with its session."""
AGAIN_S: Final = 2.0
"""How soon another process's move is seen."""
BEAT_S: Final = 10.0
SESSION_OVER: Final = "session-over"
"""The doorway's word, for a receiver that was logged out or whose session ran out."""

_STEPS: Final = {
    Announced: "receiver",
    Confirmed: "factor",
    AwaitingFactor: "factor",
    Cleared: "vault",
    Proved: "vault",
    Allowed: "vault",
    Arrived: "vault",
    Copied: "copied",
    Cancelled: "over",
    Failed: "over",
    Expired: "over",
}


@dataclass(frozen=True, slots=True)
class Look:
    """`step`: receiver | factor | vault | copied | over, of this session; `code`: why it does not go on.

    `sent_until`: a code by SMS is under way; `calling`: a call is, or was the last that was asked for.
    """

    step: str
    receiver: dict[str, str | bool] | None
    code: str | None = None
    sent_until: str | None = None
    receiver_text: str | None = None
    calling: bool = False

    def told(self) -> dict[str, Any]:
        """As JSON has it."""
        return {
            "step": self.step,
            "receiver": self.receiver,
            "code": self.code,
            "sent_until": self.sent_until,
            "receiver_text": self.receiver_text,
            "calling": self.calling,
        }


class Looking:
    """Looks at a person's copy from a session that may send."""

    def __init__(self, store: Store, clock: Clock, walks: Walks, devices: Devices) -> None:
        self._store = store
        self._clock = clock
        self._walks = walks
        self._devices = devices

    async def look(self, visit: Visit, device: Device) -> Look:
        """`device`: this session's own, to say whether both are in one network. Raises NotLoggedIn."""
        here = await self._walks.here(visit)
        state = here.state
        if state is None:
            return Look("receiver", None)
        sender = sender_of(state)
        if sender is not None and sender.session == visit.session.session:
            return await self._mine(visit, here, device)
        if here.ended:
            return Look("receiver", None)
        if state.receiver.session == visit.session.session:
            return Look("receiver", None, SameDevice.code)
        return Look("receiver", await self._seen(visit, state.receiver, device))

    async def _mine(self, visit: Visit, here: Here, device: Device) -> Look:
        state = here.state
        assert state is not None
        code = _why(state)
        asked = state.factor if isinstance(state, AwaitingFactor) else None
        by_sms = asked is not None and asked.method == Method.SMS
        until = rfc3339(asked.expires_at) if asked is not None and by_sms else None
        seen = await self._seen(visit, state.receiver, device)
        text = device_text(state.receiver.device, visit.lang)
        return Look(_STEPS[type(state)], seen, code, until, text, calling=asked is not None and not by_sms)

    async def _seen(self, visit: Visit, receiver: Receiver, device: Device) -> dict[str, str | bool]:
        customer: Customer = await self._walks.customer(visit)
        return {
            "id": receiver.id,
            "kind": receiver.device.kind,
            "kind_text": say(f"copying.kind_{receiver.device.kind}", visit.lang),
            "browser": browser_text(receiver.device, visit.lang),
            "region": region_text(receiver.device, visit.lang),
            "same_network": receiver.device.network == device.network,
            "opened": rfc3339(receiver.opened_at),
            "known": await self._devices.known(customer, receiver.mark),
        }

    async def watch(self, visit: Visit, device: Device) -> AsyncIterator[Look | None]:
        """Every change, beginning with what there is; None now and then, so that a line that broke is noticed.

        Ends with the session, or after WATCH_S. Raises LooksCrowded, NotLoggedIn.
        """
        customer = await self._walks.customer(visit)
        ends, last, beat = self._clock.now() + timedelta(seconds=WATCH_S), None, 0.0
        with self._walks.changes.watch(customer.customer_id) as changed:
            while self._clock.now() < ends and await self._live(visit):
                changed.clear()
                found = await self.look(visit, device)
                if found != last or beat >= BEAT_S:
                    yield found if found != last else None
                    last, beat = found, 0.0
                with suppress(TimeoutError):
                    await asyncio.wait_for(changed.wait(), AGAIN_S)
                beat += AGAIN_S

    async def ending(self, visit: Visit) -> AsyncIterator[str | None]:
        """Why a receiver's copy does not go on, once and last; None at the beginning and now and then.

        The code of the end; `copy-other-session` where another receiver took its place; `session-over` where only the
        session ended. Ends after WATCH_S as well. Raises LooksCrowded, NotLoggedIn.
        """
        customer = await self._walks.customer(visit)
        ends, beat = self._clock.now() + timedelta(seconds=WATCH_S), BEAT_S
        with self._walks.changes.watch(customer.customer_id) as changed:
            while self._clock.now() < ends:
                changed.clear()
                code = await self._end(visit)
                if code is not None or beat >= BEAT_S:
                    yield code
                    beat = 0.0
                if code is not None:
                    return
                with suppress(TimeoutError):
                    await asyncio.wait_for(changed.wait(), AGAIN_S)
                beat += AGAIN_S

    async def _end(self, visit: Visit) -> str | None:
        live = await self._live(visit)  # before the copy: a no ends both at once, and its code says more
        state = (await self._walks.here(visit)).state
        if state is None or state.receiver.session != visit.session.session:
            return OtherSession.code if live else SESSION_OVER
        code = CopyOver.code if isinstance(state, Cancelled) else _why(state)
        return code if code is not None or live else SESSION_OVER

    async def _live(self, visit: Visit) -> bool:
        """Whoever logs out sees nothing more."""
        row = await self._store.one("session", {"session": visit.session.session})
        return row is not None and row["ended_at"] is None


def _why(state: State) -> str | None:
    """The code of an end that is none of success."""
    match state:
        case Failed(code):
            return code
        case Cancelled(by):
            return "copy-cancelled" if by is Role.RECEIVER else CopyOver.code
        case Expired():
            return "copy-expired"
    return None
