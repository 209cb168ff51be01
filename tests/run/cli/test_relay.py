"""`ingam relay key`: what a relay needs of the center, and nothing secret."""

from __future__ import annotations

from pathlib import Path

import pytest

from ingam.adapters.hsm.file import open_keys
from ingam.run.cli import main
from ingam.run.relay import ticket_keys
from ingam.settings import read
from ingam.wiring import keys_path


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("INGAM_DATA", str(tmp_path))
    return tmp_path


def test_it_prints_the_key_that_the_center_signs_tickets_with(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["relay", "key"]) == 0
    public = open_keys(keys_path(read({"INGAM_DATA": str(data)}))).tickets.public
    assert capsys.readouterr().out == public.hex() + "\n"


def test_a_relay_reads_the_file_that_it_adds_the_key_to(data: Path) -> None:
    path = data / "elsewhere" / "tickets.pub"
    path.parent.mkdir()
    path.write_text("ab" * 32 + "\n", "ascii")
    assert main(["relay", "key", "--to", str(path)]) == 0
    assert main(["relay", "key", "--to", str(path)]) == 0
    public = open_keys(keys_path(read({"INGAM_DATA": str(data)}))).tickets.public
    assert ticket_keys(path) == (bytes.fromhex("ab" * 32), public)


def test_a_file_that_cannot_be_written_is_said(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (data / "file").write_text("")
    assert main(["relay", "key", "--to", str(data / "file" / "tickets.pub")]) == 7
    assert capsys.readouterr().err.startswith("ingam relay: ")
