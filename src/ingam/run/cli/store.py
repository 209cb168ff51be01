"""`ingam store`: bring the center's database to this program's schema, tell whether it is there, give its roles."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from dataclasses import fields
from typing import Final

from ingam.adapters.store.migrate import check_revision, migrate
from ingam.adapters.store.roles import Roles, apply, grants
from ingam.kernel.errors import Failure, Outage
from ingam.run.cli import answers, examples, server

DONE, USAGE, REFUSED, AWAY = 0, 2, 6, 7

EXIT_CODES: Final = """exit codes: 0 done, 2 usage, 6 another revision or settings that are refused, 7 the database does
not answer"""


def main(argv: Sequence[str]) -> int:
    """Run `ingam store …`; returns the exit code that --help documents."""
    try:
        options = _parser().parse_args(list(argv))
    except SystemExit as ended:
        return int(ended.code or 0)
    try:
        settings = server.settings_of(options)
        if options.verb == "roles":
            _roles(settings.store, Roles(options.center, options.console, options.auditor), carry_out=options.apply)
        else:
            (migrate if options.verb == "migrate" else check_revision)(settings.store)
    except Failure as failure:
        print(answers.failure_text(failure, answers.language(options.lang, os.environ)), file=sys.stderr)
        return AWAY if isinstance(failure, Outage) else REFUSED
    return DONE


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="ingam store", description=__doc__, epilog=EXIT_CODES)
    verbs = parser.add_subparsers(dest="verb", required=True)
    verbs.add_parser("migrate", help="bring the schema to the newest revision, under a lock; nothing is lost")
    verbs.add_parser("check", help="whether the schema is this program's; the center refuses to start otherwise")
    roles = verbs.add_parser(
        "roles", help="GRANTs of PostgreSQL's roles: printed, or carried out as the schema's owner"
    )
    roles.add_argument("--apply", action="store_true", help="carry them out on INGAM_STORE")
    for one in fields(Roles):
        roles.add_argument(
            f"--{one.name}", default=one.default, metavar="ROLE", help=f"the {one.name}'s ({one.default})"
        )
    server.options_of(verbs.choices.values(), names_store=True)
    return examples.exampled(parser)


def _roles(url: str, roles: Roles, *, carry_out: bool) -> None:
    if carry_out:
        apply(url, roles)
    else:
        print("\n".join(f"{statement};" for statement in grants(roles)))
