"""The command line: `ingam <noun> <verb> …`. One module a noun, loaded when it is asked for."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Final

NOUNS: Final = {
    "cert": "ingam.run.cli.cert",
    "customer": "ingam.run.cli.customer",
    "doctor": "ingam.run.cli.doctor",
}
"""Each module has `main(argv) -> int`: the arguments behind the noun, the exit code."""

USAGE: Final = 2


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one command and returns its exit code."""
    words = list(sys.argv[1:] if argv is None else argv)
    noun = words[0] if words else None
    if noun not in NOUNS:
        told = sys.stdout if noun in ("-h", "--help") else sys.stderr
        print(f"ingam {{{','.join(NOUNS)}}} …    ingam <noun> --help", file=told)
        return 0 if noun in ("-h", "--help") else USAGE
    code: int = import_module(NOUNS[noun]).main(words[1:])
    return code
