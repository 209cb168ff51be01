"""Counts of all workers of a process, in memory that they share: each writes its own row, any of them adds them up.

A worker that was begun anew goes on from its row, so that counters never run back.
"""

from __future__ import annotations

import mmap
from collections.abc import Sequence
from typing import Final

_WIDTH: Final = 1024
"""Numbers of one worker: authorities times counters, and its connections."""


class Tallies:
    """Made before the workers are; then `row(number)` is a worker's own."""

    def __init__(self, workers: int) -> None:
        self._map = mmap.mmap(-1, workers * _WIDTH * 8)
        self._cells = memoryview(self._map).cast("q")
        self._workers = workers

    def row(self, worker: int) -> Row:
        """The numbers of one worker."""
        return Row(self._cells[worker * _WIDTH : (worker + 1) * _WIDTH])

    def sums(self, count: int) -> list[int]:
        """The first `count` numbers, added up over the workers."""
        rows = [self._cells[worker * _WIDTH : worker * _WIDTH + count].tolist() for worker in range(self._workers)]
        return [sum(column) for column in zip(*rows, strict=True)]


class Row:
    """One worker's numbers. What it counts starts from what a worker before it had counted."""

    def __init__(self, cells: memoryview[int]) -> None:
        self._cells = cells
        self._before = cells.tolist()

    def write(self, counted: Sequence[int], standing: Sequence[int]) -> None:
        """`counted`: since this worker began; behind them `standing`: as it is now. Too many are left out."""
        numbers = [before + now for before, now in zip(self._before, counted, strict=False)] + list(standing)
        for at, number in enumerate(numbers[:_WIDTH]):
            self._cells[at] = number
