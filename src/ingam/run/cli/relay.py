"""`ingam relay`: give the relays of copying the public key that this center signs tickets with (security C12)."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from ingam.adapters.hsm.file import open_keys, publish_ticket_key
from ingam.kernel.errors import Failure
from ingam.run.cli import answers, examples, server
from ingam.wiring import keys_path

DONE, USAGE, REFUSED, UNWRITTEN = 0, 2, 6, 7

EXIT_CODES: Final = "exit codes: 0 done, 2 usage, 6 settings or keys that are refused, 7 the file cannot be written"


def main(argv: Sequence[str]) -> int:
    """Run `ingam relay …`; returns the exit code that --help documents."""
    try:
        options = _parser().parse_args(list(argv))
    except SystemExit as ended:
        return int(ended.code or 0)
    try:
        settings = server.settings_of(options)
        public = open_keys(keys_path(settings), production=settings.production).tickets.public
        if options.to is not None:
            publish_ticket_key(options.to, public)
    except Failure as failure:
        print(answers.failure_text(failure, answers.language(options.lang, os.environ)), file=sys.stderr)
        return REFUSED
    except OSError as error:
        print(f"ingam relay: {error.strerror}: {options.to}", file=sys.stderr)
        return UNWRITTEN
    print(public.hex())
    return DONE


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="ingam relay", description=__doc__, epilog=EXIT_CODES)
    verbs = parser.add_subparsers(dest="verb", required=True)
    key = verbs.add_parser("key", help="print the public key (64 hex digits), or add it to the file that relays read")
    key.add_argument("--to", type=Path, help="that file (INGAM_RELAY_TICKET_KEYS of a relay); keys there stay")
    server.options_of([key])
    return examples.exampled(parser)
