"""Load on a server over keep-alive connections, and what it cost: the wall, and the CPU of the server's processes.

One loop with one protocol object a connection: each sends the next prepared message as soon as its answer is whole, so
that `concurrency` questions are always under way. Answers are kept and judged after the clock has stopped.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import subprocess
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final, NamedTuple

import httptools
import uvloop

from bench.figures import Figure, spread

ROOT: Final = Path(__file__).parent.parent
LONGEST_S: Final = 120
READY_S: Final = 60
_TICK_S: Final = 1 / os.sysconf("SC_CLK_TCK")


class Place(NamedTuple):
    """Where messages are posted."""

    host: str
    port: int
    path: str

    def post(self, body: bytes, kind: str) -> bytes:
        """The whole request."""
        head = f"POST {self.path} HTTP/1.1\r\nHost: {self.host}:{self.port}\r\nContent-Type: {kind}\r\n"
        return b"%sContent-Length: %d\r\n\r\n%s" % (head.encode("ascii"), len(body), body)


class Job(NamedTuple):
    """A request, and what follows on its answer's body, if anything: the next request of the same exchange."""

    first: bytes
    then: Callable[[bytes], bytes] | None = None


class Load(NamedTuple):
    """What a round came to. `rate`: certificates a second by the wall; `cpu_us`: CPU for each of them."""

    rate: float
    cpu_us: float


class Drive:
    """One round: jobs, the bodies of their last answers, and when all are there."""

    def __init__(self, place: Place, jobs: Sequence[Job]) -> None:
        self.place = place
        self.bodies = [b""] * len(jobs)
        self._jobs = iter(enumerate(jobs))
        self._left = len(jobs)
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def next(self) -> tuple[int, Job] | None:
        """The next job nobody has begun."""
        return next(self._jobs, None)

    def finished(self, number: int, body: bytes) -> None:
        """One job less."""
        self.bodies[number] = body
        self._left -= 1
        if not self._left and not self.done.done():
            self.done.set_result(None)

    def failed(self, why: str) -> None:
        """The round is worth nothing."""
        if not self.done.done():
            self.done.set_exception(RuntimeError(why))

    def reconnect(self, begun: tuple[int, Job] | None) -> None:
        """In place of a connection that the server has ended."""
        if self._left:
            self._connecting = asyncio.ensure_future(self.connect(begun))

    async def connect(self, begun: tuple[int, Job] | None = None) -> None:
        """One more connection, on which a job goes on or a new one begins."""
        loop, place = asyncio.get_running_loop(), self.place
        try:
            await loop.create_connection(lambda: _Connection(self, begun), place.host, place.port)
        except OSError as error:
            self.failed(repr(error))


class _Connection(asyncio.Protocol):
    """Sends one message after the other; a server that closes behind each answer gets a new connection for each."""

    _transport: asyncio.WriteTransport
    _parser: httptools.HttpResponseParser

    def __init__(self, drive: Drive, begun: tuple[int, Job] | None) -> None:
        self._drive, self._job = drive, begun
        self._body: list[bytes] = []

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport  # type: ignore[assignment]  # a stream's transport writes
        self._send()

    def data_received(self, data: bytes) -> None:
        try:
            self._parser.feed_data(data)
        except Exception as error:
            self._drive.failed(repr(error.__context__ or error))

    def on_body(self, body: bytes) -> None:
        self._body.append(body)

    def on_message_complete(self) -> None:
        assert self._job is not None
        number, job = self._job
        body = b"".join(self._body)
        if job.then is None:
            self._job = None
            self._drive.finished(number, body)
        else:
            self._job = (number, Job(job.then(body)))
        if self._parser.should_keep_alive():
            self._send()
        else:
            self._transport.close()
            self._drive.reconnect(self._job)

    def connection_lost(self, error: Exception | None) -> None:
        if self._job is not None and error is not None:
            self._drive.failed(repr(error))

    def _send(self) -> None:
        self._job = self._job or self._drive.next()
        if self._job is None:
            self._transport.close()
            return
        self._body, self._parser = [], httptools.HttpResponseParser(self)
        self._transport.write(self._job[1].first)


def drive(place: Place, jobs: Sequence[Job], concurrency: int) -> tuple[float, list[bytes]]:
    """Seconds until every job is answered, and the body of each one's last answer."""

    async def go() -> tuple[float, list[bytes]]:
        round_of = Drive(place, jobs)
        begun = time.perf_counter()
        await asyncio.gather(*(round_of.connect() for _ in range(concurrency)))
        await asyncio.wait_for(round_of.done, LONGEST_S)
        return time.perf_counter() - begun, round_of.bodies

    return uvloop.run(go())


class Server:
    """A process with its children."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process

    def cpu_s(self) -> float:
        """CPU seconds of all its processes and their threads until now."""
        return sum(_cpu_s(pid) for pid in _family(self._process.pid))

    def under(self, place: Place, jobs: Sequence[Job], concurrency: int, good: Callable[[bytes], bool]) -> Load:
        """One round. Raises RuntimeError where an answer is not a good one."""
        before = self.cpu_s()
        seconds, bodies = drive(place, jobs, concurrency)
        spent = self.cpu_s() - before
        if bad := [body for body in bodies if not good(body)]:
            raise RuntimeError(f"{len(bad)} of {len(bodies)} answers bring no certificate: {bad[0][:300]!r}")
        return Load(len(jobs) / seconds, 1e6 * spent / len(jobs))


def _family(pid: int) -> list[int]:
    listed = Path(f"/proc/{pid}/task/{pid}/children")
    return [pid, *(one for child in listed.read_text().split() for one in _family(int(child)))]


def _cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) * _TICK_S


@contextlib.contextmanager
def running(
    command: Sequence[str], log: Path, ready: Callable[[], bool], environment: Mapping[str, str] | None = None
) -> Iterator[Server]:
    """A server, ready; ended with the block. Raises RuntimeError with the end of its log where it does not come up."""
    with log.open("ab") as told:
        process = subprocess.Popen(
            command, cwd=ROOT, env={**os.environ, **(environment or {})}, stdin=subprocess.DEVNULL,
            stdout=told, stderr=told,
        )  # fmt: skip
    try:
        until = time.monotonic() + READY_S
        while not ready():
            if process.poll() is not None or time.monotonic() > until:
                raise RuntimeError(log.read_text(errors="replace")[-2000:])
            time.sleep(0.05)
        yield Server(process)
    finally:
        process.terminate()
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def reads(url: str) -> bool:
    """Whether a URL answers with 200."""
    try:
        with urllib.request.urlopen(url, timeout=2) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def rounds(loads: Mapping[str, Callable[[], Load]], count: int) -> dict[str, list[Load]]:
    """Rounds by candidate behind one that does not count; they take turns, in the other direction every second time."""
    for load in loads.values():
        load()
    found: dict[str, list[Load]] = {name: [] for name in loads}
    for number in range(count):
        for name in list(loads)[:: 1 if number % 2 else -1]:
            found[name].append(loads[name]())
    return found


def wall(name: str, found: Sequence[Load]) -> list[Figure]:
    """Median and quartiles of the rate."""
    return _spread(f"{name}: wall", [one.rate for one in found], "/s")


def cpu(name: str, found: Sequence[Load]) -> list[Figure]:
    """Median and quartiles of the CPU for each certificate."""
    return _spread(f"{name}: CPU", [one.cpu_us for one in found], "us")


def _spread(name: str, values: list[float], unit: str) -> list[Figure]:
    told = spread(values)
    parts = (("median", told.median), ("q1", told.low), ("q3", told.high))
    return [Figure(f"{name}, {part}", value, unit) for part, value in parts]
