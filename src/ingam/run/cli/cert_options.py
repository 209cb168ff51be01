"""The options of `ingam cert`, and its help in Korean or English."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace, RawDescriptionHelpFormatter
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from ingam.kernel.words import say
from ingam.npki.key_file import Variant
from ingam.run.cli.examples import exampled

Run = Callable[[Namespace], int]
FORMS = ("attributes", "plain", "koscom-brief")


def early_language(argv: Sequence[str]) -> str | None:
    """--lang before anything is parsed: help and errors speak it too."""
    for at, word in enumerate(argv):
        if word == "--lang" and at + 1 < len(argv):
            return argv[at + 1]
        if word.startswith("--lang="):
            return word.removeprefix("--lang=")
    return None


def parser(lang: str, runs: Mapping[str, Run]) -> ArgumentParser:
    """The parser of every verb; `runs` maps a verb to its function, which lands in `options.run`."""
    top = ArgumentParser(
        prog="ingam cert",
        description=say("cert.help", lang),
        epilog=say("cert.exit_codes", lang),
        formatter_class=RawDescriptionHelpFormatter,
    )
    verbs = top.add_subparsers(dest="verb", required=True, metavar="COMMAND")
    told = {name: _verb(verbs.add_parser, name, run, lang) for name, run in runs.items()}
    told["list"].add_argument("dir", nargs="?", type=Path, metavar="DIR")
    for name in ("show", "verify", "change-password", "export", "sign"):
        told[name].add_argument("path", type=Path, metavar="PATH")
    told["import"].add_argument("file", type=Path, metavar="IN.pfx")
    told["import"].add_argument("dir", type=Path, metavar="DIR")
    for name in runs:
        if name != "list":
            _password(told[name], lang)
    _rest(told, lang)
    return exampled(top)


def _verb(add: Callable[..., ArgumentParser], name: str, run: Run, lang: str) -> ArgumentParser:
    text = say(f"cert.help_{name.replace('-', '_')}", lang)
    added = add(
        name,
        help=text,
        description=text,
        epilog=say("cert.exit_codes", lang),
        formatter_class=RawDescriptionHelpFormatter,
    )
    added.add_argument("--json", action="store_true", help=say("cert.help_json", lang))
    added.add_argument("--lang", choices=("ko", "en"), help=say("cert.help_lang", lang))
    added.add_argument("--at", type=_instant, metavar="INSTANT", help=say("cert.help_at", lang))
    added.set_defaults(run=run)
    return added


def _password(one: ArgumentParser, lang: str) -> None:
    source = one.add_mutually_exclusive_group()
    source.add_argument("--password-stdin", action="store_true", help=say("cert.help_password_stdin", lang))
    source.add_argument("--password-file", type=Path, metavar="FILE", help=say("cert.help_password_file", lang))


def _rest(told: Mapping[str, ArgumentParser], lang: str) -> None:
    """What one verb alone takes."""
    told["show"].add_argument("--all", action="store_true", help=say("cert.help_all", lang))
    told["verify"].add_argument("--anchors", type=Path, metavar="DIR", help=say("cert.help_anchors", lang))
    told["verify"].add_argument("--crl", type=Path, metavar="FILE", help=say("cert.help_crl", lang))
    told["verify"].add_argument("--online", action="store_true", help=say("cert.help_online", lang))
    told["verify"].add_argument("--ocsp-url", metavar="URL", help=say("cert.help_ocsp_url", lang))
    told["verify"].add_argument("--form", choices=FORMS, help=say("cert.help_message_form", lang))
    told["verify"].add_argument("--in", dest="input", type=Path, metavar="FILE", help=say("cert.help_message_in", lang))
    told["verify"].add_argument("--daemon", metavar="HOST:PORT", help=say("cert.help_daemon", lang))
    for name in ("ca", "certificate", "key"):
        told["verify"].add_argument(
            f"--daemon-{name}", type=Path, metavar="PEM", help=say("cert.help_daemon_pem", lang)
        )
    new = say("cert.help_new_password_file", lang)
    told["change-password"].add_argument("--new-password-file", type=Path, metavar="FILE", help=new)
    told["export"].add_argument("--pfx", type=Path, required=True, metavar="OUT")
    told["export"].add_argument("--for-backup", action="store_true", help=say("cert.help_for_backup", lang))
    variant = say("cert.help_variant", lang)
    told["import"].add_argument(
        "--variant", type=Variant, choices=list(Variant), default=Variant.PBES2_SEED, metavar="VARIANT", help=variant
    )
    told["sign"].add_argument("--in", dest="input", type=Path, required=True, metavar="FILE")
    told["sign"].add_argument("--out", type=Path, metavar="FILE", help=say("cert.help_out", lang))
    told["sign"].add_argument("--form", choices=FORMS, default=FORMS[0], help=say("cert.help_form", lang))
    for name in ("export", "import", "sign"):
        told[name].add_argument("--force", action="store_true", help=say("cert.help_force", lang))


def _instant(text: str) -> datetime:
    at = datetime.fromisoformat(text)
    return at if at.tzinfo else at.replace(tzinfo=UTC)
