"""Who may open a mailbox of the relay, and who may join it: the two ends of one person's copy and nobody else (C1).

Of the twelve digits the center hears the five that name the mailbox, never the secret.
"""

from __future__ import annotations

from typing import Final

from ingam.center.copying.flow import JoinAllowed, MailboxTold, ReceiverOpens, SenderOpens
from ingam.center.copying.receivers import Receivers
from ingam.center.copying.refusals import NumberUnknown, NumberUsed, OutOfOrder
from ingam.center.copying.states import (
    Allowed,
    Announced,
    Arrived,
    AwaitingFactor,
    Cleared,
    Confirmed,
    Device,
    Opening,
    Proved,
    Role,
    State,
)
from ingam.center.copying.telling import Telling
from ingam.center.copying.tickets import Tickets
from ingam.center.copying.walks import Walk, Walks
from ingam.center.walks import Visit, With
from ingam.kernel.steps import reach

_BEFORE: Final = (Announced, Confirmed, AwaitingFactor, Cleared)
_AFTER: Final = (Proved, Allowed, Arrived)
_OTHER: Final = {Role.RECEIVER: Role.SENDER, Role.SENDER: Role.RECEIVER}


class Mailboxes:
    """Tickets for both ends. The sender's follow the certificate's proof; until then it has no way to the relay.

    `receiver`: the device whose post it is, where it is the receiver's; None is the sender's post.
    """

    def __init__(self, walks: Walks, receivers: Receivers, tickets: Tickets, telling: Telling) -> None:
        self._walks = walks
        self._receivers = receivers
        self._tickets = tickets
        self._telling = telling

    async def open(self, visit: Visit, receiver: Device | None = None) -> str:
        """A ticket to open a mailbox; an earlier number is over.

        Raises OpensSpent, ReceiverChanged, OutOfOrder, OtherSession, CopyOver, TrueStep.
        """
        role = _role(receiver)
        action = f"{role}.open"
        async with self._walks.acting(visit, action):
            states = (*_BEFORE, *_AFTER) if role is Role.RECEIVER else _AFTER
            walk = await self._at(visit, receiver, *states)
            await self._tickets.count_open(walk)
            ticket = self._tickets.open(walk, role)
            event = ReceiverOpens(ticket.id) if role is Role.RECEIVER else SenderOpens(ticket.id)
            reach("copying.3")
            await self._walks.save(walk, event, action, With())
            reach("copying.4")
            return ticket.text

    async def opened(self, visit: Visit, receiver: Device | None, ticket: str, mailbox: str) -> None:
        """The mailbox that the relay gave for a ticket. A second word of the same changes nothing.

        Raises NumberUnknown for a ticket that is not this end's newest, and what `open` raises but OpensSpent.
        """
        role = _role(receiver)
        action = f"{role}.opened"
        async with self._walks.acting(visit, action):
            walk = await self._at(visit, receiver, *_BEFORE, Proved)
            opening = _opening(walk)
            if opening is None or opening.role is not role or opening.ticket != ticket:
                raise NumberUnknown
            if opening.mailbox == mailbox:
                return
            if opening.mailbox is not None:
                raise NumberUsed
            reach("copying.5")
            await self._walks.save(walk, MailboxTold(mailbox), action, With())
            reach("copying.6")

    async def join(self, visit: Visit, receiver: Device | None, mailbox: str) -> str:
        """A ticket to join the other end's mailbox: once for every number (C8), and every try is counted (C12).

        The person's notice leaves with it (C3). Raises RunsSpent, NumberUnknown, NumberUsed, and what `opened` raises.
        """
        role = _role(receiver)
        action = f"{role}.join"
        async with self._walks.acting(visit, action):
            walk = await self._at(visit, receiver, *_BEFORE, *_AFTER)
            await self._tickets.count_run(walk)
            state = self._joinable(walk, role, mailbox)
            assert state.opening is not None
            ticket = self._tickets.join(walk, role, state.opening)
            beside = With(outbox=self._telling.begun(walk, state.sender))
            reach("copying.7")
            await self._walks.save(walk, JoinAllowed(ticket.id), action, beside)
            reach("copying.8")
            return ticket.text

    def _joinable(self, walk: Walk, role: Role, mailbox: str) -> Proved:
        opening, state = _opening(walk), walk.here.state
        if not isinstance(state, Proved | Allowed | Arrived):
            raise OutOfOrder(cause=type(state).__name__)
        if opening is None or opening.role is not _OTHER[role] or opening.mailbox != mailbox:
            raise NumberUnknown
        if not isinstance(state, Proved):
            raise NumberUsed
        return state

    async def _at(self, visit: Visit, receiver: Device | None, *states: type[State]) -> Walk:
        if receiver is None:
            return await self._walks.at(visit, Role.SENDER, *states)
        return await self._receivers.at(visit, receiver, *states)


def _role(receiver: Device | None) -> Role:
    return Role.SENDER if receiver is None else Role.RECEIVER


def _opening(walk: Walk) -> Opening | None:
    return getattr(walk.here.state, "opening", None)
