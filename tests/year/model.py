"""What has to be true at the end, told from the plan alone: no part of the product is asked, and none is imported.

A certificate is known by the order in which its customer got it: `0`, `1` … A night lies before the morning of its day,
a morning before what happens on it, and that before the evening in which the authorities end what time ends.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Final

from tests.year.plan import AWAY, DAYS, REASONS, SILENT, START, Authority, Buying, Kind, Life, day

REMINDED: Final = (30, 14, 7, 1, 0)
FEE: Final = 4_400
SUPERSEDED, CESSATION, HOLD = 4, 5, 6
LIVE: Final = ("ACTIVE", "SUSPENDED")


@dataclass
class Paper:
    """A certificate at its authority. `reason` None: it stands; 6: it is on hold, since the day `since`."""

    end: date
    here: bool
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
    """Of one customer. `notices`: of the center, by day and kind; `by_authority`: what the authority itself wrote.

    `lists`: what the CRLs say on the days that they are read."""

    ties: list[tuple[int, str]] = field(default_factory=list)
    states: list[str] = field(default_factory=list)
    lists: dict[int, dict[int, int]] = field(default_factory=dict)
    notices: Counter[tuple[int, str]] = field(default_factory=Counter)
    by_authority: Counter[str] = field(default_factory=Counter)
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
        self.words: list[int | None] = []
        self.found = Expected()
        self.today = 0
        self.here = life.authority is Authority.HERE

    def lived(self) -> Expected:
        for number in range(DAYS):
            self.today = number
            if number == self.life.at and self.life.kind is Kind.ISSUED_LATE:
                self.dawn()
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
        self.found.by_authority["issued"] = len(self.papers)
        self.found.states = [_state(paper) for paper in self.papers]
        return self.found

    @property
    def now(self) -> date:
        return day(self.today)

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
            elif not paper.here and self.today in SILENT:
                continue
            elif paper.reason == HOLD and tie.status == "ACTIVE":
                tie.status = "SUSPENDED"
                self.told("found-suspended")
            elif paper.reason not in (None, HOLD):
                tie.status = "STALE"
                self.told("found-revoked")

    def dawn(self) -> None:
        """No night has found yet that the old one is over. The books hold one at a time of a person and policy, so
        that a new one ends the former also where its time had ended it; the person is told of no such end.
        """
        self.papers[-1].reason = SUPERSEDED
        self.issued(self.life.costs)

    def morning(self) -> None:
        """Of a certificate with two registrations its holder hears once."""
        if self.today == AWAY.stop:
            for word in self.words:
                self.heard(word)
        if self.life.silent:
            return
        for number in {tie.paper for tie in self.ties if self.reminds(tie)}:
            paper = self.papers[number]
            left = (paper.end - self.now).days
            name = f"expires {left}" if left else "expires-today"
            self.told(name if paper.here else f"{name} elsewhere")

    def reminds(self, tie: Tie) -> bool:
        """What is no longer registered is told of where it is our own and stands."""
        paper = self.papers[tie.paper]
        own_former = tie.status in ("REPLACED", "RELEASED") and paper.here and paper.reason is None
        due = (paper.end - self.now).days in REMINDED and tie.bound < self.now
        return due and (tie.status in LIVE or own_former)

    def word(self, reason: int | None) -> None:
        """What our authority is told of the newest certificate; a newer word is told in an older one's place."""
        if not self.papers[-1].here:
            return
        if self.today in AWAY:
            self.words.append(reason)
        else:
            self.heard(reason)

    def heard(self, reason: int | None) -> None:
        paper = self.papers[-1]
        if reason in (None, HOLD):
            reason = None if self.live is not None and self.live.status == "ACTIVE" else HOLD
        if paper.reason != reason:
            self.ended(paper, reason)

    def evening(self) -> None:
        for paper in self.papers:
            if paper.reason == HOLD and six_months_after(paper.since) <= self.now:
                self.ended(paper, CESSATION)

    def ended(self, paper: Paper, reason: int | None) -> None:
        """Its authority tells its holder of every end, hold and release that is not a newer certificate's doing."""
        paper.reason, paper.since = reason, self.now
        self.found.by_authority["resumed" if reason is None else "held" if reason == HOLD else "revoked"] += 1

    # what happens

    def beginning(self) -> None:
        if self.here:
            self.issued(self.life.costs, self.life.buying)
        else:
            self.papers.append(Paper(self.year_from_now, here=False))
            self.tied("registered")

    @property
    def year_from_now(self) -> date:
        return self.now.replace(year=self.now.year + 1)

    def issued(self, costs: bool, buying: Buying = Buying.AT_ONCE) -> None:
        """신규발급."""
        if costs:
            self.bought(buying)
        self.papers.append(Paper(self.year_from_now, here=True))
        self.tied("issued")

    def bought(self, buying: Buying) -> None:
        if buying is Buying.GIVEN_BACK:
            self.papers.append(Paper(self.year_from_now, here=True, reason=CESSATION, since=self.now))
        before = {Buying.DECLINED: "refused", Buying.GIVEN_BACK: "cancelled", Buying.LEFT: "cancelled"}
        self.found.paid += [before[buying]] if buying in before else []
        self.found.paid.append("captured")
        self.found.charged += FEE

    def tied(self, notice: str) -> None:
        if self.live is not None:
            self.live.status = "REPLACED"
        self.ties.append(Tie(len(self.papers) - 1, "ACTIVE", self.now))
        self.told(notice)

    def succeeded(self, end: date) -> None:
        """Another certificate takes the newest one's place at the authority."""
        old = self.papers[-1]
        old.reason = SUPERSEDED
        self.papers.append(Paper(end, old.here))

    def event(self) -> None:
        old, tie, life = self.papers[-1], self.live, self.life
        assert tie is not None
        match life.kind:
            case Kind.RENEWED:
                if life.costs:
                    self.bought(Buying.AT_ONCE)
                self.succeeded(old.end.replace(year=old.end.year + 1))
                self.tied("renewed")
            case Kind.REISSUED:
                self.succeeded(old.end)
                self.tied("reissued")
            case Kind.ISSUED_OVER:
                old.reason = SUPERSEDED
                self.issued(life.costs)
                self.told("superseded")
            case Kind.BOTH | Kind.MOVED:
                self.issued(life.kind is Kind.BOTH)
            case Kind.REVOKED | Kind.ISSUED_AFTER:
                tie.status = "STALE"
                self.word(REASONS[life.reason])
                self.told("revoked")
            case Kind.RENEWED_THERE:
                self.succeeded(old.end.replace(year=old.end.year + 1))
            case Kind.RESUMED | Kind.LAPSED | Kind.REISSUED_HELD | Kind.REVOKED_HELD | Kind.REPORTED_TWICE:
                tie.status = "SUSPENDED"
                self.word(HOLD)
                self.told("suspended" if life.by_report else "held")
            case Kind.RELEASED | Kind.REGISTERED_AGAIN:
                tie.status = "RELEASED"
                self.told("released")
            case Kind.REVOKED_THERE:
                self.ended(old, REASONS[life.reason])
            case Kind.SUSPENDED_THERE | Kind.RESUMED_THERE | Kind.MOVED_HELD:
                self.ended(old, HOLD)
            case Kind.REISSUED_THERE:
                self.succeeded(old.end)
            case Kind.EXPIRES | Kind.ISSUED_LATE:
                pass

    def following(self) -> None:
        match self.life.kind:
            case Kind.RESUMED:
                self.resumed()
            case Kind.RESUMED_THERE:
                self.ended(self.papers[-1], None)
                if self.live is not None and self.live.status == "SUSPENDED":
                    self.resumed()
            case Kind.REISSUED_HELD:
                self.succeeded(self.papers[-1].end)
                self.tied("reissued")
            case Kind.REVOKED_HELD:
                assert self.live is not None
                self.live.status = "STALE"
                self.word(REASONS[self.life.reason])
                self.told("revoked")
            case Kind.ISSUED_AFTER:
                self.issued(self.life.costs)
            case Kind.REPORTED_TWICE:
                self.ended(self.papers[-1], REASONS[self.life.reason])
            case Kind.MOVED_HELD:
                self.issued(costs=False)
            case Kind.REISSUED_THERE | Kind.REGISTERED_AGAIN | Kind.RENEWED_THERE:
                self.tied("replaced" if self.live is not None else "registered")

    def resumed(self) -> None:
        assert self.live is not None
        self.live.status = "ACTIVE"
        self.word(None)
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
