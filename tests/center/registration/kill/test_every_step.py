"""SIGKILL at each numbered step of the registration, on both stores: the old state or the new, and on to the end."""

from __future__ import annotations

import signal
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import pytest
from tests.center.registration.kill import invariants, walks
from tests.center.registration.kill.ground import NEW, OLD, STORES, Case, Ground
from tests.center.registration.kill.person import Died, Person, pair

from ingam.center.registration.steps import STEPS

NOTHING: Counter[str] = Counter()
MOVED = Counter(moves=1, audit=1)
FIRST = {
    1: NOTHING,
    2: NOTHING,
    3: MOVED,
    4: NOTHING,
    5: NOTHING,
    6: MOVED + Counter(issued=1, messages=1),
    7: NOTHING,
    8: NOTHING,
    9: MOVED + Counter(issued=1, used=1),
    11: NOTHING,
    12: Counter(issued=1, audit=1),
    13: NOTHING,
    14: Counter(used=1),
    15: Counter(used=1),
    16: Counter(used=1),
    17: Counter(used=1),
    18: MOVED + Counter(used=2, messages=1, bindings=1),
}
"""What the request in which the center dies leaves behind of its transactions: all of one or nothing of it."""

REBIND = {number: FIRST[number] for number in (13, 14, 15, 16, 17, 18)} | {
    10: NOTHING, 11: MOVED, 12: MOVED + Counter(issued=1, audit=1)}  # fmt: skip

HITS = {
    2: {"login-fail": 1},
    3: {"login-fail": 0},
    5: {"sms-day": 1},
    8: {"no-medium": 1, "sms-try": 1},
    9: {"no-medium": 0},
    15: {"vid-fail": 0},
    16: {"vid-fail": 1},
    17: {"vid-fail": 1},
    18: {"vid-fail": 0},
}
"""Counters then: counted before the work, forgiven with the save that the success allowed."""


@dataclass(frozen=True)
class Death:
    """A walk, the step at which the center dies in it, and what that leaves. `goes_on`: how the person ends."""

    name: str
    walk: walks.Walk
    step: int
    leaves: Counter[str]
    stage: str = "enrolled"
    limits: dict[str, int] = field(default_factory=dict)
    end: str = "registered"

    @property
    def slug(self) -> str:
        """The certificate that the person wants in the end."""
        return NEW if self.stage == "bound" else OLD

    def __str__(self) -> str:
        return f"{self.name}-{self.step}"


def _two(
    name: str, walk: walks.Walk, step: int, then: Counter[str], first: Counter[str] = NOTHING, /, **limits: int
) -> list[Death]:
    """A death before and one after a save."""
    end = "locked" if limits else "registered"
    return [Death(name, walk, step, first, limits=limits, end=end),
            Death(name, walk, step + 1, first + then, limits=limits, end=end)]  # fmt: skip


LINE, LOCK = Counter(audit=1), MOVED + Counter(messages=1)
DEATHS = [
    *(Death("first", walks.first, number, leaves) for number, leaves in FIRST.items()),
    *(Death("rebind", walks.rebind, number, leaves, "bound") for number, leaves in REBIND.items()),
    *_two("back", walks.back, 19, MOVED + Counter(used=1)),
    *_two("cancel", walks.cancel, 19, MOVED),
    *_two("time-over", walks.time_over, 19, MOVED + Counter(used=1)),
    *_two("wrong-number", walks.wrong_number, 21, LINE),
    *_two("wrong-code", walks.wrong_code, 21, LINE),
    *_two("others-certificate", walks.others_certificate, 21, LINE, Counter(used=1)),
    *_two("locked-password", walks.locked_password, 21, LOCK, Counter(audit=1, messages=1), login_max_fail=1),
    *_two("locked-fields", walks.locked_fields, 21, LOCK, no_medium_max_fail=1),
    *_two("locked-certificate", walks.locked_certificate, 21, LOCK, Counter(used=1), vid_max_fail=1),
]


def test_every_numbered_step_has_a_walk_that_dies_there() -> None:
    assert {f"registration.{death.step}" for death in DEATHS} == {name for name, _ in STEPS}


def _cases() -> list[Any]:
    """Every death on one of the stores, turn by turn; on the other one under `make soak`."""
    return [
        pytest.param(death, store, id=f"{death}-{store}", marks=[] if (turn + at) % 2 == 0 else pytest.mark.soak)
        for turn, death in enumerate(DEATHS)
        for at, store in enumerate(STORES)
    ]


@pytest.mark.parametrize(("death", "store"), _cases())
def test_kill_at_a_step_leaves_the_old_state_or_the_new_one(ground: Ground, death: Death, store: str) -> None:
    case = ground.case(store, death.stage, **death.limits)
    try:
        one = _dies(case, death)
        at_death = case.now()
        invariants.at_every_instant(at_death)
        assert case.before is not None
        assert _added(at_death.sizes(), case.before.sizes()) == death.leaves
        if death.name in ("first", "rebind"):
            _check_counters(at_death.hits, death.step)
            _check_binding(at_death.active(), one, death, bound=death.step == 18)
        case.start()
        _once_more(case, one, death)
        walks.walk_on(one, death.slug)
        assert one.screen == death.end
        if death.end == "registered":
            _check_binding(case.now().active(), one, death, bound=True)
            assert "대출" in one.log_in_with(death.slug) and one.status == 200
        _check_forgiven(case, death)
        invariants.at_the_end(case)
    finally:
        case.stop()


def _dies(case: Case, death: Death) -> Person:
    """Walk until the center dies, by SIGKILL and nowhere else."""
    case.start(f"registration.{death.step}")
    one = case.person()
    one.log_in()
    with pytest.raises(Died):
        death.walk(case, one)
    assert case.died() == -signal.SIGKILL
    return one


def _once_more(case: Case, one: Person, death: Death) -> None:
    """What the browser offers first: the same form again. It changes nothing that was changed already."""
    if death.name == "first" and death.step == 3:
        one_more_failure(case, one)
    if death.name in ("time-over",) or death.step in (10, 11, 12):
        return
    moves = case.now().sizes()["moves"]
    one.again()
    saved = death.leaves["moves"] > 0
    if saved:
        assert case.now().sizes()["moves"] == moves


def one_more_failure(case: Case, one: Person) -> None:
    """A wrong password elsewhere: the old form, sent again, must not forgive it."""
    other = case.person()
    other.client.cookies.set("ingam-center-device", one.client.cookies["ingam-center-device"])
    other.log_in("Wrong!2026")
    assert case.now().hits("login-fail") == 1
    one.again()
    assert case.now().hits("login-fail") == 1


def _check_counters(hits: object, step: int) -> None:
    assert callable(hits)
    assert {kind: hits(kind) for kind in HITS.get(step, {})} == HITS.get(step, {})


def _check_binding(active: list[str], one: Person, death: Death, *, bound: bool) -> None:
    """The old one or the new one; never both, and where there was one never none."""
    wanted = death.slug if bound else OLD if death.stage == "bound" else None
    assert active == ([] if wanted is None else [pair(one.folders[wanted])[0].fingerprint.hex()])


def _check_forgiven(case: Case, death: Death) -> None:
    tables = case.now()
    if death.end == "registered":
        assert tables.hits("login-fail") == tables.hits("no-medium") == tables.hits("vid-fail") == 0
    codes = sum(str(row["kind"]).startswith("sms-code:") for row in tables.ledger_issued)
    assert tables.hits("sms-day") >= codes


def _added(now: Counter[str], before: Counter[str]) -> Counter[str]:
    assert all(now[name] >= before[name] for name in before)
    return +(now - before)
