"""The certification authority: CMP over HTTP (RFC 9811) at `POST /.well-known/cmp`, health, metrics, and a page.

`python -m ingam.run.ca` serves the authority of INGAM_CA_NAME with INGAM_CA_WORKERS processes on one port, and the NPKI
profile over raw TCP on INGAM_CA_NPKI_PORT where one is set (`run/npki`). What time ends, lists, heads and notices are
the clerk's (`run/clerk`).
"""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import sys
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Final

import structlog
import uvloop

from ingam.ca.endpoint.informing import Approving
from ingam.ca.endpoint.limits import Ceilings
from ingam.ca.endpoint.lists import FolderLists
from ingam.ca.endpoint.npki import Npki
from ingam.ca.endpoint.service import Endpoint
from ingam.ca.issuing.service import Issuing
from ingam.ca.revoking.service import Revoking
from ingam.kernel import steps
from ingam.kernel.errors import Failure
from ingam.page import Bundle, set_up_log
from ingam.page.log import tell_defect
from ingam.ports.books import Certificate
from ingam.protocols.cmp.message import MOST_MESSAGE
from ingam.protocols.cmp.on_behalf import OperatorSignature
from ingam.protocols.webauthn import RelyingParty
from ingam.run.asgi import bridged
from ingam.run.ca_metrics import CaMetrics
from ingam.run.cli import ca_operators
from ingam.run.exchange import Exchange, Reply, Request, fields, listening, path, plain
from ingam.run.npki import NpkiServer
from ingam.run.service_page import BUNDLE, service_app
from ingam.run.stopping import told_to_stop
from ingam.run.tallies import Tallies
from ingam.run.workers import REFUSED, run_workers
from ingam.settings import Settings, read
from ingam.wiring.authority import CaPorts, authority_folder, ca_index_folder, ca_ports, open_authority

HOST: Final = "127.0.0.1"
WELL_KNOWN: Final = b"/.well-known/cmp"
CMP: Final = fields([("Content-Type", "application/pkixcmp"), ("Cache-Control", "no-store")])


class CaServer:
    """What one process answers. `page`: whatever is neither CMP nor a question of operations."""

    def __init__(
        self, endpoint: Endpoint, ready: Callable[[], None], page: Callable[[Request], Awaitable[Reply]],
        metrics: Callable[[], Reply],
    ) -> None:  # fmt: skip
        self._endpoint, self._ready, self._page, self._metrics = endpoint, ready, page, metrics

    def __call__(self, request: Request) -> Reply | Awaitable[Reply]:
        where = path(request.target)
        if where == WELL_KNOWN or where.startswith(WELL_KNOWN + b"/"):
            return self._cmp(request) if request.method == b"POST" else plain(405, more=[("Allow", "POST")])
        if where == b"/healthz":
            return plain(200, "ok")
        if where == b"/readyz":
            return self._readiness()
        if where == b"/metrics":
            return self._metrics()
        return self._page(request)

    async def _cmp(self, request: Request) -> Reply:
        status, answer = await self._endpoint.answer(request.body, request.peer)
        return Reply(status, CMP, answer)

    def _readiness(self) -> Reply:
        try:
            self._ready()
        except Failure as failure:
            return plain(503, failure.code)
        return plain(200, "ready")


def limit(method: bytes, target: bytes) -> int:
    """Bytes of a body: a CMP message's, or a small form's."""
    return MOST_MESSAGE if method == b"POST" and path(target).startswith(WELL_KNOWN) else 4096


def endpoint(settings: Settings, ports: CaPorts) -> tuple[Endpoint, Revoking]:
    """The services of one process."""
    issuing, revoking = Issuing(ports.office), Revoking(ports.office)
    conformance = settings.ca.conformance or None
    if conformance is not None and not ports.office.authority.sandbox:
        raise Failure("settings-refused", variable="INGAM_CA_CONFORMANCE")
    ceilings = Ceilings(messages=settings.ca.messages_a_minute)
    lists = FolderLists(ports.office, ports.folder / "published")
    approving = approvals(settings, revoking)
    served = Endpoint(
        ports.office, issuing, revoking, ceilings=ceilings, conformance=conformance, lists=lists, approving=approving
    )
    return served, revoking


def approvals(settings: Settings, revoking: Revoking) -> Approving:
    """폐지 대행 from the console: by the operators whom the authority's own list has at that moment (D14)."""
    origin = settings.console.origin
    console = RelyingParty(origin.partition("://")[2].partition(":")[0], "console", origin)

    async def approving(text: bytes, signatures: Sequence[OperatorSignature]) -> Certificate:
        operators = ca_operators.read(authority_folder(settings)).operators
        return await revoking.on_approval(text, signatures, operators, console)

    return approving


def npki_server(settings: Settings, ports: CaPorts, served: Endpoint, revoking: Revoking) -> NpkiServer:
    """The NPKI profile beside CMP over HTTP; its answers are counted with the others."""
    ceilings = Ceilings(messages=settings.ca.messages_a_minute)
    endpoint = Endpoint(ports.office, Issuing(ports.office), revoking, ceilings=ceilings, practice=Npki())
    endpoint.answered = served.answered
    return NpkiServer(endpoint, lambda error: tell_defect("npki", error))


def serve(settings: Settings, bundle: Path, sock: socket.socket, tallies: Tallies, number: int = 0) -> int:
    """One worker, until SIGTERM. 2 where keys, books or settings are refused."""
    try:
        uvloop.run(_serve(settings, bundle, sock, tallies, number))
    except Failure as failure:
        print(failure, file=sys.stderr)
        return REFUSED
    return 0


async def _serve(settings: Settings, bundle: Path, sock: socket.socket, tallies: Tallies, number: int) -> None:
    stop = told_to_stop()
    ports = ca_ports(settings)
    served, revoking = endpoint(settings, ports)
    metrics = CaMetrics(served, revoking, tallies, tallies.row(number))
    page = bridged(service_app(settings, "ca", Bundle.read(bundle)), HOST, settings.port("ca"))
    server = CaServer(served, lambda: _ready(ports), page, lambda: metrics.reply(exchange))
    exchange = Exchange(server, limit, on_defect=lambda error: tell_defect("ca", error))
    await exchange.start(sock)
    npki = None if not settings.ca.npki_port else npki_server(settings, ports, served, revoking)
    if npki is not None:
        await npki.start(listening(HOST, settings.ca.npki_port, shared=True))
    counting = asyncio.create_task(_count(metrics, exchange))
    structlog.get_logger("ca").info("serving", authority=ports.office.authority.key, pid=os.getpid())
    await stop.wait()
    counting.cancel()
    if npki is not None:
        await npki.drain()
    await exchange.drain()
    await ports.shut()


async def _count(metrics: CaMetrics, exchange: Exchange) -> None:
    """This worker's numbers, where the others see them, once a second."""
    while True:
        metrics.write(exchange)
        await asyncio.sleep(1)


def _ready(ports: CaPorts) -> None:
    """Raises what makes this process unfit: books that do not answer, certificates of its own that ended."""
    ports.books.last_change()
    at = ports.office.now()
    for one in (
        ports.office.issuer.certificate,
        ports.office.speaker.certificate,
        ports.office.openers[-1].certificate,
    ):
        if not one.not_before <= at <= one.not_after:
            raise Failure("ca-certificate-ended")


def index_beside(folder: Path, *, allow_key_file: bool = False) -> subprocess.Popen[bytes]:
    """The blind index of the authority's numbers, a process of its own that ends with this one (security H7)."""
    command = [sys.executable, "-m", "ingam.run.blind_index", "--folder", str(ca_index_folder(folder))]
    command += ["--with-parent", str(os.getpid()), *(["--allow-key-file"] if allow_key_file else [])]
    return subprocess.Popen(command)


def main() -> int:
    """`python -m ingam.run.ca`: until a signal; 2 where the settings, the authority or the bundle are refused."""
    set_up_log()
    try:
        settings = read(os.environ)
        steps.arm(settings.kill_at)
        open_authority(settings)
    except Failure as failure:
        print(failure, file=sys.stderr)
        return REFUSED
    index, tallies = (
        index_beside(authority_folder(settings), allow_key_file=settings.ca.file_keys),
        Tallies(settings.ca.workers),
    )

    def work(number: int, sock: socket.socket) -> int:
        return serve(settings, BUNDLE, sock, tallies, number)

    try:
        return run_workers(settings.ca.workers, HOST, settings.port("ca"), work)
    finally:
        index.terminate()
        index.wait()


if __name__ == "__main__":
    raise SystemExit(main())
