"""A QR code as a path and as lines: every module where it belongs, a quiet zone around it."""

from __future__ import annotations

import re

import segno

from ingam.page.qr import QUIET, QrCode

ADDRESS = "https://demo.example:8700/issuance/new"


def modules(path: str) -> set[tuple[int, int]]:
    """The dark modules that a path fills."""
    runs = re.findall(r"M(\d+) (\d+)h(\d+)v1h-\3z", path)
    assert "".join(f"M{x} {y}h{n}v1h-{n}z" for x, y, n in runs) == path
    return {(int(x) + step, int(y)) for x, y, n in runs for step in range(int(n))}


def test_the_path_fills_exactly_the_dark_modules_and_keeps_the_quiet_zone() -> None:
    code, made = QrCode.of(ADDRESS), segno.make(ADDRESS, error="m", micro=False)
    dark = {(x + QUIET, y + QUIET) for y, row in enumerate(made.matrix) for x, one in enumerate(row) if one}
    assert modules(code.path) == dark
    assert code.size == len(made.matrix) + 2 * QUIET
    assert min(x for x, _ in dark) == QUIET and max(y for _, y in dark) == code.size - QUIET - 1


def test_a_terminal_shows_the_same_modules_in_half_blocks() -> None:
    code = QrCode.of(ADDRESS)
    seen = set()
    for number, line in enumerate(code.lines()):
        text = line.removeprefix("\x1b[30;47m").removesuffix("\x1b[0m")
        assert len(text) == code.size
        for x, letter in enumerate(text):
            seen |= {(x, 2 * number)} if letter in "▀█" else set()
            seen |= {(x, 2 * number + 1)} if letter in "▄█" else set()
    assert seen == modules(code.path)
    assert 2 * len(code.lines()) >= code.size
