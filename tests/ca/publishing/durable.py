"""The publisher over books on the disk, in this process or in one that is killed: `python -m … FOLDER STEP SECONDS`."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from tests.adapters.books.entries import issued, revoked
from tests.ca.publishing.world import START, authority, issuer
from tests.clocks import SetClock

from ingam.adapters.books.sqlite import SqliteBooks, make
from ingam.adapters.directory.folder import FolderDirectory
from ingam.ca.publishing.lists import ListIssuer
from ingam.ca.publishing.publisher import Publisher, Step
from ingam.kernel import steps
from ingam.ports.books import StatusChange
from ingam.ports.directory import Directory
from ingam.protocols.crl import writing
from ingam.protocols.crl.writing import Reason


@dataclass(slots=True)
class Durable:
    """One authority's folder: `books.db`, `lists/`, `published/`."""

    folder: Path
    clock: SetClock = field(default_factory=lambda: SetClock(START))

    @property
    def books(self) -> Path:
        return self.folder / "books.db"

    def revoke(self, *numbers: int) -> None:
        """Certificates 0x7F00 + number, issued and revoked now, in partition 1."""
        if not self.books.exists():
            make(self.books)
        asyncio.run(self._revoke(numbers))

    async def _revoke(self, numbers: tuple[int, ...]) -> None:
        books = SqliteBooks(self.books)
        at = self.clock.now().replace(microsecond=0)
        for number in numbers:
            one = await issued(books, number, person=None)
            change: StatusChange = revoked(one, entry=writing.entry(one.serial, at, Reason.SUPERSEDED), at=at)
            await books.change(change)
        await books.shut()

    def publisher(self, *more: Directory, by: ListIssuer | None = None) -> Publisher:
        """As a new process has it."""
        places = [FolderDirectory(self.folder / "published"), *more]
        books = SqliteBooks(self.books)
        return Publisher(authority(), [by or issuer()], books, places, self.folder / "lists", self.clock)

    def settle(self, *more: Directory) -> list[Step]:
        """A new publisher's steps until nothing is due."""
        publisher, taken = self.publisher(*more), list[Step]()
        while not taken or (taken[-1].next is not None and taken[-1].next <= self.clock.now()):
            taken.append(publisher.step())
        return taken

    def killed_at(self, step: str) -> int:
        """How a process ended that was to kill itself at a step."""
        return self.elsewhere(step).wait(120)

    def elsewhere(self, step: str) -> subprocess.Popen[bytes]:
        """Another process, which tells the time that this one does now. `busy`: it publishes as often as it can."""
        after = (self.clock.now() - START).total_seconds()
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
        return subprocess.Popen([sys.executable, "-m", __name__, str(self.folder), step, str(after)], env=environment)

    def publish_busily(self, lists: int) -> None:
        """As often as nobody else is at it."""
        publisher, made = self.publisher(), 0
        while made < lists:
            if not publisher.publish_now().busy:
                made += 1
                self.clock.forward(1)


if __name__ == "__main__":
    place, step, seconds = sys.argv[1:]
    here = Durable(Path(place), SetClock(START + timedelta(seconds=float(seconds))))
    if step == "busy":
        here.publish_busily(8)
    else:
        steps.arm(step)
        here.settle()
