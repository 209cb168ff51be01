"""`ingam evidence`: a signed act as a file (on the server), and whether a file holds (anywhere, asking nobody)."""

from __future__ import annotations

import argparse
import asyncio
import os
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from cryptography import x509

from ingam.adapters.customers.fields import CustomerFields
from ingam.adapters.hsm.file import open_keys
from ingam.adapters.store import open_store
from ingam.adapters.timestamps.rfc3161 import checked, read_roots
from ingam.customer.evidence import Evidences, Kept
from ingam.kernel import words
from ingam.kernel.errors import Defect, Failure, Outage, Refusal
from ingam.kernel.instants import korean_minute, rfc3339
from ingam.npki import subject
from ingam.npki.chain import Anchors
from ingam.protocols import evidence as form
from ingam.protocols.evidence import Evidence
from ingam.protocols.evidence.examining import Report, StampCheck, examine
from ingam.run.cli import answers, cert_status, examples, server
from ingam.settings import Settings
from ingam.wiring import keys_path

DONE, DEFECT, USAGE, UNREADABLE, REFUSED, AWAY = 0, 1, 2, 4, 6, 7
WRONG: Final = {"signature": 12, "path": 13, "status": 14, "time": 15, "stamp": 16, "number": 17, "digest": 18}
"""Of the first check that failed."""

_DIGEST: Final = re.compile(r"[0-9a-fA-F]{64}")

EXIT_CODES: Final = """exit codes: 0 all as it should be, 2 usage, 4 a file cannot be read or is no evidence, 6 refused
(another revision, no such number), 7 the database does not answer, 12 the signature is not one over this text, 13 the
certificate's path, 14 its status, 15 the instants, 16 the time stamp is wrong or missing, 17 another number than
the one that was signed, 18 another digest"""


class FileUnreadable(Refusal):
    """A file that the command names cannot be read or written, or the one to be written is there (facts: name)."""

    code = "audit-file-unreadable"


def main(argv: Sequence[str]) -> int:
    """Run `ingam evidence …`; returns the exit code that --help documents."""
    try:
        options = _parser().parse_args(list(argv))
    except SystemExit as ended:
        return int(ended.code or 0)
    lang = answers.language(options.lang, os.environ)
    runs = {"verify": _verify, "export": _export, "list": _list}
    try:
        return runs[options.verb](options, lang)
    except Failure as failure:
        answers.tell_failure(failure, lang, as_json=getattr(options, "json", False))
        return _exit_code(failure)


def _exit_code(failure: Failure) -> int:
    if isinstance(failure, Outage):
        return AWAY
    if isinstance(failure, Defect):
        return DEFECT
    return REFUSED if failure.code in ("not-found", "settings-refused", "store-revision") else UNREADABLE


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="ingam evidence", description=__doc__, epilog=EXIT_CODES)
    verbs = parser.add_subparsers(dest="verb", required=True)
    verify = verbs.add_parser("verify", help="증거 파일을 확인 · does a file hold? offline", epilog=EXIT_CODES)
    verify.add_argument("file", type=Path, metavar="FILE")
    verify.add_argument(
        "--anchors", type=Path, metavar="DIR", help="certificates of the authorities (else the published ones)"
    )
    verify.add_argument(
        "--tsa-roots", type=Path, metavar="PEM", help="roots of the time-stamp authority: a file without a stamp fails"
    )
    verify.add_argument("--digest", type=_digest, metavar="HEX", help="SHA-256 as the receipt or the audit line has it")
    verify.add_argument("--json", action="store_true")
    export = verbs.add_parser("export", help="서명한 거래를 파일로 · a signed act as a file (0600)")
    export.add_argument("number", metavar="NUMBER", help="of the receipt")
    export.add_argument("--out", type=Path, required=True, metavar="FILE")
    listed = verbs.add_parser("list", help="한 고객이 서명한 거래 · what a customer signed")
    listed.add_argument("banking_id", metavar="ID")
    listed.add_argument("--json", action="store_true")
    server.options_of((export, listed), names_store=True)
    verify.add_argument("--lang", choices=("ko", "en"), help="of what is said (else that of LANG)")
    return examples.exampled(parser)


def _digest(text: str) -> str:
    """64 hex digits. Raises ValueError."""
    if not _DIGEST.fullmatch(text):
        raise ValueError(text)
    return text


# -- verify ------------------------------------------------------------------------------------------------------------


def _verify(options: argparse.Namespace, lang: str) -> int:
    found = form.read(_bytes(options.file))
    held = cert_status.trusted(options.anchors)
    anchors = Anchors.sorted_out(one for one in held if cert_status.is_authority(one))
    trusted = [one.fingerprint for one in held if cert_status.is_responder(one)]
    report = examine(
        found, anchors, responders=trusted, check_stamp=_stamps(options.tsa_roots), digest=options.digest
    )  # fmt: skip
    if options.json:
        answers.tell_json(_as_json(found, report))
    else:
        _tell(found, report, lang)
    return DONE if report.wrong is None else WRONG[report.wrong.name]


def _stamps(path: Path | None) -> StampCheck | None:
    if path is None:
        return None
    roots: list[x509.Certificate] = read_roots(path)
    return lambda stamp, message: checked(stamp, message, roots)


def _as_json(found: Evidence, report: Report) -> dict[str, Any]:
    signer = report.signer
    return {
        "result": "right" if report.wrong is None else "wrong",
        "number": found.number,
        "act": found.act,
        "at": rfc3339(found.at),
        "digest": form.digest(found),
        "text": found.text,
        "signer": None if signer is None else {"subject": str(signer.subject), "serial": f"{signer.serial:x}"},
        "time_from": str(report.time_from),
        "stamped_at": None if report.stamped_at is None else rfc3339(report.stamped_at),
        "checks": [{"name": one.name, "verdict": str(one.verdict), "code": one.code} for one in report.checks],
    }


def _tell(found: Evidence, report: Report, lang: str) -> None:
    def say(key: str) -> str:
        return words.say(f"evidence.{key}", lang)

    wrong, signer = report.wrong, report.signer
    act = say(f"act_{found.act}") if words.has(f"evidence.act_{found.act}") else found.act
    rows = [
        (say("head_number"), found.number),
        (say("head_act"), act),
        (say("head_at"), f"{korean_minute(found.at)} KST"),
        (say("head_signer"), "-" if signer is None else f"{subject.display_name(signer.subject)} · {signer.serial:x}"),
        (say("head_digest"), form.digest(found)),
    ]
    if report.stamped_at is not None:
        rows.append((say("head_stamp"), f"{korean_minute(report.stamped_at)} KST"))
    rows.append((say("head_time_from"), say(f"time_from_{report.time_from}")))
    for one in report.checks:
        why = f" [{one.code}]" if one.code else ""
        rows.append((say(f"check_{one.name}"), f"{say(f'verdict_{one.verdict}')}{why}"))
    answers.tell_rows(rows)
    print(f"\n{_escaped(found.text)}\n")
    print(say("result_right" if wrong is None else "result_wrong"))
    if wrong is not None:
        answers.tell_aside(f"✗ {answers.failure_text(Refusal(wrong.code), lang)}")


def _escaped(text: str) -> str:
    """What was signed, line by line: it may hold anything."""
    return "\n".join(f"    {answers.visible(line)}" for line in text.split("\n"))


# -- the center's own --------------------------------------------------------------------------------------------------


def _export(options: argparse.Namespace, lang: str) -> int:
    data = asyncio.run(_opened(_settings(options), options.number))
    try:
        descriptor = os.open(options.out, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError:
        raise FileUnreadable(name=str(options.out)) from None
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
    print(words.say("evidence.exported", lang, path=answers.visible(str(options.out))))
    return DONE


def _list(options: argparse.Namespace, lang: str) -> int:
    found = asyncio.run(_kept(_settings(options), options.banking_id))
    if options.json:
        answers.tell_json(
            {"evidence": [{"number": one.number, "act": one.act, "at": rfc3339(one.at), "digest": one.digest}
                          for one in found]}
        )  # fmt: skip
        return DONE
    if not found:
        print(words.say("evidence.list_none", lang))
        return DONE
    head = [words.say(f"evidence.head_{name}", lang) for name in ("number", "act", "at", "digest")]
    answers.tell_table(head, [[one.number, one.act, korean_minute(one.at), one.digest] for one in found])
    return DONE


def _settings(options: argparse.Namespace) -> Settings:
    settings = server.checked(options)
    if not keys_path(settings).exists():
        raise FileUnreadable(name=str(keys_path(settings)))
    return settings


async def _opened(settings: Settings, number: str) -> bytes:
    keys = open_keys(keys_path(settings), production=settings.production, allowed=True)
    store = open_store(settings.store, keys.outbox)
    try:
        return form.written(await Evidences(store, CustomerFields(store, keys.fields)).opened(number))
    finally:
        await store.close()


async def _kept(settings: Settings, banking_id: str) -> list[Kept]:
    keys = open_keys(keys_path(settings), production=settings.production, allowed=True)
    store = open_store(settings.store, keys.outbox)
    try:
        row = await store.one("customer", {"banking_id": banking_id})
        if row is None:
            raise Refusal("not-found")
        return await Evidences(store, CustomerFields(store, keys.fields)).of(str(row["customer_id"]))
    finally:
        await store.close()


def _bytes(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(form.MOST + 1)
    except OSError:
        raise FileUnreadable(name=str(path)) from None


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
