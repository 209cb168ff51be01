"""`ingam import bindings FILE`: takes over the registrations of another system, beside a running center or without one.

A killed run goes on where it was when the same file is given again; what a row needs is in docs/reference/import.md.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import getpass
import os
import sys
import time
from collections.abc import AsyncIterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ingam.adapters.clock.system import SystemClock
from ingam.adapters.hsm.file import open_keys
from ingam.adapters.registrations import digest, open_source
from ingam.adapters.status import trust_file
from ingam.adapters.store.import_tables import Tables, open_import
from ingam.customer.importing.deciding import Decider
from ingam.kernel.errors import Failure, Outage
from ingam.kernel.words import say
from ingam.ports.clock import Clock
from ingam.ports.importing import Holders, Run
from ingam.run.cli import answers, examples, server
from ingam.run.importing import AT_ONCE, Importing, Report, TableHolders, alone
from ingam.settings import Settings
from ingam.wiring import keys_path

OBJECTS: Final = 50_000
"""New objects until the collector looks for cycles, which rows make none of; at 700 it took a quarter of the time."""

THREADS: Final = 2
"""One writes a batch, one reads and checks the next; each further one would keep memory of its own."""

DONE, USAGE, UNREADABLE, SOME_REFUSED, AWAY = 0, 2, 4, 6, 7

EXIT_CODES: Final = """exit codes: 0 every row was taken or was there, 2 usage, 4 the file cannot be read, 6 rows were
refused (see the report), 7 the database does not answer"""


def main(argv: Sequence[str]) -> int:
    """Run `ingam import …`; returns the exit code that --help documents."""
    try:
        options = _parser().parse_args(list(argv))
    except SystemExit as ended:
        return int(ended.code or 0)
    options.lang = answers.language(options.lang, os.environ)
    try:
        return asyncio.run(_run(server.checked(options), options))
    except Failure as failure:
        print(answers.failure_text(failure, options.lang), file=sys.stderr)
        return AWAY if isinstance(failure, Outage) else UNREADABLE


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="ingam import", description=__doc__, epilog=EXIT_CODES)
    verbs = parser.add_subparsers(dest="verb", required=True)
    bindings = verbs.add_parser("bindings", help="which certificate stands for which customer", epilog=EXIT_CODES)
    bindings.add_argument("file", type=Path, metavar="FILE", help=".parquet, or CSV with a line of headings")
    bindings.add_argument("--report", type=Path, help="refused rows as CSV (else FILE.refused.csv)")
    bindings.add_argument("--encoding", default="utf-8", help="of a CSV: utf-8, cp949 …")
    bindings.add_argument("--dry-run", action="store_true", help="check every row and write nothing but the report")
    bindings.add_argument("--again", action="store_true", help="a finished file once more, from its first row")
    bindings.add_argument("--batch", type=int, default=AT_ONCE, metavar="ROWS", help=f"of one commit ({AT_ONCE})")
    server.options_of([bindings])
    return examples.exampled(parser)


async def _run(settings: Settings, options: argparse.Namespace) -> int:
    gc.freeze()
    gc.set_threshold(OBJECTS)
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(THREADS, thread_name_prefix="import"))
    run_id = digest(options.file)
    suffix = ".would-refuse.csv" if options.dry_run else ".refused.csv"
    path = options.report or options.file.with_name(options.file.name + suffix)
    with alone(path):
        async with _desk(settings) as desk:
            run = await _begin(desk, run_id, options)
            over = None if run is None else await _through(desk, run, path, options)
    if over is None:
        return DONE
    _tell(over, path, options)
    return SOME_REFUSED if over.refused else DONE


async def _through(desk: Desk, run: Run, path: Path, options: argparse.Namespace) -> Run:
    """The rows behind the run's cursor; refused ones go to the report at `path`."""
    with (
        closing(open_source(options.file, encoding=options.encoding)) as source,
        Report(path, run.report_bytes, lambda why: answers.failure_text(why, options.lang)) as report,
    ):
        bar = Bar(run, options.lang)
        importing = Importing(
            desk.tables, desk.holders, desk.decider, desk.clock, report, bar.draw, options.dry_run, account()
        )
        over = await importing.through(source, run, max(1, min(options.batch, 5000)))
    bar.end()
    return over


async def _begin(desk: Desk, run_id: str, options: argparse.Namespace) -> Run | None:
    """A new run, or the one that was stopped; None where this file is done."""
    before = None if options.dry_run else await desk.tables.run(run_id)
    if before is None:
        return Run(run_id, desk.clock.now())
    if before.finished_at is None:
        print(say("import.goes_on", options.lang, row=f"{before.at_row + 1:,}"), file=sys.stderr)
        return before
    if not options.again:
        print(say("import.finished", options.lang))
        return None
    fresh = Run(run_id, desk.clock.now())
    await desk.tables.begin_again(fresh)
    return fresh


def account() -> str:
    """Whose hand runs it, as this machine names them: before `sudo`, where there was one; 32 characters at most."""
    return (os.environ.get("SUDO_USER") or _logged_in())[:32]


def _logged_in() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container without such a line in its passwd
        return f"uid {os.getuid()}"


def _tell(over: Run, path: Path, options: argparse.Namespace) -> None:
    key = "import.would" if options.dry_run else "import.done"
    counts = {name: f"{getattr(over, name):,}" for name in ("at_row", "bound", "claimed", "there", "refused")}
    print(say(key, options.lang, **counts))
    if over.refused:
        print(say("import.report", options.lang, file=path.name))


class Bar:
    """How far it is, on stderr: redrawn on a terminal, a line for every tenth elsewhere."""

    def __init__(self, run: Run, lang: str) -> None:
        self._lang = lang
        self._begun, self._from, self._tenth = time.monotonic(), run.at_row, 0
        self._terminal = sys.stderr.isatty()

    def draw(self, run: Run, part: float) -> None:
        """After a batch."""
        tenth = int(part * 10)
        if not self._terminal and tenth == self._tenth:
            return
        self._tenth = tenth
        speed = (run.at_row - self._from) / max(0.001, time.monotonic() - self._begun)
        filled = int(part * 30)
        told = say("import.bar", self._lang, rows=f"{run.at_row:,}", speed=f"{speed:,.0f}", refused=f"{run.refused:,}")
        line = f"[{'#' * filled}{'.' * (30 - filled)}] {part:4.0%}  {told}"
        print(f"\r{line}\x1b[K" if self._terminal else line, end="" if self._terminal else "\n", file=sys.stderr)
        sys.stderr.flush()

    def end(self) -> None:
        """A line of its own for what follows."""
        if self._terminal:
            print(file=sys.stderr)


@dataclass(frozen=True, slots=True)
class Desk:
    """The opened center, for one import."""

    tables: Tables
    holders: Holders
    decider: Decider
    clock: Clock


@asynccontextmanager
async def _desk(settings: Settings) -> AsyncIterator[Desk]:
    """Raises KeyFileRefused, TrustFileRefused."""
    clock = SystemClock()
    keys = open_keys(keys_path(settings), production=settings.production)
    _, anchors = trust_file.read(settings.data / "trust" / "authorities.toml")
    tables = open_import(settings.store, keys.outbox)
    try:
        yield Desk(tables, TableHolders(tables, keys.fields), Decider(keys.digests, anchors, clock.now()), clock)
    finally:
        await tables.close()
