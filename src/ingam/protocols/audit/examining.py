"""Examining a whole chain against heads that were signed: what was changed, cut, left out, forked or deleted too soon.

Nothing stops at the first finding. Entries are given in their order; what is wrong is told once, with its place.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Final, NamedTuple

from ingam.kernel.instants import to_micros
from ingam.protocols.audit.chain import START, Entry, link
from ingam.protocols.log.head import TreeHead
from ingam.protocols.log.tree import Frontier

GAP: Final = "audit-gap"
CHANGED: Final = "audit-entry-changed"
BODY_CHANGED: Final = "audit-body-changed"
BODY_MISSING: Final = "audit-body-missing"
STRAY: Final = "audit-body-stray"
CUT: Final = "audit-cut"
FORKED: Final = "audit-forked"
UNCOVERED: Final = "audit-tail-unsigned"
WITNESS_EMPTY: Final = "audit-witness-empty"
WITNESS_FORGOT: Final = "audit-witness-forgot"

MOST: Final = 100
"""Findings that are told; a chain that is all wrong says no more with a million."""


class Finding(NamedTuple):
    """What is wrong. `seq`: the entry; of a cut, the first that is missing; of a fork, the size that was signed; of a
    tail under no head, its first; of a witness (`name`), the size that it is known to have co-signed."""

    code: str
    seq: int
    name: str = ""


class Examiner:
    """Takes entries one by one and compares them with signed heads.

    `late`: an entry from before it has to be under a head by now, and any entry where the newest head is from before
    it: whoever makes a tail anew chooses its instants. None: not asked. Without heads nothing is held to be under one.
    """

    def __init__(self, heads: Sequence[TreeHead] = (), late: datetime | None = None) -> None:
        self.findings: list[Finding] = []
        self.last = 0
        self._heads = sorted(set(heads), key=lambda head: head.size)
        self._link = START
        self._edge = Frontier()
        self._sound = True
        newest = max(heads, key=lambda head: (head.size, head.at), default=None)
        self._covered = None if newest is None or late is None else newest.size
        self._late = 0 if late is None else to_micros(late)
        self._overdue = newest is not None and late is not None and newest.at < late

    def take(self, entries: Iterable[Entry]) -> None:
        """The next entries."""
        for entry in entries:
            self._held_before(entry)
            self._entry(entry)

    def tell(self, code: str, seq: int) -> None:
        """Another finding, of what lies beside the chain."""
        if len(self.findings) < MOST:
            self.findings.append(Finding(code, seq))

    def end(self) -> Sequence[Finding]:
        """All findings, once every entry was taken."""
        for head in self._heads:
            if head.size <= self.last:
                self._compare(head)
            else:
                self.tell(CUT, self.last + 1)
        self._heads = []
        if self._covered is not None and self._overdue and self.last > self._covered:
            self.tell(UNCOVERED, self._covered + 1)
        return self.findings

    def _held_before(self, entry: Entry) -> None:
        """Heads of fewer entries are compared before this one goes in."""
        while self._heads and self._heads[0].size < entry.seq:
            self._compare(self._heads.pop(0))

    def _entry(self, entry: Entry) -> None:
        if entry.seq != self.last + 1:
            self._wrong(GAP, self.last + 1)
        elif link(self._link, *entry[:4]) != entry.link:
            self._wrong(CHANGED, entry.seq)
        if self._covered is not None and entry.seq > self._covered and entry.at < self._late:
            self._overdue = True
        self.last, self._link = entry.seq, entry.link
        self._edge.append(entry.leaf)

    def _wrong(self, code: str, seq: int) -> None:
        self.tell(code, seq)
        self._sound = False

    def _compare(self, head: TreeHead) -> None:
        """A chain that is sound in itself and not the signed one is another chain: somebody made it anew."""
        if self._sound and (self._edge.size != head.size or self._edge.root() != head.root):
            self.tell(FORKED, head.size)
