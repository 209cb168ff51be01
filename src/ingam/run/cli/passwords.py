"""How a command gets a certificate password: by prompt, from stdin, or from a file; never as an argument.

An argument would stand in the process list and in the shell's history (security B17 in spirit, H1).
"""

from __future__ import annotations

import getpass
import sys
from argparse import Namespace
from dataclasses import dataclass
from pathlib import Path

from ingam.kernel.errors import Refusal
from ingam.kernel.secret import Secret
from ingam.kernel.words import say

MOST_BYTES = 4096


class PasswordNeeded(Refusal):
    """No password was given, and there is no terminal to ask at."""

    code = "password-needed"


@dataclass(frozen=True, slots=True)
class Asked:
    """The passwords of one command; `new` only where one is set."""

    password: Secret[bytes]
    new: Secret[bytes] | None = None


def ask(options: Namespace, *, new: bool = False) -> Asked:
    """The password, and a new one too. Raises PasswordNeeded, or Refusal `usage` where two new ones differ.

    From stdin or a file: one password a line, without its line end; nothing else is trimmed. `--new-password-file` may
    hold the new one apart.
    """
    lines = _lines(options)
    if lines is None:
        if not sys.stdin.isatty():
            raise PasswordNeeded
        return _prompted(options.lang, new=new)
    if not new:
        return Asked(Secret(lines[0]))
    apart = getattr(options, "new_password_file", None)
    more = _file_lines(apart) if apart else lines[1:]
    if not more:
        raise PasswordNeeded
    return Asked(Secret(lines[0]), Secret(more[0]))


def given_or_terminal(options: Namespace) -> bool:
    """Whether a password was given or can be asked for."""
    return given(options) or sys.stdin.isatty()


def given(options: Namespace) -> bool:
    """Whether a password was given by stdin or a file."""
    return bool(options.password_stdin or options.password_file)


def _prompted(lang: str, *, new: bool) -> Asked:
    password = _prompt("cert.ask_password", lang)
    if not new:
        return Asked(password)
    first, second = _prompt("cert.ask_new", lang), _prompt("cert.ask_again", lang)
    if first != second:
        raise Refusal("cert-password-differs")
    return Asked(password, first)


def _prompt(key: str, lang: str) -> Secret[bytes]:
    return Secret(getpass.getpass(say(key, lang)).encode("utf-8"))


def _lines(options: Namespace) -> list[bytes] | None:
    if options.password_file:
        return _file_lines(options.password_file)
    return _split(sys.stdin.buffer.read(MOST_BYTES)) if options.password_stdin else None


def _file_lines(path: Path) -> list[bytes]:
    try:
        with path.open("rb") as opened:
            return _split(opened.read(MOST_BYTES))
    except OSError:
        raise PasswordNeeded from None


def _split(data: bytes) -> list[bytes]:
    """Lines without their ends; a password may hold anything but a line end."""
    lines = data.removesuffix(b"\n").split(b"\n")
    return [line.removesuffix(b"\r") for line in lines]
