"""The auditor: holds the audit's chain against what it has seen, signs checkpoints, and sends them outside (G6).

A process of its own with a key of its own and, on PostgreSQL, a database role of its own; the center reads neither.
It keeps the hash of every entry that it ever saw, so a changed, cut or forked chain gets no further checkpoint: it is
told in the log as `audit.alarm`, every round, until somebody has looked.

It also deletes bodies and secrets of lines on their date (security G5): the center's role cannot.
"""

from __future__ import annotations

import argparse
import asyncio
import fcntl
import os
import sys
from collections.abc import Iterator, MutableMapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

import structlog

from ingam.adapters.audit.key import CheckpointKey, open_key
from ingam.adapters.audit.nodes import FileNodes, write
from ingam.adapters.audit.sizes import FileSizes
from ingam.adapters.clock.system import SystemClock
from ingam.adapters.store.audit_tables import open_tables
from ingam.adapters.store.migrate import check_revision
from ingam.adapters.witness.http import HttpWitness
from ingam.ca.log.heads import COSIGNED, Log
from ingam.ca.log.published import PublishedLog
from ingam.kernel.errors import Defect, Failure, Outage
from ingam.page import set_up_log
from ingam.ports.audit import AuditTables
from ingam.ports.books import Head
from ingam.ports.clock import Clock
from ingam.ports.timestamps import Timestamps
from ingam.ports.witness import Witness
from ingam.protocols.audit.chain import START, Entry, walk
from ingam.protocols.log import keys
from ingam.protocols.log.keys import LogKey, WitnessKey
from ingam.run.stopping import told_to_stop
from ingam.settings import Settings, SettingsRefused, read, refuse_unseen_audit

log = structlog.get_logger()

AT_ONCE: Final = 1_000
"""Entries of one question to the database."""

FRESH: Final = timedelta(seconds=240)
"""A checkpoint is signed anew after this time also where nothing happened: silence is an alarm for who waits for it."""

AGAIN_S: Final = 15.0
"""How soon it looks again where something was wrong or somebody away."""

WHOLE_S: Final = 3_600
"""The chain is walked from its beginning at the start and so often."""


class AuditCut(Defect):
    """The chain is shorter than what was signed (facts: seq, the first that is missing)."""

    code = "audit-cut"


class AuditForked(Defect):
    """An entry is not the one that was seen before, and the chain is sound in itself: it was made anew (facts: seq)."""

    code = "audit-forked"


@dataclass(frozen=True, slots=True)
class Round:
    """What a round did."""

    head: Head
    deleted: int
    stamped: datetime | None


class Auditor:
    """One audit. `witnesses` and `timestamps` may be away: the checkpoint stands, and they are asked again."""

    def __init__(
        self,
        tables: AuditTables,
        nodes: FileNodes,
        signer: CheckpointKey,
        origin: str,
        published: Path,
        witnesses: Sequence[Witness] = (),
        needed: int = 0,
        timestamps: Timestamps | None = None,
        fresh: timedelta = FRESH,
        known: MutableMapping[str, int] | None = None,
    ) -> None:
        self._tables, self._nodes, self._timestamps, self._published = tables, nodes, timestamps, published
        shown = PublishedLog(published, [signer.log_key(origin)])
        self._log = Log(nodes, signer, origin, shown, witnesses, needed, fresh, known)

    @property
    def answers(self) -> dict[str, str]:
        """What each witness said last: `cosigned`, or the code of why not."""
        return self._log.answers

    @property
    def alarms(self) -> dict[str, Failure]:
        """By witness, what somebody has to look at: it forgot what it co-signed, or the audit is a fork to it."""
        return self._log.alarms

    async def round(self, now: datetime, *, whole: bool = False) -> Round:
        """See what is new, sign, send, delete what is over.

        Raises Gap, Relinked, AuditCut, AuditForked (nothing is signed then), StoreOutage, and as `Log.publish`.
        """
        await self._see(0 if whole else self._nodes.size())
        head = await asyncio.to_thread(self._log.publish, now)
        stamped = await self._stamp(head)
        return Round(head, await self._tables.expire(now), stamped)

    async def close(self) -> None:
        """Release the database."""
        await self._tables.close()

    async def _see(self, known: int) -> None:
        """Walk from the `known` entry on; what was seen before must be what it was."""
        seq, before = await self._place(known)
        seen = self._nodes.size()
        while entries := await self._tables.entries(seq, AT_ONCE):
            sound = list(walk(entries, seq, before))
            self._hold(sound, seen)
            seq, before = sound[-1].seq, sound[-1].link
        if seq < seen:
            raise AuditCut(seq=seq + 1)

    async def _place(self, known: int) -> tuple[int, bytes]:
        """Number and link of the entry to go on from."""
        if known == 0:
            return 0, START
        entry = await self._tables.entry(known)
        if entry is None:
            raise AuditCut(seq=known)
        self._hold([entry], known)
        return entry.seq, entry.link

    def _hold(self, entries: Sequence[Entry], seen: int) -> None:
        """Those that were seen against their hashes; the others are kept."""
        first = entries[0].seq - 1
        kept = self._nodes.hashes(first, min(seen, entries[-1].seq)) if first < seen else []
        for entry, hash in zip(entries, kept, strict=False):
            if entry.leaf != hash:
                raise AuditForked(seq=entry.seq)
        if new := entries[len(kept) :]:
            self._nodes.append(new[0].seq - 1, [entry.leaf for entry in new])

    async def _stamp(self, head: Head) -> datetime | None:
        """A time stamp over the checkpoint's text, beside it; none where it has one or the authority is away."""
        if self._timestamps is None:
            return None
        path = stamp_of(self._published, head)
        if path.exists():
            return None
        try:
            stamp = await asyncio.to_thread(self._timestamps.stamp, head.text.encode())
        except Failure as failure:
            log.warning("audit.stamp", code=failure.code, size=head.size)
            return None
        path.parent.mkdir(parents=True, exist_ok=True)
        write(path.with_suffix(".checkpoint"), head.text.encode())
        write(path, stamp.der)
        return stamp.at


def stamp_of(published: Path, head: Head) -> Path:
    """Where a checkpoint's time stamp lies; its text lies beside it as `.checkpoint`."""
    return published / "stamps" / f"{head.size}-{int(head.at.timestamp())}.tsr"


async def watch(auditor: Auditor, clock: Clock, stop: asyncio.Event, every_s: float) -> None:
    """Round after round until `stop` is set; whatever is wrong is told and looked at again."""
    walked: datetime | None = None
    while not stop.is_set():
        now, wait = clock.now(), min(every_s, AGAIN_S)
        whole = walked is None or (now - walked).total_seconds() >= WHOLE_S
        try:
            done = await auditor.round(now, whole=whole)
            walked = now if whole else walked
            log.info("audit.checkpoint", size=done.head.size, deleted=done.deleted, **auditor.answers)
            if set(auditor.answers.values()) <= {COSIGNED}:
                wait = every_s
        except Outage as outage:
            log.warning("audit.outage", code=outage.code)
        except Failure as failure:
            log.error("audit.alarm", code=failure.code, **failure.facts)
        except OSError as error:
            log.error("audit.folder", kind=type(error).__name__)
        tell_alarms(auditor)
        with suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), wait)


def tell_alarms(auditor: Auditor) -> None:
    """What witnesses said that is an alarm, into the log."""
    for name, alarm in auditor.alarms.items():
        log.error("audit.alarm", code=alarm.code, witness=name, **alarm.facts)


# -- the process -------------------------------------------------------------------------------------------------------


def folder_of(settings: Settings) -> Path:
    """The auditor's own folder."""
    return settings.data / "auditor"


def public_key(settings: Settings, *, allowed: bool = False) -> LogKey:
    """What its checkpoints are checked with; the key is made where there is none. Raises KeyFileRefused."""
    key = open_key(folder_of(settings) / "keys" / "checkpoint.key", production=settings.production, allowed=allowed)
    return key.log_key(settings.audit.origin)


def publish_key(settings: Settings, *, allowed: bool = False) -> CheckpointKey:
    """The key, made where there is none, and its public half beside the checkpoints. Raises KeyFileRefused."""
    published = folder_of(settings) / "published"
    published.mkdir(parents=True, exist_ok=True, mode=0o700)
    key = open_key(folder_of(settings) / "keys" / "checkpoint.key", production=settings.production, allowed=allowed)
    write(published / "key", f"{key.log_key(settings.audit.origin).text}\n".encode())
    return key


def witnesses_of(settings: Settings) -> list[HttpWitness]:
    """Those of INGAM_AUDIT_WITNESSES. Raises SettingsRefused."""
    found = []
    for text, _, address in (one.partition(" ") for one in settings.audit.witnesses):
        try:
            key = keys.parse(text)
        except keys.KeyMalformed:
            key = None
        if not isinstance(key, WitnessKey):
            raise SettingsRefused(variable="INGAM_AUDIT_WITNESSES")
        found.append(HttpWitness(key, address))
    return found


def timestamps_of(settings: Settings) -> Timestamps | None:
    """The authority of INGAM_AUDIT_TSA."""
    if settings.audit.tsa_roots is None:
        return None
    from ingam.adapters.timestamps.rfc3161 import Rfc3161  # needed where one is named

    return Rfc3161(settings.audit.tsa, settings.audit.tsa_roots)


def auditor_of(settings: Settings, *, allowed: bool = False) -> Auditor:
    """The auditor of a data folder. Raises KeyFileRefused, SettingsRefused."""
    folder = folder_of(settings)
    key = publish_key(settings, allowed=allowed)
    return Auditor(
        open_tables(settings.audit.store or settings.store),
        FileNodes(folder / "tree"),
        key,
        settings.audit.origin,
        folder / "published",
        witnesses_of(settings),
        settings.audit.needed,
        timestamps_of(settings),
        known=known_of(settings),
    )


def known_of(settings: Settings) -> FileSizes:
    """How much each witness is known to remember. Raises Failure `audit-file-unreadable`."""
    return FileSizes(folder_of(settings) / "witnesses")


def main(argv: Sequence[str] | None = None) -> int:
    """Watch until a signal. 0 when told to stop, 1 when it cannot start; with --once 1 where something is wrong."""
    parser = argparse.ArgumentParser(prog="ingam.run.auditor", description=__doc__)
    parser.add_argument("--once", action="store_true", help="one whole round, then end")
    parser.add_argument("--allow-key-file", action="store_true", help="a key file in production (security G7)")
    parser.add_argument(
        "--feed-again", action="append", default=[], metavar="WITNESS", help="it forgot, and somebody looked at why"
    )
    options = parser.parse_args(argv)
    set_up_log()
    try:
        settings = read(os.environ)
        refuse_unseen_audit(settings)
        check_revision(settings.audit.store or settings.store)
        with _only_one(folder_of(settings)):
            for name in options.feed_again:
                known_of(settings)[name] = 0
            auditor = auditor_of(settings, allowed=options.allow_key_file)
            asyncio.run(_once(auditor) if options.once else _serve(auditor, settings.audit.every_s))
    except Failure as failure:
        print(f"auditor: {failure}", file=sys.stderr)
        return 1
    return 0


async def _once(auditor: Auditor) -> None:
    try:
        await auditor.round(SystemClock().now(), whole=True)
    finally:
        tell_alarms(auditor)
        await auditor.close()
    for alarm in auditor.alarms.values():
        raise alarm


async def _serve(auditor: Auditor, every_s: int) -> None:
    try:
        await watch(auditor, SystemClock(), told_to_stop(), every_s)
    finally:
        await auditor.close()


@contextmanager
def _only_one(folder: Path) -> Iterator[None]:
    """Two would write one memory. Raises Failure `auditor-running`."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    with (folder / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Defect("auditor-running") from None
        yield


if __name__ == "__main__":
    raise SystemExit(main())
