"""Automatic calls to telephones that are not ours: sipp over UDP and TCP, baresip over TLS with SRTP, recorded."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from tests.interop.telephones import LOOPBACK, Baresip, baresip, raw, sipp
from tests.ports.sip_callee import Sounds, callee
from tests.ports.telephones import CALL

from ingam.adapters.ars.prompts import Espeak
from ingam.adapters.ars.sip import SipArs
from ingam.adapters.ars.sip_line import Trunk
from ingam.adapters.ars.srtp import Srtp
from ingam.adapters.ars.voice import lines
from ingam.kernel.secret import Secret
from ingam.ports.ars import ArsOutage, CallState
from ingam.protocols.sip import pcmu

WHOLE = [CallState.PLACED, CallState.RINGING, CallState.ANSWERED]


@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_sipp_is_rung_and_its_keys_are_read(tmp_path: Path, transport: str) -> None:
    async def walk() -> list[CallState]:
        other = None if raw() else await callee()
        keys_at = other.media.port if other else None
        async with AsyncExitStack() as stack:
            if other:
                stack.callback(other.close)
            await stack.enter_async_context(asyncio.timeout(30))
            port, process = await stack.enter_async_context(sipp(tmp_path, transport, keys_at))
            trunk = Trunk(LOOPBACK, port, transport, LOOPBACK, "15440000", secured=False, bind=LOOPBACK)
            async with SipArs(trunk, Sounds()) as caller:
                seen = []
                async for state in caller.place(CALL):
                    seen.append(state)
                    if other and state is CallState.ANSWERED:
                        await other.until(2)
                        for key in "47":
                            other.media.press(key, other.media.source)
                assert await process.wait() == 0, (tmp_path / "out.txt").read_text()
            return seen

    assert asyncio.run(walk()) == [*WHOLE, CallState.APPROVED]


async def secured(folder: Path, telephone: Baresip, trusted: bool = True) -> SipArs:
    context = ssl.create_default_context(cafile=str(folder / "ca.pem") if trusted else None)
    trunk = Trunk(telephone.address, telephone.port, "tls", LOOPBACK, "15440000", context=context)
    return SipArs(trunk, Espeak(), guarding=Srtp)


def with_baresip(folder: Path, story: Callable[[Baresip], Awaitable[None]]) -> None:
    async def walk() -> None:
        async with asyncio.timeout(60), baresip(folder) as telephone:
            await story(telephone)

    asyncio.run(walk())


async def again(telephone: Baresip, key: str) -> None:
    """Presses one key over and over: what comes before the question counts for nothing."""
    while True:
        telephone.do("sndcode", key)
        await asyncio.sleep(0.4)


def test_E6_baresip_hears_korean_speech_over_tls_and_srtp_and_its_recording_is_that_speech(tmp_path: Path) -> None:
    call = replace(CALL, code=Secret("44"))

    async def story(telephone: Baresip) -> None:
        async with await secured(tmp_path, telephone) as caller:
            pressing, seen = None, []
            async for state in caller.place(call):
                seen.append(state)
                if state is CallState.RINGING:
                    telephone.do("accept")
                if state is CallState.ANSWERED:
                    pressing = asyncio.create_task(again(telephone, "4"))
            assert seen == [*WHOLE, CallState.APPROVED]
            assert pressing is not None
            pressing.cancel()
            await telephone.over()

    with_baresip(tmp_path, story)
    baresips = Baresip(tmp_path, 0, None)  # type: ignore[arg-type]  # its file only
    clip = asyncio.run(Espeak().clip(lines(call).opening, "ko"))
    made, heard = np.array(pcmu.decode(clip)) / 32768, baresips.heard()
    assert 5 < len(made) / 8000 < 20  # three Korean sentences
    assert -30 < level(made) < -6 and -30 < level(heard) < -6  # dBFS where something is said
    assert spoken_s(heard) > 0.7 * spoken_s(made)
    assert likeness(made, heard) > 0.6


def test_E6_a_trunk_whose_certificate_is_not_trusted_rings_nobody(tmp_path: Path) -> None:
    async def story(telephone: Baresip) -> None:
        async with await secured(tmp_path, telephone, trusted=False) as caller:
            with pytest.raises(ArsOutage) as raised:
                async for _ in caller.place(CALL):
                    pass
            assert raised.value.facts == {"cause": "tls"}

    with_baresip(tmp_path, story)


def loudness(sound: NDArray[np.float64]) -> NDArray[np.float64]:
    """Root mean square of each 20 ms."""
    whole = sound[: len(sound) // 160 * 160].reshape(-1, 160)
    found: NDArray[np.float64] = np.sqrt((whole**2).mean(axis=1))
    return found


def level(sound: NDArray[np.float64]) -> float:
    frames = loudness(sound)
    return float(20 * np.log10(np.sqrt((frames[frames > 0.01] ** 2).mean())))


def spoken_s(sound: NDArray[np.float64]) -> float:
    return float((loudness(sound) > 0.01).sum() * 0.02)


def likeness(made: NDArray[np.float64], heard: NDArray[np.float64]) -> float:
    """Correlation of how loud both are over time, where they fit best."""
    one, other = loudness(made), loudness(heard)
    best = 0.0
    for at in range(max(1, len(other) - len(one) + 1)):
        part = other[at : at + len(one)]
        if part.std() > 0:
            best = max(best, float(np.corrcoef(one[: len(part)], part)[0, 1]))
    return best
