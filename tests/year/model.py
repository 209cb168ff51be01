"""What has to be true at the end, told from the plan alone: no part of the product is asked, and none is imported.

A certificate is known by the order in which its customer got it: `0`, `1` … A night lies before the morning of its day,
a morning before what happens on it, and that before the evening in which the authorities end what time ends.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Final

from tests.year.plan import DAYS, REASONS, START, Authority, Buying, Kind, Life, day

REMINDED: Final = (30, 14, 7, 1, 0)
FEE: Final = 4_400
SUPERSEDED, CESSATION, HOLD = 4, 5, 6
LIVE: Final = ("ACTIVE", "SUSPENDED")


@dataclass
class Paper:
    """A certificate at its authority. `reason` None: it stands; 6: it is on hold, since the day `since`."""

    end: date
    reason: int | None = None
    since: date = START


@dataclass
class Tie:
    """A registration of paper `paper`. `seen`: a night has passed since it was made."""

    paper: int
    status: str
    bound: date
    seen: bool = False


@dataclass
class Expected:
    """Of one customer. `notices`: by day and kind. `lists`: what the CRLs say on the days that they are read."""

    ties: list[tuple[int, str]] = field(default_factory=list)
    states: list[str] = field(default_factory=list)
    lists: dict[int, dict[int, int]] = field(default_factory=dict)
    notices: Counter[tuple[int, str]] = field(default_factory=Counter)
    paid: list[str] = field(default_factory=list)
    charged: int = 0


def expected(life: Life, stride: int, readings: tuple[int, ...]) -> Expected:
    """How it ends for one customer."""
    return _Year(life, stride, readings).lived()


class _Year:
    def __init__(self, life: Life, stride: int, readings: tuple[int, ...]) -> None:
        self.life, self.stride, self.readings = life, stride, readings
        self.papers: list[Paper] = []
        self.ties: list[Tie] = []
        self.found = Expected()
        self.today = 0

    def lived(self) -> Expected:
        for number in range(DAYS):
            self.today = number
            if number % self.stride == 0:
                self.night()
            self.morning()
            if number == self.life.begins:
                self.beginning()
            if number == self.life.at:
                self.event()
            if number == self.life.then and self.life.then:
                self.following()
            self.evening()
            if number in self.readings:
                self.found.lists[number] = self.listed()
        self.found.ties = sorted((tie.paper, tie.status) for tie in self.ties)
        self.found.states = [_state(paper) for paper in self.papers]
        return self.found

    @property
    def now(self) -> date:
        return day(self.today)

    @property
    def here(self) -> bool:
        return self.life.authority is Authority.HERE

    @property
    def live(self) -> Tie | None:
        return next((tie for tie in self.ties if tie.status in LIVE), None)

    def told(self, kind: str) -> None:
        self.found.notices[self.today, kind] += 1

    # the day

    def night(self) -> None:
        for tie in self.ties:
            if tie.status not in LIVE:
                continue
            if not tie.seen:
                tie.seen = True
                continue
            paper = self.papers[tie.paper]
            if self.now > paper.end:
                tie.status = "STALE"
                self.told("found-expired")
            elif paper.reason == HOLD and tie.status == "ACTIVE":
                tie.status = "SUSPENDED"
                self.told("found-suspended")
            elif paper.reason not in (None, HOLD):
                tie.status = "STALE"
                self.told("found-revoked")

    def morning(self) -> None:
        if self.life.silent:
            return
        for tie in self.ties:
            paper = self.papers[tie.paper]
            own_former = tie.status in ("REPLACED", "RELEASED") and self.here and paper.reason is None
            left = (paper.end - self.now).days
            if (tie.status in LIVE or own_former) and left in REMINDED and tie.bound < self.now:
                name = f"expires {left}" if left else "expires-today"
                self.told(name if self.here else f"{name} elsewhere")

    def evening(self) -> None:
        for paper in self.papers:
            if paper.reason == HOLD and six_months_after(paper.since) <= self.now:
                paper.reason = CESSATION

    # what happens

    def beginning(self) -> None:
        if self.here and self.life.costs:
            self.bought()
        self.papers.append(Paper(self.now.replace(year=self.now.year + 1)))
        self.tied("issued" if self.here else "registered")

    def bought(self) -> None:
        if self.life.buying is Buying.GIVEN_BACK:
            self.papers.append(Paper(self.now.replace(year=self.now.year + 1), CESSATION, self.now))
        before = {Buying.DECLINED: "refused", Buying.GIVEN_BACK: "cancelled", Buying.LEFT: "cancelled"}
        self.found.paid = [before[self.life.buying]] if self.life.buying in before else []
        self.found.paid.append("captured")
        self.found.charged = FEE

    def tied(self, notice: str) -> None:
        if self.live is not None:
            self.live.status = "REPLACED"
        self.ties.append(Tie(len(self.papers) - 1, "ACTIVE", self.now))
        self.told(notice)

    def succeeded(self, end: date) -> None:
        """Another certificate takes the newest one's place at the authority."""
        self.papers[-1].reason = SUPERSEDED
        self.papers.append(Paper(end))

    def event(self) -> None:
        old, tie, life = self.papers[-1], self.live, self.life
        assert tie is not None
        match life.kind:
            case Kind.RENEWED:
                self.succeeded(old.end.replace(year=old.end.year + 1))
                self.tied("renewed")
            case Kind.REISSUED:
                self.succeeded(old.end)
                self.tied("reissued")
            case Kind.REVOKED:
                old.reason, tie.status = REASONS[life.reason], "STALE"
                self.told("revoked")
            case Kind.RESUMED | Kind.LAPSED:
                tie.status = "SUSPENDED"
                if self.here:
                    old.reason, old.since = HOLD, self.now
                self.told("suspended" if life.by_report else "held")
            case Kind.RELEASED:
                tie.status = "RELEASED"
                self.told("released")
            case Kind.REVOKED_THERE:
                old.reason = REASONS[life.reason]
            case Kind.SUSPENDED_THERE | Kind.RESUMED_THERE:
                old.reason, old.since = HOLD, self.now
            case Kind.REISSUED_THERE:
                self.succeeded(old.end)
            case Kind.EXPIRES:
                pass

    def following(self) -> None:
        match self.life.kind:
            case Kind.RESUMED:
                self.resumed()
            case Kind.RESUMED_THERE:
                self.papers[-1].reason = None
                if self.live is not None and self.live.status == "SUSPENDED":
                    self.resumed()
            case Kind.REISSUED_THERE:
                self.tied("replaced" if self.live is not None else "registered")

    def resumed(self) -> None:
        assert self.live is not None
        self.live.status = "ACTIVE"
        if self.here:
            self.papers[-1].reason = None
        self.told("resumed")

    def listed(self) -> dict[int, int]:
        """What the CRLs of this evening say: what is over stands on the first list after its end (RFC 5280, 3.3)."""
        before = max((one for one in self.readings if one < self.today), default=-1)
        return {
            number: paper.reason
            for number, paper in enumerate(self.papers)
            if paper.reason is not None and paper.end >= day(before)
        }


def six_months_after(one: date) -> date:
    """The same day, or the day after the last of a shorter month (Civil Act of Korea, article 160 paragraph 3)."""
    year, month = divmod(one.year * 12 + one.month - 1 + 6, 12)
    try:
        return date(year, month + 1, one.day)
    except ValueError:
        first = date(year, month + 1, 1) + timedelta(days=31)
        return first.replace(day=1)


def _state(paper: Paper) -> str:
    return "valid" if paper.reason is None else "held" if paper.reason == HOLD else "revoked"
