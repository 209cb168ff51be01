"""`ingam import bindings` as an operator types it."""

from __future__ import annotations

import fcntl
import json
from pathlib import Path

import pytest
from tests.npki import certs

from ingam.adapters.store.migrate import migrate
from ingam.run.cli.customer import main as customer
from ingam.run.cli.import_bindings import main
from ingam.settings import Settings

HONG = {"banking_id": "hong7510", "password": "Bank!2026", "kind": "personal", "name": "홍길동",
        "idn": "7510051000001", "mobile": "01085130001"}  # fmt: skip


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("INGAM_CHEAP_PASSWORDS", "1")
    monkeypatch.setenv("LANG", "en_US.UTF-8")
    monkeypatch.delenv("LC_ALL", raising=False)
    migrate(Settings(data=tmp_path).store)
    people = tmp_path / "people.json"
    people.write_text(json.dumps([HONG]), encoding="utf-8")
    assert customer(["import", str(people), "--data", str(tmp_path)]) == 0
    trust = tmp_path / "trust"
    trust.mkdir()
    (trust / "root.der").write_bytes(certs.root().certificate.der)
    (trust / "ca.der").write_bytes(certs.ca().certificate.der)
    (trust / "authorities.toml").write_text('[[issuing]]\nname = "CA"\ncertificate = "ca.der"\nroot = "root.der"\n')
    return tmp_path


def run(data: Path, rows: str, *more: str, heading: str = "banking_id,fingerprint,policy,not_after") -> int:
    path = data / "old.csv"
    path.write_text(f"{heading}\n{rows}\n", encoding="cp949" if "cp949" in more else "utf-8-sig")
    return main(["bindings", str(path), "--data", str(data), *more])


def test_an_import_says_what_it_did_and_a_second_one_has_nothing_to_do(
    data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = (
        f"hong7510,{'ab' * 32},1.2.410.200004.5.1.1.9,2099-01-01\nnobody,{'cd' * 32},1.2.410.200004.5.1.1.9,2099-01-01"
    )
    assert run(data, rows, "--dry-run") == 6
    assert "2 rows (nothing written): 1 to register" in capsys.readouterr().out
    assert run(data, rows) == 6
    said = capsys.readouterr()
    assert "2 rows: 1 registered, 0 to be confirmed at the first login, 0 were there, 1 refused" in said.out
    assert "100%" in said.err and "nobody" not in said.out + said.err
    assert "2,import-unknown-customer" in (data / "old.csv.refused.csv").read_text(encoding="utf-8")
    assert run(data, rows) == 0
    assert "imported to its end" in capsys.readouterr().out
    assert run(data, rows, "--again") == 6
    assert "0 registered, 0 to be confirmed at the first login, 1 were there" in capsys.readouterr().out


def test_a_second_one_beside_it_leaves_the_report_of_the_first_alone(
    data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """It cut off what the first had written of the batch under way, and those rows were told nowhere."""
    report = data / "old.csv.refused.csv"
    with report.open("w+", encoding="utf-8") as first:
        fcntl.flock(first, fcntl.LOCK_EX)
        first.write("row,code,column,why\r\n1,import-unknown-customer,,x\r\n")
        first.flush()
        rows = f"hong7510,{'ab' * 32},1.2.410.200004.5.1.1.9,2099-01-01"
        assert run(data, rows) == 4
        said = capsys.readouterr()
        assert "[import-under-way]" in said.err and "Nothing was written" in said.err
        assert report.read_text(encoding="utf-8").count("\n") == 2
    assert run(data, rows) == 0


def test_a_report_that_cannot_be_written_says_so_before_anything_is(
    data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = f"hong7510,{'ab' * 32},1.2.410.200004.5.1.1.9,2099-01-01"
    assert run(data, rows, "--report", str(data / "nowhere" / "report.csv")) == 4
    assert "[import-report-unwritable]" in capsys.readouterr().err
    assert run(data, rows) == 0


def test_an_older_encoding_is_named(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    row = 'hong7510,"cn=yessignCA Class 2,ou=AccreditedCA,o=yessign,c=kr","cn=홍길동()0001,ou=은행,o=yessign,c=kr",85'
    assert run(data, row, "--encoding", "cp949", heading="banking_id,issuer,subject,serial") == 0
    assert "1 to be confirmed at the first login" in capsys.readouterr().out


def test_a_file_that_cannot_be_read_says_so(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(data, "x", heading="name") == 4
    assert "[import-file]" in capsys.readouterr().err
    assert main(["bindings", str(data / "none.csv"), "--data", str(data)]) == 4
