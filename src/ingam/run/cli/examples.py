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
    "ca": {
        "init": "ingam ca init --preset ingam --participant 홍길동:operator",
        "roll-over": "ingam ca roll-over --participant 홍길동:operator",
        "roll-root": "ingam ca roll-root --root-keys /media/root-keys",
        "renew-responder": "ingam ca renew-responder --new-key",
        "register": "ingam ca register --profile server --name shop --host shop.example",
        "issue": "ingam ca issue --profile server --csr shop.csr --host shop.example --out shop.pem --chain",
        "revoke": "ingam ca revoke --serial 1a2b3c --reason keyCompromise",
        "suspend": "ingam ca suspend --serial 1a2b3c",
        "resume": "ingam ca resume --serial 1a2b3c",
        "statement": "ingam ca statement --serial 1a2b3c --reason cessationOfOperation --basis death --out end.json",
        "sign": "ingam ca sign end.json --key na.key --as na",
        "status": "ingam ca status --serial 1a2b3c",
        "crl": "ingam ca crl --now",
        "export": "ingam ca export --out public/",
    },
    "ca ceremony": {"list": "ingam ca ceremony list", "show": "ingam ca ceremony show"},
    "ca operator": {
        "list": "ingam ca operator list",
        "add": "ingam ca operator add --operator na:E1001:na.key.pub --operator lee:E1002:lee.key.pub",
        "remove": "ingam ca operator remove lee --out remove-lee.json",
        "apply": "ingam ca operator apply --statement remove-lee.json --signature a.sig --signature b.sig",
        "key": "ingam ca operator key --out na.key",
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
    "copy": {
        "receive": "ingam copy receive --center https://center.example --id hong1234 --to ~/NPKI",
        "send": "ingam copy send ~/NPKI/SignKorea/USER/cn=hong --center https://center.example --id hong1234",
    },
    "customer": {
        "unlock": "ingam customer unlock hong1234",
        "show": "ingam customer show hong1234",
        "add": "ingam customer add hong.json",
        "import": "ingam customer import customers.json",
        "token": "ingam customer token hong1234 hotp key.txt",
        "card": "ingam customer card hong1234",
        "add-head": "ingam customer add-head union2026 head.json",
        "heads": "ingam customer heads union2026",
        "end-head": "ingam customer end-head union2026 2",
    },
    "doctor": {"": "ingam doctor --bundle https://vault.example"},
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
"""By the program's words, then by its verb ("" where it has none). A test gives each to its own parser."""


def exampled(parser: ArgumentParser) -> ArgumentParser:
    """The same parser, whose verbs end their help with their example and say in front what their line says."""
    program = parser.prog.removeprefix("ingam ")
    told, lines = EXAMPLES[program], lines_of(parser)
    for name, verb in verbs_of(parser).items():
        if f"{program} {name}" in EXAMPLES:
            exampled(verb)
        else:
            _end_with(verb, told[name], about=lines.get(name), codes=parser.epilog)
    return parser


def exampled_alone(parser: ArgumentParser) -> ArgumentParser:
    """The same parser of a program without verbs."""
    _end_with(parser, EXAMPLES[parser.prog.removeprefix("ingam ")][""], about=None, codes=None)
    return parser


def _end_with(parser: ArgumentParser, example: str, *, about: str | None, codes: str | None) -> None:
    wrapped = parser.formatter_class is RawDescriptionHelpFormatter
    before, after = parser.description or about or "", parser.epilog or codes or ""
    parser.description = _wrapped(before, wrapped)
    parser.epilog = f"{_wrapped(after, wrapped)}\n\n예 · example:\n  {example}"
    parser.formatter_class = RawDescriptionHelpFormatter


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
