"""An authority that tests of the endpoint talk to."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.ca.world import World, world


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
async def ca(tmp_path: Path) -> AsyncIterator[World]:
    """The demo authority."""
    made = world(tmp_path)
    yield made
    await made.shut()


@pytest.fixture
async def suite(tmp_path: Path) -> AsyncIterator[World]:
    """A sandbox's authority under a conformance suite's setting."""
    made = world(tmp_path, preset_name="conformance", conformance="suite")
    yield made
    await made.shut()
