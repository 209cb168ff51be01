"""Certificates over CMP, as the endpoint gives them to a client that is nobody's own."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.ca.world import (
    HONG,
    IMPLICIT,
    World,
    by_code,
    held,
    only_certificate,
    request,
    responses,
    vid_of,
    world,
)

from ingam.npki import certificate
from ingam.ports.books import State
from ingam.protocols.cmp.message import BodyKind

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
async def ca(tmp_path: Path) -> AsyncIterator[World]:
    made = world(tmp_path)
    yield made
    await made.shut()


async def test_a_registered_person_gets_a_certificate_that_is_valid_at_once_with_implicit_confirmation(
    ca: World,
) -> None:
    holder = by_code(ca, await ca.register("securities", HONG))
    answer = await ca.ask(holder.compose(request(held("hong", 3), encrypted=vid_of(ca)), infos=IMPLICIT))
    assert answer.body.kind is BodyKind.IP
    issued = certificate.parse(only_certificate(answer))
    entry = ca.books.certificate(1, issued.serial)
    assert entry is not None
    assert (entry.state, entry.der) == (State.VALID, issued.der)
    assert responses(answer)[0].cert_req_id == 0
    holder.verified(answer)
