"""The authority over HTTP: CMP at its well-known address, bounds before reading, health, readiness, metrics."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.ca.world import HONG, IMPLICIT, World, by_code, held, only_certificate, request, vid_of, world

from ingam.kernel.errors import Outage
from ingam.npki import certificate
from ingam.protocols.cmp import message
from ingam.protocols.cmp.message import MOST_MESSAGE, BodyKind
from ingam.run.ca import CaServer, limit
from ingam.run.ca_metrics import CaMetrics
from ingam.run.exchange import Exchange, Reply, Request, listening, plain
from ingam.run.tallies import Tallies

pytestmark = pytest.mark.anyio
CMP = "/.well-known/cmp"


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


class Served:
    """An authority on a port of this machine. `broken`: what readiness meets."""

    def __init__(self, ca: World) -> None:
        self.ca, self.broken = ca, False
        tallies = Tallies(1)
        metrics = CaMetrics(ca.endpoint, ca.revoking, tallies, tallies.row(0))
        server = CaServer(ca.endpoint, self._ready, self._page, lambda: metrics.reply(self.exchange))
        self.exchange, self.port = Exchange(server, limit), 0

    def _ready(self) -> None:
        if self.broken:
            raise Outage("books-outage")

    async def _page(self, asked: Request) -> Reply:
        return plain(200, "page")

    async def start(self) -> None:
        sock = listening("127.0.0.1", 0)
        self.port = sock.getsockname()[1]
        await self.exchange.start(sock)

    async def raw(self, data: bytes) -> bytes:
        """What comes back until the server ends the connection."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        writer.write(data)
        await writer.drain()
        found = await asyncio.wait_for(reader.read(), 10)
        writer.close()
        return found

    async def ask(self, method: str, where: str, body: bytes = b"") -> tuple[int, bytes, bytes]:
        """Status, head and body of an answer."""
        head = (
            f"{method} {where} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        answer = await self.raw(head.encode() + body)
        top, _, rest = answer.partition(b"\r\n\r\n")
        return int(top[9:12]), top, rest


@pytest.fixture
async def served(tmp_path: Path) -> AsyncIterator[Served]:
    made = Served(world(tmp_path))
    await made.start()
    yield made
    await made.exchange.drain()
    await made.ca.shut()


async def test_a_certificate_is_issued_over_http(served: Served) -> None:
    ca = served.ca
    holder = by_code(ca, await ca.register("securities", HONG))
    data = holder.compose(request(held("hong", 3), encrypted=vid_of(ca)), infos=IMPLICIT)
    status, head, body = await served.ask("POST", CMP, data)
    assert status == 200
    assert b"Content-Type: application/pkixcmp\r\n" in head + b"\r\n"
    assert b"Cache-Control: no-store" in head
    issued = certificate.parse(only_certificate(message.parse(body)))
    assert ca.books.certificate(1, issued.serial) is not None


async def test_paths_below_the_well_known_address_are_the_same_endpoint(served: Served) -> None:
    status, _, body = await served.ask("POST", f"{CMP}/p/securities/initialization", b"no message")
    assert status == 400
    assert message.parse(body).body.kind is BodyKind.ERROR


async def test_what_is_no_message_is_answered_400_with_an_error(served: Served) -> None:
    status, _, body = await served.ask("POST", CMP, b"\x30\x03\x02\x01\x02")
    assert status == 400
    assert message.parse(body).body.kind is BodyKind.ERROR


async def test_a_message_over_the_size_is_refused_before_it_is_read(served: Served) -> None:
    head = f"POST {CMP} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {MOST_MESSAGE + 1}\r\n\r\n"
    answer = await served.raw(head.encode())  # not a byte of the body was sent
    assert answer.startswith(b"HTTP/1.1 413 ")


async def test_only_post_asks(served: Served) -> None:
    status, head, _ = await served.ask("GET", CMP)
    assert status == 405
    assert b"Allow: POST" in head


async def test_health_is_the_process_and_readiness_what_it_stands_on(served: Served) -> None:
    assert (await served.ask("GET", "/healthz"))[0] == 200
    assert (await served.ask("GET", "/readyz"))[0] == 200
    served.broken = True
    status, _, body = await served.ask("GET", "/readyz")
    assert (status, body) == (503, b"books-outage\n")
    assert (await served.ask("GET", "/healthz"))[0] == 200


async def test_metrics_count_by_body_and_outcome(served: Served) -> None:
    await served.ask("POST", CMP, b"no message")
    status, _, body = await served.ask("GET", "/metrics")
    assert status == 200
    assert b'ingam_cmp_answers_total{body="unread",outcome="refused"} 1\n' in body
    assert b"# TYPE ingam_ca_alarms_total counter" in body


async def test_everything_else_is_the_page(served: Served) -> None:
    assert (await served.ask("GET", "/"))[2] == b"page\n"
