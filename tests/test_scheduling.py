"""Tests that share what is made once, or that must not meet, run in one worker."""

from __future__ import annotations

from pathlib import Path

import pytest
from xdist.scheduler import LoadScopeScheduling

from tests.scheduling import FIRST, TESTS, group_of, turn_of


@pytest.mark.parametrize(
    ("nodeid", "group"),
    [
        ("tests/interop/test_life.py::test_x[a@b]", "interop"),
        ("tests/interop/test_npki.py::test_y", "interop"),
        ("tests/center/registration/kill/test_heads.py::test_x[17-sqlite]", "center/registration/kill"),
        ("tests/center/registration/kill/test_the_command.py::test_y", "center/registration/kill"),
        ("tests/run/test_va.py::test_x[::1]", "run/test_va.py"),
        ("tests/run/test_va.py::test_y", "run/test_va.py"),
        ("tests/journeys/registration/test_identifying.py::test_x", "locks"),
        ("tests/journeys/test_screens.py::test_x", "tests/journeys/test_screens.py::test_x"),
    ],
)
def test_a_module_is_a_group_unless_it_names_one(nodeid: str, group: str) -> None:
    assert group_of(nodeid) == group


def test_the_schedulers_way_of_splitting_is_still_called_so() -> None:
    assert callable(LoadScopeScheduling._split_scope)


def test_what_takes_longest_is_there_and_begins_first() -> None:
    assert all((TESTS / place).exists() for place in FIRST)
    assert turn_of(TESTS / "run" / "test_demo.py") < turn_of(TESTS / "run" / "test_http.py") < turn_of(Path(__file__))
