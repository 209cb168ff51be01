"""`make run HTTPS=1 HOST=name`: the front of a trial over TLS, and the plain page that hands out its authority.

The processes stay on loopback, ten ports above; this one ends TLS before those that browsers open and tells them whose
request it is. HSTS is taken out of answers: the trial's certificate goes again, the memory of browsers would not.
"""

from __future__ import annotations

import argparse
import asyncio
import socket
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import httpx2
import uvicorn
from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.types import Message, Receive, Scope, Send

from ingam.kernel import words
from ingam.kernel.errors import Failure
from ingam.page import Bundle
from ingam.page.qr import QrCode
from ingam.run import tls
from ingam.run.exchange import Exchange, Reply, Request, fields, path, plain
from ingam.run.http import BoundedHttp
from ingam.run.service_page import BUNDLE
from ingam.run.tls import Tls
from ingam.run.trial_sockets import MESSAGE_MOST, carry
from ingam.settings import PORTS

FRONTED: Final = ("center", "vault", "console", "relay", "sandbox", "finance_cloud")
"""What a browser opens; the authority's CMP, OCSP and lists stay plain, on loopback."""
BEHIND: Final = 10
"""Ports between a front and its process."""
WELCOME: Final = 9
"""The plain page's port, counted from the first."""
PATIENCE_S: Final = 60.0
# Of one connection only (RFC 9110 section 7.6.1), or what only this front may say (security F9).
_NOT_ON: Final = frozenset((
    b"connection", b"expect", b"keep-alive", b"proxy-connection", b"te", b"trailer", b"transfer-encoding", b"upgrade",
    b"forwarded", b"x-forwarded-for", b"x-forwarded-host", b"x-forwarded-port", b"x-forwarded-proto", b"x-real-ip",
))  # fmt: skip
_NOT_BACK: Final = frozenset((b"connection", b"keep-alive", b"transfer-encoding", b"strict-transport-security"))
_POLICY: Final = (
    "default-src 'none'; style-src 'self'; font-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


@dataclass(frozen=True, slots=True)
class Trial:
    """The addresses of a trial: `host` as in origins, `port` the first of its ports."""

    host: str
    port: int

    def origin(self, process: str) -> str:
        """What a browser opens."""
        return f"https://{self.host}:{self.port + PORTS.index(process)}"

    @property
    def welcome(self) -> str:
        """The plain page."""
        return f"http://{self.host}:{self.port + WELCOME}/"

    @property
    def local(self) -> bool:
        """Whether nobody but this machine can open it."""
        return self.host == "localhost" or self.host.startswith("127.")

    @property
    def ports(self) -> dict[str, int]:
        """Every port that it listens on."""
        found = {name: self.port + PORTS.index(name) for name in FRONTED}
        return {**found, "trial": self.port + WELCOME}

    def environment(self) -> dict[str, str]:
        """What tells the processes where they are seen, and where they listen."""
        origins = {name: self.origin(name) for name in ("center", "vault", "relay", "sandbox")}
        told = {f"INGAM_{name.upper()}_ORIGIN": origin for name, origin in origins.items()}
        told["INGAM_FINANCE_ORIGIN"] = self.origin("finance_cloud")
        return {**told, "INGAM_PORT": str(self.port + BEHIND)}


@dataclass(frozen=True, slots=True)
class Way:
    """To a process: its port on loopback, and where it knows itself by another origin only, that and the one shown."""

    port: int
    shown: bytes = b""
    own: bytes = b""


class Front:
    """ASGI: each request goes on to the process behind the port that it came to, and the answer comes back as it is."""

    def __init__(self, ways: Mapping[int, Way], client: httpx2.AsyncClient) -> None:
        self._ways = ways
        self._client = client

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        way = self._ways[scope["server"][1]]
        if scope["type"] == "websocket":
            await carry(way.port, scope, receive, send)
            return
        try:
            answer = await self._client.send(_onward(way, scope, receive), stream=True)
        except httpx2.TransportError:
            await _unreached(send)
            return
        try:
            back = [(name, value) for name, value in answer.headers.raw if name.lower() not in _NOT_BACK]
            await send({"type": "http.response.start", "status": answer.status_code, "headers": back})
            async for part in answer.aiter_raw():
                await send({"type": "http.response.body", "body": part, "more_body": True})
            await send({"type": "http.response.body", "body": b""})
        finally:
            await answer.aclose()


def _onward(way: Way, scope: Scope, receive: Receive) -> httpx2.Request:
    target = scope.get("raw_path") or b"/"
    query = b"?" + scope["query_string"] if scope["query_string"] else b""
    address = httpx2.URL(f"http://127.0.0.1:{way.port}").copy_with(raw_path=target + query)
    headers = [(name, _renamed(way, name, value)) for name, value in scope["headers"] if name not in _NOT_ON]
    peer = str((scope.get("client") or ("",))[0]).removeprefix("::ffff:")
    headers += [(b"x-forwarded-for", peer.encode()), (b"x-forwarded-proto", b"https")]
    names = {name for name, _ in scope["headers"]}
    body = _body(receive) if names & {b"content-length", b"transfer-encoding"} else None
    return httpx2.Request(scope["method"], address, headers=headers, content=body)


def _renamed(way: Way, name: bytes, value: bytes) -> bytes:
    if not way.own:
        return value
    if name == b"host":
        return way.own.partition(b"://")[2]
    return way.own if name == b"origin" and value == way.shown else value


async def _body(receive: Receive) -> AsyncIterator[bytes]:
    while True:
        message: Message = await receive()
        if message["type"] != "http.request":
            raise httpx2.ReadError("the client is gone")
        yield message.get("body", b"")
        if not message.get("more_body", False):
            return


async def _unreached(send: Send) -> None:
    await send({"type": "http.response.start", "status": 502, "headers": [(b"content-type", b"text/plain")]})
    await send({"type": "http.response.body", "body": b"not reached\n"})


class Welcome:
    """The plain page: how to install the authority's certificate, the certificate, and the way on."""

    def __init__(self, trial: Trial, made: Tls, folder: Path, bundle: Bundle, now: datetime) -> None:
        environment = Environment(
            loader=PackageLoader("ingam.page"), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
            lstrip_blocks=True,
        )  # fmt: skip
        page = environment.get_template("page/trial.html").render(
            tells={"ko": _speaker("ko"), "en": _speaker("en")},
            host=trial.host,
            days=(made.ends - now).days,
            fingerprint=made.fingerprint,
            folder=f"{folder.parent.name}/{folder.name}",
            center=trial.origin("center") + "/",
            sandbox=trial.origin("sandbox") + "/",
        )
        look = bundle.files[bundle.names["center.css"]].body
        fonts = {name: file for name, file in bundle.files.items() if name.endswith(".woff2")}
        self._files = {f"/{name}".encode(): _file(file.kind, file.body) for name, file in fonts.items()} | {
            b"/": _file("text/html; charset=utf-8", page.encode()),
            b"/look.css": _file("text/css; charset=utf-8", look),
            b"/ca.crt": _file("application/x-x509-ca-cert", made.authority),
        }

    def __call__(self, request: Request) -> Reply:
        """GET / and /ca.crt."""
        if request.method not in (b"GET", b"HEAD"):
            return plain(405, more=[("Allow", "GET, HEAD")])
        return self._files.get(path(request.target)) or plain(404)


def _speaker(lang: str) -> Any:
    return lambda name, **facts: words.say(f"trial.{name}", lang, **facts)


def _file(kind: str, body: bytes) -> Reply:
    headers = [("Content-Type", kind), ("Cache-Control", "no-store"), ("X-Content-Type-Options", "nosniff"),
               ("Content-Security-Policy", _POLICY)]  # fmt: skip
    return Reply(200, fields(headers), body)


def lines(trial: Trial, made: Tls) -> list[str]:
    """What the terminal says of a trial, with the two QR codes side by side: first the certificate, then the trial."""
    where = (
        "이 컴퓨터에서만 열립니다 · opens on this computer only"
        if trial.local
        else "같은 네트워크의 누구나 열 수 있습니다 · anyone on this network can open it, with the demo's passwords"
    )
    install, begin = QrCode.of(trial.welcome).lines(), QrCode.of(trial.origin("center") + "/").lines()
    gap = QrCode.of(trial.welcome).size
    codes = [f"{left}    {right}" for left, right in zip(install, begin, strict=False)]
    return [
        f"HTTPS 체험 · trial   {where}",
        f"① 인증서 설치 · install the certificate   {trial.welcome}",
        f"② 열기 · open   {trial.origin('center')}/",
        f"지문 · fingerprint (SHA-256)   {made.fingerprint[:47]}",
        f"                              {made.fingerprint[48:]}",
        "",
        f"{'①':<{gap}}   {'②'}",
        *codes,
    ]


def ways(trial: Trial) -> dict[int, Way]:
    """By the port in front. The console has no setting for its origin: it is told its own."""
    found = {trial.ports[name]: Way(trial.ports[name] + BEHIND) for name in FRONTED}
    console = trial.ports["console"]
    found[console] = Way(
        console + BEHIND, trial.origin("console").encode(), f"http://localhost:{console + BEHIND}".encode()
    )
    return found


def listening(trial: Trial, port: int) -> socket.socket:
    """A bound socket: every interface, IPv4 and IPv6 where both are; loopback where the name means this machine."""
    if trial.local:
        return socket.create_server(("127.0.0.1", port), backlog=256)
    both = socket.has_dualstack_ipv6()
    family = socket.AF_INET6 if both else socket.AF_INET
    return socket.create_server(("", port), family=family, dualstack_ipv6=both, backlog=256)


async def _serve(trial: Trial, made: Tls, welcome: Welcome) -> None:
    exchange = Exchange(welcome, lambda _method, _target: 0)
    plain_socket = listening(trial, trial.ports["trial"])
    plain_socket.setblocking(False)
    fronts = [listening(trial, trial.ports[name]) for name in FRONTED]
    async with httpx2.AsyncClient(timeout=PATIENCE_S, trust_env=False) as client:
        config = uvicorn.Config(
            Front(ways(trial), client),
            http=BoundedHttp,
            ws="websockets-sansio",
            ws_max_size=MESSAGE_MOST,
            ws_per_message_deflate=False,
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            date_header=False,
            proxy_headers=False,
            ssl_certfile=made.certificate,
            ssl_keyfile=made.key,
            timeout_graceful_shutdown=3,
        )
        await exchange.start(plain_socket)
        await uvicorn.Server(config).serve(sockets=fronts)
        await exchange.drain()


def main(argv: Sequence[str] | None = None) -> int:
    """`python -m ingam.run.trial`: until a signal; 2 where the host or the bundle is refused."""
    asked = argparse.ArgumentParser(prog="ingam.run.trial")
    asked.add_argument("--host", required=True, help="the name that the phone opens")
    asked.add_argument("--port", required=True, type=int, help="the first of ten ports")
    asked.add_argument("--folder", required=True, type=Path, help="where the certificates are kept")
    chosen = asked.parse_args(argv)
    try:
        trial, now = Trial(tls.host_name(chosen.host), chosen.port), datetime.now(UTC)
        made = tls.prepare(chosen.folder, trial.host, now)
        welcome = Welcome(trial, made, chosen.folder, Bundle.read(BUNDLE), now)
    except Failure as failure:
        print(failure, file=sys.stderr)
        return 2
    asyncio.run(_serve(trial, made, welcome))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
