"""`ingam customer`: add, show, unlock, give tokens to customers and heads to unions, beside a running center or not."""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from ingam.adapters.otp.tables import Kind
from ingam.customer.masking import mask_email, mask_idn, mask_name, mask_phone
from ingam.kernel.errors import Failure, Outage, Refusal
from ingam.kernel.words import say
from ingam.ports.customers import MOST_HEADS, Customer, HeadRefused, HeadsFull
from ingam.run.cli import answers, examples, server
from ingam.run.cli.customer_desk import (
    LARGEST_FILE,
    CustomerFileRefused,
    CustomerUnknown,
    Desk,
    Enrolment,
    HeadUnknown,
    opened,
    parse,
    parse_head,
    token_key,
)
from ingam.settings import Settings

DONE, USAGE, UNREADABLE, REFUSED, AWAY = 0, 2, 4, 6, 7

EXIT_CODES: Final = """exit codes: 0 done, 2 usage, 4 the file or the key file cannot be used, 6 refused (no such
customer), 7 the database or the blind index does not answer"""


def main(argv: Sequence[str]) -> int:
    """Run `ingam customer …`; returns the exit code that --help documents."""
    try:
        options = _parser().parse_args(list(argv))
    except SystemExit as ended:
        return int(ended.code or 0)
    options.lang = answers.language(options.lang, os.environ)
    try:
        return asyncio.run(_run(server.checked(options), options))
    except Failure as failure:
        print(answers.failure_text(failure, options.lang), file=sys.stderr)
        return exit_code(failure)


def exit_code(failure: Failure) -> int:
    """The exit code of a failure."""
    if isinstance(failure, Outage):
        return AWAY
    if isinstance(failure, CustomerUnknown | HeadUnknown | HeadsFull | HeadRefused):
        return REFUSED
    return UNREADABLE if isinstance(failure, Refusal) else 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="ingam customer", description=__doc__, epilog=EXIT_CODES)
    verbs = parser.add_subparsers(dest="verb", required=True)
    unlock = verbs.add_parser("unlock", help="login failures of this banking ID start again at none")
    show = verbs.add_parser("show", help="one customer, masked")
    for verb in (unlock, show):
        verb.add_argument("banking_id", metavar="BANKING_ID")
    show.add_argument("--json", action="store_true")
    add = verbs.add_parser("add", help="one customer from a JSON object (- reads stdin); never from arguments")
    many = verbs.add_parser("import", help="customers from a JSON list; those whose ID is taken stay as they are")
    for verb in (add, many):
        verb.add_argument("file", metavar="FILE.json")
    token = verbs.add_parser("token", help="the OTP token that a customer holds; an earlier one is worth nothing")
    token.add_argument("banking_id", metavar="BANKING_ID")
    token.add_argument("kind", choices=[str(kind) for kind in Kind])
    token.add_argument("file", metavar="KEY.txt", help="the token's key in base32 (- reads stdin)")
    card = verbs.add_parser("card", help="a fresh 보안카드 for a customer: its 35 numbers, told once")
    card.add_argument("banking_id", metavar="BANKING_ID")
    add_head = verbs.add_parser("add-head", help="one more head of a union, from a JSON object (- reads stdin)")
    heads = verbs.add_parser("heads", help="the heads of a union, masked")
    end_head = verbs.add_parser("end-head", help="a head is one no more; their registration and logins end too")
    for verb in (add_head, heads, end_head):
        verb.add_argument("banking_id", metavar="BANKING_ID")
    add_head.add_argument("file", metavar="FILE.json")
    end_head.add_argument("slot", metavar="PLACE", type=int, choices=range(2, MOST_HEADS + 1))
    server.options_of(verbs.choices.values())
    return examples.exampled(parser)


async def _run(settings: Settings, options: argparse.Namespace) -> int:
    enrolling = options.verb in ("add", "import")
    enrolments = parse(_read(options.file)) if enrolling else []
    async with opened(settings, enrolling=enrolling) as desk:
        match options.verb:
            case "unlock":
                await desk.unlock(options.banking_id)
                print(say("cli-customer.unlocked", options.lang))
            case "token":
                await desk.token(options.banking_id, Kind(options.kind), token_key(_read(options.file)))
                print(say("cli-customer.token", options.lang))
            case "card":
                for place, number in enumerate(await desk.card(options.banking_id), start=1):
                    print(f"{place:02d} {number.reveal()}")
            case "add-head":
                slot = await desk.add_head(options.banking_id, parse_head(_read(options.file)))
                print(say("cli-customer.head_added", options.lang, slot=slot))
            case "heads":
                for one, registered in await desk.heads(options.banking_id):
                    print(_head_line(one, options.lang, registered=registered))
            case "end-head":
                await desk.end_head(options.banking_id, options.slot)
                print(say("cli-customer.head_ended", options.lang, slot=options.slot))
            case "show":
                _show(await desk.find(options.banking_id), options)
            case _:
                return await _enrol(desk, enrolments, options)
    return DONE


async def _enrol(desk: Desk, enrolments: list[Enrolment], options: argparse.Namespace) -> int:
    added, before = await desk.enrol(enrolments)
    print(say("cli-customer.added", options.lang, added=added, before=before))
    return REFUSED if options.verb == "add" and not added else DONE


def _read(name: str) -> bytes:
    try:
        if name == "-":
            return sys.stdin.buffer.read(LARGEST_FILE)
        with Path(name).open("rb") as file:
            return file.read(LARGEST_FILE)
    except OSError:
        raise CustomerFileRefused(where="-") from None


def _show(customer: Customer, options: argparse.Namespace) -> None:
    told = masked(customer)
    if options.json:
        answers.tell_json(told)
    else:
        answers.tell_rows([(say(f"cli-customer.{key}", options.lang), value or "-") for key, value in told.items()])


def _head_line(one: Customer, lang: str, *, registered: bool) -> str:
    state = say("cli-customer.head_registered" if registered else "cli-customer.head_unregistered", lang)
    return say(
        "cli-customer.head_line", lang, slot=one.slot, name=mask_name(one.name), idn=mask_idn(one.idn.reveal()),
        mobile=mask_phone(one.mobile), registered=state,
    )  # fmt: skip


def masked(customer: Customer) -> dict[str, str | None]:
    """What an operator sees without a reason to see more (facts.md §6)."""
    return {
        "kind": customer.kind.value,
        "status": customer.status,
        "name": mask_name(customer.name),
        "idn": mask_idn(customer.idn.reveal()),
        "mobile": mask_phone(customer.mobile),
        "home_phone": customer.home_phone and mask_phone(customer.home_phone),
        "work_phone": customer.work_phone and mask_phone(customer.work_phone),
        "third_phone": customer.third_phone and mask_phone(customer.third_phone),
        "email": customer.email and mask_email(customer.email),
        "union_name": customer.union_name,
    }
