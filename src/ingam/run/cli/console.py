"""`ingam console`: the first two operators of the console, and links for those who have no passkey yet."""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
from collections.abc import Sequence
from typing import Final

from ingam.adapters.clock.system import SystemClock
from ingam.adapters.hsm.file import open_keys
from ingam.adapters.store import open_store
from ingam.adapters.store.migrate import check_revision
from ingam.console.operators import Invitation, Role
from ingam.console.operators.ceremony import Ceremony, Person
from ingam.console.operators.register import Operators
from ingam.kernel.errors import Failure, Outage
from ingam.kernel.instants import korean_minute
from ingam.kernel.words import say
from ingam.run.cli import answers, examples, server
from ingam.settings import Settings
from ingam.wiring import keys_path
from ingam.wiring.console import console_store

DONE, USAGE, REFUSED, AWAY = 0, 2, 6, 7

EXIT_CODES: Final = """exit codes: 0 done, 2 usage, 6 refused (there are operators already, or no such operator), 7 the
database does not answer"""


def main(argv: Sequence[str]) -> int:
    """Run `ingam console operators …`; returns the exit code that --help documents."""
    try:
        options = _parser().parse_args(list(argv))
    except SystemExit as ended:
        return int(ended.code or 0)
    options.lang = answers.language(options.lang, os.environ)
    try:
        settings = server.settings_of(options)
        check_revision(console_store(settings))
        return asyncio.run(_run(settings, options))
    except Failure as failure:
        print(answers.failure_text(failure, options.lang), file=sys.stderr)
        return AWAY if isinstance(failure, Outage) else REFUSED


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="ingam console", description=__doc__, epilog=EXIT_CODES)
    (operators := parser.add_subparsers(dest="noun", required=True).add_parser("operators")).epilog = EXIT_CODES
    verbs = operators.add_subparsers(dest="verb", required=True)
    init = verbs.add_parser("init", help="the first two operators, both at once; prints an enrolment link for each")
    for name in ("--first", "--second"):
        init.add_argument(name, required=True, nargs=3, metavar=("EMPLOYEE", "NAME", "BRANCH"))
    invite = verbs.add_parser("invite", help="another enrolment link for an operator who never had a passkey")
    invite.add_argument("employee", metavar="EMPLOYEE")
    verbs.add_parser("list", help="who is an operator, and with how many passkeys")
    server.options_of(verbs.choices.values())
    examples.exampled(operators)
    return parser


async def _run(settings: Settings, options: argparse.Namespace) -> int:
    keys = open_keys(keys_path(settings), production=settings.production)
    store = open_store(console_store(settings), keys.outbox)
    operators = Operators(store)
    ceremony = Ceremony(store, operators, SystemClock(), settings.console.invitation_s)
    try:
        match options.verb:
            case "init":
                persons = [Person(*options.first), Person(*options.second)]
                for person, link in zip(persons, await ceremony.perform(persons), strict=True):
                    _tell(settings, person.employee, link, options.lang)
            case "invite":
                _tell(settings, options.employee, await ceremony.invite_again(options.employee), options.lang)
            case _:
                await _list(operators, options.lang)
    finally:
        await store.close()
    return DONE


def enrolment_link(settings: Settings, invitation: Invitation) -> str:
    """Where the operator goes; the secret stands behind `#`, which no server and no log sees."""
    return f"{settings.console.origin}/enrol#{invitation.token}"


def _tell(settings: Settings, employee: str, invitation: Invitation, lang: str) -> None:
    until = korean_minute(invitation.expires_at)
    print(say("cli-console.link", lang, employee=employee, link=enrolment_link(settings, invitation), until=until))


async def _list(operators: Operators, lang: str) -> None:
    for one in await operators.all():
        roles = ", ".join(say(f"console.role_{role}", lang) for role in Role if role in one.roles)
        keys = len(await operators.keys(one.employee))
        print(f"{one.employee}  {one.name}  {one.branch}  {roles}  {say('cli-console.passkeys', lang, n=keys)}")
