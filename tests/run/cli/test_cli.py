"""`ingam` itself: which nouns there are, what a bare installation says, and a reader who goes away."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

from ingam.run import cli

SAMPLE = Path(__file__).resolve().parents[3] / "vectors" / "npki-samples" / "kiea-mydata"


def test_help_names_every_noun(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["--help"]) == 0
    told = capsys.readouterr().out
    assert all(f"  {noun} " in told for noun in cli.NOUNS)
    assert max(len(line) for line in told.splitlines()) <= 100


@pytest.mark.parametrize("words", [[], ["certificate"], ["-x"]])
def test_an_unknown_noun_is_a_usage_error(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(words) == cli.USAGE
    assert capsys.readouterr().out == ""


def test_a_bare_installation_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def nothing_that_serves(name: str) -> ModuleType:
        raise ModuleNotFoundError("No module named 'sqlalchemy'", name="sqlalchemy")

    monkeypatch.setattr(cli, "import_module", nothing_that_serves)
    assert cli.main(["customer", "list"]) == cli.USAGE
    assert "ingam[server]" in capsys.readouterr().err


def test_a_module_of_our_own_that_is_missing_is_not_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(cli.NOUNS, "cert", "ingam.run.cli.nowhere")
    with pytest.raises(ModuleNotFoundError):
        cli.main(["cert"])


def test_a_reader_who_goes_away_is_no_crash() -> None:
    code = "import sys; from ingam.run.cli import main; sys.exit(main(sys.argv[1:]))"
    command = [sys.executable, "-c", code, "cert", "show", str(SAMPLE)]
    process = subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout is not None and process.stderr is not None
    process.stdout.close()
    told = process.stderr.read()
    process.stderr.close()
    assert (process.wait(60), told) == (cli.NOBODY_READS, "")
