"""The long form of killing: random walks, steps, instants, stores, double posts, two tabs; several deaths a walk."""

from __future__ import annotations

import os
import signal
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from random import Random
from threading import Timer

import pytest
from tests.center.registration.kill import invariants, walks
from tests.center.registration.kill.ground import NEW, OLD, STORES, THIRD, Case, Ground
from tests.center.registration.kill.person import Died, Person, pair

from ingam.center.registration.steps import STEPS

SEEDS = 20
MOST_LIVES = 12
WIDE = {
    "sms_a_day": 90, "sms_person_a_day": 90, "nonces_open": 60, "nonces_an_hour": 600, "login_max_fail": 60,
    "vid_max_fail": 60, "no_medium_max_fail": 60, "sms_wrong_a_day": 90,
}  # fmt: skip
DETOURS = (walks.back, walks.cancel, walks.time_over, walks.wrong_number, walks.wrong_code, walks.others_certificate)


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(SEEDS))
def test_kill_anywhere_several_times_with_double_posts_and_two_tabs(ground: Ground, seed: int) -> None:
    random = Random(seed)
    store, stage = random.choice(STORES), random.choice(("enrolled", "bound"))
    case = ground.case(store, stage, **WIDE)
    kills = random.randint(1, 4)
    deaths: Counter[str] = Counter()
    try:
        case.start()
        one = case.person()
        one.log_in()
        one.entrance = "/registration?new=1"
        tab = case.second_tab(one)
        while deaths["killed"] < kills and deaths.total() < MOST_LIVES:
            deaths[_armed(case, one, tab, random)] += 1
            invariants.at_every_instant(case.now())
        assert deaths["killed"] > 0
        case.restart(None)
        slug = random.choice((OLD, NEW, THIRD))
        walks.walk_on(one, slug)
        assert one.screen == "registered", one.page
        assert case.now().active() == [pair(one.folders[slug])[0].fingerprint.hex()]
        assert "대출" in one.log_in_with(slug)
        invariants.at_the_end(case)
    finally:
        case.stop()


def _armed(case: Case, one: Person, tab: Person, random: Random) -> str:
    """A life that ends at a numbered step, or, one in three, at any instant at all."""
    at_a_step = random.random() < 0.67
    case.restart(random.choice(STEPS)[0] if at_a_step else None)
    assert case.center is not None
    killer = Timer(random.uniform(0.05, 2), os.kill, (case.center.pid, signal.SIGKILL))
    if not at_a_step:
        killer.start()
    try:
        return _life(case, one, tab, random)
    finally:
        killer.cancel()
        if killer.ident is not None:
            killer.join()


def _life(case: Case, one: Person, tab: Person, random: Random) -> str:
    """One life of the center: people do what people do until it dies, or until they have done it all."""
    careless = random.random() < 0.7
    try:
        if random.random() < 0.6:
            _detour(case, one, random)
        if careless:
            _careless(case, one, tab, random)
        walks.walk_on(one, random.choice((OLD, NEW, THIRD)))
    except Died:
        assert case.died() == -signal.SIGKILL
        return "killed"
    return "lived"


def _detour(case: Case, one: Person, random: Random) -> None:
    with suppress(walks.Lost):  # it begins where the last life ended, which may be behind the place it is about
        random.choice(DETOURS)(case, one)


def _careless(case: Case, one: Person, tab: Person, random: Random) -> None:
    """Old forms again, the same form twice at one moment, and the other tab."""
    tab.get()
    for _ in range(random.randint(1, 4)):
        path, fields = random.choice(one.posts)
        with ThreadPoolExecutor(2) as both:
            sent = [both.submit(each.send, path, fields) for each in (one, tab)]
        for answer in sent:
            answer.result()
    if random.random() < 0.5:
        walks.walk_on(tab, random.choice((OLD, NEW)))
