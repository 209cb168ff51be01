"""`ingam copy receive|send`: this machine as one of the two devices of 인증서복사, logged in as the person (C1).

What the browser's pages ask is asked here too, in the same order; certificate and key file travel under the keys of the
two devices and are never opened by anybody in between. The key file is sent and written byte for byte.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import ssl
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from ingam.kernel.errors import Failure
from ingam.kernel.words import say
from ingam.npki import folder
from ingam.protocols.mailbox import endpoint
from ingam.run.cli import answers, copy_receive, copy_send, examples
from ingam.run.cli.copy_center import Center, CenterRefused, DeviceCookies, client, origin_of
from ingam.run.cli.copy_link import Dial, dialler
from ingam.run.cli.copy_terminal import Terminal

NOT_COPIED: Final = 7
INTERRUPTED: Final = 130


@dataclass(frozen=True, slots=True)
class Reach:
    """How the center and the relay are reached, and where this device's cookie lies: doubles in tests."""

    roots: ssl.SSLContext | None = None
    http: dict[str, Any] | None = None
    relay: Dial | None = None
    environment: Mapping[str, str] = field(default_factory=lambda: os.environ)

    def dial(self, relay: str) -> Dial:
        """The way to the relay of this origin. Raises AddressRefused."""
        return self.relay or dialler(origin_of(relay), self.roots)


def main(argv: Sequence[str]) -> int:
    """Runs `ingam copy …`; returns the exit code that --help documents."""
    lang = answers.language(_early(argv), os.environ)
    try:
        options = parser(lang).parse_args(list(argv))
    except SystemExit as ended:
        return int(ended.code or 0)
    try:
        return asyncio.run(run(options, lang, _reach(options)))
    except KeyboardInterrupt:
        answers.tell_aside(say("copy.interrupted", lang))
        return INTERRUPTED
    except Failure as failure:
        return failed(failure, lang)


def failed(failure: Failure, lang: str) -> int:
    """Tells it and gives the exit code."""
    if isinstance(failure, CenterRefused) and failure.told:
        answers.tell_aside(f"{failure.told} [{failure.code}]")
        return NOT_COPIED
    code = answers.tell_failure(failure, lang, as_json=False)
    return code if failure.code in answers.EXIT_CODES else NOT_COPIED


async def run(options: argparse.Namespace, lang: str, reach: Reach, terminal: Terminal | None = None) -> int:
    """One command, from the login to the end of the copy. Raises Failure where it does not come to a run's end."""
    terminal = terminal or Terminal(lang, piped=options.password_stdin)
    pair = copy_send.pair_of(folder.read(options.path)) if options.verb == "send" else None
    origin, kept = origin_of(options.center), DeviceCookies.of(reach.environment)
    verify = {"verify": reach.roots} if reach.roots is not None else {}
    async with client(origin, lang, kept, **(reach.http or verify)) as http:
        center = Center(http, origin, kept)
        banking_id = options.id or await terminal.ask("ask_id")
        await center.log_in(banking_id, await terminal.secret("ask_login_password"))
        end: endpoint.End
        if pair is not None:
            end = await copy_send.Sending(center, terminal, reach.dial).go(pair)
        else:
            end = await copy_receive.Receiving(center, terminal, reach.dial).go(_place(options.to), qr=options.qr)
    if isinstance(end, endpoint.Acknowledged):
        return answers.DONE
    if end.code != endpoint.UNCONFIRMED:
        terminal.why(end.code)
    return NOT_COPIED


def _place(given: Path | None) -> Path:
    """Where it is written: the folder that was given, else this system's NPKI folder."""
    if given is not None:
        return given
    places = folder.default_places(sys.platform, os.environ)
    return next(iter(folder.existing(places)), None) or (places[0] if places else Path("NPKI"))


def _reach(options: argparse.Namespace) -> Reach:
    if options.tls_roots is None:
        return Reach()
    try:
        return Reach(ssl.create_default_context(cafile=str(options.tls_roots)))
    except (OSError, ssl.SSLError):
        raise folder.FolderRefused("folder-unreadable") from None


def _early(argv: Sequence[str]) -> str | None:
    """--lang before anything is parsed: help and errors speak it too."""
    words = list(argv)
    return next((word.removeprefix("--lang=") for word in words if word.startswith("--lang=")), None) or next(
        (words[at + 1] for at, word in enumerate(words[:-1]) if word == "--lang"), None
    )


def parser(lang: str) -> argparse.ArgumentParser:
    """The options of both verbs."""
    top = argparse.ArgumentParser(
        prog="ingam copy",
        description=say("copy.help", lang),
        epilog=say("copy.exit_codes", lang),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    verbs = top.add_subparsers(dest="verb", required=True, metavar="COMMAND")
    for name in ("receive", "send"):
        text = say(f"copy.help_{name}", lang)
        one = verbs.add_parser(name, help=text, description=text, epilog=say("copy.exit_codes", lang))
        if name == "send":
            one.add_argument("path", type=Path, metavar="PATH", help=say("copy.help_path", lang))
        else:
            one.add_argument("--to", type=Path, metavar="DIR", help=say("copy.help_dir", lang))
            one.add_argument("--qr", action="store_true", help=say("copy.help_qr", lang))
        center = os.environ.get("INGAM_CENTER", "")
        told = say("copy.help_center", lang)
        one.add_argument("--center", metavar="URL", default=center or None, required=not center, help=told)
        one.add_argument("--id", metavar="ID", help=say("copy.help_id", lang))
        one.add_argument("--password-stdin", action="store_true", help=say("copy.help_password_stdin", lang))
        one.add_argument("--tls-roots", type=Path, metavar="FILE", help=say("copy.help_tls_roots", lang))
        one.add_argument("--lang", choices=("ko", "en"), help=say("cert.help_lang", lang))
    return examples.exampled(top)
