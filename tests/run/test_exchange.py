"""The small HTTP server over real sockets: order, bounds, slow clients, and what could be read in two ways."""

from __future__ import annotations

import asyncio
import resource
import socket
from collections.abc import Awaitable, Callable, Iterator
from email.utils import parsedate_to_datetime as parsed
from typing import TypeVar

import pytest
import uvloop
from hypothesis import given, settings
from hypothesis import strategies as st

from ingam.run.exchange import (
    FIELDS_MOST,
    HEAD_MOST,
    Application,
    Bounds,
    Exchange,
    Reply,
    Request,
    Streamed,
    fields,
    listening,
    path,
    plain,
)

T = TypeVar("T")
LIMIT = 4096
GET = b"GET /a HTTP/1.1\r\nHost: localhost\r\n\r\n"
LAST = b"GET /last HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"


def post(body: bytes, more: bytes = b"") -> bytes:
    return b"POST /p HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n%s\r\n%s" % (len(body), more, body)


def echo(request: Request) -> Reply:
    said = request.method + b" " + request.target + b" " + request.body
    return Reply(200, fields([("Content-Type", "application/octet-stream")]), said)


class World:
    """A server in this loop and what it was told of defects."""

    def __init__(self, exchange: Exchange, port: int, defects: list[BaseException]) -> None:
        self.exchange, self.port, self.defects = exchange, port, defects

    async def connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        return await asyncio.open_connection("127.0.0.1", self.port, limit=2**26)

    async def say(self, *parts: bytes) -> bytes:
        """Everything that comes back until the server closes."""
        reader, writer = await self.connect()
        try:
            for part in parts:
                writer.write(part)
                await writer.drain()
                await asyncio.sleep(0)
            return await asyncio.wait_for(reader.read(), 10)
        finally:
            writer.close()

    def beat(self, seconds: int) -> None:
        """Time passes for the connections."""
        for _ in range(seconds):
            self.exchange.tick += 1
            for connection in list(self.exchange.connections):
                connection.check(self.exchange.tick, self.exchange.bounds.idle_s)

    async def until(self, true: Callable[[], bool]) -> None:
        async with asyncio.timeout(10):
            while not true():
                await asyncio.sleep(0.001)


def run(
    walk: Callable[[World], Awaitable[T]],
    application: Application = echo,
    bounds: Bounds | None = None,
    remembers: int = 0,
) -> T:
    """Walk against a fresh server on uvloop; nothing may be left behind."""

    async def go() -> T:
        defects: list[BaseException] = []
        known = {"remembers": remembers}
        exchange = Exchange(application, lambda _method, _target: LIMIT, bounds or Bounds(), defects.append, **known)
        listener = listening("127.0.0.1", 0)
        port = listener.getsockname()[1]
        await exchange.start(listener)
        try:
            return await walk(World(exchange, port, defects))
        finally:
            await exchange.drain()
            assert not exchange.connections

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(go())


def say(*parts: bytes, application: Application = echo, bounds: Bounds | None = None, remembers: int = 0) -> bytes:
    return run(lambda world: world.say(*parts), application, bounds, remembers)


def answers(said: bytes) -> list[tuple[int, dict[bytes, bytes], bytes]]:
    """The answers in a stream, read by their lengths."""
    found = []
    while said:
        head, _, rest = said.partition(b"\r\n\r\n")
        start, *lines = head.split(b"\r\n")
        named = dict(line.split(b": ", 1) for line in lines)
        size = int(named.get(b"Content-Length", b"0"))
        found.append((int(start[9:12]), named, rest[:size]))
        said = rest[size:]
    return found


def bodies(said: bytes) -> list[bytes]:
    return [body for _, _, body in answers(said)]


def statuses(said: bytes) -> list[int]:
    return [status for status, _, _ in answers(said)]


# Order, kept connections, whole requests


def test_an_answer_carries_date_and_length_and_the_connection_stays() -> None:
    (status, named, body), (_, last, _) = answers(say(GET, LAST))
    assert (status, body) == (200, b"GET /a ")
    assert named[b"Content-Length"] == b"7" and named[b"Date"].endswith(b"GMT") and b"Connection" not in named
    assert last[b"Connection"] == b"close"


def test_pipelined_requests_are_answered_in_order() -> None:
    asked = [b"GET /%d HTTP/1.1\r\nHost: localhost\r\n\r\n" % number for number in range(2000)]
    said = bodies(say(b"".join(asked) + LAST))
    assert said == [*(b"GET /%d " % number for number in range(2000)), b"GET /last "]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.booleans(), st.binary(max_size=60)), min_size=1, max_size=6), st.data())
def test_however_the_bytes_arrive_the_answers_are_the_same(
    asked: list[tuple[bool, bytes]], data: st.DataObject
) -> None:
    whole = b"".join(_chunked(body) if chunked else post(body) for chunked, body in asked) + LAST
    cuts = sorted(data.draw(st.sets(st.integers(1, len(whole) - 1), max_size=12)))
    parts = [whole[a:b] for a, b in zip([0, *cuts], [*cuts, len(whole)], strict=True)]
    expected = [*(b"POST /p " + body for _, body in asked), b"GET /last "]
    assert bodies(say(*parts)) == expected
    assert bodies(say(*parts, remembers=2)) == expected


def _chunked(body: bytes, size: int = 7) -> bytes:
    head = b"POST /p HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
    pieces = [body[at : at + size] for at in range(0, len(body), size)]
    return head + b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"


def test_slow_and_ready_answers_leave_in_the_order_of_the_questions() -> None:
    async def later(request: Request) -> Reply:
        for _ in range(int(request.target[1:2])):
            await asyncio.sleep(0)
        return echo(request)

    def application(request: Request) -> Reply | Awaitable[Reply]:
        return later(request) if request.target[1:2].isdigit() else echo(request)

    asked = [b"GET /%s HTTP/1.1\r\nHost: localhost\r\n\r\n" % name for name in (b"a", b"9", b"b", b"1", b"5", b"c")]
    said = say(b"".join(asked) + LAST, application=application)
    assert bodies(said) == [b"GET /a ", b"GET /9 ", b"GET /b ", b"GET /1 ", b"GET /5 ", b"GET /c ", b"GET /last "]


def test_head_has_the_fields_of_get_and_no_body() -> None:
    said = say(b"HEAD /a HTTP/1.1\r\nHost: localhost\r\n\r\n" + LAST)
    head, _, rest = said.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 OK") and b"Content-Length: 8" in head
    assert rest.startswith(b"HTTP/1.1 200 OK")


def test_http_1_0_ends_unless_it_asks_to_stay() -> None:
    ((_, named, _),) = answers(say(b"GET /a HTTP/1.0\r\n\r\n"))
    assert named[b"Connection"] == b"close"
    stays, ends = answers(say(b"GET /a HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", LAST))
    assert stays[1][b"Connection"] == b"keep-alive" and ends[2] == b"GET /last "


def test_what_follows_connection_close_is_not_read() -> None:
    assert bodies(say(LAST + GET)) == [b"GET /last "]


def test_a_client_may_close_its_side_once_it_has_asked() -> None:
    async def slow(request: Request) -> Reply:
        await asyncio.sleep(0.01)
        return echo(request)

    async def walk(world: World) -> bytes:
        reader, writer = await world.connect()
        writer.write(GET)
        writer.write_eof()
        said = await asyncio.wait_for(reader.read(), 10)
        writer.close()
        return said

    assert bodies(run(walk, slow)) == [b"GET /a "]


def test_repeated_fields_are_joined_and_names_are_lower_case() -> None:
    def application(request: Request) -> Reply:
        return plain(200, repr((request.fields[b"accept"], request.peer)))

    said = say(
        b"GET / HTTP/1.1\r\nhost: a\r\nACCEPT: x\r\nAccept: y\r\nConnection: close\r\n\r\n", application=application
    )
    assert bodies(said) == [b"(b'x, y', '127.0.0.1')\n"]


def test_an_upgrade_is_not_followed_and_ends_the_connection() -> None:
    asked = b"GET /a HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n"
    ((status, named, _),) = answers(say(asked + GET))
    assert (status, named[b"Connection"]) == (200, b"close")


@pytest.mark.parametrize(
    ("target", "found"),
    [(b"/a?b", b"/a"), (b"http://h:1/a/b?c", b"/a/b"), (b"http://h", b"/"), (b"*", b"*"), (b"/", b"/")],
)
def test_the_path_of_a_target(target: bytes, found: bytes) -> None:
    assert path(target) == found


# Bodies and their bounds


def test_a_body_over_the_limit_is_refused_before_it_is_read() -> None:
    head = b"POST /p HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n" % (LIMIT + 1)
    ((status, named, _),) = answers(say(head))
    assert (status, named[b"Connection"]) == (413, b"close")


def test_a_body_at_the_limit_passes() -> None:
    assert bodies(say(post(b"x" * LIMIT) + LAST))[0] == b"POST /p " + b"x" * LIMIT
    assert bodies(say(_chunked(b"x" * LIMIT) + LAST))[0] == b"POST /p " + b"x" * LIMIT
    assert bodies(say(_chunked(b"x" * LIMIT, 1), LAST))[0] == b"POST /p " + b"x" * LIMIT


def test_chunked_bodies_are_counted() -> None:
    assert statuses(say(_chunked(b"x" * (LIMIT + 1)))) == [413]


def test_endless_chunk_extensions_and_trailers_end_the_connection() -> None:
    head = b"POST /p HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
    assert statuses(say(head, b"1;", *[b"a" * 8000] * 40)) == [413]
    assert statuses(say(head + b"0\r\n", *[b"a: b\r\n"] * (FIELDS_MOST + 1))) == [431]


def test_the_refused_client_reads_why_although_it_goes_on_sending() -> None:
    head = b"POST /p HTTP/1.1\r\nHost: localhost\r\nContent-Length: 500000\r\n\r\n"
    assert statuses(say(head, *[b"x" * 50_000] * 10)) == [413]


def test_100_continue_comes_before_the_body_and_other_expectations_are_refused() -> None:
    async def walk(world: World) -> tuple[bytes, bytes]:
        reader, writer = await world.connect()
        writer.write(
            b"POST /p HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nExpect: 100-continue\r\nConnection: close\r\n\r\n"
        )
        first = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 10)
        writer.write(b"ok")
        rest = await asyncio.wait_for(reader.read(), 10)
        writer.close()
        return first, rest

    first, rest = run(walk)
    assert first == b"HTTP/1.1 100 Continue\r\n\r\n" and bodies(rest) == [b"POST /p ok"]
    assert statuses(say(post(b"x", b"Expect: money\r\n"))) == [417]
    big = b"POST /p HTTP/1.1\r\nHost: a\r\nContent-Length: 99999\r\nExpect: 100-continue\r\n\r\n"
    assert statuses(say(big)) == [413]


# Requests that could be read in two ways, and no requests at all


@pytest.mark.parametrize(
    ("head", "status"),
    [
        (b"POST /p HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
        (b"POST /p HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\n", 400),
        (b"POST /p HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nContent-Length: 3\r\n\r\nabc", 400),
        (b"POST /p HTTP/1.1\r\nHost: a\r\nContent-Length: 3, 3\r\n\r\nabc", 400),
        (b"POST /p HTTP/1.1\r\nHost: a\r\nContent-Length: -3\r\n\r\nabc", 400),
        (b"POST /p HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 501),
        (b"POST /p HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n", 501),
        (b"POST /p HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost : a\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: a\r\n folded\r\n\r\n", 400),
        (b"GET / HTTP/1.1\nHost: a\n\n", 400),
        (b"GET / HTTP/2.0\r\nHost: a\r\n\r\n", 505),
        (b"GET /\r\n\r\n", 505),
        (b"hello\r\n\r\n", 400),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 400),
    ],
)
def test_what_could_be_read_in_two_ways_is_refused_and_the_connection_ends(head: bytes, status: int) -> None:
    ((found, named, _),) = answers(say(head))
    assert (found, named[b"Connection"]) == (status, b"close")


def test_a_refusal_waits_for_the_answers_before_it() -> None:
    async def slow(request: Request) -> Reply:
        await asyncio.sleep(0.01)
        return echo(request)

    assert statuses(say(GET + b"nonsense\r\n\r\n", application=slow)) == [200, 400]


@settings(max_examples=200, deadline=None)
@given(st.binary(min_size=1, max_size=300))
def test_any_bytes_get_an_answer_or_an_end_and_never_a_defect(data: bytes) -> None:
    async def walk(world: World) -> None:
        reader, writer = await world.connect()
        writer.write(data)
        writer.write_eof()
        await asyncio.wait_for(reader.read(), 10)
        writer.close()
        assert not world.defects

    run(walk)


# Endless heads


def _endless(first: bytes, more: bytes, most: int) -> Iterator[bytes]:
    yield first
    for _ in range(most // len(more)):
        yield more


START = b"GET / HTTP/1.1\r\nHost: localhost\r\n"


@pytest.mark.parametrize(
    ("first", "more"),
    [
        (START, b"a: " + b"b" * 90 + b"\r\n"),
        (START + b"a: ", b"b" * 1000),
        (START, b"b" * 1000),
        (b"GET /", b"b" * 1000),
        (b"", b"\r\n" * 500),
        (b"GET /", b"b" * 100_000),
    ],
    ids=["fields", "value", "name", "address", "empty-lines", "in-one-write"],
)
def test_F9_an_endless_head_ends_the_connection(first: bytes, more: bytes) -> None:
    async def walk(world: World) -> bytes:
        reader, writer = await world.connect()
        try:
            for part in _endless(first, more, 8 * HEAD_MOST):
                writer.write(part)
                await writer.drain()
                await asyncio.sleep(0)
            return await asyncio.wait_for(reader.read(), 10)
        except ConnectionError:
            return b""
        finally:
            writer.close()

    said = run(walk)
    assert not said or said.startswith((b"HTTP/1.1 431", b"HTTP/1.1 400")), said


def test_a_head_of_half_the_bound_passes_behind_a_body() -> None:
    large = b"GET /large HTTP/1.1\r\nHost: a\r\nX: " + b"x" * (HEAD_MOST // 2 - 100) + b"\r\n\r\n"
    assert bodies(say(post(b"y" * 3000) + large + LAST))[1] == b"GET /large "


# Clients that keep the server waiting


def test_a_request_that_does_not_end_is_cut() -> None:
    async def walk(world: World) -> list[int]:
        reader, writer = await world.connect()
        writer.write(b"POST /p HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabc")
        await world.until(lambda: bool(world.exchange.connections))
        await asyncio.sleep(0.02)
        for _ in range(12):
            writer.write(b"d" if _ < 3 else b"")
            world.beat(1)
        said = await asyncio.wait_for(reader.read(), 10)
        writer.close()
        return statuses(said)

    assert run(walk) == [408]


def test_an_idle_connection_ends_and_a_busy_one_does_not() -> None:
    async def walk(world: World) -> tuple[bytes, int]:
        reader, writer = await world.connect()
        writer.write(GET)
        await reader.readuntil(b"GET /a ")
        world.beat(40)
        writer.write(GET)
        await asyncio.wait_for(reader.readuntil(b"GET /a "), 10)
        world.beat(70)
        said = await asyncio.wait_for(reader.read(), 10)
        writer.close()
        return said, world.exchange.cut

    assert run(walk) == (b"", 1)


def test_a_client_that_does_not_read_stops_the_work_for_it_and_is_cut() -> None:
    asked = 0

    def application(_request: Request) -> Reply:
        nonlocal asked
        asked += 1
        return Reply(200, b"", b"x" * 50_000)

    async def walk(world: World) -> None:
        client = socket.socket()
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.setblocking(False)
        await asyncio.get_running_loop().sock_connect(client, ("127.0.0.1", world.port))
        await asyncio.get_running_loop().sock_sendall(client, GET * 400)
        await world.until(lambda: asked > 0)
        await asyncio.sleep(0.05)
        assert asked < 200  # ten megabytes at the very most, buffers of the system included
        world.beat(22)
        await world.until(lambda: not world.exchange.connections)
        client.close()

    run(walk, application)


def test_a_client_that_reads_late_gets_everything_in_order() -> None:
    def application(request: Request) -> Reply:
        return Reply(200, b"", request.target + b"x" * 20_000)

    async def walk(world: World) -> list[bytes]:
        reader, writer = await world.connect()
        writer.write(b"".join(b"GET /%03d HTTP/1.1\r\nHost: a\r\n\r\n" % number for number in range(300)) + LAST)
        await asyncio.sleep(0.05)
        said = await asyncio.wait_for(reader.read(), 10)
        writer.close()
        return bodies(said)

    found = run(walk, application)
    assert [body[:4] for body in found] == [*(b"/%03d" % number for number in range(300)), b"/las"]


def test_more_connections_than_the_ceiling_are_told_to_come_later() -> None:
    async def walk(world: World) -> bytes:
        held = [await world.connect() for _ in range(3)]
        await world.until(lambda: len(world.exchange.connections) == 3)
        said = await world.say(GET)
        for _, writer in held:
            writer.close()
        return said

    ((status, named, _),) = answers(run(walk, bounds=Bounds(connections=3)))
    assert (status, named[b"Retry-After"]) == (503, b"1")


# Streams, defects, the end


def test_a_stream_is_taken_only_as_fast_as_the_client_reads() -> None:
    taken = 0

    def pieces() -> Iterator[bytes]:
        nonlocal taken
        for _ in range(400):
            taken += 1
            yield b"z" * 50_000

    def application(request: Request) -> Reply:
        return Streamed(200, b"", 20_000_000, pieces()) if request.target == b"/a" else echo(request)

    async def walk(world: World) -> tuple[int, bytes]:
        reader, writer = await asyncio.open_connection("127.0.0.1", world.port, limit=1024)
        writer.write(GET + LAST)
        await world.until(lambda: taken > 0)
        await asyncio.sleep(0.05)
        early = taken
        got = bytearray()
        while part := await asyncio.wait_for(reader.read(65536), 10):
            got += part
        writer.close()
        return early, bytes(got)

    early, got = run(walk, application)
    first, last = answers(got)
    assert early < 300 and taken == 400
    assert first[2] == b"z" * 20_000_000 and last[2] == b"GET /last "


def test_a_stream_that_breaks_cuts_the_connection() -> None:
    def pieces() -> Iterator[bytes]:
        yield b"half"
        raise OSError

    async def walk(world: World) -> tuple[bytes, int]:
        said = await world.say(GET)
        return said, len(world.defects)

    said, defects = run(walk, lambda _request: Streamed(200, b"", 8, pieces()))
    assert said.endswith(b"half") or not said
    assert defects == 1


def test_a_defect_is_told_to_us_and_is_500_to_the_client() -> None:
    def broken(request: Request) -> Reply | Awaitable[Reply]:
        if request.target == b"/a":
            raise RuntimeError("sync")

        async def later() -> Reply:
            raise RuntimeError("async")

        return later()

    async def walk(world: World) -> tuple[list[int], list[str]]:
        said = await world.say(GET) + await world.say(LAST)
        return statuses(said), [str(one) for one in world.defects]

    assert run(walk, broken) == ([500, 500], ["sync", "async"])


def test_draining_answers_what_was_asked_and_ends_idle_connections() -> None:
    gate = asyncio.Event()

    async def slow(request: Request) -> Reply:
        await gate.wait()
        return echo(request)

    async def walk(world: World) -> tuple[bytes, bytes]:
        idle, idle_writer = await world.connect()
        busy, busy_writer = await world.connect()
        busy_writer.write(GET)
        await world.until(lambda: len(world.exchange.connections) == 2)
        await asyncio.sleep(0.02)
        draining = asyncio.create_task(world.exchange.drain())
        nothing = await asyncio.wait_for(idle.read(), 10)
        gate.set()
        said = await asyncio.wait_for(busy.read(), 10)
        await draining
        idle_writer.close()
        busy_writer.close()
        return nothing, said

    nothing, said = run(walk, slow)
    ((status, named, _),) = answers(said)
    assert nothing == b"" and (status, named[b"Connection"]) == (200, b"close")


def test_expires_follows_the_date_where_an_answer_lives() -> None:
    reply = Reply(200, b"", b"x", lives=300)
    ((_, named, _),) = answers(say(LAST, application=lambda _request: reply))
    assert (parsed(named[b"Expires"].decode()) - parsed(named[b"Date"].decode())).total_seconds() in (299, 300)


def test_a_field_is_one_line() -> None:
    with pytest.raises(ValueError, match="one line"):
        fields([("X", "a\r\nSet-Cookie: b")])


def test_a_reply_tells_its_parts() -> None:
    reply = plain(404)
    assert (reply.status, reply.body) == (404, b"Not Found\n")
    assert Reply(304, b"", b"").rest == b"\r\n"


def test_the_ceiling_stays_below_what_the_system_allows() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)

    async def walk(world: World) -> int:
        return world.exchange._most

    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (256, hard))
        assert run(walk, bounds=Bounds(connections=512)) == 512
        assert resource.getrlimit(resource.RLIMIT_NOFILE)[0] == 640
        if hard != resource.RLIM_INFINITY:
            assert run(walk, bounds=Bounds(connections=2 * hard)) == hard - 128
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


# Requests that are remembered by their bytes


class Watched:
    """An application that keeps the requests it saw."""

    def __init__(self) -> None:
        self.seen: list[Request] = []

    def __call__(self, request: Request) -> Reply:
        self.seen.append(request)
        return echo(request)


async def turns(world: World, *parts: bytes) -> list[bytes]:
    """Each part is answered before the next is sent."""
    reader, writer = await world.connect()
    said = []
    for part in parts:
        writer.write(part)
        said.append(await asyncio.wait_for(_one(reader), 10))
    writer.close()
    return said


async def _one(reader: asyncio.StreamReader) -> bytes:
    head = await reader.readuntil(b"\r\n\r\n")
    size = next(line for line in head.split(b"\r\n") if line.startswith(b"Content-Length: "))
    return await reader.readexactly(int(size[16:]))


def test_the_same_bytes_from_anybody_are_read_once() -> None:
    watched = Watched()

    async def walk(world: World) -> None:
        for _ in range(2):
            said = await turns(world, post(b"x"), GET, post(b"x"), post(b"y"))
            assert said == [b"POST /p x", b"GET /a ", b"POST /p x", b"POST /p y"]

    run(walk, watched, remembers=8)
    assert watched.seen[0].peer == "127.0.0.1" and watched.seen[2].peer == ""
    assert watched.seen[4] is watched.seen[2] and watched.seen[5].body == b""


def test_a_body_that_looks_like_a_request_is_a_body() -> None:
    async def walk(world: World) -> list[bytes]:
        await turns(world, GET, GET)
        assert GET in world.exchange.known
        reader, writer = await world.connect()
        writer.write(b"POST /p HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % len(GET))
        await asyncio.sleep(0.02)
        writer.write(GET)
        first = await _one(reader)
        writer.write(GET[:10])
        await asyncio.sleep(0.02)
        writer.write(GET[10:])
        second = await _one(reader)
        writer.close()
        return [first, second]

    assert run(walk, remembers=8) == [b"POST /p " + GET, b"GET /a "]


@pytest.mark.parametrize(
    "asked",
    [
        GET + GET,
        b"HEAD /a HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET /a HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
        LAST,
        post(b"x", b"Expect: 100-continue\r\n"),
        post(b"x" * 1024),
    ],
    ids=["two-at-once", "head", "http-1.0", "the-last-one", "expecting", "long"],
)
def test_what_is_not_plain_and_whole_is_not_remembered(asked: bytes) -> None:
    async def walk(world: World) -> dict[bytes, Request]:
        assert await world.say(*dict.fromkeys((asked, LAST)))
        return world.exchange.known

    assert asked not in run(walk, remembers=8)


def test_no_more_are_remembered_than_the_bound_and_none_unless_told() -> None:
    async def walk(world: World) -> int:
        await turns(world, *(b"GET /%d HTTP/1.1\r\nHost: a\r\n\r\n" % number for number in range(50)))
        return len(world.exchange.known)

    assert 1 <= run(walk, remembers=8) <= 8
    assert run(walk) == 0


def test_a_remembered_request_waits_its_turn_too() -> None:
    async def walk(world: World) -> bytes:
        gate = asyncio.Event()

        async def slow(request: Request) -> Reply:
            await gate.wait()
            return echo(request)

        world.exchange.application = lambda one: slow(one) if one.target == b"/slow" else echo(one)
        await turns(world, GET)
        reader, writer = await world.connect()
        writer.write(b"GET /slow HTTP/1.1\r\nHost: a\r\n\r\n")
        await asyncio.sleep(0.02)
        writer.write(GET)
        await asyncio.sleep(0.02)
        gate.set()
        first, second = await _one(reader), await _one(reader)
        writer.close()
        return first + second

    assert run(walk, remembers=8) == b"GET /slow GET /a "
