"""The routes of a customer's page: opening it with a reason, what it shows, 잠금 해제, and the list of codes."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from ingam.console.fees.service import ChargesOfFees
from ingam.console.menu import Entry
from ingam.console.operators import Role
from ingam.console.standing.entering import DAY_S, Entering
from ingam.console.standing.opening import REASONS, Openings, ReasonMissing
from ingam.console.standing.service import CustomerUnknown, Standings, codes
from ingam.console.trail import Trail, Visit
from ingam.console.web import ConsoleWeb, visit
from ingam.customer.additional_auth import Purpose
from ingam.customer.locks import NAMES, Locks, LockUnknown
from ingam.customer.notice import Notices
from ingam.kernel.errors import Refusal
from ingam.page import render, see_other
from ingam.page.failures import message_of
from ingam.ports.clock import Clock
from ingam.ports.customers import Customer
from ingam.ports.keys import BlindIndex
from ingam.ports.store import Count, Save, Store

DESK: Final = "/desk"
HERE: Final = "/customers/{customer}"
SEE: Final = (Role.CLERK, Role.SECURITY, Role.AUDITOR)
DO: Final = (Role.CLERK, Role.SECURITY)
UNLOCKS_OF_A_CUSTOMER: Final = 3
"""A day, whoever releases: each one gives whoever guesses a new set of tries."""

_BANKING_ID: Final = re.compile(r"[A-Za-z0-9]{4,32}")


class UnlocksSpent(Refusal):
    """Today's releases by this operator are used up (fact: most)."""

    code = "unlocks-spent"


class CustomerUnlocksSpent(Refusal):
    """This customer's locks were released as often today as a day allows (fact: most; E3)."""

    code = "unlocks-customer-spent"


class OwnRecord(Refusal):
    """An operator asked for something in their own record; a colleague does that (E10)."""

    code = "own-record"


class StandingWeb(ConsoleWeb):
    """Handlers over the service. `unlocks_a_day`: releases of one operator."""

    entries = (
        Entry("desk", "console-standing.menu", DESK, SEE),
        Entry("codes", "console-standing.menu_codes", "/codes"),
    )

    def __init__(
        self, trail: Trail, store: Store, clock: Clock, standings: Standings, openings: Openings, locks: Locks,
        notices: Notices, blind_index: BlindIndex, entering: Entering, charges: ChargesOfFees,
        unlocks_a_day: int,
    ) -> None:  # fmt: skip
        super().__init__(trail)
        self._store = store
        self._clock = clock
        self._standings = standings
        self._openings = openings
        self._locks = locks
        self._notices = notices
        self._blind_index = blind_index
        self._entering = entering
        self._charges = charges
        self._unlocks = unlocks_a_day

    def routes(self) -> list[Route]:
        """/desk, /customers/{customer} and /codes."""
        return [
            self.get(DESK, self.desk, *SEE),
            self.post(DESK, self.open, *SEE),
            self.get(HERE, self.show, *SEE),
            self.post(f"{HERE}/unlock", self.unlock, *DO),
            self.get("/codes", self.codes),
        ]

    async def desk(self, request: Request) -> Response:
        """Which customer, and why."""
        return self._desk(request, {}, {})

    async def open(self, request: Request) -> Response:
        """One look-up by the exact banking ID: counted before the work, and written down whatever comes of it."""
        form, asking = request.state.form, visit(request)
        typed = {name: str(form.get(name, "")).strip() for name in ("banking_id", "reason")}
        lang = request.state.lang
        if typed["reason"] not in REASONS:
            return self._desk(request, typed, {"reason": message_of(ReasonMissing(), lang)})
        if not _BANKING_ID.fullmatch(typed["banking_id"]):
            return self._desk(request, typed, {"banking_id": message_of(CustomerUnknown(), lang)})
        try:
            customer = await self._entering.enter(
                asking, typed["reason"], lambda: self._standings.find(typed["banking_id"])
            )
        except CustomerUnknown as unknown:
            return self._desk(request, typed, {"banking_id": message_of(unknown, lang)})
        return see_other(f"/customers/{customer.customer_id}")

    async def show(self, request: Request) -> Response:
        """The page; without an opening, the way to one."""
        asking = visit(request)
        try:
            customer, _ = await self.opened(asking, str(request.path_params["customer"]))
        except ReasonMissing as missing:
            return self._desk(request, {}, {"reason": message_of(missing, request.state.lang)})
        return await self._page(request, asking, customer, {})

    async def unlock(self, request: Request) -> Response:
        """The chosen counters start again at none; the customer is told."""
        asking, form = visit(request), request.state.form
        customer, reason = await self.opened(asking, str(request.path_params["customer"]))
        await self._refuse_own(asking, customer)
        chosen = [str(name) for name in form.getlist("lock")]
        if not chosen:
            return await self._page(request, asking, customer, {"lock": message_of(LockUnknown(), request.state.lang)})
        resets = await self._locks.released(customer, chosen)
        await self._count_unlock(asking, customer)
        now = self._clock.now()
        facts: dict[str, str | int] = {"reason": reason, "locks": ",".join(name for name in NAMES if name in chosen)}
        line = self.trail.line(asking, "console.customer-unlock", banking_id=customer.banking_id, facts=facts)
        dedup = f"unlocked:{customer.customer_id}:{now.timestamp()}"
        told = self._notices.unlocked(customer, branch=asking.operator.branch, at=now, dedup=dedup)
        await self._store.save(Save(resets=resets, outbox=told, audit=[line]))
        return see_other(f"/customers/{customer.customer_id}?done=unlocked")

    async def _count_unlock(self, asking: Visit, customer: Customer) -> None:
        """Counted before the work; past a ceiling it is written down and alarms. Raises what was spent."""
        now, employee = self._clock.now(), asking.operator.employee
        for key, most, spent in (
            (f"console-unlock-of:{customer.customer_id}", UNLOCKS_OF_A_CUSTOMER, CustomerUnlocksSpent),
            (f"console-unlock:{employee}", self._unlocks, UnlocksSpent),
        ):
            if await self._store.count(Count(key, DAY_S, most, now)) > most:
                await self.trail.write(asking, "console.customer-unlock", spent.code, banking_id=customer.banking_id)
                await self.trail.alarm(asking, spent.code)
                raise spent(most=most)

    async def _refuse_own(self, asking: Visit, customer: Customer) -> None:
        """Nobody releases what stops themselves: by the number of the person, not by a name. Written down."""
        if asking.operator.is_person(await self._blind_index.index("idn", customer.idn)):
            own = OwnRecord()
            await self.trail.write(asking, "console.customer-unlock", own.code, banking_id=customer.banking_id)
            raise own

    async def codes(self, request: Request) -> Response:
        """What customers read, by code, and what to say."""
        return render(request, "standing/codes.html", place="codes", codes=codes(request.state.lang))

    async def opened(self, asking: Visit, customer_id: str) -> tuple[Customer, str]:
        """The customer and the reason that this operator opened them for. Raises ReasonMissing, CustomerUnknown."""
        reason = await self._openings.reason(asking, customer_id)
        return await self._standings.customer(customer_id), reason

    async def _page(self, request: Request, asking: Visit, customer: Customer, errors: dict[str, str]) -> Response:
        facts: dict[str, Any] = {
            "standing": await self._standings.of(customer, request.state.lang),
            "may": asking.operator.may(*DO),
            "may_issue": asking.operator.may(Role.CLERK),
            "purposes": tuple(Purpose),
            "charges": [(fee, self._charges.hangs(fee)) for fee in await self._charges.of(customer.customer_id)],
            "done": request.query_params.get("done", ""),
            "errors": errors,
        }
        return render(request, "standing/customer.html", 422 if errors else 200, place="desk", **facts)

    def _desk(self, request: Request, typed: Mapping[str, str], errors: dict[str, str]) -> Response:
        facts = {"reasons": REASONS, "typed": typed, "errors": errors}
        return render(request, "standing/desk.html", 422 if errors else 200, place="desk", **facts)
