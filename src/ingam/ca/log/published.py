"""The published folder: the newest head and its tiles as files that any web server hands out, and nothing but hashes.

Tiles are whole on the disk before the head that speaks of them; a head is never put in place of a newer one, whichever
process comes last (security D13). Who deletes `checkpoint` has everything written anew from the books.
"""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from ingam.ca.log import durable
from ingam.ca.log.stored import StoredTree
from ingam.kernel.errors import Outage, Refusal
from ingam.ports.books import Head
from ingam.protocols.log import head, tiles
from ingam.protocols.log.head import TreeHead
from ingam.protocols.log.keys import LogKey
from ingam.protocols.log.tiles import BITS, HEAD_NAME, Tile


class PublicationOutage(Outage):
    """The published folder could not be read or written; the head stands in the books and is published next time."""

    code = "log-publication-outage"


class PublishedLog:
    """The folder `published/log` of an authority. `keys`: those under which its heads were ever signed."""

    def __init__(self, folder: Path, keys: Sequence[LogKey]) -> None:
        self._folder, self._keys = folder, tuple(keys)

    def head(self) -> TreeHead | None:
        """The head that is published; None where there is none, or none that our keys signed.

        Raises PublicationOutage.
        """
        try:
            return head.verify(head.parse(self._text()), self._keys)
        except Refusal:
            return None
        except OSError as error:
            raise PublicationOutage from error

    def publish(self, tree: StoredTree, new: Head) -> None:
        """The tiles of the whole tree, then its head; nothing where that or a newer one stands.

        Raises PublicationOutage.
        """
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            with self._alone():
                shown = self.head()
                if shown is None or ((shown.size, shown.at) <= (new.size, new.at) and self._text() != new.text):
                    self._put(tree, new.text, 0 if shown is None else shown.size)
        except OSError as error:
            raise PublicationOutage from error

    def _text(self) -> str:
        """Empty where there is no head. Raises OSError."""
        try:
            return (self._folder / HEAD_NAME).read_bytes().decode("utf-8", "replace")
        except FileNotFoundError:
            return ""

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """One process at a time; the folder is its own lock, so that no file but tiles and head is served."""
        lock = os.open(self._folder, os.O_RDONLY)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
        finally:
            os.close(lock)

    def _put(self, tree: StoredTree, text: str, begin: int) -> None:
        folders: set[Path] = set()
        for tile in tiles.tiles(tree.size, begin):
            path = self._folder / tile.name
            path.parent.mkdir(parents=True, exist_ok=True)
            durable.replace(path, b"".join(tree.hashes(tile)))
            folders.update(parent for parent in path.parents if parent.is_relative_to(self._folder))
        for folder in sorted(folders, reverse=True):
            durable.sync(folder)
        durable.write(self._folder / HEAD_NAME, text.encode("utf-8"))
        self._drop_outgrown(begin, tree.size)

    def _drop_outgrown(self, begin: int, size: int) -> None:
        """Narrow tiles go once the full one stands; readers with an older head take its beginning (C2SP tlog-tiles)."""
        for row in tiles.rows(size):
            number = begin >> BITS * (row + 1)
            if number < size >> BITS * (row + 1):
                narrow = self._folder / f"{Tile(row, number).name}.p"
                shutil.rmtree(narrow, ignore_errors=True)
