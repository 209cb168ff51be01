"""The blind index's own process: it alone reads the index key, and answers `index this` under a rate ceiling (H7).

`python -m ingam.run.blind_index --folder DATA/blind-index` makes `index.key` at its first start and listens at
`socket`, both in that folder (0700). It has no network and no database. SIGTERM ends it.
"""

from __future__ import annotations

import argparse
import asyncio
import ctypes
import os
import signal
import socket
import struct
from contextlib import suppress
from pathlib import Path
from typing import Final

from ingam.adapters.blind_index.in_memory import CEILING, InMemoryBlindIndex
from ingam.adapters.blind_index.sockets import LONGEST_LINE, address
from ingam.adapters.clock.system import SystemClock
from ingam.adapters.hsm.key_files import KeyFileRefused, read_or_make, refuse_in_production
from ingam.kernel.errors import Failure
from ingam.kernel.secret import Secret
from ingam.run.stopping import told_to_stop

PR_SET_PDEATHSIG: Final = 1

QUESTION_S: Final = 5.0
"""How long a connection may take over its one question."""


def main(argv: list[str] | None = None) -> int:
    """Serve until SIGTERM or SIGINT. 0 when told to stop, 6 when the key must not be used."""
    parser = argparse.ArgumentParser(prog="ingam.run.blind_index", description=__doc__)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--ceiling", type=int, default=CEILING, help="answers a minute")
    parser.add_argument("--allow-key-file", action="store_true", help="a key file in production (security G7)")
    parser.add_argument("--with-parent", type=int, help="end with this process, which started this one")
    options = parser.parse_args(argv)
    if options.with_parent is not None:
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != options.with_parent:  # it died before prctl
            return 0
    try:
        refuse_in_production(os.environ.get("INGAM_MODE") == "production", options.allow_key_file)
        root = Secret(read_or_make(options.folder / "index.key", ("index",))["index"])
    except KeyFileRefused as refused:
        parser.exit(6, f"{refused}\n")
    asyncio.run(serve(options.folder, InMemoryBlindIndex(root, SystemClock(), ceiling=options.ceiling)))
    return 0


async def serve(folder: Path, index: InMemoryBlindIndex) -> None:
    """Listen in the folder until a signal."""
    stop = told_to_stop()
    listening = _listen(folder / "socket")
    server = await asyncio.start_unix_server(
        lambda reader, writer: _answer_one(index, reader, writer), sock=listening, limit=LONGEST_LINE
    )
    own = (folder / "socket").stat().st_ino
    async with server:
        await stop.wait()
    with suppress(FileNotFoundError):
        if (folder / "socket").stat().st_ino == own:  # another process may listen there by now
            (folder / "socket").unlink()


def _listen(path: Path) -> socket.socket:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    path.parent.chmod(0o700)
    path.unlink(missing_ok=True)
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    with address(path) as name:
        listening.bind(name)
    path.chmod(0o600)
    return listening


async def _answer_one(index: InMemoryBlindIndex, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        if _is_ours(writer):
            async with asyncio.timeout(QUESTION_S):
                writer.write(await _answer(index, await reader.readline()))
                await writer.drain()
    except (OSError, TimeoutError, ValueError):
        return  # whoever asks badly or leaves gets nothing
    finally:
        writer.close()


def _is_ours(writer: asyncio.StreamWriter) -> bool:
    """Only this system user's processes may ask; the folder's mode says the same."""
    peer = writer.get_extra_info("socket").getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
    _, user, _ = struct.unpack("3i", peer)
    return bool(user == os.geteuid())


async def _answer(index: InMemoryBlindIndex, question: bytes) -> bytes:
    field, _, value = question.decode("ascii").rstrip("\n").partition(" ")
    try:
        return f"ok {(await index.index(field, Secret(value))).hex()}\n".encode()
    except Failure as failure:
        return f"no {failure.code}\n".encode()


if __name__ == "__main__":
    raise SystemExit(main())
