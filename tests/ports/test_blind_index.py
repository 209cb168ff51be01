"""What every blind index promises (`ingam.ports.keys.BlindIndex`): in memory, and in a process of its own (H7)."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import os
import signal
import stat
import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.clocks import SetClock

from ingam.adapters.blind_index.in_memory import InMemoryBlindIndex
from ingam.adapters.blind_index.process import ProcessBlindIndex, at_hand
from ingam.adapters.blind_index.sockets import address
from ingam.adapters.hsm.file import derived
from ingam.adapters.hsm.key_files import make
from ingam.kernel.errors import Defect
from ingam.kernel.secret import Secret
from ingam.ports.keys import BlindIndex, BlindIndexOutage

ROOT = bytes(range(32))
NUMBER = Secret("9001011234567")
CEILING = 20


@pytest.fixture(params=["in-memory", "process", "process-at-a-long-path"])
def index(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[BlindIndex]:
    if request.param == "in-memory":
        yield InMemoryBlindIndex(Secret(ROOT), SetClock(), ceiling=CEILING)
        return
    folder = tmp_path / ("b" if request.param == "process" else "b" * 120)
    make(folder / "index.key", {"index": ROOT})
    child = start(folder, "--ceiling", str(CEILING))
    try:
        yield ProcessBlindIndex(folder / "socket")
    finally:
        child.terminate()
        assert child.wait(10) == 0


def start(folder: Path, *words: str, **environment: str) -> subprocess.Popen[bytes]:
    child = subprocess.Popen(
        [sys.executable, "-m", "ingam.run.blind_index", "--folder", str(folder), *words],
        env={**os.environ, **environment},
    )
    asyncio.run(until_listening(folder / "socket", child))
    return child


async def until_listening(path: Path, child: subprocess.Popen[bytes]) -> None:
    """Connecting asks nothing, so it costs nothing of the ceiling."""
    for _ in range(200):
        try:
            with address(path) as name:
                _, writer = await asyncio.open_unix_connection(name)
        except OSError:
            assert child.poll() is None
            await asyncio.sleep(0.05)
        else:
            writer.close()
            return
    raise AssertionError("it never listened")


def run(walk: Callable[[], Awaitable[Any]]) -> Any:
    async def walked() -> Any:
        return await walk()

    return asyncio.run(walked())


def test_H7_the_index_is_keyed_the_same_for_the_same_number_and_different_for_others(index: BlindIndex) -> None:
    async def walk() -> None:
        first = await index.index("idn", NUMBER)
        assert first == hmac.new(derived(ROOT, "ingam/blind-index/1 idn"), b"9001011234567", hashlib.sha256).digest()
        assert await index.index("idn", NUMBER) == first
        assert await index.index("idn", Secret("9001011234568")) != first

    run(walk)


def test_H7_past_the_rate_ceiling_it_refuses(index: BlindIndex) -> None:
    async def walk() -> None:
        for number in range(CEILING):
            await index.index("idn", Secret(str(number)))
        with pytest.raises(BlindIndexOutage):
            await index.index("idn", NUMBER)

    run(walk)


@pytest.mark.parametrize(("field", "value"), [("name", "1"), ("idn", ""), ("idn", "1" * 65), ("idn x", "1")])
def test_other_fields_and_lengths_are_a_defect_of_ours(index: BlindIndex, field: str, value: str) -> None:
    with pytest.raises(Defect):
        run(lambda: index.index(field, Secret(value)))


def test_the_ceiling_is_per_window() -> None:
    clock = SetClock()
    index = InMemoryBlindIndex(Secret(ROOT), clock, ceiling=1)

    async def walk() -> None:
        await index.index("idn", NUMBER)
        with pytest.raises(BlindIndexOutage):
            await index.index("idn", NUMBER)
        clock.forward(60)
        await index.index("idn", NUMBER)

    run(walk)


def test_a_process_that_is_away_is_an_outage_and_says_nothing_of_the_number(tmp_path: Path) -> None:
    with pytest.raises(BlindIndexOutage) as refused:
        run(lambda: ProcessBlindIndex(tmp_path / "socket").index("idn", NUMBER))
    assert NUMBER.reveal() not in repr(refused.value)
    assert refused.value.__cause__ is None


def test_a_process_that_is_silent_is_an_outage(tmp_path: Path) -> None:
    async def walk() -> None:
        left = asyncio.Event()

        async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.read()
            writer.close()
            await writer.wait_closed()
            left.set()

        async with await asyncio.start_unix_server(silent, tmp_path / "s"):
            with pytest.raises(BlindIndexOutage):
                await ProcessBlindIndex(tmp_path / "s", answer_s=0.1).index("idn", NUMBER)
            await left.wait()

    run(walk)


def test_H7_the_folder_and_its_socket_are_its_owners_only_and_the_key_survives_a_restart(tmp_path: Path) -> None:
    folder = tmp_path / "b"
    found = []
    for _ in range(2):
        child = start(folder)
        try:
            assert stat.S_IMODE(folder.stat().st_mode) == 0o700
            assert stat.S_IMODE((folder / "socket").stat().st_mode) == 0o600
            assert stat.S_IMODE((folder / "index.key").stat().st_mode) == 0o600
            found.append(run(lambda: ProcessBlindIndex(folder / "socket").index("idn", NUMBER)))
        finally:
            child.send_signal(signal.SIGKILL)
            child.wait(10)
    assert found[0] == found[1]


def test_hostile_questions_get_no_answer_and_hurt_nobody(tmp_path: Path) -> None:
    folder = tmp_path / "b"
    child = start(folder)

    async def ask(question: bytes) -> bytes:
        with address(folder / "socket") as name:
            reader, writer = await asyncio.open_unix_connection(name)
        writer.write(question)
        writer.write_eof()
        try:
            return await reader.read()
        except ConnectionError:
            return b""
        finally:
            writer.close()

    async def walk() -> None:
        for question in (b"", b"\n", b"idn\n", b"\xff\xfe\n", b"x" * 100_000, b"idn " + b"1" * 100_000 + b"\n"):
            assert not (await ask(question)).startswith(b"ok")
        assert (await ask(b"idn 1\n")).startswith(b"ok ")

    try:
        run(walk)
    finally:
        child.terminate()
        child.wait(10)


def test_at_hand_starts_a_process_where_none_answers_and_ends_it(tmp_path: Path) -> None:
    async def walk() -> None:
        async with at_hand(tmp_path / "b") as first:
            one = await first.index("idn", NUMBER)
            async with at_hand(tmp_path / "b") as second:
                assert await second.index("idn", NUMBER) == one
            assert await first.index("idn", NUMBER) == one
        with pytest.raises(BlindIndexOutage):
            await first.index("idn", NUMBER)

    run(walk)


def test_G7_production_refuses_a_key_file(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "ingam.run.blind_index", "--folder", str(tmp_path / "b")],
        env={**os.environ, "INGAM_MODE": "production"}, capture_output=True, check=False,
    )  # fmt: skip
    assert done.returncode == 6
    assert not (tmp_path / "b").exists()
