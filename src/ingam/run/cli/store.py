"""`ingam store`: bring the center's database to this program's schema, or tell whether it is there."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

from ingam.adapters.store.migrate import check_revision, migrate
from ingam.kernel.errors import Failure, Outage
from ingam.run.cli import answers
from ingam.settings import read

DONE, USAGE, REFUSED, AWAY = 0, 2, 6, 7

EXIT_CODES: Final = """exit codes: 0 done, 2 usage, 6 another revision or settings that are refused, 7 the database does
not answer"""


def main(argv: Sequence[str]) -> int:
    """Run `ingam store …`; returns the exit code that --help documents."""
    parser = argparse.ArgumentParser(prog="ingam store", description=__doc__, epilog=EXIT_CODES)
    verbs = parser.add_subparsers(dest="verb", required=True)
    verbs.add_parser("migrate", help="bring the schema to the newest revision, under a lock; nothing is lost")
    verbs.add_parser("check", help="whether the schema is this program's; the center refuses to start otherwise")
    for verb in verbs.choices.values():
        verb.add_argument("--data", type=Path, help="the data folder (else INGAM_DATA); INGAM_STORE names PostgreSQL")
        verb.add_argument("--lang", choices=("ko", "en"))
    try:
        options = parser.parse_args(list(argv))
    except SystemExit as ended:
        return int(ended.code or 0)
    try:
        settings = read(os.environ)
        settings = settings if options.data is None else replace(settings, data=options.data)
        (migrate if options.verb == "migrate" else check_revision)(settings.store)
    except Failure as failure:
        print(answers.failure_text(failure, answers.language(options.lang, os.environ)), file=sys.stderr)
        return AWAY if isinstance(failure, Outage) else REFUSED
    return DONE
