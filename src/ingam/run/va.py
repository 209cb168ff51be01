"""The status service of an authority: OCSP by POST and GET, published lists and certificates, the change feed.

    POST /  GET /<base64>               OCSP of the first authority; of each: /ocsp/<name> and /ocsp/<name>/<base64>
    GET /crl/<file> /certificates/<file> /<file> /log/…     what it publishes; of each: /<name>/…
    GET /feed  /ocsp/<name>/feed        for mirrors
    GET /healthz /readyz /metrics       and every other page

An authority beside its books signs; a mirror (`Afar`) has neither keys nor books. Both are opened by each worker for
itself, after the fork.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
import secrets
import socket
import sys
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeAlias
from urllib.parse import parse_qs

import structlog
import uvloop

from ingam.ca.status.answers import Answers
from ingam.ca.status.feed import FeedRefused, Teller
from ingam.ca.status.limits import StatusLimits
from ingam.ca.status.mirror import Mirror
from ingam.ca.status.responders import Generations
from ingam.kernel.errors import Failure
from ingam.kernel.secret import Secret
from ingam.npki.certificate import Certificate
from ingam.page import Bundle, set_up_log
from ingam.ports.books import BooksOutage, Standings
from ingam.protocols.ocsp.answering import MAX_REQUEST
from ingam.run.asgi import bridged
from ingam.run.exchange import Exchange, Reply, Request, listening, path, plain
from ingam.run.published import Published
from ingam.run.service_page import BUNDLE, service_app
from ingam.run.status_replies import StatusReplies, Tagged
from ingam.run.stopping import told_to_stop
from ingam.run.tallies import Tallies
from ingam.run.va_metrics import VaMetrics
from ingam.run.va_origin import HttpOrigin
from ingam.run.workers import REFUSED, run_workers
from ingam.settings import Settings, read
from ingam.wiring.authority import authority_folder, mirrored_responders, status_ports

FORM_MOST: Final = 16 * 1024
RENEW_S: Final = 10
KNOWN_MOST: Final = 8192
"""Whole requests that are remembered: the same questions come from many, with the same heads."""

Page: TypeAlias = Callable[[Request], Reply | Awaitable[Reply]]


@dataclass(frozen=True, slots=True)
class Beside:
    """An authority whose books and responder keys are on this machine. `name`: of its folder, in addresses.

    `feed_secret`: 32 bytes shared with its mirrors, None without mirrors. `renewed`: asked every ten seconds for other
    responders than those before, None where nothing is new. `close`: ends what was opened.
    """

    name: str
    published: Path | None
    standings: Standings
    generations: Generations
    feed_secret: Secret[bytes] | None = None
    renewed: Callable[[], Generations | None] = lambda: None
    close: Callable[[], None] = lambda: None


@dataclass(frozen=True, slots=True)
class Afar:
    """A mirror of an authority. `origin`: its address there (`https://…/ocsp/<name>`); `responders`: whose answers are
    passed on; `tunnel`: the way there is protected although it is plain HTTP.
    """

    name: str
    published: Path | None
    origin: str
    responders: tuple[Certificate, ...]
    feed_secret: Secret[bytes]
    tunnel: bool = False


Served: TypeAlias = Beside | Afar


class Authority:
    """One authority as a worker serves it. `clock`: seconds since 1970."""

    def __init__(
        self, served: Served, limits: StatusLimits, start: bytes, clock: Callable[[], float] = time.time
    ) -> None:
        self.name, self.served = served.name, served
        self.published = None if served.published is None else Published(served.published, limits.cdn_max_age_s)
        self.teller: Teller | None = None
        self.origin: HttpOrigin | None = None
        self.answers: Answers[Reply] | Mirror[Reply]
        if isinstance(served, Beside):
            self.answers = Answers(served.standings, served.generations, StatusReplies(), clock, limits, tell_defect)
            if served.feed_secret is not None:
                self.teller = Teller(self.answers, served.feed_secret, served.name, start)
        else:
            self.origin = HttpOrigin(served.origin, tunnel=served.tunnel)
            self.answers = Mirror(
                self.origin, served.responders, StatusReplies(), served.feed_secret, served.name,
                clock, secrets.token_bytes, limits,
            )  # fmt: skip

    async def begin(self) -> list[asyncio.Task[None]]:
        """What goes on beside the questions. A mirror hears of its origin first, or it would say tryLater."""
        if isinstance(self.answers, Mirror):
            await self.answers.hear()
            return [asyncio.create_task(self.answers.follow()), asyncio.create_task(self.answers.tend())]
        return [asyncio.create_task(self.answers.tend()), asyncio.create_task(self._renew(self.answers))]

    async def _renew(self, answers: Answers[Reply]) -> None:
        assert isinstance(self.served, Beside)
        while True:
            await asyncio.sleep(RENEW_S)
            try:
                found = await asyncio.to_thread(self.served.renewed)
            except Failure as failure:
                tell_defect(failure)
                continue
            if found is not None:
                answers.replace(found)

    async def close(self) -> None:
        """End threads, connections and what the worker opened."""
        self.answers.close()
        if self.origin is not None:
            await self.origin.close()
        if isinstance(self.served, Beside):
            self.served.close()


class Va:
    """The application: questions to authorities by their address."""

    def __init__(self, authorities: Sequence[Authority], page: Page, metrics: VaMetrics) -> None:
        self._authorities, self._page, self._metrics = authorities, page, metrics
        self._by_name = {one.name.encode("ascii"): one for one in authorities}
        self._posts: dict[bytes, Page] = {}
        for one in authorities:
            for target in (b"/ocsp/" + one.name.encode("ascii"), b"/ocsp/" + one.name.encode("ascii") + b"/"):
                self._posts[target] = one.answers.carried
        if authorities:
            self._posts[b"/"] = self._posts[b"/ocsp"] = self._posts[b"/ocsp/"] = authorities[0].answers.carried
        self._gets: dict[bytes, Callable[[], Reply]] = {
            b"/healthz": lambda: plain(200, "ok"),
            b"/readyz": self._ready,
            b"/metrics": lambda: metrics.reply(self.exchange, self.troubles()),
        }
        self.exchange = Exchange(self, self.limit, on_defect=tell_defect, remembers=KNOWN_MOST)

    def __call__(self, request: Request) -> Reply | Awaitable[Reply]:
        if request.method == b"POST":
            request.answer = self._posts.get(request.target) or self._posts.get(path(request.target)) or self._page
            return request.answer(request)
        if request.method not in (b"GET", b"HEAD"):
            return plain(405, more=[("Allow", "GET, HEAD, POST")])
        # A DER SEQUENCE in base64 begins with an M, and no other address of ours does.
        if request.target.startswith(b"/M") and self._authorities:
            return _to(request, self._authorities[0].answers.ask_path(request.target[1:]))
        get = self._gets.get(request.target)
        return get() if get is not None else self._get(request)

    def limit(self, method: bytes, target: bytes) -> int:
        """Bytes of a body: a question's, or a small form's."""
        if method != b"POST":
            return 0
        return MAX_REQUEST if target in self._posts else FORM_MOST

    def _get(self, request: Request) -> Reply | Awaitable[Reply]:
        first, _, rest = path(request.target)[1:].partition(b"/")
        if first == b"ocsp":
            name, _, text = rest.partition(b"/")
            authority = self._by_name.get(name)
            if authority is not None and text:
                # Clients put a slash behind an address that ends with one already.
                return self._ocsp(request, authority, text.lstrip(b"/"))
        elif not first and rest.startswith(b"M") and self._authorities:
            return self._ocsp(request, self._authorities[0], rest)
        elif first == b"feed" and self._authorities:
            return self._ocsp(request, self._authorities[0], first)
        return self._file(request, first, rest) or self._page(request)

    def _ocsp(self, request: Request, authority: Authority, text: bytes) -> Reply | Awaitable[Reply]:
        if text != b"feed":
            return _to(request, authority.answers.ask_path(text))
        return plain(404) if authority.teller is None else _feed(request, authority.teller)

    def _file(self, request: Request, first: bytes, rest: bytes) -> Reply | None:
        authority = self._by_name.get(first)
        if authority is not None:
            first, _, rest = rest.partition(b"/")
        elif self._authorities:
            authority = self._authorities[0]
        if authority is None or authority.published is None:
            return None
        name = rest if first in (b"crl", b"certificates") else first + b"/" + rest if rest else first
        return authority.published.reply(name, request)

    def troubles(self) -> list[str]:
        """What stands in the way of answering: `<authority> <code>`."""
        return [f"{one.name} {code}" for one in self._authorities for code in one.answers.troubles()]

    def _ready(self) -> Reply:
        found = self.troubles()
        return plain(503, "\n".join(found)) if found else plain(200, "ready")

    async def count(self) -> None:
        """Write this worker's numbers where the others see them, once a second; until cancelled."""
        while True:
            self._metrics.write(self.exchange)
            await asyncio.sleep(1)


def _to(request: Request, found: Reply | Awaitable[Reply]) -> Reply | Awaitable[Reply]:
    """The answer to a GET, or 304 where the client has it."""
    if b"if-none-match" not in request.fields:
        return found
    if isinstance(found, Reply):
        return found.to(request) if isinstance(found, Tagged) else found

    async def later() -> Reply:
        reply = await found
        return reply.to(request) if isinstance(reply, Tagged) else reply

    return later()


async def _feed(request: Request, teller: Teller) -> Reply:
    """GET …/feed?after=SEQ&nonce=HEX with `Authorization: Ingam-Feed HEX`."""
    asked = parse_qs(request.target.partition(b"?")[2].decode("ascii", "replace"))
    try:
        after, nonce = int(asked["after"][0]), bytes.fromhex(asked["nonce"][0])
        mac = request.fields[b"authorization"].decode("ascii").removeprefix("Ingam-Feed ")
        return Reply(200, _FEED_HEAD, await teller.tell(after, nonce, mac))
    except (KeyError, ValueError, FeedRefused):
        return plain(403)
    except BooksOutage:
        return plain(503)


_FEED_HEAD: Final = b"Content-Type: text/plain; charset=us-ascii\r\nCache-Control: no-store\r\n"


def tell_defect(error: BaseException) -> None:
    """One line for what nobody expected: its type or code, never its message."""
    code = error.code if isinstance(error, Failure) else ""
    structlog.get_logger("va").error("defect", kind=type(error).__name__, code=code)


def serve(
    open_served: Callable[[], Sequence[Served]],
    page: Page,
    *,
    port: int,
    host: str = "127.0.0.1",
    workers: int = 1,
    limits: StatusLimits | None = None,
) -> int:
    """Serve until a signal. `open_served` is called once in each worker: what it opens is the worker's own.

    Returns the exit code: 0, or 2 where `open_served` is refused.
    """
    tallies, start = Tallies(workers), secrets.token_bytes(16)

    def work(number: int, listener: socket.socket) -> int:
        try:
            authorities = [Authority(one, limits or StatusLimits(), start) for one in open_served()]
        except Failure as failure:
            print(failure, file=sys.stderr, flush=True)
            return REFUSED
        metrics = VaMetrics(
            [one.name for one in authorities], [one.answers for one in authorities], tallies, tallies.row(number)
        )
        uvloop.run(_worker(Va(authorities, page, metrics), authorities, listener))
        return 0

    return run_workers(workers, host, port, work)


async def _worker(va: Va, authorities: Sequence[Authority], listener: socket.socket) -> None:
    stop = told_to_stop()
    tasks = [asyncio.create_task(va.count())]
    for one in authorities:
        tasks += await one.begin()
    # What stands by now stands until the end: the collector need not look at it again and again.
    gc.collect()
    gc.freeze()
    await va.exchange.start(listener)
    await stop.wait()
    await va.exchange.drain()
    for task in tasks:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
    for one in authorities:
        await one.close()


def service_page(settings: Settings, bundle: Path = BUNDLE) -> Page:
    """The page that says what this service is, behind the exchange."""
    return bridged(service_app(settings, "va", Bundle.read(bundle)), "localhost", settings.port("va"))


def open_served(settings: Settings) -> tuple[Served, ...]:
    """The authority of the settings, beside its books or as a mirror. Raises the refusals of its files and keys."""
    ca = settings.ca
    if ca.mirror:
        folder = authority_folder(settings)
        secret = Secret(bytes.fromhex(ca.feed_secret.reveal()))
        published = folder / "published" if (folder / "published").is_dir() else None
        return (Afar(ca.name, published, ca.mirror, mirrored_responders(settings), secret),)
    found = status_ports(settings)
    return (Beside(
        found.name, found.published, found.standings, found.generations, found.feed_secret, found.renewed, found.close
    ),)  # fmt: skip


def main() -> int:
    """`python -m ingam.run.va`: until a signal; 2 where settings, authority or keys are refused."""
    set_up_log()
    try:
        settings = read(os.environ)
        page = service_page(settings)
    except Failure as failure:
        print(failure, file=sys.stderr)
        return 2
    return serve(
        lambda: open_served(settings), page, port=settings.port("va"), workers=settings.ca.va_workers,
        limits=StatusLimits(cdn_max_age_s=settings.ca.cdn_max_age_s),
    )  # fmt: skip


__all__ = ["Afar", "Beside", "Served", "Va", "listening", "main", "serve", "service_page"]

if __name__ == "__main__":
    raise SystemExit(main())
