"""Every security rule that what stands so far touches has a test that carries its name, here or in browser/test.

`def test_A3_…` or `def test_A11_A12_…` in tests/, `test('B6 …')` in browser/test/.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
RULES = (
    *(f"A{number}" for number in range(1, 20)),
    *(f"B{number}" for number in range(1, 18)),
    *(f"C{number}" for number in range(1, 15)),
    *(f"D{number}" for number in range(1, 15)),
    "E1", "E2", "E3", "E4", "E5", "E6", "E7", "E8", "E9", "E10", "E11", "E12", "E13",
    "F1", "F2", "F3", "F4", "F5", "F6", "F7", "F8", "F9", "F10", "F11", "F12",
    "G1", "G2", "G3", "G4", "G5", "G6", "G7",
    "H1", "H2", "H3", "H4", "H5", "H6", "H7", "H8", "H9",
)  # fmt: skip

_PYTHON = re.compile(r"^\s*(?:async )?def test_((?:[A-H]\d{1,2}_)+)", re.MULTILINE)
_TYPESCRIPT = re.compile(r"""\b(?:test|it)\(\s*['"`]((?:[A-H]\d{1,2}[ ,:]+)+)""")


def named() -> set[str]:
    """Every rule that a test is named after."""
    found = []
    for path in (ROOT / "tests").rglob("*.py"):
        found += _PYTHON.findall(path.read_text(encoding="utf-8"))
    for path in (ROOT / "browser" / "test").rglob("*.ts"):
        found += _TYPESCRIPT.findall(path.read_text(encoding="utf-8"))
    return {rule for names in found for rule in re.findall(r"[A-H]\d{1,2}", names)}


@pytest.mark.parametrize("rule", RULES)
def test_the_rule_has_a_test_of_its_name(rule: str) -> None:
    assert rule in named()
