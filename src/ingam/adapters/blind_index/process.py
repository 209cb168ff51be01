"""The blind index over its socket; `run/blind_index.py` answers with the key that only that process reads."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Final

from ingam.adapters.blind_index.in_memory import FIELDS
from ingam.adapters.blind_index.sockets import LONGEST_LINE, address
from ingam.kernel.errors import Defect
from ingam.kernel.secret import Secret
from ingam.ports.keys import BlindIndexOutage

ANSWER_S: Final = 2.0

START_S: Final = 10.0
"""How long a process that was just started may take until it answers."""


class ProcessBlindIndex:
    """`ports.keys.BlindIndex` by asking the process at this socket."""

    def __init__(self, socket: Path, *, answer_s: float = ANSWER_S) -> None:
        self._socket = socket
        self._answer_s = answer_s

    async def index(self, field: str, value: Secret[str]) -> bytes:
        question = f"{field} {value.reveal()}"
        if field not in FIELDS or not question.isascii() or not question.isprintable() or len(question) >= LONGEST_LINE:
            raise Defect("blind-index-field")
        try:
            async with asyncio.timeout(self._answer_s):
                answer = await self._ask(f"{question}\n".encode())
        except (OSError, TimeoutError, ValueError):
            raise BlindIndexOutage from None
        return _read(answer)

    async def _ask(self, question: bytes) -> bytes:
        with address(self._socket) as name:
            reader, writer = await asyncio.open_unix_connection(name, limit=LONGEST_LINE)
        try:
            writer.write(question)
            return await reader.readline()
        finally:
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()


def _read(answer: bytes) -> bytes:
    word, _, rest = answer.decode("ascii", "replace").strip().partition(" ")
    if word == "no":
        raise Defect("blind-index-field") if rest == "blind-index-field" else BlindIndexOutage()
    try:
        digest = bytes.fromhex(rest)
    except ValueError:
        raise BlindIndexOutage from None
    if word != "ok" or len(digest) != 32:
        raise BlindIndexOutage
    return digest


@asynccontextmanager
async def at_hand(folder: Path, *, allow_key_file: bool = False) -> AsyncIterator[ProcessBlindIndex]:
    """The index of this folder: the process that already answers there, else one for the length of the block.

    For the CLI, which also works while nothing else runs. `allow_key_file`: in production too (security G7).
    Raises BlindIndexOutage.
    """
    index = ProcessBlindIndex(folder / "socket")
    if await _answers(index):
        yield index
        return
    command = [sys.executable, "-m", "ingam.run.blind_index", "--folder", str(folder)]
    command += ["--with-parent", str(os.getpid()), *(["--allow-key-file"] if allow_key_file else [])]
    child = subprocess.Popen(command)  # noqa: S603 - our own program
    try:
        await _until_it_answers(index)
        yield index
    finally:
        child.terminate()
        await asyncio.to_thread(child.wait, START_S)


async def _answers(index: ProcessBlindIndex) -> bool:
    try:
        await index.index("idn", Secret("0"))
    except BlindIndexOutage:
        return False
    return True


async def _until_it_answers(index: ProcessBlindIndex) -> None:
    for _ in range(int(START_S / 0.05)):
        if await _answers(index):
            return
        await asyncio.sleep(0.05)
    raise BlindIndexOutage
