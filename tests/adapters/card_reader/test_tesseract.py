"""The reader with its workers: real processes behind their fences, and workers that die, hang or babble."""

from __future__ import annotations

import asyncio
import io
import os
import signal
import struct
import subprocess
import sys
import time
import zlib
from pathlib import Path

import pytest
from PIL import Image
from tests.adapters.card_reader.photographs import Spoilt, jpeg, photograph, resident

from ingam.adapters.card_reader import tesseract
from ingam.adapters.card_reader.tesseract import TesseractReader
from ingam.ports.card_reader import (
    MOST_BYTES,
    CardKind,
    CardNotAnImage,
    CardReaderOutage,
    CardTooLarge,
    CardUnreadable,
)

pytestmark = pytest.mark.anyio
REAL = (sys.executable, *tesseract._WORKER)
READY = """printf '{"ready": [], "masked": 0}\\n'"""


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="module")
def card() -> bytes:
    """A good photograph of a resident card."""
    return jpeg(photograph(resident(), Spoilt(skew=0.2)))


def never() -> TesseractReader:
    """A reader whose worker must not be asked."""
    return TesseractReader(command=("/bin/false",))


def first(tmp_path: Path, does: str) -> tuple[str, ...]:
    """A command that the first time does something wrong, and is the real worker from then on."""
    marker = tmp_path / "was-here"
    script = f'if [ ! -e {marker} ]; then echo $$ > {marker}; {does}; else exec "$0" "$@"; fi'
    return ("/bin/sh", "-c", script, *REAL)


async def test_F11_a_card_is_read_behind_the_fence_and_no_process_is_left(card: bytes) -> None:
    async with TesseractReader() as reader:
        reading = await reader.read(card, CardKind.RESIDENT)
        spare = reader._spare
        assert spare is not None
        pid = (await spare)._process.pid
    assert reading.fields == {"name": "홍길동", "idn": "7510051000001", "issued_on": "20200315"}
    assert all(sure > 0.5 for sure in reading.sure.values())
    assert "7510051000001" not in repr(reading)
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


@pytest.mark.parametrize(
    "image",
    [
        b"",
        b"not a picture",
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        b"%PDF-1.7",
        b"GIF89a" + bytes(60),
        b"\xff\xd8\xff",
    ],
)
async def test_a_wrong_type_is_refused_before_any_worker_sees_it(image: bytes) -> None:
    with pytest.raises(CardNotAnImage):
        await never().read(image, CardKind.RESIDENT)


async def test_a_huge_file_is_refused_by_its_length() -> None:
    with pytest.raises(CardTooLarge):
        await never().read(b"\xff\xd8\xff" + bytes(MOST_BYTES), CardKind.RESIDENT)


def png_of(wide: int, high: int) -> bytes:
    """A grey PNG that says so, of zeros."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    rows = zlib.compress(bytes((wide + 1) * min(high, 8_000)), 9)
    head = struct.pack(">IIBBBBB", wide, high, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


@pytest.mark.parametrize(("wide", "high"), [(30_000, 30_000), (65_000, 300), (10_000, 5_001)])
async def test_F11_a_decompression_bomb_is_refused_by_its_header(wide: int, high: int) -> None:
    with pytest.raises(CardTooLarge):
        await never().read(png_of(wide, 8) if high == 8 else png_of(wide, high), CardKind.RESIDENT)


async def test_a_thumbnail_is_unreadable_without_a_worker() -> None:
    held = io.BytesIO()
    Image.new("RGB", (160, 100)).save(held, "PNG")
    with pytest.raises(CardUnreadable):
        await never().read(held.getvalue(), CardKind.RESIDENT)


async def test_F11_the_largest_picture_that_is_decoded_stays_within_the_workers_memory() -> None:
    async with TesseractReader() as reader:
        with pytest.raises(CardUnreadable):
            await reader.read(png_of(7_000, 7_000), CardKind.RESIDENT)


async def test_a_worker_that_is_killed_is_an_outage_and_the_next_one_reads(tmp_path: Path, card: bytes) -> None:
    async with TesseractReader(command=first(tmp_path, f"{READY}; exec sleep 60")) as reader:
        asked = asyncio.create_task(reader.read(card, CardKind.RESIDENT))
        while not (tmp_path / "was-here").exists() or not (told := (tmp_path / "was-here").read_text()):
            await asyncio.sleep(0.01)
        os.kill(int(told), signal.SIGKILL)
        with pytest.raises(CardReaderOutage):
            await asked
        assert (await reader.read(card, CardKind.RESIDENT)).fields["name"] == "홍길동"


async def test_a_worker_that_hangs_is_an_outage_in_time_and_is_killed(tmp_path: Path, card: bytes) -> None:
    reader = TesseractReader(
        command=("/bin/sh", "-c", f"echo $$ > {tmp_path}/pid; {READY}; exec sleep 60"), answer_s=0.5
    )
    start = time.monotonic()
    with pytest.raises(CardReaderOutage, match="timeout"):
        await reader.read(card, CardKind.RESIDENT)
    assert time.monotonic() - start < 5
    await reader.aclose()
    with pytest.raises(ProcessLookupError):
        os.kill(int((tmp_path / "pid").read_text()), 0)


@pytest.mark.parametrize(
    "says",
    [
        "exit 3",
        "echo nonsense",
        "head -c 100000 /dev/zero",
        f"{READY}; cat >/dev/null & printf '%s\\n' '[]'",
        f'{READY}; printf \'%s\\n\' \'{{"fields": {{}}, "sure": {{}}, "masked": 99999999}}\'',
        f'{READY}; printf \'%s\\nGIF89a\' \'{{"fields": {{}}, "sure": {{}}, "masked": 6}}\'',
    ],
)
async def test_a_worker_that_babbles_is_an_outage(says: str, card: bytes) -> None:
    reader = TesseractReader(command=("/bin/sh", "-c", says), answer_s=5)
    with pytest.raises(CardReaderOutage):
        await reader.read(card, CardKind.RESIDENT)
    await reader.aclose()


async def test_more_than_may_wait_are_an_outage_at_once(card: bytes) -> None:
    reader = TesseractReader(command=("/bin/sh", "-c", "exec sleep 60"), at_once=1, most_waiting=0, answer_s=0.3)
    busy = asyncio.create_task(reader.read(card, CardKind.RESIDENT))
    await asyncio.sleep(0)
    with pytest.raises(CardReaderOutage, match="busy"):
        await reader.read(card, CardKind.RESIDENT)
    with pytest.raises(CardReaderOutage, match="timeout"):
        await busy
    await reader.aclose()


FENCED = """
import os, socket, subprocess, sys
from ingam.adapters.card_reader import fence
parent = os.getppid()
stand = fence.first(parent) + fence.last(parent)
def tried(act):
    try:
        act()
    except (OSError, RuntimeError, MemoryError) as error:
        return type(error).__name__
    return "done"
acts = {
    "socket": lambda: socket.socket(),
    "open": lambda: os.open("/etc/hostname", os.O_RDONLY),
    "fork": os.fork,
    "exec": lambda: os.execv("/bin/true", ["true"]),
    "kill": lambda: os.kill(parent, 0),
    "memory": lambda: bytearray(2 << 30),
}
os.write(1, repr((stand, {name: tried(act) for name, act in acts.items()})).encode())
os._exit(0)
"""


def test_F11_behind_the_fence_nothing_is_opened_connected_or_started() -> None:
    done = subprocess.run([sys.executable, "-I", "-B", "-c", FENCED], capture_output=True, timeout=20, check=True)
    stand, tried = eval(done.stdout)
    assert {"cpu", "memory", "file-size", "files", "processes", "no-new-privileges"} <= set(stand)
    assert "network" in stand or "seccomp" in stand
    wanted = {"socket", "open", "memory"} | ({"fork", "exec", "kill"} if "seccomp" in stand else set())
    assert {name for name in wanted if tried[name] == "done"} == set()
