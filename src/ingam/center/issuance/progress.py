"""발급현황: a person's applications with what to do next for each, what the authority ever issued, and the fees."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from ingam.center import budgets
from ingam.center.additional_auth.web import posted
from ingam.center.budgets import Budget
from ingam.center.carrying import CARRYING_S
from ingam.center.doorway import logged_in, to_login
from ingam.center.issuance.flow import ISSUANCE
from ingam.center.issuance.owed import Owed
from ingam.center.issuance.products import ASKED
from ingam.center.issuance.service import Issuance
from ingam.center.issuance.states import (
    AwaitingKey,
    AwaitingOneWon,
    Cancelled,
    ChoosingProduct,
    Consenting,
    Describing,
    Door,
    Expired,
    IdCardAccepted,
    Issued,
    NameConfirmed,
    PhoneProved,
    Refused,
    kind_of,
)
from ingam.center.issuance.walks import FETCHING, Limits
from ingam.center.issuance.web import BASES
from ingam.center.task.web import visit_of
from ingam.center.walks import Visit
from ingam.customer import payment
from ingam.customer.heads import session_key
from ingam.kernel.errors import Failure
from ingam.kernel.instants import korean_minute
from ingam.kernel.words import has, say
from ingam.page import render, see_other, status_of
from ingam.page.failures import message_of
from ingam.ports.certification import (
    Certification,
    CertificationOutage,
    CertificationRefused,
    EverIssued,
    IssuedCertificate,
    Standing,
)
from ingam.ports.clock import Clock
from ingam.ports.customers import Customer
from ingam.ports.store import Row, Store

HERE: Final = "/issuance/progress"
RUNS: Final = 20
_STEPS: Final = {
    Consenting: 1, NameConfirmed: 1, PhoneProved: 2, IdCardAccepted: 3, AwaitingOneWon: 3, Describing: 4,
    AwaitingKey: 5, ChoosingProduct: 6,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Shown:
    """A run as the page lists it. `word`: applied, going, done, failed or cancelled; `step`: 0 where it is over.

    `go`: where the next step is taken, `press`: the word on it; `text`: what happened or what is to be done.
    """

    kind: str
    word: str
    step: int
    at: datetime
    text: str
    go: str
    press: str


class ProgressWeb:
    """/issuance/progress."""

    def __init__(
        self, issuance: Issuance, authority: Certification, store: Store, clock: Clock, limits: Limits, owed: Owed
    ) -> None:
        self._issuance, self._authority, self._owed = issuance, authority, owed
        self._store, self._clock, self._limits = store, clock, limits

    def routes(self) -> list[Route]:
        """The page, and the press that pays what is owed."""
        return [Route(HERE, self.show, methods=["GET"]), Route(f"{HERE}/fee", self.pay, methods=["POST"])]

    async def show(self, request: Request) -> Response:
        """The person's own."""
        return to_login(request) if logged_in(request) is None else await self._page(request)

    async def pay(self, request: Request) -> Response:
        """수수료 결제: another payment for what is owed; the way to its window stands on the page then."""
        fields, visit = await posted(request), visit_of(request)
        customer = await self._issuance.customer(visit)
        try:
            await self._owed.begin(customer, visit.began, fields.get("fee", ""), visit.lang)
        except Failure as failure:
            request.state.failure = failure.code
            return await self._page(request, status_of(failure), {"owed": message_of(failure, visit.lang)})
        return see_other(f"{HERE}#owed")

    async def _page(self, request: Request, status: int = 200, errors: Mapping[str, str] | None = None) -> Response:
        visit = visit_of(request)
        customer, now = await self._issuance.customer(visit), self._clock.now()
        ever = await self._ever(customer, now)
        owed = await self._owed.of(customer, visit.began)
        return render(
            request, "issuance/progress.html", status, place="issuance_progress", owed=owed, errors=errors or {},
            runs=await self._runs(visit, now),
            ever=ever, standing=lambda one: _standing(one, now),
            fees=[
                one for one in await payment.receipts(self._store, customer.customer_id) if visit.began(one.flow_id)
            ],
        )  # fmt: skip

    async def _ever(self, customer: Customer, now: datetime) -> EverIssued | None:
        """None where the authority could not be asked."""
        asked = Budget(f"ever-issued:{customer.customer_id}", CARRYING_S, ASKED)
        if not await budgets.spent(self._store, asked, now):
            return None
        try:
            return await self._authority.issued(customer.idn)
        except (CertificationOutage, CertificationRefused):
            return None

    async def _runs(self, visit: Visit, now: datetime) -> list[Shown]:
        where: Row = {"runs": f"{ISSUANCE.name}:{session_key(visit.session)}"}
        rows = await self._store.many("flow", where, order="expires_at", descending=True, limit=RUNS)
        return [self._shown(row, visit, now) for row in rows]

    def _shown(self, row: Row, visit: Visit, now: datetime) -> Shown:
        state, expires = ISSUANCE.load(str(row["state"])), row["expires_at"]
        assert isinstance(expires, datetime)
        kind = kind_of(state)
        base, ended_at = BASES[kind], expires - timedelta(seconds=self._limits.flow_ttl_s)
        again = (f"{base}?new=1", say("progress.anew", visit.lang))
        match state:
            case Issued():
                then = say("progress.done_then", visit.lang)
                return Shown(kind, "done", 0, ended_at, then, "/login?way=cert", say("issuance.login", visit.lang))
            case Refused(cause):
                keys = (f"issuance.why-{cause}", f"refusal.{cause}", "refusal.outage")
                why = say(next(key for key in keys if has(key)), visit.lang)
                return Shown(kind, "failed", 0, ended_at, why, *again)
            case Cancelled():
                return Shown(kind, "cancelled", 0, ended_at, say("progress.left", visit.lang), *again)
            case Expired():
                return Shown(kind, "failed", 0, ended_at, say("progress.ran_out", visit.lang), *again)
        if now >= expires:
            return Shown(kind, "failed", 0, expires, say("progress.ran_out", visit.lang), *again)
        return self._open(kind, _STEPS.get(type(state), 6), state.door, (type(state) in FETCHING, expires), visit, now)

    def _open(
        self, kind: str, step: int, door: Door, fetched: tuple[bool, datetime], visit: Visit, now: datetime
    ) -> Shown:
        fetching, expires = fetched
        word = "applied" if step == 1 else "going"
        base, go_on = BASES[door.kind], say("progress.go_on", visit.lang)
        if door.session == visit.session.session:
            text = say("progress.here_now", visit.lang, time=_time(expires))
            return Shown(kind, word, step, door.stepped_at, text, base, go_on)
        length = self._limits.issuance_fetch_s if fetching else self._limits.flow_resume_s
        until = min(door.stepped_at + timedelta(seconds=length), expires)
        if now < until and door.device is not None and door.device == visit.session.device:
            text = say("progress.until", visit.lang, time=_time(until))
            return Shown(kind, word, step, door.stepped_at, text, base, go_on)
        text = say("progress.over", visit.lang)
        return Shown(kind, word, step, door.stepped_at, text, base, say("progress.anew", visit.lang))


def _standing(one: IssuedCertificate, now: datetime) -> str:
    """The key of what is said of a certificate."""
    if one.standing in (Standing.VALID, Standing.HELD) and not one.stands(now):
        return "progress.standing_expired"
    return f"progress.standing_{one.standing}"


def _time(at: datetime) -> str:
    return korean_minute(at)[-5:]
