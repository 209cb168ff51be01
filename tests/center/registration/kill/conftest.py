"""One shared ground for each worker: sandbox, PostgreSQL, and the process from which every center is forked."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests import postgres
from tests.center.registration.kill import ground as grounds
from tests.center.registration.kill import invariants, walks
from tests.center.registration.kill.ground import OLD, STORES, Ground


@pytest.fixture(scope="session")
def ground(tmp_path_factory: pytest.TempPathFactory, postgresql: postgres.Server) -> Iterator[Ground]:
    """With both stages of both stores: customers enrolled; Hong's securities certificate registered."""
    with grounds.made(tmp_path_factory.mktemp("ground"), postgresql) as ground:
        for store in STORES:
            case = ground.case(store)
            try:
                case.start()
                one = case.person()
                one.log_in()
                walks.walk_on(one, OLD)
                invariants.at_the_end(case)
            finally:
                case.stop()
            grounds.keep_as(case, store, "bound")
        yield ground
