"""A folder of key files and a token for each test that asks."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.adapters.hsm import places
from tests.adapters.hsm.places import Files, Token


@pytest.fixture
def files(tmp_path_factory: pytest.TempPathFactory, tmp_path: Path) -> Files:
    """A folder of key files of its own."""
    return places.files_template(tmp_path_factory.getbasetemp()).copy(tmp_path)


@pytest.fixture
def token(tmp_path_factory: pytest.TempPathFactory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Token]:
    """A token of its own; what the test left open is closed."""
    monkeypatch.setenv("SOFTHSM2_CONF", "")
    found = places.token_template(tmp_path_factory.getbasetemp()).copy(tmp_path)
    yield found
    found.close()
