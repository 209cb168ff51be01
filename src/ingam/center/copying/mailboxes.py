"""Who may open a mailbox of the relay, and who may join it: the two ends of one person's copy and nobody else (C1).

Of the twelve digits the center hears the five that name the mailbox, never the secret.
"""

from __future__ import annotations

from typing import Final

from ingam.center.copying.flow import (
    Allowed,
    Announced,
    Arrived,
    AwaitingFactor,
    Cleared,
    Confirmed,
    JoinAllowed,
    MailboxTold,
    Opening,
    Proved,
    ReceiverOpens,
    Role,
    SenderOpens,
)
from ingam.center.copying.refusals import NumberUnknown, NumberUsed, OutOfOrder
from ingam.center.copying.tickets import Tickets
from ingam.center.copying.walks import Walk, Walks
from ingam.center.walks import Visit, With
from ingam.kernel.steps import reach

_BEFORE: Final = (Announced, Confirmed, AwaitingFactor, Cleared)
_AFTER: Final = (Proved, Allowed, Arrived)
_OTHER: Final = {Role.RECEIVER: Role.SENDER, Role.SENDER: Role.RECEIVER}


class Mailboxes:
    """Tickets for both ends. The sender's follow the certificate's proof; until then it has no way to the relay."""

    def __init__(self, walks: Walks, tickets: Tickets) -> None:
        self._walks = walks
        self._tickets = tickets

    async def open(self, visit: Visit, role: Role) -> str:
        """A ticket to open a mailbox; an earlier number is over.

        Raises OpensSpent, OutOfOrder, OtherSession, CopyOver, TrueStep.
        """
        action = f"copying.{role}.open"
        async with self._walks.acting(visit, action):
            states = (*_BEFORE, *_AFTER) if role is Role.RECEIVER else _AFTER
            walk = await self._walks.at(visit, role, *states)
            await self._tickets.count_open(walk)
            ticket = self._tickets.open(walk, role)
            event = ReceiverOpens(ticket.id) if role is Role.RECEIVER else SenderOpens(ticket.id)
            reach("copying.3")
            await self._walks.save(walk, event, action, With())
            reach("copying.4")
            return ticket.text

    async def opened(self, visit: Visit, role: Role, ticket: str, mailbox: str) -> None:
        """The mailbox that the relay gave for a ticket. A second word of the same changes nothing.

        Raises NumberUnknown for a ticket that is not this end's newest, OutOfOrder, OtherSession, CopyOver, TrueStep.
        """
        action = f"copying.{role}.opened"
        async with self._walks.acting(visit, action):
            walk = await self._walks.at(visit, role, *_BEFORE, Proved)
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

    async def join(self, visit: Visit, role: Role, mailbox: str) -> str:
        """A ticket to join the other end's mailbox: once for every number (C8), and every try is counted (C12).

        Raises RunsSpent, NumberUnknown, NumberUsed, OutOfOrder, OtherSession, CopyOver, TrueStep.
        """
        action = f"copying.{role}.join"
        async with self._walks.acting(visit, action):
            walk = await self._walks.at(visit, role, *_BEFORE, *_AFTER)
            await self._tickets.count_run(walk)
            opening = self._joinable(walk, role, mailbox)
            ticket = self._tickets.join(walk, role, opening)
            reach("copying.7")
            await self._walks.save(walk, JoinAllowed(ticket.id), action, With())
            reach("copying.8")
            return ticket.text

    def _joinable(self, walk: Walk, role: Role, mailbox: str) -> Opening:
        opening, state = _opening(walk), walk.here.state
        if not isinstance(state, Proved | Allowed | Arrived):
            raise OutOfOrder(cause=type(state).__name__)
        if opening is None or opening.role is not _OTHER[role] or opening.mailbox != mailbox:
            raise NumberUnknown
        if not isinstance(state, Proved):
            raise NumberUsed
        return opening


def _opening(walk: Walk) -> Opening | None:
    return getattr(walk.here.state, "opening", None)
