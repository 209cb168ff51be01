"""`ingam store` on both databases: made once, checked, and another revision refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from ingam.run.cli import store


def test_a_new_database_is_refused_until_it_is_migrated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "center").mkdir()
    monkeypatch.delenv("INGAM_STORE", raising=False)
    where = ["--data", str(tmp_path), "--lang", "en"]
    assert store.main(["check", *where]) != store.DONE
    assert store.main(["migrate", *where]) == store.DONE
    assert store.main(["migrate", *where]) == store.DONE
    assert store.main(["check", *where]) == store.DONE


def test_postgresql_is_named_by_the_settings(
    postgresql_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("INGAM_STORE", postgresql_url)
    assert store.main(["check", "--data", str(tmp_path)]) == store.DONE


def test_a_database_that_is_away_is_told_apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INGAM_STORE", "postgresql://nobody@127.0.0.1:1/none")
    assert store.main(["check", "--data", str(tmp_path)]) == store.AWAY


def test_usage_is_two() -> None:
    assert store.main(["nothing"]) == store.USAGE


def test_G6_the_roles_are_printed_and_sqlite_has_none(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("INGAM_STORE", raising=False)
    assert store.main(["roles", "--data", str(tmp_path), "--auditor", "watcher"]) == 0
    told = capsys.readouterr().out
    assert "GRANT SELECT, INSERT ON audit, audit_chain, audit_key, evidence TO ingam_center;" in told
    assert "GRANT SELECT, DELETE ON audit, audit_key TO watcher;" in told
    assert store.main(["roles", "--data", str(tmp_path), "--apply", "--lang", "en"]) == 6
    assert "SQLite has no roles" in capsys.readouterr().err
    assert store.main(["roles", "--center", "x; DROP TABLE audit"]) == 6
