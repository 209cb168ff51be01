"""Between devices and the relay's nodes: connections go to the nodes in turn, and all of them can be cut."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence
from contextlib import suppress
from types import TracebackType


class Crossing:
    """A TCP forwarder on a free port of loopback, in a thread of its own."""

    def __init__(self, nodes: Sequence[int]) -> None:
        self._nodes = list(nodes)
        self._turn = 0
        self._lines: set[asyncio.StreamWriter] = set()
        self._loop = asyncio.new_event_loop()
        self._server: asyncio.Server | None = None
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self.taken: list[int] = []
        """Which node each connection went to."""

    def __enter__(self) -> Crossing:
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._start(), self._loop).result(10)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        asyncio.run_coroutine_threadsafe(self._end(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    @property
    def origin(self) -> str:
        """As browsers reach it."""
        assert self._server is not None
        return f"http://localhost:{self._server.sockets[0].getsockname()[1]}"

    def cut(self) -> None:
        """Every connection ends at once, in the middle of whatever it carries."""
        asyncio.run_coroutine_threadsafe(self._cut(), self._loop).result(10)

    async def _start(self) -> None:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)

    async def _end(self) -> None:
        assert self._server is not None
        self._server.close()
        await self._cut()
        running = asyncio.all_tasks() - {asyncio.current_task()}
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)

    async def _cut(self) -> None:
        for line in list(self._lines):
            line.transport.abort()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        node = self._nodes[self._turn % len(self._nodes)]
        self._turn += 1
        self.taken.append(node)
        try:
            behind = await asyncio.open_connection("127.0.0.1", node)
        except OSError:
            writer.transport.abort()
            return
        self._lines |= {writer, behind[1]}
        await asyncio.gather(_pour(reader, behind[1]), _pour(behind[0], writer))
        self._lines -= {writer, behind[1]}


async def _pour(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while part := await source.read(65_536):
            sink.write(part)
            await sink.drain()
    with suppress(OSError):
        sink.close()
