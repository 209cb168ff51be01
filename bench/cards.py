"""Drawn identity cards, photographed ever worse: how many fields are read right, and how long a card takes.

Both kinds, four spoilings (skew, blur, glare, noise) and all of them together, at six strengths each, twice: 120
photographs. The mild half is the first three strengths. Names and numbers are invented; every photograph is another
person. What a person would have to correct is told apart from what they would be asked to photograph again.
"""

from __future__ import annotations

import asyncio
import random
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date

from PIL import Image
from tests.adapters.card_reader.photographs import ADDRESS, Spoilt, jpeg, photograph

from bench.figures import Figure, at_least, at_most, report
from ingam.adapters.card_reader.tesseract import TesseractReader
from ingam.kernel.errors import Refusal
from ingam.ports.card_reader import CardKind, Reading
from ingam.sandbox import cards
from ingam.sandbox.cards import LicenceFace, ResidentFace

STRENGTHS = tuple(step / 6 for step in range(1, 7))
MILD = 0.5
SPOILINGS = ("skew", "blur", "glare", "noise", "all")
NAMES = (
    "홍길동", "김증권", "이조합", "남궁민수", "박하늘", "최은결", "정다온", "강바다",
    "윤서준", "한별", "오로라", "Alex Sample", "임꺽정", "서가온", "권나루", "황보람",
    "신유빈", "곽두리", "배찬솔", "노을", "문채원", "양지훈", "선우진", "Kim Mina",
)  # fmt: skip
HANJA = "洪吉童金證券"
SECONDS = 3.0
EACH = 2
SEED = 2026
"""Not the one that the reader was tuned with."""


@dataclass(frozen=True, slots=True)
class Shot:
    """One photograph and what is right."""

    kind: CardKind
    spoiling: str
    strength: float
    image: bytes = field(repr=False)
    right: dict[str, str] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Outcome:
    """`reading` is None where it was refused, with the refusal's code."""

    shot: Shot
    reading: Reading | None
    code: str
    seconds: float


def shots() -> Iterator[Shot]:
    """The photographs, the same in every run."""
    drawn = random.Random(SEED)
    number = 0
    for kind in CardKind:
        names: list[str] = []
        for spoiling in SPOILINGS:
            for strength in STRENGTHS * EACH:
                number += 1
                names = names or drawn.sample(NAMES, len(NAMES))
                card, right = _card(kind, number, names.pop(), drawn)
                image = jpeg(photograph(card, _spoilt(spoiling, strength), seed=SEED + number))
                yield Shot(kind, spoiling, strength, image, right)


def _spoilt(spoiling: str, strength: float) -> Spoilt:
    if spoiling == "all":
        return Spoilt(strength, strength / 2, strength / 2, strength / 2)
    return Spoilt(**{spoiling: strength})


def _card(kind: CardKind, number: int, name: str, drawn: random.Random) -> tuple[Image.Image, dict[str, str]]:
    family = ("noto", "nanum")[number % 2]
    born = date(drawn.randint(1950, 2004), drawn.randint(1, 12), drawn.randint(1, 28))
    idn = f"{born:%y%m%d}{(1 if born.year < 2000 else 3) + number % 2}{number:06d}"
    given = date(drawn.randint(2002, 2025), drawn.randint(1, 12), drawn.randint(1, 28))
    if kind is CardKind.RESIDENT:
        hanja = HANJA[: len(name)] if name[0] > "z" and number % 3 else ""
        face = ResidentFace(name, idn, given, ADDRESS, hanja=hanja)
        return cards.resident_card(face, family), {"name": name, "idn": idn, "issued_on": f"{given:%Y%m%d}"}
    head = "서울" if number % 4 == 0 else f"{drawn.randint(11, 28)}"
    tail = f"{drawn.randint(0, 25):02d}-{drawn.randint(0, 999_999):06d}-{drawn.randint(10, 99)}"
    serial = "".join(drawn.choices("ABCDEFGHJKLMNPQRSTUVWXYZ", k=2)) + f"{drawn.randint(0, 9999):04d}"
    shown = f"{head} {tail}" if head == "서울" else f"{head}-{tail}"
    licence = LicenceFace(name, idn, shown, serial, given, ADDRESS)
    right = {"name": name, "birth_date": f"{born:%Y%m%d}", "number": f"{head}-{tail}", "serial": serial}
    return cards.driver_licence(licence, family), right


async def read(taken: list[Shot]) -> list[Outcome]:
    """All of them, one after the other, as people send them."""
    outcomes = []
    async with TesseractReader() as reader:
        for shot in taken:
            start = time.perf_counter()
            reading, code = None, ""
            try:
                reading = await reader.read(shot.image, shot.kind)
            except Refusal as refusal:
                code = refusal.code
            outcomes.append(Outcome(shot, reading, code, time.perf_counter() - start))
    return outcomes


def share(outcomes: list[Outcome], *names: str) -> float:
    """Percent of these fields that are right; a refused photograph has none right."""
    wanted = [(one, name) for one in outcomes for name in names if name in one.shot.right]
    right = sum(
        one.reading is not None and one.reading.fields.get(name) == one.shot.right[name] for one, name in wanted
    )
    return 100 * right / max(len(wanted), 1)


def wrong(outcomes: list[Outcome]) -> float:
    """Percent of names and numbers that were given, with confidence of a half or more, and are not right."""
    given = [
        (one, name) for one in outcomes if one.reading
        for name in ("name", "idn", "birth_date", "number") if one.reading.sure.get(name, 0) >= 0.5
    ]  # fmt: skip
    off = sum(one.reading is not None and one.reading.fields[name] != one.shot.right[name] for one, name in given)
    return 100 * off / max(len(given), 1)


def figures(outcomes: list[Outcome]) -> list[Figure]:
    """Of the mild half with aims; of the rest as it is."""
    mild = [one for one in outcomes if one.shot.strength <= MILD]
    hard = [one for one in outcomes if one.shot.strength > MILD]
    told = [
        at_least("cards mild name", share(mild, "name"), "%", 90),
        at_least("cards mild registration number or birth date", share(mild, "idn", "birth_date"), "%", 90),
        at_least("cards mild name and numbers", share(mild, "name", "idn", "birth_date", "number"), "%", 90),
        Figure("cards mild licence number", share(mild, "number"), "%"),
        Figure("cards mild date of issue", share(mild, "issued_on"), "%"),
        Figure("cards mild serial", share(mild, "serial"), "%"),
        Figure("cards hard name", share(hard, "name"), "%"),
        Figure("cards hard registration number or birth date", share(hard, "idn", "birth_date"), "%"),
        Figure("cards hard licence number", share(hard, "number"), "%"),
        Figure("cards hard date of issue", share(hard, "issued_on"), "%"),
        Figure("cards hard serial", share(hard, "serial"), "%"),
        Figure(
            "cards hard refused, to be photographed again", 100 * sum(bool(one.code) for one in hard) / len(hard), "%"
        ),
        Figure("cards wrong though sure, name and numbers", wrong(outcomes), "%"),
    ]
    for spoiling in SPOILINGS:
        for half, part in (("mild", mild), ("hard", hard)):
            some = [one for one in part if one.shot.spoiling == spoiling]
            told.append(
                Figure(f"cards {half} {spoiling} name and number", share(some, "name", "idn", "birth_date"), "%")
            )
    seconds = sorted(one.seconds for one in outcomes)
    told.append(at_most("cards median of a card", seconds[len(seconds) // 2], "s", SECONDS))
    told.append(Figure("cards slowest card", seconds[-1], "s"))
    return told


def main() -> int:
    """Reads them and reports; 0 where every aim was met."""
    outcomes = asyncio.run(read(list(shots())))
    if "-v" in sys.argv:
        for one in outcomes:
            got = one.reading.fields if one.reading else {}
            off = {name: (got.get(name), right) for name, right in one.shot.right.items() if got.get(name) != right}
            print(one.shot.kind, one.shot.spoiling, f"{one.shot.strength:.2f}", f"{one.seconds:.2f}", one.code, off)
    return 0 if report("cards", figures(outcomes)) else 1


if __name__ == "__main__":
    sys.exit(main())
