"""An example for every command: what `--help` ends with. Names, numbers and files in them are nobody's."""

from __future__ import annotations

import argparse
import textwrap
from argparse import ArgumentParser, RawDescriptionHelpFormatter
from collections.abc import Mapping
from typing import Final

WIDTH: Final = 90

EXAMPLES: Final[Mapping[str, Mapping[str, str]]] = {
    "audit": {
        "verify": "ingam audit verify",
        "export": "ingam audit export --since 2026-11-01 --until 2026-12-01 --out audit-2026-11.jsonl",
        "key": "ingam audit key",
    },
    "cert": {
        "list": "ingam cert list ~/NPKI",
        "show": "ingam cert show ~/Downloads/hong.pfx --all",
        "verify": "ingam cert verify ~/NPKI/SignKorea/USER/cn=hong --online",
        "change-password": "ingam cert change-password ~/Downloads/hong.pfx",
        "export": "ingam cert export ~/NPKI/SignKorea/USER/cn=hong --pfx hong.pfx",
        "import": "ingam cert import hong.pfx ~/NPKI",
        "sign": "ingam cert sign hong.pfx --in application.txt",
    },
    "console operators": {
        "init": "ingam console operators init --first E1001 나보안 본점 --second E1002 이관리 본점",
        "invite": "ingam console operators invite E1001",
        "list": "ingam console operators list",
    },
    "customer": {
        "unlock": "ingam customer unlock hong1234",
        "show": "ingam customer show hong1234",
        "add": "ingam customer add hong.json",
        "import": "ingam customer import customers.json",
        "token": "ingam customer token hong1234 hotp key.txt",
        "add-head": "ingam customer add-head union2026 head.json",
        "heads": "ingam customer heads union2026",
        "end-head": "ingam customer end-head union2026 2",
    },
    "evidence": {
        "verify": "ingam evidence verify evidence.json --anchors /srv/ingam/trust",
        "export": "ingam evidence export 20261126-0048213907 --out evidence.json",
        "list": "ingam evidence list hong1234",
    },
    "import": {"bindings": "ingam import bindings registrations.csv --dry-run"},
    "log": {
        "verify": "ingam log verify --dir http://ca.example/published",
        "check": "ingam log check proof.json --key log.pub --certificate hong.der",
        "prove": "ingam log prove --data /srv/ingam/ca/ingam --serial 1a2b3c --out proof.json",
    },
    "ra": {
        "request": "ingam ra request --out ra.csr",
        "install": "ingam ra install --certificate ra.pem --authority authority/ --url http://ca.example/cmp",
        "status": "ingam ra status",
    },
    "relay": {"key": "ingam relay key --to /srv/relay/tickets.pub"},
    "store": {
        "migrate": "ingam store migrate",
        "check": "ingam store check",
        "roles": "ingam store roles --apply",
    },
}
"""By the program's words, then by its verb. A test gives each to its own parser."""


def exampled(parser: ArgumentParser) -> ArgumentParser:
    """The same parser, whose verbs end their help with their example and say in front what their line says."""
    told = EXAMPLES[parser.prog.removeprefix("ingam ")]
    lines = lines_of(parser)
    for name, verb in verbs_of(parser).items():
        verb.description = verb.description or lines.get(name)
        wrapped = verb.formatter_class is RawDescriptionHelpFormatter
        about, codes = (_wrapped(text or "", wrapped) for text in (verb.description, verb.epilog or parser.epilog))
        verb.description, verb.epilog = about, f"{codes}\n\n예 · example:\n  {told[name]}"
        verb.formatter_class = RawDescriptionHelpFormatter
    return parser


def verbs_of(parser: ArgumentParser) -> Mapping[str, ArgumentParser]:
    """What may follow."""
    found: Mapping[str, ArgumentParser] = _below(parser).choices
    return found


def lines_of(parser: ArgumentParser) -> dict[str, str]:
    """The line of each."""
    return {one.dest: one.help or "" for one in _below(parser)._choices_actions}


def _below(parser: ArgumentParser) -> argparse._SubParsersAction[ArgumentParser]:
    return next(one for one in parser._actions if isinstance(one, argparse._SubParsersAction))


def _wrapped(text: str, already: bool) -> str:
    """Lines of a terminal; the wide letters of Korean count for one."""
    return text if already else textwrap.fill(text, WIDTH)
