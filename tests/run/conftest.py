"""The demo's authority with its registrars, founded once for each worker; a test has a copy of its own."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from ingam.run import demo_authority
from ingam.settings import Settings

ROOT = Path(__file__).parents[2]
HERE = {"ca.ingam.test": "http://localhost:8703"}


@pytest.fixture(scope="session")
def founded_demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder as `demo_authority.prepare` leaves it, with the keys of tests."""
    data = tmp_path_factory.mktemp("demo-authority") / "data"
    data.mkdir(mode=0o700)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("INGAM_SANDBOX_KEYS", str(ROOT / "vectors" / "keys"))
        demo_authority.prepare(replace(Settings(), data=data, addresses=HERE), lambda _: None)
    return data


@pytest.fixture
def demo_settings(founded_demo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """A demo whose authority was founded, in a folder of the test."""
    monkeypatch.setenv("INGAM_SANDBOX_KEYS", str(ROOT / "vectors" / "keys"))
    shutil.copytree(founded_demo, tmp_path, dirs_exist_ok=True)
    return replace(Settings(), data=tmp_path, addresses=HERE)
