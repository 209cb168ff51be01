"""`ingam log`: the transparency log as outsiders and owners check it; nothing is believed but the keys given here."""

from __future__ import annotations

import argparse
import os
import ssl
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any, Final, TypeAlias

from ingam.ca.log import inclusion
from ingam.kernel.errors import Defect, Failure, Outage, Refusal
from ingam.kernel.instants import rfc3339
from ingam.ports.books import Leaves
from ingam.protocols.log import bundle, event, following, head, keys
from ingam.protocols.log.event import Event, Issue
from ingam.protocols.log.following import Read
from ingam.protocols.log.head import TreeHead
from ingam.protocols.log.keys import LogKey, WitnessKey
from ingam.protocols.log.tiles import HEAD_NAME
from ingam.run.cli import answers
from ingam.run.cli.examples import exampled

DONE, DEFECT, USAGE, UNREADABLE, REFUSED, AWAY = 0, 1, 2, 4, 6, 7
UNSIGNED, UNWITNESSED, CUT, CHANGED, FORKED, SHRUNK, NOT_INCLUDED, OTHER_CERTIFICATE = 10, 11, 12, 13, 14, 15, 16, 17

EXIT_CODES: Final = """exit codes: 0 all as it should be, 2 usage, 4 a file or key cannot be read, 6 no proof for this
serial (never issued, not under a head yet, erased), 7 the address or the books do not answer, 10 not signed by the
log, 11 co-signatures are missing, 12 tiles are missing or cut, 13 hashes were changed, 14 fork, 15 smaller than the
kept head, 16 the bundle does not lead to its head, 17 the bundle is another certificate's"""

_CODES: Final = {
    "log-file-exists": USAGE,
    "log-never-issued": REFUSED,
    "log-not-yet": REFUSED,
    "log-erased": REFUSED,
    "log-other-origin": UNSIGNED,
    "log-head-unsigned": UNSIGNED,
    "log-head-signature": UNSIGNED,
    "log-witness-missing": UNWITNESSED,
    "log-cut": CUT,
    "log-leaves-changed": CHANGED,
    "log-forked": FORKED,
    "log-shrunk": SHRUNK,
    "log-not-included": NOT_INCLUDED,
    "log-other-certificate": OTHER_CERTIFICATE,
}
_LARGEST: Final = 1 << 17
_SECONDS: Final = 20


class FileUnreadable(Refusal):
    """A file that the command names is not there or cannot be read (facts: name)."""

    code = "log-file-unreadable"


class FileExists(Refusal):
    """The file that would be written is there already (facts: name)."""

    code = "log-file-exists"


class OtherCertificate(Refusal):
    """The bundle proves the issue of another certificate, or no issue at all."""

    code = "log-other-certificate"


class AddressOutage(Outage):
    """The log's address does not answer (facts: name)."""

    code = "log-address-outage"


@contextmanager
def books_of(authority: Path) -> Iterator[Leaves]:
    """The books of an authority's folder. Raises BooksOutage, WrongBooks."""
    # An outsider's bare installation has no adapters' packages, and needs none to verify.
    from ingam.adapters.books.sqlite import SqliteBooks, check

    check(authority / "books.db")
    books = SqliteBooks(authority / "books.db")
    try:
        yield books
    finally:
        books.close()


Books: TypeAlias = Callable[[Path], AbstractContextManager[Leaves]]


def main(argv: Sequence[str], books: Books = books_of) -> int:
    """Run `ingam log …`; returns the exit code that --help documents."""
    parser = _parser()
    try:
        options = parser.parse_args(list(argv))
        if options.verb == "verify" and options.witness and not options.key:
            parser.error("--witness needs --key")
    except SystemExit as ended:
        return int(ended.code or 0)
    try:
        match options.verb:
            case "verify":
                told = _verify(options)
            case "check":
                told = _check(options)
            case _:
                told = _prove(options, books)
    except Failure as failure:
        answers.tell_failure(failure, answers.language(options.lang, os.environ), as_json=options.json)
        return exit_code(failure)
    _tell(told, as_json=options.json)
    return DONE


def exit_code(failure: Failure) -> int:
    """The exit code of a failure."""
    if isinstance(failure, Outage):
        return AWAY
    return DEFECT if isinstance(failure, Defect) else _CODES.get(failure.code, UNREADABLE)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="ingam log", description=__doc__, epilog=EXIT_CODES)
    verbs = parser.add_subparsers(dest="verb", required=True)
    verify = verbs.add_parser(
        "verify", help="공개된 로그 전체를 다시 계산합니다 · compute a published log anew", epilog=EXIT_CODES
    )
    verify.add_argument("--dir", required=True, metavar="PUBLISHED", help="its folder, or an http(s) address")
    verify.add_argument(
        "--head", metavar="FILE", help="a head (checkpoint) that you kept: is the log its continuation?"
    )
    check = verbs.add_parser("check", help="받은 증명을 오프라인으로 확인합니다 · check an owner's proof offline")
    check.add_argument("bundle", metavar="BUNDLE")
    check.add_argument("--certificate", metavar="FILE", help="is it the proof of this certificate (DER or PEM)?")
    for verb, required in ((verify, False), (check, True)):
        verb.add_argument("--key", action="append", default=[], required=required, help="the log's key, or its file")
        verb.add_argument(
            "--witness", action="append", default=[], metavar="KEY", help="a witness that must have signed"
        )
        verb.add_argument("--needed", type=int, metavar="N", help="co-signatures of them that are enough (all)")
    prove = verbs.add_parser(
        "prove", help="발급이 기록되었다는 증명을 만듭니다 (기관) · write an owner's proof (authority)"
    )
    prove.add_argument("--data", type=Path, required=True, metavar="FOLDER", help="the authority's folder")
    prove.add_argument("--serial", type=_serial, required=True, metavar="HEX")
    prove.add_argument("--ca", type=int, metavar="N", help="generation of the issuing CA (else any)")
    prove.add_argument("--out", type=Path, required=True, metavar="FILE")
    for verb in (verify, check, prove):
        verb.add_argument("--json", action="store_true")
        verb.add_argument("--lang", choices=("ko", "en"))
    return exampled(parser)


def _serial(word: str) -> int:
    serial = int(word.replace(":", ""), 16)
    if not 0 < serial < 1 << 160:
        raise ValueError(word)
    return serial


def _verify(options: argparse.Namespace) -> dict[str, Any]:
    logs, witnesses = _keys(options)
    read = _reader(options.dir)
    newest = _believed(_text(read(HEAD_NAME), HEAD_NAME), logs, witnesses, options.needed)
    # What was kept was checked when it was kept: witnesses may have changed since, the log's keys are all given.
    kept = None if options.head is None else _believed(_text(_file(options.head), options.head), logs, (), None)
    if kept is not None and kept.origin != newest.origin:
        raise head.OtherLog(origin=newest.origin)
    following.follow(read, newest, kept)
    return {
        "result": "as-it-should-be",
        **_head(newest),
        "signature": "checked" if logs else "not-checked",
        "witnesses": len(witnesses) if options.needed is None else options.needed,
        "kept_size": None if kept is None else kept.size,
    }


def _check(options: argparse.Namespace) -> dict[str, Any]:
    logs, witnesses = _keys(options)
    given = bundle.parse(_text(_file(options.bundle), options.bundle))
    proven = bundle.verify(given, logs, witnesses, options.needed)
    if options.certificate is not None:
        _compare(proven.event, _der(_file(options.certificate)))
    told = dict(line.split(": ", 1) for line in event.text(proven.event).decode("ascii").splitlines()[1:])
    return {
        "result": "included",
        **told,
        "index": proven.leaf_index,
        **{f"head_{n}": v for n, v in _head(proven.head).items()},
    }


def _prove(options: argparse.Namespace, books: Books) -> dict[str, Any]:
    generations = [options.ca] if options.ca is not None else _generations(options.data)
    with books(options.data) as leaves:
        given = _proof(leaves, generations, options.serial)
    _write(options.out, given.text)
    return {"result": "written", "file": str(options.out), "index": given.leaf_index, "head_size": given.head.head.size}


def _proof(leaves: Leaves, generations: Sequence[int], serial: int) -> bundle.UnverifiedBundle:
    for ca in generations:
        if (index := leaves.leaf_of(ca, serial)) is not None:
            return inclusion.bundle_at(leaves, index)
    raise inclusion.NeverIssued


def _generations(authority: Path) -> list[int]:
    """Those whose certificates stand in the folder, newest first; the first generation where none does."""
    names = (path.stem.removeprefix("issuing-") for path in (authority / "certificates").glob("issuing-*.der"))
    return sorted((int(name) for name in names if name.isdecimal()), reverse=True) or [1]


def _compare(proven: Event, der: bytes) -> None:
    if not isinstance(proven, Issue) or proven.certificate != sha256(der).digest():
        raise OtherCertificate


def _der(data: bytes) -> bytes:
    try:
        return ssl.PEM_cert_to_DER_cert(data.decode("ascii")) if data.startswith(b"-----BEGIN") else data
    except (ValueError, UnicodeDecodeError):
        raise OtherCertificate from None


def _believed(
    text: str, logs: Sequence[LogKey], witnesses: Sequence[WitnessKey], needed: int | None
) -> TreeHead:  # fmt: skip
    """Without a key of the log the head is only compared with its tiles, and the answer says so."""
    given = head.parse(text)
    return head.verify(given, logs, witnesses, needed) if logs else given.head


def _keys(options: argparse.Namespace) -> tuple[list[LogKey], list[WitnessKey]]:
    logs, witnesses = [_key(word) for word in options.key], [_key(word) for word in options.witness]
    if not all(isinstance(key, LogKey) for key in logs) or not all(isinstance(key, WitnessKey) for key in witnesses):
        raise keys.KeyMalformed
    return [k for k in logs if isinstance(k, LogKey)], [k for k in witnesses if isinstance(k, WitnessKey)]


def _key(word: str) -> keys.VerifierKey:
    """A key's text, which has two plus signs or more, or the name of a file that holds it."""
    return keys.parse(word if word.count("+") >= 2 else _text(_file(word), word))


def _reader(place: str) -> Read:
    """Reads names below a log's folder or address, or below `log/` of the published folder around it."""
    read = _at_address(place.rstrip("/")) if place.startswith(("http://", "https://")) else _in_folder(Path(place))
    if read(HEAD_NAME) is None and read(f"log/{HEAD_NAME}") is not None:
        return lambda name: read(f"log/{name}")
    return read


def _in_folder(folder: Path) -> Read:
    def read(name: str) -> bytes | None:
        path = folder / name
        return _file(str(path)) if path.is_file() else None

    return read


def _at_address(address: str) -> Read:
    def read(name: str) -> bytes | None:
        try:
            with urllib.request.urlopen(f"{address}/{name}", timeout=_SECONDS) as answer:  # noqa: S310 - http(s) only
                found: bytes = answer.read(_LARGEST + 1)
                return found
        except urllib.error.HTTPError as error:
            if error.code in (404, 410):
                return None
            raise AddressOutage(name=name) from None
        except (OSError, ValueError):
            raise AddressOutage(name=name) from None

    return read


def _file(name: str) -> bytes:
    """At most a little more than anything of the log has; more is refused by whoever parses it."""
    try:
        with Path(name).open("rb") as file:
            return file.read(_LARGEST + 1)
    except OSError:
        raise FileUnreadable(name=name) from None


def _text(data: bytes | None, name: str) -> str:
    try:
        if data is not None:
            return data.decode("utf-8")
    except UnicodeDecodeError:
        pass
    raise FileUnreadable(name=name)


def _write(path: Path, text: str) -> None:
    """For its owner only, and over nothing: the salt in it is what the log keeps from everybody."""
    try:
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        raise FileExists(name=str(path)) from None
    except OSError:
        raise FileUnreadable(name=str(path)) from None


def _head(seen: TreeHead) -> dict[str, Any]:
    return {"origin": seen.origin, "size": seen.size, "root": seen.root.hex(), "at": rfc3339(seen.at)}


_LABELS: Final = {
    "result": "결과 · result",
    "as-it-should-be": "정상 · all as it should be",
    "included": "로그에 있음 · in the log",
    "written": "증명을 썼습니다 · the proof is written",
    "checked": "확인함 · checked",
    "not-checked": "확인하지 않음 (--key 없음) · not checked (no --key)",
    "origin": "로그 · log",
    "size": "잎 · leaves",
    "root": "뿌리 · root",
    "at": "시각 · time",
    "signature": "서명 · signature",
    "witnesses": "증인 · witnesses",
    "kept_size": "보관한 헤드 · kept head",
    "file": "파일 · file",
    "index": "자리 · index",
    "kind": "종류 · kind",
    "ca": "발급 세대 · CA generation",
    "serial": "일련번호 · serial",
    "certificate": "인증서 SHA-256 · certificate",
    "state": "상태 · state",
    "reason": "사유 · reason",
    "head_origin": "헤드의 로그 · head: log",
    "head_size": "헤드의 잎 · head: leaves",
    "head_root": "헤드의 뿌리 · head: root",
    "head_at": "헤드의 시각 · head: time",
}


def _tell(told: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        answers.tell_json(told)
        return
    shown = {name: "-" if value is None else _LABELS.get(str(value), str(value)) for name, value in told.items()}
    answers.tell_rows([(_LABELS.get(name, name), value) for name, value in shown.items()], sys.stdout)
