"""Authorities for the tests of `ingam ca`: founded once a session, a copy for each test.

What they need is imported where it is needed: the other nouns' tests want nothing of an authority.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.run.cli.ca_hall import Place


@pytest.fixture(scope="session")
def founded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with the demo's authority, its keys made quickly."""
    from tests.run.cli import ca_hall

    data = tmp_path_factory.mktemp("authority") / "data"
    with ca_hall.quick_keys():
        assert ca_hall.found(data) == 0
    return data


@pytest.fixture
def nowhere(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Iterator[Place]:
    """A data folder without an authority."""
    from tests.run.cli import ca_hall

    with ca_hall.quick_keys() as patch:
        yield ca_hall.Place(tmp_path / "data", capsys, patch)


@pytest.fixture
def place(founded: Path, nowhere: Place) -> Place:
    """A data folder with the demo's authority."""
    from tests.run.cli import ca_hall

    ca_hall.copied(founded, nowhere.data)
    return nowhere
