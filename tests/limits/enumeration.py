"""How long a refusal takes, by what was wrong: samples of whole requests in random order, and whether they tell apart.

Two places where somebody could ask who is a customer: the login (unknown ID, wrong password), and ①본인확인 of a
registration (unknown ID, wrong password, wrong number). Real Argon2id, a real store; no network, which would
hide it in noise.
"""

from __future__ import annotations

import math
import random
from dataclasses import replace
from itertools import combinations
from pathlib import Path
from time import perf_counter
from typing import Any

from tests.center.world import HONG, PASSWORD, WRONG, Browser, opened

from ingam.kernel.secret import Secret
from ingam.ports.customers import NewCustomer

WARM = 20
MANY = 10**9
OPEN: dict[str, Any] = {
    "login_max_fail": MANY, "vid_max_fail": MANY, "id_logins_an_hour": MANY, "device_logins_an_hour": MANY,
    "address_logins_an_hour": MANY,
}  # fmt: skip
"""So that every sample is refused for what it typed, and for nothing else."""

LEE = replace(HONG, customer_id="c-lee", banking_id="leesec01", idn=Secret("9001011234567"), mobile="01085134321")
CASES: dict[str, tuple[str, dict[str, str]]] = {
    "login: unknown ID": ("/login/id", {"banking_id": "nobody01", "password": WRONG}),
    "login: wrong password": ("/login/id", {"banking_id": LEE.banking_id, "password": WRONG}),
    "registration: unknown ID": ("/registration/identify", {"banking_id": "nobody01", "password": PASSWORD}),
    "registration: wrong password": ("/registration/identify", {"banking_id": LEE.banking_id, "password": WRONG}),
    "registration: wrong number": ("/registration/identify", {"banking_id": LEE.banking_id, "password": PASSWORD}),
}
NUMBER = "9001012345678"
"""Never the right one."""


async def samples(url: str, folder: Path, rounds: int, warm: int = WARM) -> dict[str, list[float]]:
    """Seconds of `rounds` requests of each case, after `warm` others, in an order drawn anew for each round."""
    async with opened(url, folder, cheap_passwords=False, **OPEN) as world:
        await world.ports.customers.enrol(NewCustomer(LEE, Secret(PASSWORD)))
        visitor, registering = world.browser(), world.browser()
        await visitor.get("/login")
        assert (await registering.log_in(LEE)).status_code == 303
        await registering.get("/registration")
        hidden = {name: _hidden(registering, name) for name in ("run", "version")}
        found: dict[str, list[float]] = {name: [] for name in CASES}
        orders = random.Random(rounds)
        for number in range(rounds + warm):
            for name in orders.sample(list(CASES), len(CASES)):
                path, typed = CASES[name]
                at_login = path.startswith("/login")
                fields = typed if at_login else {**hidden, **typed, "idn": NUMBER}
                seconds = await _timed(visitor if at_login else registering, path, fields)
                if number >= warm:
                    found[name].append(seconds)
        return found


async def _timed(browser: Browser, path: str, fields: dict[str, str]) -> float:
    begun = perf_counter()
    answer = await browser.send(path, fields)
    seconds = perf_counter() - begun
    assert answer.status_code in (401, 422), answer.text
    return seconds


def _hidden(browser: Browser, name: str) -> str:
    return browser.page.partition(f'name="{name}" value="')[2].partition('"')[0]


def apart(one: list[float], other: list[float]) -> tuple[float, float]:
    """Kolmogorov-Smirnov: the largest distance of two distributions, and how likely it is by chance."""
    values = sorted([(seconds, 0) for seconds in one] + [(seconds, 1) for seconds in other])
    seen, distance = [0, 0], 0.0
    for _, which in values:
        seen[which] += 1
        distance = max(distance, abs(seen[0] / len(one) - seen[1] / len(other)))
    root = math.sqrt(len(one) * len(other) / (len(one) + len(other)))
    reach = (root + 0.12 + 0.11 / root) * distance
    series = sum((-1) ** (k - 1) * math.exp(-2 * k * k * reach * reach) for k in range(1, 101))
    return distance, min(1.0, max(0.0, 2 * series)) if reach > 0.2 else 1.0


def pairs(found: dict[str, list[float]]) -> dict[tuple[str, str], tuple[float, float]]:
    """Distance and likelihood of every two cases of one place."""
    return {
        (one, other): apart(found[one], found[other])
        for one, other in combinations(found, 2)
        if one.partition(":")[0] == other.partition(":")[0]
    }
