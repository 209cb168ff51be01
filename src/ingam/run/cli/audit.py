"""`ingam audit`: whether the audit is what was signed, its lines as a file, and the key of its checkpoints."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
import urllib.request
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, NamedTuple

from ingam.adapters.hsm.file import open_keys
from ingam.adapters.store.audit_lines import opened
from ingam.adapters.store.audit_tables import open_tables
from ingam.adapters.store.migrate import check_revision
from ingam.adapters.store.sealing import Sealer
from ingam.kernel import words
from ingam.kernel.errors import Defect, Failure, Outage, Refusal
from ingam.kernel.instants import from_micros, rfc3339
from ingam.ports.audit import AuditTables
from ingam.protocols.audit import examining
from ingam.protocols.audit.examining import Finding
from ingam.protocols.log import head, keys, note
from ingam.protocols.log.head import TreeHead
from ingam.protocols.log.keys import LogKey, WitnessKey
from ingam.protocols.log.note import MOST_NOTE
from ingam.run import auditor
from ingam.run.cli import answers, examples, server
from ingam.run.examining import Examined, examine
from ingam.settings import Settings
from ingam.wiring import keys_path

DONE, DEFECT, USAGE, UNREADABLE, REFUSED, AWAY, UNSIGNED = 0, 1, 2, 4, 6, 7, 10

EXIT: Final = {
    examining.CUT: 12, examining.CHANGED: 13, examining.BODY_CHANGED: 13, examining.FORKED: 14, examining.GAP: 15,
    examining.BODY_MISSING: 16, examining.STRAY: 16,
    examining.UNCOVERED: 17, examining.WITNESS_EMPTY: 18, examining.WITNESS_FORGOT: 18,
}  # fmt: skip
"""Of the first finding."""

EXIT_CODES: Final = """exit codes: 0 all as it should be, 2 usage, 4 a file or key cannot be read, 6 refused, 7 the
database or an address does not answer, 10 a checkpoint is not signed by the audit's key, 12 a tail is missing, 13 an
entry or a body was changed, 14 fork: the chain is not the signed one, 15 an entry is missing, 16 a body is missing
before its date or stands outside the chain, 17 entries of ten minutes ago are under no checkpoint: no auditor runs,
18 a witness does not remember what it co-signed"""

_SIGNING: Final = ("log-other-origin", "log-head-unsigned", "log-head-signature")


class FileUnreadable(Refusal):
    """A file that the command names cannot be read or written, or is there already (facts: name)."""

    code = "audit-file-unreadable"


class NothingSigned(Refusal):
    """There is no checkpoint to hold the chain against, and `--unsigned` was not asked for."""

    code = "audit-no-checkpoint"


class CheckpointOutage(Outage):
    """The address of a checkpoint does not answer (facts: name)."""

    code = "audit-checkpoint-outage"


class Source(NamedTuple):
    """A checkpoint and where it is from."""

    name: str
    head: TreeHead


def main(argv: Sequence[str]) -> int:
    """Run `ingam audit …`; returns the exit code that --help documents."""
    try:
        options = _parser().parse_args(list(argv))
    except SystemExit as ended:
        return int(ended.code or 0)
    lang = answers.language(options.lang, os.environ)
    try:
        settings = server.settings_of(options)
        match options.verb:
            case "verify":
                return _verify(options, settings, lang)
            case "export":
                return _export(options, settings)
            case _:
                print(auditor.public_key(settings, allowed=True).text)
                return DONE
    except Failure as failure:
        answers.tell_failure(failure, lang, as_json=getattr(options, "json", False))
        return exit_code(failure)


def exit_code(failure: Failure) -> int:
    """The exit code of a failure."""
    if isinstance(failure, Outage):
        return AWAY
    if failure.code in _SIGNING:
        return UNSIGNED
    if failure.code in ("audit-no-checkpoint", "settings-refused", "store-revision", "key-file-refused"):
        return REFUSED
    return DEFECT if isinstance(failure, Defect) else UNREADABLE


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="ingam audit", description=__doc__, epilog=EXIT_CODES)
    verbs = parser.add_subparsers(dest="verb", required=True)
    verify = verbs.add_parser(
        "verify", help="감사 기록이 서명된 그대로인지 · is it what was signed?", epilog=EXIT_CODES
    )
    verify.add_argument(
        "--checkpoint", action="append", default=[], metavar="FILE|URL", help="a checkpoint that you kept"
    )
    verify.add_argument("--key", action="append", default=[], metavar="KEY", help="the audit's key, or its file")
    verify.add_argument("--no-witness", action="store_true", help="do not ask the witnesses of INGAM_AUDIT_WITNESSES")
    verify.add_argument("--chain-only", action="store_true", help="leave bodies shut; the center's keys are not read")
    verify.add_argument("--unsigned", action="store_true", help="no checkpoint: look at the chain's own links only")
    verify.add_argument("--json", action="store_true")
    export = verbs.add_parser("export", help="감사 기록을 파일로 · lines as a file, one JSON object each (0600)")
    export.add_argument("--out", type=Path, required=True, metavar="FILE")
    export.add_argument("--since", type=_day, metavar="YYYY-MM-DD", help="first day (UTC)")
    export.add_argument("--until", type=_day, metavar="YYYY-MM-DD", help="the day after the last (UTC)")
    export.add_argument("--subject", metavar="PSEUDONYM", help="lines of one person only")
    verbs.add_parser("key", help="점검용 공개키 · the key that checkpoints are checked with")
    server.options_of(verbs.choices.values(), names_store=True)
    return examples.exampled(parser)


def _day(text: str) -> datetime:
    return datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC)


# -- verify ------------------------------------------------------------------------------------------------------------


def _verify(options: argparse.Namespace, settings: Settings, lang: str) -> int:
    check_revision(_address(settings))
    sources, forgot = _sources(options, settings)
    if not sources and not options.unsigned:
        raise NothingSigned
    sealer = None if options.chain_only else _sealer(settings)
    done = asyncio.run(_examined(_address(settings), [one.head for one in sources], sealer))
    done.findings = [*done.findings, *forgot]
    if options.json:
        answers.tell_json(_as_json(done, sources, lang))
    else:
        _tell(done, sources, lang, opened=sealer is not None)
    return EXIT[done.findings[0].code] if done.findings else DONE


async def _examined(url: str, heads: Sequence[TreeHead], sealer: Sealer | None) -> Examined:
    tables = open_tables(url)
    try:
        return await examine(tables, heads, sealer, datetime.now(UTC))
    finally:
        await tables.close()


def _address(settings: Settings) -> str:
    return settings.audit.store or settings.store


def _sealer(settings: Settings) -> Sealer:
    """The center's: with it every body is opened and compared. A missing file is not made here."""
    if not keys_path(settings).exists():
        raise FileUnreadable(name=str(keys_path(settings)))
    return open_keys(keys_path(settings), production=settings.production, allowed=True).outbox


def _sources(options: argparse.Namespace, settings: Settings) -> tuple[list[Source], list[Finding]]:
    """Checkpoints that were named, the auditor's own, and what witnesses remember; all signed by the audit's key.

    Beside them, which witness does not remember what it should.
    """
    logs = [_log_key(word) for word in options.key] or _own_keys(settings)
    texts = [(place, _fetched(place)) for place in options.checkpoint]
    own = auditor.folder_of(settings) / "published" / "checkpoint"
    if own.exists():
        texts.append((str(own), _text(own)))
    remembered, forgot = ([], []) if options.no_witness else _remembered(settings, [text for _, text in texts])
    return [Source(name, head.verify(head.parse(text), logs)) for name, text in (*texts, *remembered)], forgot


def _own_keys(settings: Settings) -> list[LogKey]:
    """The published copy of the key beside the checkpoints; who doubts the machine gives --key."""
    path = auditor.folder_of(settings) / "published" / "key"
    return [_log_key(str(path))] if path.exists() else []


def _remembered(settings: Settings, kept: Sequence[str]) -> tuple[list[tuple[str, str]], list[Finding]]:
    """What each witness remembers, and who remembers less than it co-signed, by checkpoints or by the auditor."""
    texts, forgot = [], []
    known = auditor.known_of(settings)  # before anybody is asked: meanwhile they may only grow
    for witness in auditor.witnesses_of(settings):
        name, text = witness.key.name, witness.remembered(settings.audit.origin)
        size = max([known.get(name, 0), *(_cosigned(one, witness.key) for one in kept)])
        if text is None:
            forgot.append(Finding(examining.WITNESS_EMPTY, size, name))
            continue
        texts.append((name, text))
        if head.parse(text).head.size < size:
            forgot.append(Finding(examining.WITNESS_FORGOT, size, name))
    return texts, forgot


def _cosigned(text: str, witness: WitnessKey) -> int:
    """The size of a checkpoint that a witness co-signed, else 0. Raises NoteSignatureInvalid."""
    given = head.parse(text)
    return given.head.size if note.signers(given.note, [witness]) else 0


def _log_key(word: str) -> LogKey:
    key = keys.parse(word if word.count("+") >= 2 else _text(Path(word)))
    if not isinstance(key, LogKey):
        raise keys.KeyMalformed
    return key


def _fetched(place: str) -> str:
    if not place.startswith(("http://", "https://")):
        return _text(Path(place))
    try:
        with urllib.request.urlopen(place, timeout=20) as answer:  # noqa: S310 - http(s) only
            found: bytes = answer.read(MOST_NOTE + 1)
            return found.decode("utf-8")
    except (OSError, ValueError):
        raise CheckpointOutage(name=place) from None


def _text(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return file.read(MOST_NOTE + 1).decode("utf-8")
    except (OSError, UnicodeDecodeError):
        raise FileUnreadable(name=str(path)) from None


def _as_json(done: Examined, sources: Sequence[Source], lang: str) -> dict[str, Any]:
    return {
        "result": "wrong" if done.findings else "as-it-should-be",
        "entries": done.entries,
        "bodies_opened": done.bodies,
        "bodies_erased": done.erased,
        "checkpoints": [
            {"from": one.name, "origin": one.head.origin, "size": one.head.size, "at": rfc3339(one.head.at)}
            for one in sources
        ],
        "findings": [{"code": one.code, "seq": one.seq, "message": _sentence(one, lang)} for one in done.findings],
    }


def _sentence(finding: Finding, lang: str) -> str:
    return words.say(f"refusal.{finding.code}", lang, seq=finding.seq, name=finding.name)


def _tell(done: Examined, sources: Sequence[Source], lang: str, *, opened: bool) -> None:
    def say(key: str) -> str:
        return words.say(f"audit.{key}", lang)

    answers.tell_rows(
        [
            (say("result"), say("wrong" if done.findings else "right")),
            (say("entries"), str(done.entries)),
            (say("bodies"), str(done.bodies) if opened else say("shut")),
            (say("erased"), str(done.erased)),
            *((say("checkpoint"), f"{one.head.size} · {rfc3339(one.head.at)} · {one.name}") for one in sources),
        ]
    )
    for finding in done.findings:
        answers.tell_aside(f"✗ {_sentence(finding, lang)} [{finding.code}]")


# -- export ------------------------------------------------------------------------------------------------------------


def _export(options: argparse.Namespace, settings: Settings) -> int:
    check_revision(_address(settings))
    sealer = _sealer(settings)
    try:
        descriptor = os.open(options.out, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError:
        raise FileUnreadable(name=str(options.out)) from None
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        written = asyncio.run(_lines(open_tables(_address(settings)), sealer, options, file.write))
    print(written, file=sys.stderr)
    return DONE


async def _lines(tables: AuditTables, sealer: Sealer, options: argparse.Namespace, put: Any) -> int:
    seq, written = 0, 0
    while bodies := await tables.bodies(seq, 1_000):
        for body in bodies:
            if body["sealed"] is not None and _wanted(body, options):
                put(json.dumps(_line(opened(body, sealer)), ensure_ascii=False) + "\n")
                written += 1
        seq = bodies[-1]["seq"]
    await tables.close()
    return written


def _wanted(body: Any, options: argparse.Namespace) -> bool:
    at = from_micros(body["at"])
    return (
        (options.since is None or at >= options.since)
        and (options.until is None or at < options.until)
        and (options.subject is None or body["subject"] == options.subject)
    )


def _line(row: dict[str, Any]) -> dict[str, Any]:
    return {**row, "at": from_micros(row["at"]).isoformat(), "facts": json.loads(row["facts"]), "delete_at":
            from_micros(row["delete_at"]).isoformat()}  # fmt: skip
