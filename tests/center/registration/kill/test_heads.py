"""SIGKILL while a second head of a union registers: nothing of theirs or all of it, and the first one's stands."""

from __future__ import annotations

import asyncio
import json
import signal
from dataclasses import dataclass
from pathlib import Path
from urllib.request import urlopen

import pytest
from tests.center.registration.kill import walks
from tests.center.registration.kill.ground import Case, Ground
from tests.center.registration.kill.person import CODE, Died, Fields, Person, pair

from ingam.run.cli.customer_desk import HeadTold, opened
from ingam.sandbox.people import BANKING_PASSWORD, person
from ingam.sandbox.people import Person as Demo
from ingam.settings import read

LEE, KIM = person("lee"), person("kim")
FIRST, SECOND = "union-head", "somebody-elses"


@dataclass
class OfUnion(Person):
    """A head at a browser of their own: the union's ID, and a number and a telephone of their own."""

    demo: Demo = LEE

    def log_in(self, password: str = BANKING_PASSWORD) -> None:
        self.get("/login")
        self.post("/login/id", {"banking_id": LEE.banking_id, "password": password})

    def identify(self, **changed: str) -> str:
        return super().identify(**{"banking_id": LEE.banking_id, "idn": self.demo.idn, **changed})

    def prove(self, **changed: str) -> str:
        own: Fields = {"number_back": self.demo.idn[6:], "phone_back": self.demo.mobile[-4:]}
        return super().prove(**{**own, **changed})


def union(case: Case) -> None:
    """Kim is a head of Lee's union beside Lee."""
    case.env["INGAM_UNION_HEADS"] = "2"

    async def add() -> None:
        async with opened(read(case.env)) as desk:
            assert await desk.add_head(LEE.banking_id, HeadTold(KIM.name, KIM.idn, KIM.mobile)) == 2

    asyncio.run(add())


def head(case: Case, demo: Demo) -> OfUnion:
    """Who reads the codes on a telephone of their own."""

    def newest() -> str:
        case.delivered()
        with urlopen(f"http://localhost:{case.ground.port + 6}/phone/{demo.mobile}.json", timeout=10) as answer:
            texts = [str(one["text"]) for one in json.load(answer)]
        return next((match[1] for text in texts if (match := CODE.search(text)) is not None), "000000")

    plain = case.person()
    return OfUnion(plain.origin, plain.folders, newest, plain.before, plain.client, demo=demo)


def standing(case: Case) -> dict[int, str]:
    return {row["slot"]: row["fingerprint"] for row in case.now().binding if row["status"] == "ACTIVE"}


def of(slug: str, ground: Ground) -> str:
    return pair(str(Path(ground.folders[slug])))[0].fingerprint.hex()


@pytest.mark.parametrize(
    ("step", "store"),
    [
        (17, "postgresql"), (18, "sqlite"), pytest.param(17, "sqlite", marks=pytest.mark.soak),
        pytest.param(18, "postgresql", marks=pytest.mark.soak),
    ],
)  # fmt: skip
def test_kill_while_a_second_head_registers(ground: Ground, step: int, store: str) -> None:
    case = ground.case(store)
    try:
        union(case)
        case.start()
        first = head(case, LEE)
        first.log_in()
        walks.walk_on(first, FIRST)
        case.restart(f"registration.{step}")
        second = head(case, KIM)
        second.log_in()
        with pytest.raises(Died):
            walks.walk_on(second, SECOND)
        assert case.died() == -signal.SIGKILL
        one, two = of(FIRST, ground), of(SECOND, ground)
        assert standing(case) == ({1: one} if step == 17 else {1: one, 2: two})
        case.start()
        walks.walk_on(second, SECOND)
        assert second.screen == "registered"
        assert standing(case) == {1: one, 2: two}
        for who, slug in ((first, FIRST), (second, SECOND)):
            assert "대출" in who.log_in_with(slug) and who.status == 200
        slots = [row["slot"] for row in case.now().session if row["level"] == "cert" and row["ended_at"] is None]
        assert sorted(slots) == [1, 2]
    finally:
        case.stop()
