"""An endless request head ends the connection, whichever part of it is endless; whole requests pass (F9)."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator

import pytest
import uvicorn
from starlette.types import Receive, Scope, Send

from ingam.run.http import FIELDS_MOST, HEAD_MOST, BoundedHttp

START = b"GET / HTTP/1.1\r\nHost: localhost\r\n"
ENDLESS = {
    "fields": (START, b"a: " + b"b" * 90 + b"\r\n"),
    "value": (START + b"a: ", b"b" * 1000),
    "name": (START, b"b" * 1000),
    "address": (b"GET /", b"b" * 1000),
}


async def _app(scope: Scope, receive: Receive, send: Send) -> None:
    got, more = 0, True
    while more:
        message = await receive()
        got, more = got + len(message.get("body", b"")), message.get("more_body", False)
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": str(got).encode()})


def answers(requests: Iterator[bytes], most: int) -> bytes:
    """What a server says to these bytes, of which at most `most` are sent, until it closes or has said enough."""

    async def go() -> bytes:
        listening = socket.socket()
        listening.bind(("127.0.0.1", 0))
        config = uvicorn.Config(_app, http=BoundedHttp, log_config=None, access_log=False, lifespan="off")
        server = uvicorn.Server(config)
        serving = asyncio.create_task(server.serve(sockets=[listening]))
        while not server.started:
            await asyncio.sleep(0.005)
        reader, writer = await asyncio.open_connection("127.0.0.1", listening.getsockname()[1])
        try:
            return await asyncio.wait_for(_talk(reader, writer, requests, most), 20)
        finally:
            writer.close()
            server.should_exit = True
            await serving

    return asyncio.run(go())


async def _talk(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, requests: Iterator[bytes], most: int
) -> bytes:
    said, sent = asyncio.create_task(reader.read(4096)), 0
    try:
        for part in requests:
            if said.done() or sent > most:
                break
            writer.write(part)
            sent += len(part)
            await writer.drain()
            await asyncio.sleep(0)
        return await said
    except ConnectionError:
        return b"closed"


def _endless(first: bytes, more: bytes) -> Iterator[bytes]:
    yield first
    while True:
        yield more


@pytest.mark.parametrize("part", ENDLESS)
def test_F9_an_endless_head_ends_the_connection(part: str) -> None:
    said = answers(_endless(*ENDLESS[part]), 64 * HEAD_MOST)
    assert said == b"closed" or said.startswith(b"HTTP/1.1 400"), said


def test_whole_requests_pass_one_after_the_other_with_bodies_larger_than_a_head() -> None:
    body = b"x" * (2 * HEAD_MOST)
    fields = b"".join(b"a%d: b\r\n" % number for number in range(FIELDS_MOST - 5))
    request = b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n" % len(body) + fields + b"\r\n" + body
    last = b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    said = answers(iter([request, request, last]), 10**9)
    assert said.startswith(b"HTTP/1.1 200") and str(len(body)).encode() in said


def test_F9_whole_requests_on_one_connection_count_nothing_for_the_next_one() -> None:
    async def go() -> int:
        listening = socket.socket()
        listening.bind(("127.0.0.1", 0))
        config = uvicorn.Config(_app, http=BoundedHttp, log_config=None, access_log=False, lifespan="off")
        server = uvicorn.Server(config)
        serving = asyncio.create_task(server.serve(sockets=[listening]))
        while not server.started:
            await asyncio.sleep(0.005)
        reader, writer = await asyncio.open_connection("127.0.0.1", listening.getsockname()[1])
        whole = START + b"Content-Length: 4\r\nCookie: " + b"c" * 1000 + b"\r\n\r\nbody"
        answered = 0
        try:
            for _ in range(2 * HEAD_MOST // len(whole)):
                writer.write(whole)
                head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 10)
                assert head.startswith(b"HTTP/1.1 200"), head
                chunked = b"chunked" in head.lower()
                await asyncio.wait_for(reader.readuntil(b"0\r\n\r\n") if chunked else reader.readexactly(1), 10)
                answered += 1
        finally:
            writer.close()
            server.should_exit = True
            await serving
        return answered

    assert asyncio.run(go()) == 2 * HEAD_MOST // len(
        START + b"Content-Length: 4\r\nCookie: " + b"c" * 1000 + b"\r\n\r\nbody"
    )


@pytest.mark.parametrize("first", [True, False])
def test_the_last_of_a_large_body_is_no_head(first: bool) -> None:
    size = 40 * HEAD_MOST
    head = b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n" % size
    body = b"b" * size
    parts = iter([head + body[:100], body[100:]] if first else [head, body])
    said = answers(parts, 2 * size)
    assert said.startswith(b"HTTP/1.1 200") and said.rstrip().endswith(b"%d\r\n0" % size)
