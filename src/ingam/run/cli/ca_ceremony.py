"""`ingam ca init`, `roll-over`, `roll-root`, `renew-responder`, `ceremony`: how an authority comes to be and goes on.

What a ceremony made stands in its record, which is printed; the certificates that the issuing CA gave to services of
its own are entered in the books, because OCSP would call them unknown else.
"""

from __future__ import annotations

import asyncio
import getpass
import json
import os
import platform
import re
import secrets
import tomllib
from argparse import Namespace
from collections.abc import Callable, Mapping
from dataclasses import replace
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Final, TypeAlias

from cryptography.hazmat.backends.openssl import backend

from ingam.adapters.clock.system import SystemClock
from ingam.ca import ceremony, profiles
from ingam.ca.ceremony import Ceremony, CeremonyExists, Holdings, Keys, Participant, Places, Plan, read_certificates
from ingam.ca.ceremony.folder import RECORDS
from ingam.ca.ceremony.holdings import is_issuer
from ingam.ca.issuing.entering import enter_services
from ingam.ca.profiles import Authority, ProfileRefused
from ingam.kernel.errors import Refusal
from ingam.kernel.secret import Secret
from ingam.npki.signature import KeyKind
from ingam.run.cli import answers, ca_place, ca_telling
from ingam.settings import Settings
from ingam.wiring.authority import (
    authority_folder,
    ceremony_keys,
    log_origin,
    open_authority,
    open_books,
    services,
)

Act: TypeAlias = Callable[[Path, Authority, Keys, Plan], Ceremony]

_FILES: Final = "암호화된 키 파일 · encrypted key files"
_APART: Final = "따로 보관하는 암호화된 키 파일 · encrypted key files kept apart"
_ROOT: Final = "따로 보관하는 최상위 키의 비밀번호 · passphrase of the root's key files"
_RESTART: Final = (
    "실행 중인 인증기관을 다시 시작하세요 · restart the authority's processes: they read this at their start"
)
_RECORD: Final = re.compile(r"[0-9TZ-]{1,32}")
_KINDS: Final = {
    "founding": "인증기관 생성 · founding",
    "root-founding": "최상위 생성 · root",
    "roll-over": "발급 인증기관 교체 · roll-over",
    "root-roll-over": "최상위 교체 · root roll-over",
    "responder": "OCSP 갱신 · responder",
}


class DemoInProduction(Refusal):
    """A demo's or a sandbox's authority is not founded in production (security G7)."""

    code = "ca-demo-in-production"


class RecordMissing(Refusal):
    """There is no such record of a ceremony (facts: name)."""

    code = "ca-record-missing"


def init(options: Namespace) -> int:
    """A new authority in DATA/ca/NAME: folder, keys, certificates, record, books."""
    settings = _with_token(ca_place.settings_of(options), options)
    folder = authority_folder(settings)
    if folder.exists():
        raise CeremonyExists(folder=folder.name)
    files = chosen_files(options)
    authority = profiles.read(*files.values())
    if settings.production and (authority.demo or authority.sandbox):
        raise DemoInProduction
    settings = ca_place.chosen(settings)
    told = _root_passphrase(options)

    def keys(draft: Path) -> Keys:
        return ceremony_keys(settings, folder, draft, options.root_keys, told)

    plan, now = _plan(settings, authority, options), SystemClock().now()
    made = ceremony.found(folder, authority, files, keys, plan, now, secrets.token_bytes)
    _enter(folder, authority)
    return _tell(made, options)


def roll_over(options: Namespace) -> int:
    """The next issuing CA and its services."""
    _, folder = _folder(options)
    holdings = read_certificates(folder)
    options.responder_by_root = _by_root(options, holdings, max(holdings.issuing, default=1))

    def rolled(folder: Path, authority: Authority, keys: Keys, plan: Plan) -> Ceremony:
        return ceremony.roll_over(folder, authority, keys, plan, SystemClock().now(), secrets.token_bytes)

    return _held(options, rolled)


def roll_root(options: Namespace) -> int:
    """The next root."""

    def rolled(folder: Path, authority: Authority, keys: Keys, plan: Plan) -> Ceremony:
        return ceremony.root_roll_over(folder, authority, keys, plan, SystemClock().now(), secrets.token_bytes)

    return _held(options, rolled)


def renew_responder(options: Namespace) -> int:
    """The responder's next certificate, by whoever issued the one before."""
    holdings = read_certificates(_folder(options)[1])
    issuing = options.ca or max(holdings.issuing, default=1)
    options.responder_by_root = _by_root(options, holdings, issuing)

    def renewed(folder: Path, authority: Authority, keys: Keys, plan: Plan) -> Ceremony:
        return ceremony.renew_responder(
            folder, authority, keys, plan, SystemClock().now(), secrets.token_bytes, issuing=issuing,
            new_key=options.new_key,
        )  # fmt: skip

    return _held(options, renewed)


def records(options: Namespace) -> int:
    """`ceremony list`: the newest first."""
    found = [_listed(path) for path in _records(_folder(options)[1])]
    if options.json:
        answers.tell_json({"records": found})
        return ca_telling.DONE
    heads = {"record": "기록 · record", "at": "일시 · held", "ceremony": "의식 · ceremony", "made": "만든 것 · made"}
    rows = [one | {"ceremony": _KINDS.get(one["ceremony"], one["ceremony"])} for one in found]
    ca_telling.tell_list(rows, heads, "기록이 없습니다 · no records")
    return ca_telling.DONE


def record(options: Namespace) -> int:
    """`ceremony show`: one as it was printed, or its JSON."""
    found = _records(_folder(options)[1])
    wanted = [path for path in found if options.record in (None, path.stem)]
    if not wanted:
        raise RecordMissing(name=options.record if options.record and _RECORD.fullmatch(options.record) else "-")
    if options.json:
        answers.tell_json(_read(wanted[0]))
    else:
        print(wanted[0].with_suffix(".txt").read_text(encoding="utf-8"), end="")
    return ca_telling.DONE


def chosen_files(options: Namespace) -> dict[str, str]:
    """authority.toml and its profiles, from a preset or from files, with the kinds of keys that are asked for.

    The profiles' file gets the name that authority.toml calls it. Raises FileUnreadable, ProfileRefused.
    """
    if options.authority_file is None:
        files = profiles.preset_files(options.preset)
    else:
        first = _text(options.authority_file)
        name = _profiles_name(first)
        beside = options.profiles_file or options.authority_file.with_name(name)
        files = {"authority.toml": first, name: _text(beside)}
    files["authority.toml"] = with_kinds(files["authority.toml"], options.kinds)
    return files


def with_kinds(text: str, kinds: list[tuple[str, KeyKind]]) -> str:
    """authority.toml with other kinds of keys in its [keys]. Raises ProfileRefused where it does not read so after."""
    head, section, rest = text.partition("[keys]")
    wanted = dict(kinds)
    for use, kind in wanted.items():
        rest = re.sub(rf'(?m)^(\s*{use}\s*=\s*)"[^"]*"', rf'\g<1>"{kind.value}"', rest, count=1)
    text = head + section + rest
    written = _parsed(text).get("keys", {}) if wanted else {}
    for use, kind in wanted.items():
        if written.get(use) != kind.value:
            raise ProfileRefused(at=f"keys.{use}")
    return text


def _profiles_name(text: str) -> str:
    """What authority.toml calls the file of its profiles."""
    try:
        name = _parsed(text)["authority"]["profiles"]
    except (KeyError, TypeError):
        raise ProfileRefused("ca-profile-missing-key", at="authority.profiles") from None
    if not isinstance(name, str) or Path(name).name != name or name == "authority.toml":
        raise ProfileRefused(at="authority.profiles")
    return name


def _parsed(text: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as wrong:
        raise ProfileRefused("ca-profile-syntax", at=str(wrong)) from None


def _held(options: Namespace, act: Act) -> int:
    settings, folder = _folder(options)
    authority = open_authority(settings)
    settings = ca_place.unlocked(settings)
    keys = ceremony_keys(settings, folder, folder, options.root_keys, _root_passphrase(options))
    try:
        made = act(folder, authority, keys, _plan(settings, authority, options))
    finally:
        keys.close()
    _enter(folder, authority)
    code = _tell(made, options)
    if not options.json:
        answers.tell_aside(_RESTART)
    return code


def _folder(options: Namespace) -> tuple[Settings, Path]:
    settings = ca_place.settings_of(options)
    open_authority(settings)
    return settings, authority_folder(settings)


def _with_token(settings: Settings, options: Namespace) -> Settings:
    if options.pkcs11 is None:
        return settings
    return replace(settings, ca=replace(settings.ca, module=options.pkcs11, token=options.token or ""))


def _root_passphrase(options: Namespace) -> Secret[str] | None:
    file: str | None = options.root_passphrase_file
    return None if file is None else ca_place.passphrase_of(file, _ROOT)


def _plan(settings: Settings, authority: Authority, options: Namespace) -> Plan:
    others = f"PKCS#11 token '{settings.ca.token}'" if settings.ca.module else _FILES
    return Plan(
        participants=tuple(Participant(*one) for one in options.participants) or (_user(),),
        places=Places(others if options.root_keys is None else _APART, others),
        software=_software(),
        responder_by_root=bool(options.responder_by_root),
        reuse_keys=options.reuse_keys,
        log_origin=log_origin(authority),
    )


def _user() -> Participant:
    """Nobody was named: whoever runs the program is there."""
    try:
        return Participant(getpass.getuser(), "operator")
    except (KeyError, OSError):
        return Participant(f"uid {os.getuid()}", "operator")


def _software() -> Mapping[str, str]:
    found = {}
    for name in ("ingam", "cryptography"):
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "?"
    return found | {"OpenSSL": backend.openssl_version_text(), "Python": platform.python_version()}


def _by_root(options: Namespace, holdings: Holdings, issuing: int) -> bool:
    """What the command says, else as the responder of that generation was issued (npki.md section 7)."""
    if options.responder_by_root is not None:
        return bool(options.responder_by_root)
    found = holdings.services_of("ocsp", issuing)
    return bool(found) and any(is_issuer(root, found[-1].certificate) for root in holdings.roots.values())


def _enter(folder: Path, authority: Authority) -> None:
    """The books, and in them what each issuing CA in force gave to services of its own."""

    async def entered() -> None:
        books, now = open_books(folder), SystemClock().now()
        try:
            holdings = read_certificates(folder)
            for generation in sorted(holdings.issuing):
                if holdings.issuing[generation].not_after > now:
                    found = services(holdings, generation, now)
                    await enter_services(books, authority, generation, found, now.replace(microsecond=0))
        finally:
            await books.shut()

    asyncio.run(entered())


def _tell(made: Ceremony, options: Namespace) -> int:
    if options.json:
        answers.tell_json(json.loads(made.record.json()))
    else:
        print(made.record.text(), end="")
    return ca_telling.DONE


def _records(folder: Path) -> list[Path]:
    """Newest first; within one second by their numbers, which begin with the second (`20261126T072000Z-2`)."""

    def age(path: Path) -> tuple[str, int]:
        instant, _, number = path.stem.partition("-")
        return instant, int(number) if number.isascii() and number.isdigit() else 1

    return sorted((folder / RECORDS).glob("*.json"), key=age, reverse=True)


def _read(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        found = None
    if not isinstance(found, dict):
        raise RecordMissing(name=path.stem)
    return found


def _listed(path: Path) -> dict[str, Any]:
    told = _read(path)
    made = [one["name"] for one in told["certificates"]]
    return {"record": path.stem, "at": told["at"], "ceremony": told["ceremony"], "made": made}


def _text(path: Path) -> str:
    try:
        return ca_place.contents(str(path)).decode("utf-8")
    except UnicodeDecodeError:
        raise ca_place.FileUnreadable(name=path.name) from None
