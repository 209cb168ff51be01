"""`ingam ca` itself: its verbs, its exit codes, and how it refuses."""

from __future__ import annotations

import argparse
from pathlib import Path

import pytest
from tests.run.cli.ca_hall import Place

from ingam.kernel.errors import Defect, Failure, Outage, Refusal
from ingam.run.cli import NOUNS, answers, ca_options, ca_telling
from ingam.run.cli.ca import VERBS, main

PAGE = Path(__file__).parents[3] / "docs" / "reference" / "ca.md"


def verbs() -> dict[str, argparse.ArgumentParser]:
    """Every verb's parser, as `operator add`."""
    found: dict[str, argparse.ArgumentParser] = {}

    def walk(parser: argparse.ArgumentParser, above: str) -> None:
        inner = [one for one in parser._actions if isinstance(one, argparse._SubParsersAction)]
        if not inner:
            found[above] = parser
        for name, below in inner[0].choices.items() if inner else ():
            walk(below, f"{above} {name}".strip())

    walk(ca_options.parser(), "")
    return found


def test_it_is_a_noun_of_the_program() -> None:
    assert NOUNS["ca"] == "ingam.run.cli.ca"


def test_every_verb_that_is_offered_is_there() -> None:
    assert set(verbs()) == set(VERBS)


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_has_a_data_folder_an_authority_and_json_and_tells_its_exit_codes(
    verb: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*verb.split(), "--help"]) == 0
    told = capsys.readouterr().out
    assert all(option in told for option in ("--data", "--ca-name", "--json"))
    assert "exit codes: 0 done" in told


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_and_every_option_is_in_the_reference(verb: str) -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert f"`ingam ca {verb}" in page
    options = {word for one in verbs()[verb]._actions for word in one.option_strings if word.startswith("--")}
    assert [word for word in options - {"--help", "--no-responder-by-root"} if word not in page] == []


def test_usage_errors_are_told_apart(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 2
    assert main(["frobnicate"]) == 2
    assert main(["operator"]) == 2
    assert main(["status", "--serial", "xyz"]) == 2
    assert main(["status", "--person-idn", "7510051000001"]) == 2  # a number never stands in the process list
    assert main(["init", "--key", "issuing=rsa-1024"]) == 2
    assert main(["register", "--help"]) == 0


def test_an_abbreviated_option_is_not_guessed(place: Place) -> None:
    place.run("status", "--seri", "1", code=2)


def test_without_an_authority_every_verb_says_so(nowhere: Place) -> None:
    for words in (["status"], ["crl"], ["crl", "--now"], ["export"], ["operator", "list"], ["ceremony", "list"],
                  ["roll-over"], ["roll-root"], ["renew-responder"], ["suspend", "--serial", "1"]):  # fmt: skip
        assert nowhere.refused(*words, code=4) == {"code": "ca-missing", "name": "ingam"}


def test_another_authority_is_named_by_the_command_or_by_the_environment(place: Place) -> None:
    assert place.refused("status", "--ca-name", "other", code=4)["name"] == "other"
    assert place.refused("status", "--name", "other", code=4)["name"] == "other"
    place.patch.setenv("INGAM_CA_NAME", "third")
    assert place.refused("status", code=4)["name"] == "third"
    assert place.ask("status", "--ca-name", "ingam")["authority"] == "ingam"


@pytest.mark.parametrize(
    ("failure", "code"),
    [
        (Refusal("ca-standing"), 6),
        (Refusal("never-heard-of"), 6),
        (Outage("books-outage"), 7),
        (Defect("ca-lint-failed"), 1),
        (Refusal("signing-keys-locked"), 3),
        (Refusal("ca-missing"), 4),
        (Refusal("ca-file-exists"), 2),
        (Refusal("ca-profile-value"), 4),
        (Refusal("ca-profile-unknown"), 6),
    ],
)
def test_failures_end_with_the_exit_code_of_their_kind(failure: Failure, code: int) -> None:
    assert ca_telling.exit_code(failure) == code


def test_a_failure_is_one_line_in_both_languages_with_its_code(monkeypatch: pytest.MonkeyPatch) -> None:
    texts = {"ko": "안 됩니다 {part}.", "en": "Refused: {part}."}
    monkeypatch.setattr("ingam.kernel.words.has", lambda key: key == "refusal.some-code")
    monkeypatch.setattr("ingam.kernel.words.say", lambda key, lang, **facts: texts[lang].format(**facts))
    assert ca_telling.failure_line(Refusal("some-code", part="x")) == "안 됩니다 x. · Refused: x. [some-code]"
    assert ca_telling.failure_line(Refusal("other-code", part="x")) == "other-code part=x"


def test_tables_align_korean(capsys: pytest.CaptureFixture[str]) -> None:
    rows = [{"name": "홍*동", "state": "held"}, {"name": "server", "state": "valid"}]
    ca_telling.tell_list(rows, {"name": "이름", "state": "상태"}, "-")
    head, *lines = capsys.readouterr().out.splitlines()
    starts = [answers.width(line[: line.index(word)]) for line, word in zip(lines, ("효력", "유효"), strict=True)]
    assert starts == [answers.width(head[: head.index("상태")])] * 2


def test_instants_are_shown_by_the_minute_in_korea() -> None:
    assert ca_telling.shown("2026-11-26T07:20:31Z") == "2026-11-26 16:20 KST"
    assert ca_telling.shown("2026-99-26T07:20:31Z") == "2026-99-26T07:20:31Z"
    assert ca_telling.shown(None) == "-"
