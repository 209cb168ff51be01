"""The device that announced itself as the receiver, and whether a post is still that device's (security C3).

It is what the sender's person said yes to. A session that is suddenly on another device, or in another network, is
another receiver: it is announced anew, whatever it wanted, and the person looks again.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable

from ingam.center.copying.flow import ReceiverAnnounced
from ingam.center.copying.refusals import ReceiverChanged
from ingam.center.copying.states import Copied, Device, Receiver, Role, State
from ingam.center.copying.tickets import ID_BYTES, Tickets
from ingam.center.copying.walks import Walk, Walks
from ingam.center.walks import Visit, With
from ingam.kernel.steps import reach


class Receivers:
    """Announces receivers, and lets one act only as the device that it was announced as."""

    def __init__(self, walks: Walks, tickets: Tickets, token: Callable[[int], bytes] = secrets.token_bytes) -> None:
        self._walks = walks
        self._tickets = tickets
        self._token = token

    async def begin(self, visit: Visit, device: Device) -> None:
        """A receiving page is open: the sender's page sees it from now on.

        The same session goes on with its copy while what is known of it is the same; else an unfinished copy is over.
        Raises OpensSpent, TrueStep.
        """
        async with self._walks.acting(visit, "announced"):
            walk = await self._walks.walk(visit)
            mine = not walk.here.ended and walk.receiver.session == visit.session.session
            if mine and walk.receiver.device == device:
                await self._walks.renew(walk)
            else:
                await self._announce(walk, device)

    async def at(self, visit: Visit, device: Device, *states: type[State]) -> Walk:
        """The walk of a receiver's post.

        Raises ReceiverChanged for another device than the announced one, which is announced in its place; the refusals
        of Walks.at; OpensSpent, TrueStep.
        """
        walk = await self._walks.at(visit, Role.RECEIVER, *states)
        if walk.receiver.device != device and not isinstance(walk.here.state, Copied):
            await self._announce(walk, device)
            raise ReceiverChanged
        return walk

    async def _announce(self, walk: Walk, device: Device) -> None:
        session = walk.visit.session
        receiver = Receiver(self._token(ID_BYTES).hex(), session.session, session.device, device, walk.now)
        reach("copying.1")
        await self._tickets.count_announcement(walk)
        if walk.here.ended:
            await self._walks.begin(walk, receiver)
        else:
            await self._walks.save(walk, ReceiverAnnounced(receiver), "announced", With(), "replaced")
        reach("copying.2")
