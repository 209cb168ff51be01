"""What two officers, or whoever carries their text, would do to the authority beyond one revocation (D14)."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
from tests.ca.revoking.test_approval import CHECKER, CONSOLE, MAKER, NOW, OPERATORS, refused, signed, text
from tests.ca.world import HONG, KIM, World, enrolled, world

from ingam.ca.revoking import service
from ingam.ca.revoking.service import OnBehalfCeiling
from ingam.npki import certificate
from ingam.ports.books import StandingRefused, State

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
async def ca(tmp_path: Path) -> AsyncIterator[World]:
    made = world(tmp_path)
    made.clock.at = NOW
    yield made
    await made.shut()


async def test_D14_approvals_at_one_moment_do_not_pass_the_ceiling(ca: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "ON_BEHALF_AN_HOUR", 1)
    ones = [certificate.parse(der) for der in (await enrolled(ca, HONG, key=3), await enrolled(ca, KIM, key=4))]
    bodies = [text(one.serial, one.fingerprint) for one in ones]
    told = await asyncio.gather(
        *(ca.revoking.on_approval(body, signed(body, MAKER, CHECKER), OPERATORS, CONSOLE) for body in bodies),
        return_exceptions=True,
    )
    assert [isinstance(one, OnBehalfCeiling) for one in told].count(True) == 1
    assert [ca.revoking.find(1, one.serial).state for one in ones].count(State.REVOKED) == 1


async def test_D14_a_signed_approval_ends_its_certificate_once(ca: World) -> None:
    one = certificate.parse(await enrolled(ca))
    body = text(one.serial, one.fingerprint)
    both = signed(body, MAKER, CHECKER)
    await ca.revoking.on_approval(body, both, OPERATORS, CONSOLE)
    ended = ca.revoking.find(1, one.serial)
    ca.clock.at += timedelta(minutes=1)
    await ca.revoking.on_approval(body, both, OPERATORS, CONSOLE)  # told again, as after a lost answer
    assert ca.revoking.find(1, one.serial) == ended
    other = body.replace(b"nonce: 0", b"nonce: 1")
    with pytest.raises(StandingRefused):
        await ca.revoking.on_approval(other, signed(other, MAKER, CHECKER), OPERATORS, CONSOLE)


async def test_D14_a_text_that_is_deep_is_no_text() -> None:
    deep = "[" * 1500 + "]" * 1
    body = text(1, bytes(32)).replace(b'["authority", "", "ingam"]', deep.encode())
    assert len(body) <= 2048
    assert refused(body, []) == "text"


async def test_D14_a_signature_over_one_text_carries_no_other_serial_reason_time_or_authority() -> None:
    body = text(1, bytes(32))
    both = signed(body, MAKER, CHECKER)
    for changed in (
        text(2, bytes(32)), text(1, bytes(32), reason="keyCompromise"), text(1, bytes([1]) * 32),
        text(1, bytes(32), basis="court-order"), body.replace(b"nonce: 0", b"nonce: 1"),
    ):  # fmt: skip
        assert refused(changed, both) == "signature"
    assert refused(text(1, bytes(32), authority="other"), both) == "authority"
    assert json.loads(body.split(b"\n")[9])[0] == "authority"
