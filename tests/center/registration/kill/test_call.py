"""The center dies while a telephone rings, and once it was approved: one call, one proof, one registration."""

from __future__ import annotations

import json
import os
import re
import signal
from typing import Any
from urllib.request import Request, urlopen

import pytest
from tests.center.registration.kill import invariants, walks
from tests.center.registration.kill.ground import OLD, STORES, Case, Ground
from tests.center.registration.kill.person import HONG, Died, Person, pair, until

DIGITS = re.compile(r'<strong id="call"[^>]*>([0-9]{2})</strong>')
BESIDE = {"number_back": HONG.idn[6:], "phone_back": HONG.mobile[-4:]}


class Telephone:
    """Hong's telephone at the sandbox, which nobody kills."""

    def __init__(self, ground: Ground) -> None:
        self._origin = f"http://localhost:{ground.port + 6}"
        self._at = f"{self._origin}/phone/{HONG.mobile}/call"

    @property
    def call(self) -> dict[str, Any] | None:
        """The newest call, {id, state, keyed …}."""
        with urlopen(f"{self._at}.json", timeout=10) as answer:
            found: dict[str, Any] | None = json.load(answer)["call"]
            return found

    def rings(self, after: str = "") -> str:
        """Wait for a call other than `after`; its id."""
        until(lambda: (one := self.call) is not None and one["state"] == "ringing" and one["id"] != after, "it rings")
        assert self.call is not None
        return str(self.call["id"])

    def answer(self, digits: str) -> None:
        """받기, and the digits."""
        for act in ({"act": "answer"}, *({"act": "key", "key": digit} for digit in digits)):
            headers = {"content-type": "application/json", "origin": self._origin}
            urlopen(Request(self._at, json.dumps(act).encode(), headers)).close()


def calls(one: Person) -> str:
    """전화 요청; the two digits of the screen. Whoever is told that a call is under way still waits."""
    shown: list[str] = []

    def asked() -> bool:
        one.post("/registration/factor/request", {"method": "ars", "to": "mobile"})
        shown[:] = DIGITS.findall(one.page)
        return bool(shown)

    until(asked, "the screen shows two digits")
    return shown[0]


def state(one: Person) -> str:
    """How the page's script hears that the call stands."""
    return str(one.client.get("/registration/factor/call").json()["state"])


def dies(case: Case) -> None:
    """SIGKILL, now."""
    assert case.center is not None
    os.kill(case.center.pid, signal.SIGKILL)
    assert case.died() == -signal.SIGKILL


def registered_once(case: Case, one: Person, *, placed: int) -> None:
    """The walk is over: one registration and one used proof, and each call rang once."""
    tables = case.now()
    assert tables.active() == [pair(one.folders[OLD])[0].fingerprint.hex()]
    used = [row for row in tables.ledger_used if row["kind"] == "proof" and not row["voided"]]
    assert len(used) == 1 and len(tables.calls) == placed
    invariants.at_the_end(case)


def to_choice(case: Case) -> Person:
    one = case.person()
    one.log_in()
    walks.until_screen(one, "choosing")
    return one


@pytest.mark.parametrize("store", [STORES[0], pytest.param(STORES[1], marks=pytest.mark.soak)])
def test_who_dies_while_the_telephone_rings_approves_nothing_and_rings_it_once(ground: Ground, store: str) -> None:
    case, telephone = ground.case(store, ars_call_s=3, ars_ttl_s=6), Telephone(ground)
    try:
        case.start()
        one = to_choice(case)
        digits = calls(one)
        rang = telephone.rings()
        dies(case)
        telephone.answer(digits)  # the right digits, for nobody
        case.database.leases_ran_out()
        case.start()
        one.get()
        one.post("/registration/factor", {"method": "ars", **BESIDE})
        assert one.screen == "choosing" and one.status == 422
        until(lambda: state(one) == "failed", "the call has an end")
        assert telephone.call is not None and telephone.call["id"] == rang
        urlopen(_hung_up(telephone, ground)).close()
        one.get()
        again = calls(one)
        assert telephone.rings(rang) != rang
        telephone.answer(again)
        until(lambda: state(one) == "approved", "it is approved")
        one.post("/registration/factor", {"method": "ars", **BESIDE})
        walks.walk_on(one, OLD)
        registered_once(case, one, placed=2)
    finally:
        case.stop()


def _hung_up(telephone: Telephone, ground: Ground) -> Request:
    """Nobody is on the line: the person puts the telephone down."""
    origin = f"http://localhost:{ground.port + 6}"
    headers = {"content-type": "application/json", "origin": origin}
    return Request(f"{origin}/phone/{HONG.mobile}/call", b'{"act": "hang-up"}', headers)


@pytest.mark.parametrize(
    ("store", "step"),
    [(STORES[0], 0), (STORES[1], 8), *(pytest.param(STORES[0], step, marks=pytest.mark.soak) for step in (9, 18))],
)
def test_an_approval_outlives_the_center_and_is_good_once(ground: Ground, store: str, step: int) -> None:
    """`step` 0: it dies between the approval and 다음; else in 다음 (8, 9) or in what the proof authorises (18)."""
    case, telephone = ground.case(store), Telephone(ground)
    try:
        case.start(f"registration.{step}" if step else None)
        one = to_choice(case)
        digits = calls(one)
        telephone.rings()
        telephone.answer(digits)
        until(lambda: state(one) == "approved", "it is approved")
        if step == 0:
            dies(case)
        else:
            with pytest.raises(Died):
                one.post("/registration/factor", {"method": "ars", **BESIDE})
                walks.walk_on(one, OLD)
            assert case.died() == -signal.SIGKILL
        case.database.leases_ran_out()
        case.start()
        one.get()
        if step in (0, 8):
            one.post("/registration/factor", {"method": "ars", **BESIDE})
        moves = case.now().sizes()["moves"]
        one.again()  # the browser's old form once more
        assert case.now().sizes()["moves"] == moves
        walks.walk_on(one, OLD)
        registered_once(case, one, placed=1)
    finally:
        case.stop()
