"""The words of `ingam ca`: its verbs, their options, and what --help says of them."""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable
from pathlib import Path
from typing import Final, NamedTuple, TypeAlias

from ingam.ca.profiles import PRESETS, ServiceKeys
from ingam.ca.profiles.reading import CONFORMANCE
from ingam.ca.revoking.statement import BY_NAME
from ingam.npki.signature import KeyKind
from ingam.run.cli.ca_telling import EXIT_CODES
from ingam.run.cli.examples import exampled

Parser: TypeAlias = argparse.ArgumentParser
Verbs: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"

_NAME: Final = re.compile(r"[a-z0-9-]{1,32}")
_OPERATOR: Final = re.compile(r"[a-z][a-z0-9-]{0,31}")
_PERSON: Final = re.compile(r"[0-9A-Za-z-]{1,32}")
_MOBILE: Final = re.compile(r"[0-9]{8,12}")
_EMAIL: Final = re.compile(r"[^@\s]{1,64}@[A-Za-z0-9.-]{1,189}")
_MOST_SERIAL: Final = 1 << 160


class Candidate(NamedTuple):
    """An operator as an argument names one. `key`: 64 hexadecimal digits, or the file that holds them."""

    name: str
    person: str
    key: str


def parser() -> Parser:
    """All verbs. `verb`, and `act` below `operator` and `ceremony`, tell which one was asked."""
    whole = argparse.ArgumentParser(prog="ingam ca", description=_ABOUT, epilog=EXIT_CODES, allow_abbrev=False)
    verbs = whole.add_subparsers(dest="verb", required=True)
    for add in (_init, _roll_over, _roll_root, _renew_responder, _ceremony, _register, _issue, _revoke, _suspend,
                _resume, _statement, _sign, _operator, _status, _crl, _export):  # fmt: skip
        add(verbs)
    return exampled(whole)


_ABOUT: Final = "인증기관을 만들고 운영합니다 · found and run a certification authority, also while it serves"


def _verb(verbs: Verbs, name: str, text: str, *, holder: bool = False) -> Parser:
    """A verb with what every verb has. `holder`: its --name is a holder's, so the authority's is --ca-name only."""
    verb = verbs.add_parser(name, help=text, description=text, epilog=EXIT_CODES, allow_abbrev=False)
    verb.add_argument("--data", type=Path, metavar="DIR", help="데이터 폴더 · the data folder (else INGAM_DATA)")
    words = ("--ca-name",) if holder else ("--ca-name", "--name")
    text = "인증기관 이름 · the authority: DIR/ca/NAME (else INGAM_CA_NAME, ingam)"
    verb.add_argument(*words, dest="authority_name", type=_matching(_NAME), metavar="NAME", help=text)
    verb.add_argument("--json", action="store_true", help="JSON으로 · as JSON")
    return verb


# Ceremonies


def _init(verbs: Verbs) -> None:
    verb = _verb(verbs, "init", "새 인증기관을 만듭니다 (키 생성 의식) · a new authority: its key ceremony")
    verb.add_argument("--preset", choices=(*PRESETS, CONFORMANCE), default=PRESETS[0])
    verb.add_argument(
        "--authority", dest="authority_file", type=Path, metavar="FILE", help="authority.toml of your own"
    )
    verb.add_argument("--profiles", dest="profiles_file", type=Path, metavar="FILE", help="its profiles.toml")
    text = "키 종류 · kind of a key, e.g. issuing=p-256; may be repeated"
    verb.add_argument("--key", dest="kinds", action="append", type=_kind, default=[], metavar="USE=KIND", help=text)
    verb.add_argument("--pkcs11", metavar="MODULE", help="PKCS#11 library; PIN: INGAM_CA_PIN or asked")
    verb.add_argument("--token", metavar="LABEL", help="the token's label")
    _at_ceremony(verb)


def _roll_over(verbs: Verbs) -> None:
    text = "다음 세대의 발급 인증기관을 만듭니다 · the next generation of the issuing CA; the earlier one stays valid"
    _at_ceremony(_verb(verbs, "roll-over", text))


def _roll_root(verbs: Verbs) -> None:
    text = "다음 최상위 인증기관을 만듭니다 · the next root; old and new certify each other"
    _at_ceremony(_verb(verbs, "roll-root", text))


def _renew_responder(verbs: Verbs) -> None:
    verb = _verb(verbs, "renew-responder", "OCSP 인증서를 갱신합니다 · the OCSP responder's next certificate")
    verb.add_argument("--ca", type=_generation, metavar="N", help="발급 세대 · generation of the issuing CA (newest)")
    verb.add_argument("--new-key", action="store_true", help="새 키로 · for a new key")
    _at_ceremony(verb)


def _at_ceremony(verb: Parser) -> None:
    text = "따로 보관하는 최상위 키의 폴더 · folder of the root's key files, where they are kept apart"
    verb.add_argument("--root-keys", type=Path, metavar="DIR", help=text)
    text = "그 폴더의 비밀번호 파일 · a file with that folder's passphrase, where it is another one (-: stdin)"
    verb.add_argument("--root-passphrase-file", metavar="FILE", help=text)
    text = "최상위 인증기관이 OCSP 인증서를 발급합니다 · the root issues the OCSP responder, as the field does"
    verb.add_argument("--responder-by-root", action=argparse.BooleanOptionalAction, help=text)
    text = "끝나지 않은 의식이 남긴 키를 씁니다 · use keys that an unfinished ceremony left"
    verb.add_argument("--reuse-keys", action="store_true", help=text)
    text = "참석자 · who stands by, e.g. '홍길동:operator'; may be repeated (else this system's user)"
    verb.add_argument(
        "--participant", dest="participants", action="append", type=_participant, default=[], metavar="NAME:ROLE",
        help=text,
    )  # fmt: skip


def _ceremony(verbs: Verbs) -> None:
    outer = verbs.add_parser("ceremony", help="키 생성 의식의 기록 · records of ceremonies", allow_abbrev=False)
    acts = outer.add_subparsers(dest="act", required=True)
    _verb(acts, "list", "기록의 목록 · which records there are")
    show = _verb(acts, "show", "기록 하나 · one record (the newest)")
    show.add_argument("record", nargs="?", metavar="RECORD")


# Issuing


def _register(verbs: Verbs) -> None:
    text = "등록하고 참조번호와 인가코드를 냅니다 · register a holder: reference number and code, shown once"
    verb = _verb(verbs, "register", text, holder=True)
    _names(verb)
    text = "주민·사업자등록번호 · 13 or 10 digits; '-' reads it from stdin, so that it is not in the process list"
    verb.add_argument("--idn", default="", metavar="DIGITS", help=text)
    verb.add_argument("--mobile", type=_digits, metavar="DIGITS", help="발급 안내를 받을 번호 · for notices")
    verb.add_argument("--email", type=_matching(_EMAIL), metavar="ADDRESS")
    text = "이 공개키에만 발급 · only this key will be certified: SHA-256 of its SubjectPublicKeyInfo"
    verb.add_argument("--spki-sha256", type=_digest, metavar="HEX", help=text)
    verb.add_argument("--reissue", action="store_true", help="재발급 (만료일 유지) · a reissue; the end date stays")
    text = "예전 프로그램용 (NPKI, raw TCP) · the code is for the NPKI profile over raw TCP, and for nothing else"
    verb.add_argument("--npki", action="store_true", help=text)
    text = "여러 번 쓰는 등록 (샌드박스만) · a registration for many uses; only of a sandbox's authority"
    verb.add_argument("--reusable", action="store_true", help=text)
    verb.add_argument("--reference", metavar="REF", help="with --reusable: a reference number that is told")
    verb.add_argument("--code", metavar="CODE", help="with --reusable: its code; '-' reads it from stdin (after --idn)")


def _issue(verbs: Verbs) -> None:
    text = "PKCS #10으로 서버·등록기관 인증서를 바로 발급합니다 · a certificate for a server or service from a PKCS #10"
    verb = _verb(verbs, "issue", text, holder=True)
    _names(verb)
    verb.add_argument("--csr", required=True, metavar="FILE", help="DER or PEM; '-' is stdin")
    verb.add_argument(
        "--out", type=Path, required=True, metavar="FILE", help="PEM, or DER where it ends in .der or .cer"
    )
    verb.add_argument("--chain", action="store_true", help="발급 인증기관까지 (PEM) · with the issuing CA's behind it")


def _names(verb: Parser) -> None:
    verb.add_argument("--profile", required=True, metavar="PROFILE", help="인증서 종류 · a name in profiles.toml")
    verb.add_argument("--name", dest="holder_name", default="", metavar="NAME", help="이름 · name, as registered")
    verb.add_argument("--english", default="", metavar="NAME")
    verb.add_argument("--branch", default="", metavar="NAME")
    text = "동명이인을 가르는 숫자 · digits that make the name unique (else made for a person)"
    verb.add_argument("--number", default="", metavar="DIGITS", help=text)
    verb.add_argument("--host", dest="hosts", action="append", default=[], metavar="HOST", help="may be repeated")


# Status changes


def _revoke(verbs: Verbs) -> None:
    verb = _verb(verbs, "revoke", "폐지합니다 · revoke: at once, or on two operators' statement")
    _one(verb, required=False)
    _reason(verb, required=False)
    text = "폐지 대행: 서명할 진술서를 씁니다 · on behalf: write the statement that two operators sign (see statement)"
    verb.add_argument("--on-behalf", action="store_true", help=text)
    verb.add_argument("--basis", metavar="WORD", help="death, dissolution, court-order …")
    verb.add_argument("--out", type=Path, metavar="FILE", help="where the statement goes")
    text = "서명된 진술서로 · by this statement"
    verb.add_argument("--statement", metavar="FILE", help=text)
    verb.add_argument("--signature", dest="signatures", action="append", default=[], metavar="FILE", help="of each")


def _suspend(verbs: Verbs) -> None:
    _one(_verb(verbs, "suspend", "효력을 정지합니다 · suspend (certificateHold); after six months it is revoked"))


def _resume(verbs: Verbs) -> None:
    _one(_verb(verbs, "resume", "효력을 회복합니다 · resume; the end date does not move"))


def _statement(verbs: Verbs) -> None:
    text = "폐지 대행의 진술서를 씁니다 · write the statement that two operators sign within 24 hours"
    verb = _verb(verbs, "statement", text)
    _one(verb)
    _reason(verb)
    text = "근거 · why the holder cannot: death, dissolution, court-order …"
    verb.add_argument("--basis", required=True, metavar="WORD", help=text)
    verb.add_argument("--out", type=Path, required=True, metavar="FILE")


def _sign(verbs: Verbs) -> None:
    verb = _verb(verbs, "sign", "진술서에 서명합니다 · sign a statement with an operator's key")
    verb.add_argument("file", metavar="STATEMENT")
    verb.add_argument("--key", required=True, metavar="FILE", help="made by `operator key`")
    verb.add_argument("--as", dest="operator", type=_matching(_OPERATOR), required=True, metavar="NAME")
    verb.add_argument("--out", type=Path, metavar="FILE", help="else STATEMENT.NAME.sig")
    _passphrase(verb)


def _one(verb: Parser, *, required: bool = True) -> None:
    verb.add_argument("--serial", type=_serial, required=required, metavar="HEX")
    text = "발급 세대 · generation of the issuing CA (the newest that issued it)"
    verb.add_argument("--ca", type=_generation, metavar="N", help=text)


def _reason(verb: Parser, *, required: bool = True) -> None:
    text = "사유 · " + ", ".join(BY_NAME)
    verb.add_argument("--reason", type=_reason_name, required=required, metavar="NAME", help=text)


def _passphrase(verb: Parser) -> None:
    text = "비밀번호 파일 (-: 표준 입력) · a file with the passphrase (-: stdin); else asked on the terminal"
    verb.add_argument("--passphrase-file", metavar="FILE", help=text)


# Operators


def _operator(verbs: Verbs) -> None:
    text = "폐지 대행에 서명하는 운영자 · the operators who sign on behalf"
    outer = verbs.add_parser("operator", help=text, allow_abbrev=False)
    acts = outer.add_subparsers(dest="act", required=True)
    _verb(acts, "list", "운영자 목록 · who they are")
    text = "더합니다: 처음에는 둘을 한 번에 · add: the first ones two at once, later by a statement to be signed"
    add = _verb(acts, "add", text)
    text = "이름:사번:공개키 · NAME:EMPLOYEE:KEY; KEY is 64 hexadecimal digits or the .pub file"
    add.add_argument(
        "--operator", dest="operators", action="append", type=_candidate, required=True, metavar="NAME:EMPLOYEE:KEY",
        help=text,
    )  # fmt: skip
    add.add_argument("--out", type=Path, metavar="FILE", help="where the statement goes")
    remove = _verb(acts, "remove", "운영자를 뺍니다 · remove: writes the statement that two others sign")
    remove.add_argument("operator", type=_matching(_OPERATOR), metavar="NAME")
    remove.add_argument("--out", type=Path, required=True, metavar="FILE")
    apply = _verb(acts, "apply", "서명된 변경을 적용합니다 · apply a change that two operators signed")
    apply.add_argument("--statement", required=True, metavar="FILE")
    apply.add_argument("--signature", dest="signatures", action="append", required=True, metavar="FILE")
    key = _verb(acts, "key", "운영자의 키를 만듭니다 · an operator's key: FILE, encrypted, and FILE.pub")
    key.add_argument("--out", type=Path, required=True, metavar="FILE")
    _passphrase(key)


# Looking and publishing


def _status(verbs: Verbs) -> None:
    text = "상태를 보여 줍니다 · the authority, one certificate with its history, or a person's certificates"
    verb = _verb(verbs, "status", text)
    which = verb.add_mutually_exclusive_group()
    which.add_argument("--serial", type=_serial, metavar="HEX")
    text = "번호로 찾는 한 사람의 인증서; 번호는 표준 입력으로만 · of a person; the number comes from stdin only"
    which.add_argument("--person-idn", choices=("-",), help=text)
    verb.add_argument("--ca", type=_generation, metavar="N", help="with --serial: generation of the issuing CA")
    verb.add_argument("--newest", type=_count, default=10, metavar="N", help="how many of the newest (10)")


def _crl(verbs: Verbs) -> None:
    verb = _verb(verbs, "crl", "폐지목록: 무엇이 공개되어 있는지 · revocation lists: what is published")
    verb.add_argument("--now", action="store_true", help="지금 만들어 공개합니다 · make and publish them now")
    text = "따로 보관하는 최상위 키의 폴더 · with --now: folder of the root's key files, where they are kept apart"
    verb.add_argument("--root-keys", type=Path, metavar="DIR", help=text)
    verb.add_argument("--root-passphrase-file", metavar="FILE", help="its passphrase, where it is another one")


def _export(verbs: Verbs) -> None:
    text = "공개할 인증서, 사슬, 센터의 신뢰 설정 · public certificates, chains, and the center's trust entry"
    verb = _verb(verbs, "export", text)
    text = "이 폴더에 · into this folder; without it the trust entry is printed"
    verb.add_argument("--out", type=Path, metavar="DIR", help=text)


# Values


def _matching(form: re.Pattern[str]) -> Callable[[str], str]:
    def value(word: str) -> str:
        if not form.fullmatch(word):
            raise argparse.ArgumentTypeError(f"not of the form {form.pattern}")
        return word

    return value


def _serial(word: str) -> int:
    serial = int(word.replace(":", ""), 16)
    if not 0 < serial < _MOST_SERIAL:
        raise ValueError(word)
    return serial


def _generation(word: str) -> int:
    return _bounded(word, 1, 9999)


def _count(word: str) -> int:
    return _bounded(word, 0, 1000)


def _bounded(word: str, least: int, most: int) -> int:
    number = int(word)
    if not least <= number <= most:
        raise ValueError(word)
    return number


def _digest(word: str) -> bytes:
    digest = bytes.fromhex(word)
    if len(digest) != 32:
        raise ValueError(word)
    return digest


def _digits(word: str) -> str:
    return _matching(_MOBILE)(word.replace("-", ""))


def _kind(word: str) -> tuple[str, KeyKind]:
    use, _, kind = word.partition("=")
    if use not in ServiceKeys.__slots__:
        raise argparse.ArgumentTypeError(f"USE is one of {', '.join(ServiceKeys.__slots__)}")
    if kind not in tuple(KeyKind):
        raise argparse.ArgumentTypeError(f"KIND is one of {', '.join(KeyKind)}")
    return use, KeyKind(kind)


def _participant(word: str) -> tuple[str, str]:
    name, _, role = word.rpartition(":")
    if not name:
        raise argparse.ArgumentTypeError("NAME:ROLE")
    return name, role


def _candidate(word: str) -> Candidate:
    name, person, key = (*word.split(":", 2), "", "")[:3]
    if not _OPERATOR.fullmatch(name) or not _PERSON.fullmatch(person) or not key:
        raise argparse.ArgumentTypeError("NAME:EMPLOYEE:KEY")
    return Candidate(name, person, key)


def _reason_name(word: str) -> str:
    for name in BY_NAME:
        if name.lower() == word.replace("-", "").lower():
            return name
    raise argparse.ArgumentTypeError(f"one of {', '.join(BY_NAME)}")
