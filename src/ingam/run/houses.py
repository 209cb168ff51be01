"""The sandbox's other authorities in a process of their own: every house with its CMP service, responder and clerk.

`python -m ingam.run.houses` listens on a socket below DATA/sandbox/houses that only its user can reach; the sandbox
stands in front of it and passes on what the outside asks. One process for all of them, because the demo is a laptop.

    POST /cmp/<house>                            CMP (RFC 9811)
    POST /ocsp/<house>  GET /ocsp/<house>/…      OCSP            GET /<house>/crl/<file>   GET /rootca/<root>   lists
    GET /standings.json  POST /desk/…            for the sandbox's own screens (`houses_desk`)   GET /healthz /readyz
"""

from __future__ import annotations

import argparse
import asyncio
import ctypes
import os
import secrets
import signal
import socket
import sys
from collections.abc import AsyncIterator, Awaitable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path
from typing import Final

import uvloop

from ingam.adapters.blind_index.sockets import address
from ingam.adapters.clock.system import SystemClock
from ingam.ca.endpoint.service import Endpoint
from ingam.ca.issuing.service import Issuing
from ingam.ca.publishing.publisher import Publisher
from ingam.ca.revoking.service import Revoking
from ingam.ca.status.limits import StatusLimits
from ingam.kernel.errors import Failure, Refusal
from ingam.page import set_up_log
from ingam.page.log import tell_defect
from ingam.ports.clock import Clock
from ingam.protocols.cmp.message import MOST_MESSAGE
from ingam.run.clerk import publishing, tend
from ingam.run.exchange import Exchange, Reply, Request, path, plain
from ingam.run.houses_desk import MOST_ORDER, Desk
from ingam.run.houses_offices import house_ports, publisher, root_ports
from ingam.run.houses_places import ROOTS, house_folder, own, socket_path, world_folder
from ingam.run.messages import fields
from ingam.run.published import Published
from ingam.run.stopping import told_to_stop
from ingam.run.tallies import Tallies
from ingam.run.va import Authority, Beside, Va
from ingam.run.va_metrics import VaMetrics
from ingam.sandbox.authorities.houses import HOUSES
from ingam.settings import Settings, read
from ingam.wiring.authority import CaPorts, status_ports

CMP: Final = fields([("Content-Type", "application/pkixcmp"), ("Cache-Control", "no-store")])
PR_SET_PDEATHSIG: Final = 1


class Houses:
    """The application of the exchange. `endpoints`: by house; `lists`: what a root publishes, by root."""

    def __init__(self, endpoints: Mapping[str, Endpoint], lists: Mapping[str, Published], va: Va, desk: Desk) -> None:
        self._endpoints, self._lists, self._va, self._desk = endpoints, lists, va, desk

    def __call__(self, request: Request) -> Reply | Awaitable[Reply]:
        where = path(request.target)
        first, _, rest = where[1:].partition(b"/")
        if first == b"cmp" and request.method == b"POST":
            return self._cmp(request, rest.decode("ascii", "replace"))
        if first in (b"desk", b"standings.json"):
            return self._desk(request, rest.decode("ascii", "replace"))
        if first == b"rootca":
            return self._root_list(request, rest.decode("ascii", "replace"))
        return self._va(request)

    def limit(self, method: bytes, target: bytes) -> int:
        """Bytes of a body: a message's, an order's, or a question's."""
        if target.startswith(b"/cmp/"):
            return MOST_MESSAGE
        return MOST_ORDER if target.startswith(b"/desk/") else self._va.limit(method, target)

    async def _cmp(self, request: Request, house: str) -> Reply:
        endpoint = self._endpoints.get(house)
        if endpoint is None:
            return plain(404)
        status, answer = await endpoint.answer(request.body, request.peer)
        return Reply(status, CMP, answer)

    def _root_list(self, request: Request, root: str) -> Reply:
        found = self._lists.get(root)
        return (found and found.reply(b"root-%d.crl" % ROOTS[root], request)) or plain(404)


@asynccontextmanager
async def opened(settings: Settings, world: Path, clock: Clock) -> AsyncIterator[Houses]:
    """Every house and root at work, for the block; on one loop. Raises the refusals of books and files."""
    async with AsyncExitStack() as stack:
        houses = {one.key: house_ports(settings, house_folder(world, one.key), clock) for one in HOUSES}
        roots = {key: root_ports(settings, house_folder(world, key), clock) for key in ROOTS}
        for ports in (*houses.values(), *roots.values()):
            stack.push_async_callback(ports.shut)
        authorities = [_responder(settings, key, ports, clock) for key, ports in houses.items()]
        for one in authorities:
            stack.push_async_callback(one.close)
        await stack.enter_async_context(_at_work(authorities, houses, roots))
        yield _application(authorities, houses, roots)


def _responder(settings: Settings, key: str, ports: CaPorts, clock: Clock) -> Authority:
    """What answers about a house's certificates, beside its books."""
    found = status_ports(own(settings), ports.folder, keys=ports.keys, clock=clock)
    served = Beside(key, found.published, found.standings, found.generations, close=found.standings.close)
    return Authority(served, StatusLimits(), secrets.token_bytes(16), lambda: clock.now().timestamp())


@asynccontextmanager
async def _at_work(
    authorities: list[Authority], houses: Mapping[str, CaPorts], roots: Mapping[str, CaPorts]
) -> AsyncIterator[None]:
    """What goes on beside the questions: answers refreshed, lists made, holds and codes ended."""
    stop = asyncio.Event()
    async with AsyncExitStack() as stack:
        tasks = [task for one in authorities for task in await one.begin()]
        clerks = [
            asyncio.create_task(_tended(ports, stack.enter_context(publisher(ports)), stop))
            for ports in houses.values()
        ]
        for ports in roots.values():
            await stack.enter_async_context(publishing(stack.enter_context(publisher(ports))))
        try:
            yield
        finally:
            stop.set()
            await asyncio.gather(*clerks)
            for task in tasks:
                task.cancel()
                with suppress(asyncio.CancelledError):
                    await task


async def _tended(ports: CaPorts, lists: Publisher, stop: asyncio.Event) -> None:
    """A house whose clerk fails goes on answering; it is said."""
    try:
        await tend(ports, lists, stop)
    except Exception as error:
        tell_defect("houses", error)


def _application(authorities: list[Authority], houses: Mapping[str, CaPorts], roots: Mapping[str, CaPorts]) -> Houses:
    tallies = Tallies(1)
    names = [one.name for one in authorities]
    va = Va(
        authorities,
        lambda _: plain(404),
        VaMetrics(names, [one.answers for one in authorities], tallies, tallies.row(0)),
    )
    revoking = {key: Revoking(ports.office) for key, ports in (*houses.items(), *roots.items())}
    endpoints = {key: Endpoint(ports.office, Issuing(ports.office), revoking[key]) for key, ports in houses.items()}
    lists = {key: Published(ports.folder / "published") for key, ports in roots.items()}
    return Houses(endpoints, lists, va, Desk(houses, roots, revoking))


def main(argv: list[str] | None = None) -> int:
    """Serve until a signal; 2 where the settings or what lies in the folders is refused."""
    words = argparse.ArgumentParser(prog="ingam.run.houses", description=__doc__)
    words.add_argument("--with-parent", type=int, help="end with this process, which started this one")
    parent = words.parse_args(argv).with_parent
    if parent is not None:
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != parent:  # it died before prctl
            return 0
    set_up_log()
    try:
        settings = read(os.environ)
        if settings.production:
            raise Refusal("sandbox-in-production")
        uvloop.run(_serve(settings))
    except Failure as failure:
        print(failure, file=sys.stderr)
        return 2
    return 0


async def _serve(settings: Settings) -> None:
    stop = told_to_stop()
    async with opened(settings, world_folder(settings), SystemClock()) as houses:
        exchange = Exchange(houses, houses.limit, on_defect=lambda error: tell_defect("houses", error))
        await exchange.start(_listening(socket_path(settings)))
        await stop.wait()
        await exchange.drain()


def _listening(where: Path) -> socket.socket:
    """A socket in a folder of its owner's."""
    where.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    where.parent.chmod(0o700)
    where.unlink(missing_ok=True)
    made = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    with address(where) as name:
        made.bind(name)
    where.chmod(0o600)
    made.listen(128)
    made.setblocking(False)
    return made


if __name__ == "__main__":
    raise SystemExit(main())
