"""One run of `ingam copy`: the protocol's machine between the link to the relay and the person at the terminal.

The link and everything that takes time (a question, the store, the center) put events into one queue; the machine alone
decides, and its effects are carried out in order.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Awaitable, Callable
from typing import Any, Final

from ingam.kernel.flow import Machine
from ingam.kernel.secret import Secret
from ingam.protocols.mailbox import cpace, endpoint
from ingam.protocols.mailbox.endpoint import (
    Close,
    Deliver,
    Event,
    Left,
    Own,
    Send,
    ShowWords,
    TimeOver,
)
from ingam.protocols.mailbox.frames import NONCE
from ingam.protocols.mailbox.schedule import LOT
from ingam.run.cli.copy_link import Link

RUN_S: Final = 390.0
"""A number's and a run's time, and a little: the relay ends it before."""
LAST_S: Final = 30.0
"""How long the last message may take to be picked up."""

Tell = Callable[[Event], None]


class Talk:
    """Feeds the machine. `shown`: there are words to compare; `delivered`: something came. Both tell events."""

    def __init__(
        self,
        machine: Machine[Any, Event],
        state: Any,
        link: Link,
        shown: Callable[[ShowWords, Tell], Awaitable[None]],
        delivered: Callable[[Deliver, Tell], Awaitable[None]] | None = None,
    ) -> None:
        self._machine, self.state, self._link = machine, state, link
        self._shown, self._delivered = shown, delivered
        self._tasks: list[asyncio.Task[None]] = []
        self._closes = False

    @property
    def over(self) -> bool:
        """Whether the run has ended."""
        return isinstance(self.state, endpoint.ENDS)

    async def go(self, first: Event) -> endpoint.End:
        """The run from the relay's first word to its end; the link is given back. A cancelled task cancels the run."""
        try:
            async with asyncio.timeout(RUN_S):
                await self._feed(first)
                while not self.over:
                    await self._feed(await self._next())
        except TimeoutError:
            await self._feed(TimeOver())
        except asyncio.CancelledError:
            await self._feed(Left())
            raise
        finally:
            await self._end()
        end: endpoint.End = self.state
        return end

    async def _next(self) -> Event:
        """The next event; a task of ours that failed is our failure, not an event."""
        waiting = asyncio.ensure_future(self._link.events.get())
        try:
            await asyncio.wait([waiting, *self._tasks], return_when=asyncio.FIRST_COMPLETED)
            for task in [one for one in self._tasks if one.done()]:
                self._tasks.remove(task)
                task.result()
            return await waiting
        except BaseException:
            waiting.cancel()
            raise

    async def _feed(self, event: Event) -> None:
        """An event that the table does not have now is dropped."""
        if not self._machine.allows(self.state, event):
            return
        step = self._machine.advance(self.state, event)
        self.state = step.state
        for effect in step.effects:
            await self._carry_out(effect)

    async def _carry_out(self, effect: object) -> None:
        match effect:
            case Send(body):
                await self._link.send(body)
            case Close(why):
                self._closes = True
                await self._link.close(why)
            case ShowWords():
                self._begin(self._shown(effect, self._link.events.put_nowait))
            case Deliver() if self._delivered is not None:
                self._begin(self._delivered(effect, self._link.events.put_nowait))

    def _begin(self, work: Awaitable[None]) -> None:
        self._tasks.append(asyncio.ensure_future(work))

    async def _end(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        # Who closes has said its last word; who does not (the receiver) waits until the other side has heard it.
        await self._link.leave(2.0 if self._closes else LAST_S if self._waits() else 0.0)

    def _waits(self) -> bool:
        return isinstance(self.state, endpoint.Acknowledged | endpoint.Declined)


def own(relay: str, device: str, secret: Secret[str], *, opened: bool, qr: Secret[bytes] | None = None) -> Own:
    """What this device brings into one run; random bytes of its own, spent with it."""
    scalar = Secret(cpace.scalar(secrets.token_bytes(32)))
    lot = Secret(secrets.token_bytes(LOT))
    return Own(relay, device or "ingam", opened, secret, qr, secrets.token_bytes(NONCE), scalar, lot)
