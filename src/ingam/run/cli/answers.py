"""How a command answers: a table or JSON, a text for a failure, and its exit code."""

from __future__ import annotations

import json
import sys
import unicodedata
from collections.abc import Mapping, Sequence
from typing import Any, Final, TextIO

from ingam.kernel import words
from ingam.kernel.errors import Failure

DONE, USAGE, WRONG_PASSWORD, DAMAGED, MISMATCH, NOT_VALID = 0, 2, 3, 4, 5, 6

EXIT_CODES: Final = {
    "wrong-password": WRONG_PASSWORD,
    "key-mismatch": MISMATCH,
    "cms-key-mismatch": MISMATCH,
    "usage": USAGE,
    "password-needed": USAGE,
    "folder-occupied": USAGE,
    "file-exists": USAGE,
    "folder-missing": USAGE,
}
"""Codes that do not end as `damaged or unreadable`."""

_NOT_VALID_FAMILIES: Final = ("cert-", "ca-", "root-", "untrusted-", "status-")
_PASSWORD_RULES: Final = "cert-password"
_DAMAGED: Final = ("cert-malformed", "cert-key-kind")


def language(asked: str | None, environment: Mapping[str, str]) -> str:
    """`--lang`, else English where LC_ALL, LC_MESSAGES or LANG begins with en, else Korean."""
    if asked in words.LANGUAGES:
        return str(asked)
    system = next((environment[name] for name in ("LC_ALL", "LC_MESSAGES", "LANG") if environment.get(name)), "")
    return "en" if system.lower().startswith("en") else "ko"


def exit_code(code: str) -> int:
    """The exit code of a failure's code."""
    if code in EXIT_CODES:
        return EXIT_CODES[code]
    if code.startswith(_PASSWORD_RULES):
        return USAGE
    if code not in _DAMAGED and code.startswith(_NOT_VALID_FAMILIES):
        return NOT_VALID
    return DAMAGED


def failure_text(failure: Failure, lang: str) -> str:
    """The sentence for a person, with the code behind it; the code alone where it has no text yet."""
    # Some codes have a text for the screens of registration; the command line says the same without its talk of a form.
    key = next((key for key in (f"cert.why_{failure.code}", f"refusal.{failure.code}") if words.has(key)), None)
    if key is None:
        return str(failure)
    try:
        return f"{words.say(key, lang, **failure.facts)} [{failure.code}]"
    except KeyError:
        return str(failure)


def tell_failure(failure: Failure, lang: str, *, as_json: bool) -> int:
    """Prints a failure (to stderr; with --json as an object to stdout) and returns its exit code."""
    text = failure_text(failure, lang)
    if as_json:
        tell_json({"error": {"code": failure.code, "message": text, "facts": failure.facts}})
    else:
        tell_aside(text)
    return exit_code(failure.code)


def tell_json(value: Mapping[str, Any]) -> None:
    """One JSON object on stdout."""
    print(_escaped(json.dumps(value, ensure_ascii=False, indent=2), "\n"))


def tell_aside(text: str) -> None:
    """One line on stderr."""
    print(visible(text), file=sys.stderr)


def visible(text: str) -> str:
    """What a terminal only shows: a folder's name on a stranger's stick may hold commands for it (ECMA-48).

    Controls, changes of direction and bytes that are no text become `\\u001b` and the like, as in JSON.
    """
    return _escaped(text, "")


def _escaped(text: str, kept: str) -> str:
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() or c in kept else _as_in_json(c) for c in text)


def _as_in_json(letter: str) -> str:
    return json.dumps(letter)[1:-1] if not letter.isspace() else f"\\u{ord(letter):04x}"


def tell_rows(rows: Sequence[tuple[str, str]], out: TextIO | None = None) -> None:
    """Labels and values, aligned as a terminal shows them: a Korean letter is two columns wide."""
    widest = max((width(label) for label, _ in rows), default=0)
    for label, value in rows:
        print(f"{label}{' ' * (widest - width(label))}  {visible(value)}", file=out or sys.stdout)


def tell_table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """A table with a line of headings."""
    lines = [[visible(cell) for cell in row] for row in (head, *rows)]
    columns = [max(width(line[at]) for line in lines) for at in range(len(head))]
    for row in lines:
        cells = (cell + " " * (columns[at] - width(cell)) for at, cell in enumerate(row))
        print("  ".join(cells).rstrip())


def width(text: str) -> int:
    """Columns that a terminal needs."""
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text if not unicodedata.combining(c))
