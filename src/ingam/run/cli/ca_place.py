"""Which authority a command of `ingam ca` works on, what it opens of it, and how it is told secrets.

Never as arguments, which stand in the process list and in the shell's history (security H1).
"""

from __future__ import annotations

import getpass
import os
import sys
from argparse import Namespace
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Final

from ingam.adapters.blind_index.process import at_hand
from ingam.kernel.errors import Refusal
from ingam.kernel.secret import Secret
from ingam.settings import CaSettings, Settings, read
from ingam.wiring.authority import (
    CaPorts,
    PassphraseMissing,
    authority_folder,
    ca_index_folder,
    ca_ports,
    demo_passphrase,
    desk_ports,
)

MOST_INPUT: Final = 1 << 20
SHORTEST: Final = 10
"""Characters of a passphrase that somebody chooses here."""

_KEYS: Final = "키 파일의 비밀번호 · passphrase of the key files: "
_NEW: Final = "키 파일의 새 비밀번호 · new passphrase of the key files: "
_NEW_OR_NONE: Final = "키 파일의 새 비밀번호 (빈 줄: 시연용) · new passphrase (empty: a demo's own): "
_AGAIN: Final = "한 번 더 · once more: "
_PIN: Final = "토큰의 PIN · PIN of the token: "


class PassphraseDiffers(Refusal):
    """The new passphrase was not typed the same twice; nothing was made."""

    code = "ca-passphrase-differs"


class PassphraseShort(Refusal):
    """A new passphrase of fewer than ten characters; nothing was made (facts: least)."""

    code = "ca-passphrase-short"


class InputMissing(Refusal):
    """Nothing came from stdin where something was promised (facts: name)."""

    code = "ca-input-missing"


class FileUnreadable(Refusal):
    """A file that the command names cannot be read or written (facts: name)."""

    code = "ca-file-unreadable"


class FileExists(Refusal):
    """The file that would be written is there already (facts: name)."""

    code = "ca-file-exists"


def settings_of(options: Namespace) -> Settings:
    """The environment's, with the folder and the authority that the command names. Raises SettingsRefused."""
    settings = read(os.environ)
    ca = settings.ca if options.authority_name is None else replace(settings.ca, name=options.authority_name)
    return replace(settings, ca=ca, data=options.data or settings.data)


@asynccontextmanager
async def desk(settings: Settings, *, keys: bool = False, index: bool = False) -> AsyncIterator[CaPorts]:
    """The authority beside its running processes, for one command. `keys`: private ones; `index`: of the numbers.

    Raises NoAuthority, BlindIndexOutage, and the refusals of keys and books.
    """
    folder = authority_folder(settings)
    ports = ca_ports(settings) if keys else desk_ports(settings)
    try:
        async with at_hand(ca_index_folder(folder), allow_key_file=settings.ca.file_keys) if index else nullcontext():
            yield ports
    finally:
        await ports.shut()


def unlocked(settings: Settings) -> Settings:
    """With the passphrase or PIN of the keys: from the environment, a demo's own file, or the terminal.

    Raises PassphraseMissing.
    """
    ca, folder = settings.ca, authority_folder(settings)
    if ca.module:
        return settings if ca.pin else _with(settings, replace(ca, pin=_asked(_PIN)))
    if ca.passphrase or (not settings.production and demo_passphrase(folder).exists()):
        return settings
    return _with(settings, replace(ca, passphrase=_asked(_KEYS)))


def chosen(settings: Settings) -> Settings:
    """With the passphrase or PIN of keys that are to be made; a demo makes one of its own where nobody says one.

    Raises PassphraseMissing, PassphraseDiffers, PassphraseShort.
    """
    ca = settings.ca
    if ca.module:
        return settings if ca.pin else _with(settings, replace(ca, pin=_asked(_PIN)))
    if ca.passphrase:
        return settings
    if sys.stdin.isatty():
        prompt = _NEW if settings.production else _NEW_OR_NONE
        return _with(settings, replace(ca, passphrase=new_passphrase(prompt, needed=settings.production)))
    if settings.production:
        raise PassphraseMissing
    return settings


def new_passphrase(prompt: str, *, needed: bool = True) -> Secret[str]:
    """Asked twice on the terminal; the empty one unless `needed`. Raises PassphraseMissing, -Differs, -Short."""
    if not sys.stdin.isatty():
        raise PassphraseMissing
    told = getpass.getpass(prompt)
    if not told and not needed:
        return Secret("")
    if len(told) < SHORTEST:
        raise PassphraseShort(least=SHORTEST)
    if getpass.getpass(_AGAIN) != told:
        raise PassphraseDiffers
    return Secret(told)


def passphrase_of(file: str | None, prompt: str) -> Secret[str]:
    """The first line of a file (`-`: stdin), else asked on the terminal. Raises PassphraseMissing, FileUnreadable."""
    if file is None:
        return _asked(prompt)
    lines = contents(file).decode("utf-8", "replace").splitlines()
    if not lines or not lines[0]:
        raise PassphraseMissing
    return Secret(lines[0])


def hidden(told: str, name: str, prompt: str) -> Secret[str]:
    """What an argument says; `-` is a line of stdin, unseen where a person types it. Raises InputMissing."""
    if told != "-":
        return Secret(told)
    line = getpass.getpass(prompt) if sys.stdin.isatty() else sys.stdin.readline(MOST_INPUT)
    if not line.strip():
        raise InputMissing(name=name)
    return Secret(line.strip())


def contents(name: str) -> bytes:
    """A file's bytes, or stdin's for `-`. Raises FileUnreadable."""
    try:
        if name == "-":
            return sys.stdin.buffer.read(MOST_INPUT)
        with Path(name).open("rb") as file:
            return file.read(MOST_INPUT)
    except OSError:
        raise FileUnreadable(name=Path(name).name) from None


def absent(path: Path) -> Path:
    """A path where nothing is yet; asked before work that cannot be undone. Raises FileExists."""
    if path.exists():
        raise FileExists(name=path.name)
    return path


def write_new(path: Path, octets: bytes, mode: int = 0o644) -> None:
    """A new file. Raises FileExists, FileUnreadable."""
    try:
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
            file.write(octets)
    except FileExistsError:
        raise FileExists(name=path.name) from None
    except OSError:
        raise FileUnreadable(name=path.name) from None


def _asked(prompt: str) -> Secret[str]:
    if not sys.stdin.isatty():
        raise PassphraseMissing
    told = getpass.getpass(prompt)
    if not told:
        raise PassphraseMissing
    return Secret(told)


def _with(settings: Settings, ca: CaSettings) -> Settings:
    return replace(settings, ca=ca)
