"""No screen is a dead end: every way out that a template names has its words, and screens that can end have one."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import ingam
from ingam.kernel.words import LANGUAGES, has, say
from ingam.settings import Institution

SOURCE = Path(ingam.__file__).parent
CALL = re.compile(r"part\.ways_out\(\[([^\]]*)\]")
SCREENS = (
    "center/login/templates/login/login.html",
    "center/registration/templates/registration/identifying.html",
    "center/registration/templates/registration/factor.html",
    "center/registration/templates/registration/locked.html",
    "center/copying/templates/copying/send.html",
    "center/issuance/templates/issuance/password.html",
    "center/issuance/templates/issuance/identity.html",
    "center/issuance/templates/issuance/card.html",
    "center/issuance/templates/issuance/account.html",
    "center/issuance/templates/issuance/onewon.html",
)


def named() -> set[str]:
    """Every case that a template names."""
    found: set[str] = set()
    for template in SOURCE.rglob("templates/**/*.html"):
        for names in CALL.findall(template.read_text(encoding="utf-8")):
            found |= set(re.findall(r'"([a-z-]+)"', names))
    return found


@pytest.mark.parametrize("screen", SCREENS)
def test_a_screen_that_can_end_has_a_way_out(screen: str) -> None:
    assert CALL.search((SOURCE / screen).read_text(encoding="utf-8"))


@pytest.mark.parametrize("lang", LANGUAGES)
def test_every_way_out_says_what_to_do(lang: str) -> None:
    ours = Institution()
    facts: dict[str, str | int] = {"tel": ours.tel, "branch": ours.branch_ko, "hours": ours.branch_hours_ko, "h": 72}
    for case in named():
        assert has(f"ways_out.{case}")
        told = say(f"ways_out.{case}-do", lang, **facts)
        assert told and "{" not in told


def test_the_cases_of_the_issue_are_all_there() -> None:
    wanted = {"number-changed", "number-lost", "abroad", "no-landline", "no-id-card", "no-medium", "branch-number"}
    assert wanted <= named()
