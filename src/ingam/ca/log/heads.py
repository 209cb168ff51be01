"""Heads in batches: everything in the books since the last one, compared, signed, co-signed, recorded, published.

The log is never forked by us: before a head is signed, the tree of the books is held against the last head in the books
and the one in the published folder, and every witness gets a consistency proof from the head that it saw last.
"""

from __future__ import annotations

from collections.abc import MutableMapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final, Protocol

from ingam.ca.log.published import PublishedLog
from ingam.ca.log.stored import BooksChanged, BooksCut, StoredTree, keep
from ingam.ca.log.witness import SeenAnother, Witness, WitnessForgot, ask
from ingam.kernel.errors import Failure, Outage, Refusal
from ingam.ports.books import Head, Nodes, OlderList
from ingam.ports.signing import Intent
from ingam.protocols.log import keys, note, witnessing
from ingam.protocols.log.head import TreeHead
from ingam.protocols.log.note import MOST_SIGNATURES, NoteSignature, UnverifiedNote
from ingam.protocols.log.proof import Inconsistent

COSIGNED: Final = "cosigned"
FRESH: Final = timedelta(minutes=5)


class WitnessesAway(Outage):
    """Too few witnesses co-signed (facts: found, needed); the leaves wait for the next batch."""

    code = "log-witnesses-away"


class _Signed(Protocol):
    @property
    def size(self) -> int: ...

    @property
    def root(self) -> bytes: ...


class _Public(Protocol):
    @property
    def spki(self) -> bytes: ...


class HeadSigner(Protocol):
    """Who signs heads: a key of an authority (`ports.signing.Signer`), or one that does nothing else."""

    @property
    def public(self) -> _Public:
        """Its public half."""

    def sign(self, intent: Intent) -> bytes:
        """The signature over the body of a head."""


class Log:
    """The log of one authority. `origin`: its name for ever; `needed`: co-signatures that a head must have, None: all.

    `fresh`: a head is signed anew after this time also where nothing happened, so that a log that stands still is
    noticed. At most 15 witnesses: a note has 16 lines.
    `known`: by witness, the size that it surely remembers, kept by whoever wants that to outlast the process; without
    it only the last head's own lines do. 0: it is fed again from wherever it is.
    `leaves` and `signer` block: call `publish` in a thread of its own, with a handle of the books of its own.
    """

    def __init__(
        self,
        leaves: Nodes,
        signer: HeadSigner,
        origin: str,
        published: PublishedLog,
        witnesses: Sequence[Witness] = (),
        needed: int | None = None,
        fresh: timedelta = FRESH,
        known: MutableMapping[str, int] | None = None,
    ) -> None:
        if len(witnesses) >= MOST_SIGNATURES:
            raise ValueError("too many witnesses for a note")
        self._leaves, self._signer, self._published = leaves, signer, published
        self._witnesses = tuple(witnesses)
        self._needed = len(self._witnesses) if needed is None else needed
        self._key, self._fresh = keys.log_key(origin, signer.public.spki), fresh
        self.answers: dict[str, str] = {}
        """By witness: `cosigned`, or the code of why not, as of its last answer."""
        self.alarms: dict[str, Failure] = {}
        """Those that somebody has to look at: to that witness the log is a fork, or it forgot what it co-signed."""
        self._known: MutableMapping[str, int] = {} if known is None else known

    def publish(self, at: datetime) -> Head:
        """A head over every leaf that is in the books, if there is something new to say; returns the newest.

        Raises BooksCut, BooksChanged, TreeIncomplete (nothing is signed then), WitnessesAway, SigningOutage,
        PublicationOutage (it is recorded, and published next time), BooksOutage.
        """
        # 1. What was signed before, and only then how much there is now: another process may be at it too.
        shown, last = self._published.head(), self._leaves.head()
        self._learn(last)
        size = self._leaves.size()
        # 2. Nothing that was signed is missing or was changed.
        tree = self._tree(size, last)
        for signed in (shown, last):
            _compare(tree, signed)
        # 3. Sign and co-sign what is new; the books decide whose head stands (security D13).
        head = self._recorded(tree, last, at)
        # 4. For everybody.
        self._published.publish(tree if head.size == size else StoredTree(self._leaves, head.size), head)
        return head

    def _learn(self, last: Head | None) -> None:
        """Witnesses of which nothing is known, from the last head's lines."""
        if last is None or all(one.key.name in self._known for one in self._witnesses):
            return
        lines = note.parse(last.text).signatures
        for one in self._witnesses:
            if one.key.name not in self._known and any(line.by(one.key) for line in lines):
                self._known[one.key.name] = last.size

    def _tree(self, size: int, last: Head | None) -> StoredTree:
        begin = 0 if last is None else last.size
        if size < begin:
            raise BooksCut(size=size, kept=begin)
        keep(self._leaves, begin, size)
        return StoredTree(self._leaves, size)

    def _recorded(self, tree: StoredTree, last: Head | None, at: datetime) -> Head:
        if last is not None and last.size == tree.size and at - last.at < self._fresh:
            said, given = last.at, note.parse(last.text)
        else:
            said = _not_before(last, at)
            given = self._signed(tree, said)
        lines = self._cosigned(tree, given, 0 if last is None else last.size)
        text = given._replace(signatures=(*given.signatures, *lines)).text
        if last is not None and last.text == text:
            return last
        return self._stands(Head(tree.size, tree.root(), said, text))

    def _signed(self, tree: StoredTree, said: datetime) -> UnverifiedNote:
        body = TreeHead(self._key.name, tree.size, tree.root(), said).body
        signature = self._signer.sign(Intent.of(body.encode("ascii")))
        return UnverifiedNote(body, (NoteSignature(self._key.name, self._key.id, signature),))

    def _stands(self, head: Head) -> Head:
        """This head, or that of a process that was faster."""
        try:
            self._leaves.publish_head(head)
        except OlderList:
            return self._leaves.head() or head
        return head

    def _cosigned(self, tree: StoredTree, given: UnverifiedNote, old: int) -> list[NoteSignature]:
        """The signatures of those witnesses that the note lacks and that answer."""
        lacking = [one for one in self._witnesses if not any(line.by(one.key) for line in given.signatures)]
        found = [line for one in lacking if (line := self._ask(one, tree, given, old)) is not None]
        there = len(self._witnesses) - len(lacking) + len(found)
        if there < self._needed:
            raise WitnessesAway(found=there, needed=self._needed)
        return found

    def _ask(self, witness: Witness, tree: StoredTree, given: UnverifiedNote, old: int) -> NoteSignature | None:
        # A witness may say what it likes and proves nothing: it withholds its signature, and no more.
        name = witness.key.name
        try:
            line = ask(witness, given, old, lambda seen: _request(tree, seen, given), self._known.get(name, 0))
        except (Refusal, Outage) as failure:
            self.answers[name] = failure.code
            if isinstance(failure, (WitnessForgot, Inconsistent)):
                self.alarms[name] = failure
            return None
        self.answers[name], self._known[name] = COSIGNED, tree.size
        self.alarms.pop(name, None)
        return line


def _request(tree: StoredTree, old: int, given: UnverifiedNote) -> str:
    """Raises SeenAnother where the witness saw more leaves than this tree has (another process may be faster)."""
    if old > tree.size:
        raise SeenAnother(size=old)
    return witnessing.text(old, tree.consistency(old, tree.size), given.text)


def _compare(tree: StoredTree, signed: _Signed | None) -> None:
    if signed is None:
        return
    if signed.size > tree.size:
        raise BooksCut(size=tree.size, kept=signed.size)
    if tree.root(signed.size) != signed.root:
        raise BooksChanged(kept=signed.size)


def _not_before(last: Head | None, at: datetime) -> datetime:
    """Whole seconds, never before the last head's: a clock may be set back, the log's time is not."""
    now = at.astimezone(UTC).replace(microsecond=0)
    return now if last is None else max(now, last.at)
