"""Tickets for the relay, and how many a person may have (security C1, C12).

Nobody gets one but the two ends of this person's copy; a ticket to join names the mailbox and the opener's ticket.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Protocol

from ingam.center.copying.refusals import OpensSpent, RunsSpent
from ingam.center.copying.states import Opening, Role
from ingam.center.copying.walks import Walk
from ingam.ports.keys import Digests, TicketSigner
from ingam.ports.store import Count, Store
from ingam.protocols.mailbox import ticket as protocol

ID_BYTES: Final = 16


class TicketLimits(Protocol):
    """Counts of a window, and how long a mailbox waits; seconds."""

    @property
    def copy_opens(self) -> int: ...
    @property
    def copy_runs(self) -> int: ...
    @property
    def copy_window_s(self) -> int: ...
    @property
    def copy_number_ttl_s(self) -> int: ...
    @property
    def copy_qr_ttl_s(self) -> int: ...


@dataclass(frozen=True, slots=True)
class Ticket:
    """`id`: what the flow keeps of it; `text`: what one end carries to the relay, and nobody keeps."""

    id: str
    text: str = field(repr=False)


class Tickets:
    """Signs tickets of one relay; counts before the work and fails closed (F9)."""

    def __init__(
        self,
        store: Store,
        digests: Digests,
        signer: TicketSigner,
        relay: str,
        limits: TicketLimits,
        token: Callable[[int], bytes] = secrets.token_bytes,
    ) -> None:
        self._store = store
        self._digests = digests
        self._signer = signer
        self._limits = limits
        self._token = token
        self.relay: Final = relay

    async def count_announcement(self, walk: Walk) -> None:
        """One receiving page more. Raises OpensSpent {m}."""
        if await self._hits("announcements", walk, self._limits.copy_opens) > self._limits.copy_opens:
            raise OpensSpent(m=self._minutes)

    async def count_open(self, walk: Walk) -> None:
        """One number more. Raises OpensSpent {m}."""
        if await self._hits("opens", walk, self._limits.copy_opens) > self._limits.copy_opens:
            raise OpensSpent(m=self._minutes)

    async def count_run(self, walk: Walk) -> None:
        """One number more that was typed or read, right or not. Raises RunsSpent {m}."""
        if await self._hits("runs", walk, self._limits.copy_runs) > self._limits.copy_runs:
            raise RunsSpent(m=self._minutes)

    def open(self, walk: Walk, role: Role) -> Ticket:
        """To open a mailbox. The receiver's waits as long as a number lives, the sender's as a QR code."""
        limits = self._limits
        ttl = limits.copy_number_ttl_s if role is Role.RECEIVER else limits.copy_qr_ttl_s
        return self._ticket(walk, role, "open", ttl)

    def join(self, walk: Walk, role: Role, opening: Opening) -> Ticket:
        """To join the mailbox of the other end."""
        return self._ticket(walk, role, "join", self._limits.copy_number_ttl_s, opening.mailbox, opening.ticket)

    async def _hits(self, what: str, walk: Walk, most: int) -> int:
        key = f"copy-{what}:{walk.customer.customer_id}"
        return await self._store.count(Count(key, self._limits.copy_window_s, most, walk.now))

    @property
    def _minutes(self) -> int:
        return max(1, self._limits.copy_window_s // 60)

    def _ticket(
        self, walk: Walk, role: Role, act: protocol.Act, ttl: int, mailbox: str | None = None, peer: str | None = None
    ) -> Ticket:
        now = int(walk.now.timestamp())
        made = protocol.Ticket(
            id=self._token(ID_BYTES).hex(),
            relay=self.relay,
            act=act,
            role="receiver" if role is Role.RECEIVER else "sender",
            mailbox=mailbox,
            peer=peer,
            who=self._who(walk.customer.customer_id, walk.receiver.opened_at),
            iat=now,
            exp=now + protocol.SECONDS,
            ttl=ttl,
        )
        return Ticket(made.id, protocol.write(made, self._signer.sign))

    def _who(self, customer_id: str, opened_at: datetime) -> str:
        """The person's pseudonym at the relay, of the month in which the copy began: both ends have one (H9)."""
        return self._digests.digest("copy-person", f"{customer_id}:{opened_at:%Y-%m}")
