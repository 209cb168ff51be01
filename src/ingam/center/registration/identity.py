"""①본인확인: ID, password and registered number, which say who registers; or the short path of who did before (A17)."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta
from typing import Final

from ingam.center.registration.checks import DAY_S, RegistrationLocked, number_key, vid_key
from ingam.center.registration.flow import Identified, Identifying
from ingam.center.registration.forms import Identify
from ingam.center.registration.walks import Limits, Walk, Walks
from ingam.center.walks import TrueStep, Turn, Visit, With
from ingam.customer.account.accounts import Accounts, LoginLocked, LoginWrong
from ingam.customer.binding.bindings import ACTIVE, STALE, SUSPENDED, Bindings
from ingam.customer.person import number_named
from ingam.customer.session import Level, Session
from ingam.kernel.errors import Refusal
from ingam.kernel.secret import Secret
from ingam.kernel.steps import reach
from ingam.ports.customers import Customer, HeadsFull
from ingam.ports.store import Count, Row, Save, Stale, Store, Update

KNOWN: Final = timedelta(minutes=10)
"""So long ID and password count as just shown."""


class CustomerMismatch(Refusal):
    """ID, password or number do not fit, and it is not said which (M-CUST-01)."""

    code = "customer-mismatch"


class Identification:
    """The step ①."""

    def __init__(self, walks: Walks, store: Store, accounts: Accounts, bindings: Bindings, limits: Limits) -> None:
        self._walks = walks
        self._store = store
        self._accounts = accounts
        self._bindings = bindings
        self._limits = limits

    async def identify(self, visit: Visit, turn: Turn, command: Identify) -> None:
        """ID, password and number of the session's own customer.

        Raises TrueStep, CustomerMismatch (counted toward the lock), LoginLocked, RegistrationLocked.
        """
        async with self._walks.turn_of(visit):
            walk = await self._walks.at(visit, turn, Identifying)
            reach("registration.1")
            slot, resets = await self._match(walk, command)
            locked = await self._store.counted(vid_key(walk), DAY_S, walk.now) >= self._limits.vid_max_fail
            if locked:
                await self._walks.lock(walk, "identify", RegistrationLocked())
            reach("registration.2")
            await self._walks.save(walk, Identified(slot), "identify", With(resets=resets))
            reach("registration.3")

    async def known(self, visit: Visit) -> bool:
        """Whether ① is behind this person: registered before, and logged in by ID and password moments ago (A17).

        Registered before is also who an import brought by the names of a certificate (decision 0016).
        """
        fresh = self._walks.now() - visit.session.created_at <= KNOWN
        if not fresh or visit.session.level is not Level.ID or visit.session.customer_id is None:
            return False
        if (await self._walks.customer(visit)).heads:
            return False  # which of them it is, the number at ① says
        history = await self._bindings.history(visit.session.customer_id)
        if not history:
            return await self._bindings.awaited(visit.session.customer_id)
        return history[0].status in (ACTIVE, SUSPENDED, STALE)

    async def again(self, visit: Visit, turn: Turn) -> None:
        """The short path of a certificate that was reissued elsewhere: ② and ③ only.

        The number is not typed: the certificate's own VID is held against it at ③. Raises TrueStep.
        """
        async with self._walks.turn_of(visit):
            walk = await self._walks.at(visit, turn, Identifying)
            if not await self.known(visit):
                raise TrueStep
            if await self._store.counted(vid_key(walk), DAY_S, walk.now) >= self._limits.vid_max_fail:
                await self._walks.lock(walk, "again", RegistrationLocked())
            reach("registration.2")
            await self._walks.save(walk, Identified(), "again", With())
            reach("registration.3")

    async def _match(self, walk: Walk, command: Identify) -> tuple[int, list[str]]:
        """Which head of a union it is (1: the customer of the account), and the counters that this clears."""
        session, address = walk.visit.session, walk.visit.address
        try:
            entered = await self._accounts.check_password(command.banking_id, command.password, session, address)
        except LoginWrong:
            await self._count_guess(walk)  # one counter, and the same work, whatever was wrong (F8)
            raise CustomerMismatch(named=number_named(walk.customer.idn)) from None
        except LoginLocked as locked:
            await self._walks.lock(walk, "identify", locked)
            raise
        hits = await self._count_guess(walk)
        # Both are compared whatever the first one says; the failure stays counted unless all of it fits (F9).
        slots = [slot for slot, idn in _numbers(entered, session) if idn == command.idn]
        if not slots or entered.customer_id != walk.customer.customer_id:
            await self._walks.refuse(walk, "identify", CustomerMismatch(named=number_named(walk.customer.idn)))
        if entered.as_head(slots[0]) is None:
            await self._walks.refuse(walk, "identify", HeadsFull())
        cleared = await self._accounts.forgive(command.banking_id, session)
        if not entered.heads:
            return slots[0], [*cleared, number_key(walk)]
        await self._give_back(walk, hits)  # one head's own number forgives no guesses at another's
        return slots[0], cleared

    async def _count_guess(self, walk: Walk) -> int:
        """Guesses have a counter of their own, by person, that only the right number clears (A16, F9).

        Whoever has an ID and its password may log in, and that forgives the failures of the login.
        """
        guesses = Count(number_key(walk), DAY_S, self._limits.vid_max_fail, walk.now)
        hits = await self._store.count(guesses)
        if hits > self._limits.vid_max_fail:
            await self._walks.lock(walk, "identify", RegistrationLocked())
        return hits

    async def _give_back(self, walk: Walk, hits: int) -> None:
        """One hit less, unless somebody counted meanwhile: then it stays, which is the safe side."""
        where: Row = {"key": number_key(walk), "hits": hits}
        with suppress(Stale):
            await self._store.save(Save(rows=[Update("counter", where, {"hits": hits - 1})]))


def _numbers(entered: Customer, session: Session) -> list[tuple[int, Secret[str]]]:
    """Whose number may be shown at ①: any head's, but after a login with a certificate that head's alone."""
    every = [(entered.slot, entered.idn), *((one.slot, one.idn) for one in entered.heads)]
    return [(slot, idn) for slot, idn in every if session.slot in (None, slot)]
