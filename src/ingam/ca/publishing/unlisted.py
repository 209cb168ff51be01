"""Which changes are on no list yet, by generation and partition: since when each list is behind.

Changes are kept by the second, not one by one: a bulk revocation of a million is a handful of numbers.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final

from ingam.ca.publishing.lists import EVERYTHING
from ingam.ports.books import Change

MOST_SPANS: Final = 256
SPAN: Final = timedelta(seconds=1)


class Unlisted:
    """Fed with changes in their order, asked for one list at a time."""

    def __init__(self, after: int) -> None:
        self.newest = after
        self._spans: dict[tuple[int, int], list[tuple[datetime, int]]] = {}

    def feed(self, changes: Iterable[Change]) -> None:
        """More changes, each newer than those before."""
        for one in changes:
            self.newest = max(self.newest, one.seq)
            for partition in (one.partition, EVERYTHING):
                self._add(self._spans.setdefault((one.ca, partition), []), one)

    def since(self, ca: int, partition: int, seq: int) -> datetime | None:
        """When the first change behind `seq` came, to the second; None: there is none."""
        spans = self._spans.get((ca, partition), ())
        return next((began for began, last in spans if last > seq), None)

    def listed(self, ca: int, partition: int, seq: int) -> None:
        """All lists of this scope hold every change up to `seq`."""
        spans = self._spans.get((ca, partition), [])
        spans[:] = [one for one in spans if one[1] > seq]

    @staticmethod
    def _add(spans: list[tuple[datetime, int]], one: Change) -> None:
        if spans and one.at - spans[-1][0] < SPAN:
            spans[-1] = (spans[-1][0], one.seq)
            return
        spans.append((one.at, one.seq))
        if len(spans) > MOST_SPANS:
            spans[:2] = [(spans[0][0], spans[1][1])]
