"""조합장 확인: whoever logged in by the union's ID proves which head they are; the session becomes that head's.

What an ID login is and is not stays as it was: the level of the session is the same. It only stops being anybody's.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from ingam.center.heads.flow import BACK, CHOOSE, HEADS
from ingam.center.task.flow import Confirming, Task
from ingam.center.task.service import TaskService
from ingam.center.task.walks import Feature, Limits, Walks
from ingam.center.walks import Ports, TrueStep, Turn, Visit, With
from ingam.customer.additional_auth import Purpose
from ingam.customer.additional_auth.service import AdditionalAuth
from ingam.customer.device import Devices
from ingam.customer.heads import every_head, head_key, undecided
from ingam.customer.masking import mask_name
from ingam.customer.notice import Notices
from ingam.customer.session.sessions import Opened, Sessions

CENTER: Final = "/cert-center"


@dataclass(frozen=True, slots=True)
class Choice:
    """One head of the union. `name`: masked."""

    slot: int
    name: str


class Heads(TaskService):
    """The service behind /head."""

    def __init__(
        self, ports: Ports, limits: Limits, *, auth: AdditionalAuth, notices: Notices, sessions: Sessions
    ) -> None:
        feature = Feature(
            HEADS, {CHOOSE: Purpose.HEAD}, lambda who, at, dedup: notices.tell(who, "head-locked", at=at, dedup=dedup)
        )  # fmt: skip
        super().__init__(Walks(ports, limits, feature), auth, Devices(ports.store, ports.digests))
        self._sessions, self._digests = sessions, ports.digests

    async def choices(self, visit: Visit) -> tuple[Choice, ...]:
        """Who can be chosen; nobody where the login said who is here, or there is but one. Raises NotLoggedIn."""
        customer = await self.customer(visit)
        if not undecided(customer, visit.session):
            return ()
        return tuple(Choice(one.slot, mask_name(one.name)) for one in every_head(customer))

    async def begin(self, visit: Visit, slot: int | None, back: str) -> None:
        """다음: this head is asked for. Raises NotLoggedIn, TrueStep."""
        async with self._walks.turn_of(visit):
            customer = await self.customer(visit)
            chosen = next((one for one in every_head(customer) if one.slot == slot), None)
            if chosen is None or not undecided(customer, visit.session):
                raise TrueStep
            target = f"{back if back in BACK else ''}:{head_key(self._digests, chosen)}"
            await self._walks.begin(visit, Task(CHOOSE, target, chosen.slot))

    async def enter(self, visit: Visit, turn: Turn) -> tuple[Opened, str]:
        """계속: a session of the head who was proved, in place of this one, and where it leads.

        Raises TrueStep, ProofMissing.
        """
        async with self._walks.turn_of(visit):
            walk = await self._walks.at(visit, turn, Confirming)
            session, head = visit.session, walk.customer
            back, _, proved = walk.task.target.partition(":")
            # Whoever has the place by now may be another than the one who proved it.
            if not undecided(head, session) or proved != head_key(self._digests, head):
                raise TrueStep
            opened = self._sessions.rise(
                session, session.level, head.customer_id, session.device, head.slot, proved
            )  # fmt: skip
            await self._finish(walk, CHOOSE, With(rows=opened.changes))
            return opened, BACK.get(back, CENTER)
