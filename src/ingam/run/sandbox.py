"""The sandbox process: phone inbox, switches, and the way to the other authorities, on loopback.

The authorities themselves are a process of their own (`run/houses`). `make run` starts it; a sandbox that is started
alone starts it too, and each of the two ends with the other.
"""

from __future__ import annotations

import os
import secrets
import signal
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, TypeAlias

import uvicorn
from starlette.applications import Starlette
from starlette.routing import Mount

from ingam import page
from ingam.adapters.clock.system import SystemClock
from ingam.ca.ceremony import HoldingsMissing, read_certificates
from ingam.kernel.errors import Failure, Refusal
from ingam.page import Bundle
from ingam.ports.clock import Clock
from ingam.run import sandbox_audit
from ingam.run.houses_counter import Signings, behind
from ingam.run.houses_line import Process, Within, beside
from ingam.run.houses_places import socket_path
from ingam.run.houses_places import world_folder as world_folder
from ingam.run.http import BoundedHttp
from ingam.run.service_page import BUNDLE
from ingam.sandbox import addresses, cards_web, listing
from ingam.sandbox.authorities import trust
from ingam.sandbox.authorities.houses import ROOTS
from ingam.sandbox.authorities.keys import FolderKeys, FreshKeys, KeySource
from ingam.sandbox.authorities.trust import Trusted
from ingam.sandbox.bank import Deposits
from ingam.sandbox.behind import HousesAway, Line, Passed
from ingam.sandbox.box import Sandbox
from ingam.sandbox.mail import Mails, MailServer
from ingam.sandbox.parties import party_routes, plain_failure
from ingam.sandbox.phone import Phones
from ingam.sandbox.statements import statement_routes
from ingam.sandbox.web import page_routes
from ingam.sandbox.world import World
from ingam.settings import Settings, read

APART: Final = "INGAM_HOUSES_APART"
"""Set by whoever starts the houses himself."""

LineOpener: TypeAlias = Callable[[], AbstractAsyncContextManager[Line]]
"""The way to the houses, for as long as the application lives."""


def prepare(settings: Settings, say: Callable[[str], None], demo: Path | None = None) -> dict[str, str]:
    """Founds the outside world if it is not there, and lays out what others need of it.

    Writes DATA/sandbox, DATA/trust (the center's trust configuration) and the demo folder (`demo_folder`). Returns the
    map of names under `.test` to addresses. Refused in production. Keys of INGAM_SANDBOX_KEYS, a folder of test keys,
    are used where it is set.
    """
    if settings.production:
        raise Refusal("sandbox-in-production")
    folder, where = world_folder(settings), demo or demo_folder(settings)
    if not (folder / "ca").exists():
        from ingam.run.founding import found  # needed once, and slow to load

        found(folder, settings, key_source(), now=datetime.now(UTC), random=secrets.token_bytes, told=_telling(say))
    signings, world = Signings(settings, folder), World(folder)
    trust.export(signings, settings.data / "trust", _ours(settings))
    listing.spread(world, where, signings.certificate("root4"))
    listing.write(world, settings.data / "sandbox", where, settings.customers.union_heads)
    return addresses(settings.sandbox_origin)


def roots(settings: Settings) -> list[str]:
    """SHA-256 (hex) of the roots of its authorities; `prepare` must have run."""
    signings = Signings(settings, world_folder(settings))
    return [signings.certificate(name).fingerprint.hex() for name in ROOTS]


def app(
    settings: Settings,
    *,
    bundle: Bundle | None = None,
    clock: Clock | None = None,
    demo: Path | None = None,
    line: LineOpener | None = None,
    mail_port: int | None = None,
) -> Starlette:
    """The sandbox's application; `prepare` must have run. Without `bundle`, the built one (build/browser) is read.

    `line`: the way to the houses; without one they are opened within this process, on the application's loop.
    `mail_port`: where SMTP is spoken on 127.0.0.1 (0 takes a free one, then `state.mail_port`); None speaks none.
    """
    if settings.production:
        raise Refusal("sandbox-in-production")
    time, own = clock or SystemClock(), replace(settings, center_origin=settings.sandbox_origin)
    folder, to_houses = world_folder(settings), _Way()
    kept = settings.data / "sandbox"
    world, phones, deposits, mails = (
        World(folder), Phones(kept / "phone.db"), Deposits(kept / "bank.db"), Mails(kept / "mail.db")
    )  # fmt: skip
    box = Sandbox(
        world, phones, FreshKeys(), time, demo or demo_folder(settings), settings.center_origin,
        behind(settings, folder, to_houses, time), deposits=deposits, mails=mails,
        origin=own.center_origin, places=settings.customers.union_heads,
    )  # fmt: skip
    pages = page.Pages(["ingam.sandbox"], own, bundle or Bundle.read(BUNDLE), time, frame="plain")

    @asynccontextmanager
    async def within() -> AsyncIterator[Line]:
        from ingam.run.houses import opened  # the whole of an authority; where it runs, it is another process

        async with opened(settings, folder, time) as houses:
            yield Within(houses)

    @asynccontextmanager
    async def lifespan(started: Starlette) -> AsyncIterator[None]:
        post = MailServer(mails, box.switches, time)
        async with (line or within)() as way:
            to_houses.way = way
            if mail_port is not None:
                started.state.mail_port = await post.start(mail_port)
            yield
            await post.close()
        for one in (phones, deposits, mails):
            one.close()

    screens = Starlette(
        routes=[*page.shell_routes(pages), *page_routes(box), *statement_routes(box), *cards_web.routes()],
        middleware=[page.middleware(own)],
        exception_handlers=page.failure_handlers(),
    )
    screens.state.pages = pages
    screens.state.origin = own.center_origin
    made = Starlette(
        routes=[*sandbox_audit.routes(settings, time), *party_routes(box), Mount("/", screens)],
        exception_handlers={Failure: plain_failure},
        lifespan=lifespan,
    )
    made.state.box = box
    return made


class _Way:
    """`sandbox.behind.Line`: whichever way the application's life has opened."""

    way: Line | None = None

    async def ask(self, method: str, target: str, body: bytes = b"", content_type: str = "") -> Passed:
        if self.way is None:
            raise HousesAway
        return await self.way.ask(method, target, body, content_type)


def _ours(settings: Settings) -> list[Trusted]:
    """Our own demo authority, where there is one: whoever registers a certificate of another institution has one there.

    Its responder's certificate comes from the CA itself (security D12), so the CA is pinned without its root: what the
    trust file takes of a root is a responder that the root issued (A11).
    """
    folder = settings.data / "ca" / settings.ca.name
    try:
        held = read_certificates(folder)
    except HoldingsMissing:
        return []
    name, at = folder.name, datetime.now(UTC)
    found = []
    for number, one in held.issuing.items():
        responder = held.service("ocsp", number, at).certificate
        files = {f"{name}-{number}": one, f"{name}-{number}-ocsp": responder}
        found.append(
            Trusted(
                one.subject.value("CN") or name, files, f"{name}-{number}", None, (f"{name}-{number}-ocsp",),
                "http://ocsp.ingam.test/", "http://dir.ingam.test/crl/{partition}.crl", None,
            )
        )  # fmt: skip
    return found


def main() -> int:
    """Serves the sandbox on loopback at its port until a signal; 2 where the settings or the bundle are refused."""
    page.set_up_log()
    try:
        settings = read(os.environ)
        prepare(settings, lambda told: print(told, file=sys.stderr))  # nothing is made where all is there
        houses = None if os.environ.get(APART) else beside(os.environ)
        served = app(settings, line=lambda: _process(settings, houses), mail_port=settings.port("sandbox") + 1)
    except Failure as failure:
        print(failure, file=sys.stderr)
        return 2
    if houses is not None:
        threading.Thread(target=_end_with, args=(houses,), daemon=True).start()
    uvicorn.run(
        served,
        host="127.0.0.1",
        port=settings.port("sandbox"),
        http=BoundedHttp,
        log_config=None,
        access_log=False,
        server_header=False,
        ws="none",
    )
    if houses is not None:
        houses.terminate()
        houses.wait()
    return 0


@asynccontextmanager
async def _process(settings: Settings, houses: subprocess.Popen[bytes] | None) -> AsyncIterator[Line]:
    """The houses' process, once it answers: who reaches the sandbox reaches them too. `houses`: if we started it."""
    line = Process(socket_path(settings))
    try:
        await line.ready(houses)
        yield line
    finally:
        await line.close()


def _end_with(houses: subprocess.Popen[bytes]) -> None:
    """A sandbox without its houses would call every certificate unconfirmed: it ends instead."""
    if houses.wait() != 0:
        print(f"houses ended with {houses.returncode}", file=sys.stderr, flush=True)
        os.kill(os.getpid(), signal.SIGTERM)


def demo_folder(settings: Settings) -> Path:
    """Where the demo people's certificate files are laid out: INGAM_DEMO, else `demo` beside `data`.

    A data folder of another name has its own `demo` inside: two demos never write over each other's files.
    """
    if chosen := os.environ.get("INGAM_DEMO"):
        return Path(chosen)
    return settings.data.with_name("demo") if settings.data.name == "data" else settings.data / "demo"


def key_source() -> KeySource:
    """Fresh keys, or a folder of test keys where INGAM_SANDBOX_KEYS names one."""
    folder = os.environ.get("INGAM_SANDBOX_KEYS")
    return FolderKeys(Path(folder)) if folder else FreshKeys()


def _telling(say: Callable[[str], None]) -> Callable[[int, int], None]:
    def told(made: int, of: int) -> None:
        if made in (1, of) or made % 10 == 0:
            say(f"바깥 기관의 키 만드는 중 · making the other authorities' keys {made}/{of}")

    return told


if __name__ == "__main__":
    raise SystemExit(main())
