"""Every command says in a line what it does and gives an example, and the example is one that it takes."""

from __future__ import annotations

import shlex
from argparse import ArgumentParser
from collections.abc import Callable
from importlib import import_module

import pytest

from ingam.run.cli import NOUNS, ca_options, cert, cert_options, copy
from ingam.run.cli.examples import EXAMPLES

IN_WORDS: dict[str, Callable[[], ArgumentParser]] = {
    "ca": ca_options.parser,
    "cert": lambda: cert_options.parser("ko", cert.RUNS),
    "copy": lambda: copy.parser("ko"),
}


def parser_of(noun: str) -> ArgumentParser:
    found: ArgumentParser = IN_WORDS[noun]() if noun in IN_WORDS else import_module(NOUNS[noun])._parser()
    return found


def test_every_noun_has_examples() -> None:
    assert {program.split()[0] for program in EXAMPLES} == NOUNS.keys()


@pytest.mark.parametrize(
    ("program", "verb"),
    [(program, verb) for program, verbs in EXAMPLES.items() for verb in verbs],
)
def test_an_example_is_taken_by_its_own_command(program: str, verb: str) -> None:
    ingam, *words = shlex.split(EXAMPLES[program][verb])
    noun, *rest = words
    assert ingam == "ingam" and " ".join(words).startswith(f"{program} {verb}".rstrip())
    options = parser_of(noun).parse_args(rest)
    assert getattr(options, "act", getattr(options, "verb", "")) == verb


@pytest.mark.parametrize(
    ("program", "verb"), [(program, verb) for program, verbs in EXAMPLES.items() for verb in verbs]
)
def test_help_of_every_command_begins_with_its_line_and_ends_with_its_example(
    program: str, verb: str, capsys: pytest.CaptureFixture[str]
) -> None:
    noun, *below = program.split()
    assert import_module(NOUNS[noun]).main([*below, *([verb] if verb else []), "--help"]) == 0
    told = capsys.readouterr().out.rstrip().split("\n")
    assert told[-1] == f"  {EXAMPLES[program][verb]}" and told[-2] == "예 · example:"
    about = told[told.index("") + 1]
    assert about and not about.startswith(("positional", "options"))
