"""`ingam console operators`: the first two operators at once, and never again (security G1)."""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from ingam.adapters.store.migrate import migrate
from ingam.run.cli.console import main
from ingam.settings import Settings

FIRST = ["--first", "E1001", "나보안", "본점", "--second", "E1002", "문관리", "본점"]


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("LANG", "ko_KR.UTF-8")
    monkeypatch.delenv("LC_ALL", raising=False)
    migrate(Settings(data=tmp_path).store)
    return tmp_path


def run(data: Path, *words: str) -> int:
    return main(["operators", *words, "--data", str(data)])


def kept(data: Path, question: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(data / "center" / "center.db")) as store:
        return store.execute(question).fetchall()


def test_G1_the_ceremony_makes_two_operators_at_once_with_a_link_for_each(
    data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(data, "init", *FIRST) == 0
    links = re.findall(r"http://localhost:8702/enrol#([A-Za-z0-9_-]{43})", capsys.readouterr().out)
    assert len(set(links)) == 2
    people = kept(data, "SELECT employee, roles FROM operator ORDER BY employee")
    assert people == [("E1001", "security,administrator"), ("E1002", "security,administrator")]
    everything = (data / "center" / "center.db").read_bytes()
    assert not any(link.encode() in everything for link in links)
    assert run(data, "list") == 0
    assert "문관리" in capsys.readouterr().out


def test_G1_the_ceremony_is_done_once(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(data, "init", *FIRST) == 0
    assert run(data, "init", "--first", "E7", "가", "나", "--second", "E8", "다", "라") == 6
    assert run(data, "init", *[one.replace("E100", "E900") for one in FIRST]) == 6
    assert "ceremony-done" in capsys.readouterr().err
    assert kept(data, "SELECT count(*) FROM operator") == [(2,)]


@pytest.mark.parametrize(
    "persons",
    [
        ["--first", "E1001", "나", "본점", "--second", "E1001", "문", "본점"],
        ["--first", "e1", "나", "본점", "--second", "E1002", "문", "본점"],
        ["--first", "E1001", " ", "본점", "--second", "E1002", "문", "본점"],
    ],
)
def test_G1_one_person_is_not_two(data: Path, persons: list[str]) -> None:
    assert run(data, "init", *persons) == 6
    assert kept(data, "SELECT count(*) FROM operator") == [(0,)]


def test_a_link_that_ran_out_is_given_anew_until_the_first_passkey(
    data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(data, "init", *FIRST) == 0
    capsys.readouterr()
    assert run(data, "invite", "E1001") == 0
    assert "/enrol#" in capsys.readouterr().out
    assert run(data, "invite", "E9999") == 6
    with closing(sqlite3.connect(data / "center" / "center.db")) as store:
        store.execute("INSERT INTO operator_key VALUES ('AAAA', 'E1001', x'00', 0, 0, x'00', 0, NULL, 1)")
        store.commit()
    assert run(data, "invite", "E1001") == 6
    assert "passkey-there" in capsys.readouterr().err


def test_it_says_how_it_is_used(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["operators", "init", "--data", str(data)]) == 2
    assert main(["--help"]) == 0
    assert "exit codes" in capsys.readouterr().out
