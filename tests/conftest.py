"""Fixtures that several folders share: fresh, migrated stores on both databases."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

from ingam.adapters.store.migrate import migrate
from tests import postgres
from tests.scheduling import Groups, turn_of


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> LoadScopeScheduling | None:
    """Groups of tests, whole: what a module makes once is made once."""
    return Groups(config, log) if config.getoption("dist") == "loadgroup" else None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The long ones first; the rest stays as it was found."""
    items.sort(key=lambda item: turn_of(item.path))


# A time limit for one example measures the machine, not the code.
hypothesis.settings.register_profile("ingam", deadline=None)
hypothesis.settings.load_profile("ingam")


@pytest.fixture(scope="session")
def postgresql() -> Iterator[postgres.Server]:
    """A private PostgreSQL, once per session (and per xdist worker)."""
    with postgres.server() as server:
        yield server


@pytest.fixture
def postgresql_url(postgresql: postgres.Server) -> str:
    """A new, migrated PostgreSQL database."""
    return postgresql.fresh()


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An SQLite file at today's revision, to be copied."""
    path = tmp_path_factory.mktemp("sqlite") / "template.db"
    migrate(f"sqlite:///{path}")
    return path


@pytest.fixture
def sqlite_url(sqlite_template: Path, tmp_path: Path) -> str:
    """A new, migrated SQLite file."""
    path = tmp_path / "center" / "center.db"
    path.parent.mkdir(mode=0o700)
    shutil.copyfile(sqlite_template, path)
    path.chmod(0o600)
    return f"sqlite:///{path}"


@pytest.fixture(params=["sqlite", "postgresql"])
def store_url(request: pytest.FixtureRequest) -> str:
    """A new, migrated database of each kind."""
    url: str = request.getfixturevalue(f"{request.param}_url")
    return url
