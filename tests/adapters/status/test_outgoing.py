"""A13: requests go to configured addresses only, in bounded time and size, and nowhere private by surprise."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

import pytest

from ingam.adapters.status.outgoing import AddressRefused, Outgoing, Slow, Unreachable
from ingam.kernel.errors import Failure

NAME = "ocsp.authority.test"
URL = f"http://{NAME}/status?part=1"
Answering = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def answer(content: bytes) -> tuple[Answering, list[bytes]]:
    """A server that reads a request's head and answers these bytes; and what it read."""
    heard: list[bytes] = []

    async def answering(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(content)
        await writer.drain()

    return answering, heard


def http(body: bytes, status: str = "200 OK", *more: str) -> bytes:
    head = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", "Connection: close", *more]
    return "\r\n".join([*head, "", ""]).encode() + body


@asynccontextmanager
async def listening(answering: Answering) -> AsyncIterator[int]:
    """A server's port; its ends of the connections are closed before the loop is."""
    serving: list[asyncio.Task[None] | None] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        serving.append(asyncio.current_task())
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            await answering(reader, writer)
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        try:
            yield server.sockets[0].getsockname()[1]
        finally:
            await asyncio.gather(*(task for task in serving if task is not None))


async def asked(answering: Answering, *, url: str = URL, limit: int = 100, seconds: float = 3.0) -> bytes:
    """One GET of a server that answers so."""
    async with (
        listening(answering) as port,
        Outgoing({NAME: f"http://localhost:{port}"}, seconds=seconds) as outgoing,
    ):
        return await outgoing.get(url, limit)


def refused(kind: type[Failure], answering: Answering, **facts: Any) -> Failure:
    with pytest.raises(kind) as caught:
        asyncio.run(asked(answering, **facts))
    return caught.value


def test_A13_a_configured_name_is_asked_at_its_configured_address() -> None:
    answering, heard = answer(http(b"good"))
    assert asyncio.run(asked(answering)) == b"good"
    assert heard[0].startswith(b"GET /status?part=1 HTTP/1.1\r\n")


def test_A13_a_name_that_is_not_configured_is_not_even_resolved(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_: pytest.fail("resolved"))
    answering, heard = answer(http(b""))
    for url in (
        "http://elsewhere.test/",
        "http://localhost/",
        "http://169.254.169.254/latest/",
        "ldap://dir.test/",
        "",
    ):
        refused(AddressRefused, answering, url=url)
    assert heard == []


def test_A13_a_redirect_is_not_followed() -> None:
    answering, heard = answer(http(b"", "302 Found", "Location: http://127.0.0.1:1/"))
    assert refused(Unreachable, answering).facts == {"http": 302}
    assert len(heard) == 1


@pytest.mark.parametrize("status", ["204 No Content", "206 Partial Content", "404 Not Found", "500 Oops"])
def test_A13_only_a_whole_200_is_an_answer(status: str) -> None:
    refused(Unreachable, answer(http(b"", status))[0])


def test_A13_too_large_a_body_is_cut_off_while_it_comes() -> None:
    sent = 0

    async def endless(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n")
        while sent < 50_000_000:
            writer.write(bytes(65_536))
            sent += 65_536
            await writer.drain()

    assert refused(Unreachable, endless, limit=1000).facts == {"found": "too large"}
    assert sent < 50_000_000
    assert asyncio.run(asked(answer(http(b"x" * 100))[0], limit=100)) == b"x" * 100


def test_A13_a_packed_body_is_not_unpacked() -> None:
    packed = http(b"\x1f\x8b\x08packed", "200 OK", "Content-Encoding: gzip")
    assert asyncio.run(asked(answer(packed)[0])) == b"\x1f\x8b\x08packed"


def test_A13_a_body_that_drips_is_slow_however_often_a_byte_comes() -> None:
    async def dripping(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 90\r\n\r\n")
        for _ in range(90):
            writer.write(b"x")
            await writer.drain()
            await asyncio.sleep(0.05)

    refused(Slow, dripping, seconds=0.4)


def test_A12_a_broken_connection_is_a_transport_failure() -> None:
    async def slamming(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.transport.abort()

    refused(Unreachable, slamming)
    refused(Unreachable, answer(http(b"half")[:-2])[0])


@pytest.mark.parametrize(
    "found",
    [
        ["127.0.0.1"],
        ["10.1.2.3"],
        ["169.254.169.254"],
        ["192.0.2.1"],
        ["100.64.0.1"],
        ["0.0.0.0"],
        ["224.0.0.1"],
        ["::1"],
        ["fd00::1"],
        ["::ffff:127.0.0.1"],
        ["64:ff9b::7f00:1"],
        ["2002:7f00:1::"],
        ["8.8.8.8", "127.0.0.1"],
        [],
    ],
    ids=str,
)
def test_A13_a_name_that_resolves_to_a_private_address_is_refused(
    monkeypatch: pytest.MonkeyPatch, found: list[str]
) -> None:
    async def go() -> None:
        async def resolved(*_: Any, **__: Any) -> list[Any]:
            return [(socket.AF_INET6 if ":" in one else socket.AF_INET, 0, 0, "", (one, 80)) for one in found]

        monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", resolved, raising=False)
        async with Outgoing({NAME: "http://responder.example"}) as outgoing:
            await outgoing.get(URL, 100)

    with pytest.raises(AddressRefused):
        asyncio.run(go())


def test_A13_the_request_goes_to_the_address_that_was_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that a second answer of the name server (rebinding) changes nothing; Host still names the responder."""
    monkeypatch.setattr("ingam.adapters.status.outgoing._is_public", lambda _: True)
    answering, heard = answer(http(b"good"))

    async def go() -> bytes:
        async with listening(answering) as port:

            async def resolved(*_: Any, **__: Any) -> list[Any]:
                return [(socket.AF_INET, 0, 0, "", ("127.0.0.1", port))]

            async with Outgoing({NAME: f"http://responder.example:{port}"}) as outgoing:
                monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", resolved, raising=False)
                return await outgoing.get(URL, 100)

    assert asyncio.run(go()) == b"good"
    assert b"host: responder.example:" in heard[0].lower()
