"""Fixtures that several folders share: fresh, migrated stores on both databases."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest

from ingam.adapters.store.migrate import migrate
from tests import postgres

ROOT = Path(__file__).parent
FIRST = (
    "center/registration/kill", "run/test_demo.py", "interop", "ca/kill", "center/issuance", "run/test_trial.py",
    "run/test_demo_issue.py", "center/copying", "ca", "center", "run", "sandbox",
)  # fmt: skip
"""What takes longest, below this folder: begun first, so that at the end no worker waits for the other's long one."""

TOGETHER = ("center/registration/kill",)
"""Folders whose modules share what is made once a session; every other module is a whole of its own."""


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A module runs in one worker (`--dist loadgroup`): what it makes once is made once. Journeys say it themselves."""
    places = {item: item.path.relative_to(ROOT).as_posix() for item in items}
    for item, place in places.items():
        if item.get_closest_marker("xdist_group") is None and not place.startswith("journeys/"):
            group = next((folder for folder in TOGETHER if place.startswith(f"{folder}/")), place)
            item.add_marker(pytest.mark.xdist_group(group.removesuffix(".py").replace("/", ".")))
    items.sort(key=lambda item: _turn(places[item]))


def _turn(place: str) -> int:
    """Where it comes in `FIRST`; the sort is stable, so the rest stays as it was found."""
    return next((turn for turn, early in enumerate(FIRST) if place.startswith(early)), len(FIRST))


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
