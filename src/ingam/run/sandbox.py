"""The sandbox process: other authorities, phone inbox and switches, on loopback."""

from __future__ import annotations

import os
import secrets
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import uvicorn
from starlette.applications import Starlette
from starlette.routing import Mount

from ingam import page
from ingam.adapters.clock.system import SystemClock
from ingam.kernel.errors import Failure, Refusal
from ingam.page import Bundle
from ingam.ports.clock import Clock
from ingam.run.http import BoundedHttp
from ingam.run.service_page import BUNDLE
from ingam.sandbox import addresses, listing
from ingam.sandbox.authorities import trust
from ingam.sandbox.authorities.keys import FolderKeys, FreshKeys, KeySource
from ingam.sandbox.founding import found
from ingam.sandbox.phone import Phones
from ingam.sandbox.web import Sandbox, page_routes, party_routes, plain_failure
from ingam.sandbox.world import World
from ingam.settings import Settings, read


def prepare(settings: Settings, say: Callable[[str], None], demo: Path | None = None) -> dict[str, str]:
    """Founds the outside world if it is not there, and lays out what others need of it.

    Writes DATA/sandbox, DATA/trust (the center's trust configuration) and the demo folder (`demo_folder`). Returns the
    map of names under `.test` to addresses. Refused in production. Keys of INGAM_SANDBOX_KEYS, a folder of test keys,
    are used where it is set.
    """
    if settings.production:
        raise Refusal("sandbox-in-production")
    folder = settings.data / "sandbox"
    where = demo or demo_folder(settings)
    found(world_folder(settings), key_source(), now=datetime.now(UTC), random=secrets.token_bytes, told=_telling(say))
    world = World(world_folder(settings))
    try:
        trust.export(world, settings.data / "trust")
        listing.spread(world, where)
        listing.write(world, folder, where)
    finally:
        world.close()
    return addresses(settings.sandbox_origin)


def app(
    settings: Settings, *, bundle: Bundle | None = None, clock: Clock | None = None, demo: Path | None = None
) -> Starlette:
    """The sandbox's application; `prepare` must have run. Without `bundle`, the built one (build/browser) is read."""
    if settings.production:
        raise Refusal("sandbox-in-production")
    time, own = clock or SystemClock(), replace(settings, center_origin=settings.sandbox_origin)
    world, phones = World(world_folder(settings)), Phones(settings.data / "sandbox" / "phone.db")
    box = Sandbox.of(world, phones, key_source(), time, demo or demo_folder(settings), settings.center_origin)
    pages = page.Pages(["ingam.sandbox"], own, bundle or Bundle.read(BUNDLE), time, frame="plain")

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        yield
        world.close()
        phones.close()

    screens = Starlette(
        routes=[*page.shell_routes(pages), *page_routes(box)],
        middleware=[page.middleware(own)],
        exception_handlers=page.failure_handlers(),
    )
    screens.state.pages = pages
    screens.state.origin = own.center_origin
    made = Starlette(
        routes=[*party_routes(box), Mount("/", screens)],
        exception_handlers={Failure: plain_failure},
        lifespan=lifespan,
    )
    made.state.box = box
    return made


def main() -> int:
    """Serves the sandbox on loopback at its port until a signal; 2 where the settings or the bundle are refused."""
    page.set_up_log()
    try:
        settings = read(os.environ)
        prepare(settings, lambda told: print(told, file=sys.stderr))  # nothing is made where all is there
        served = app(settings)
    except Failure as failure:
        print(failure, file=sys.stderr)
        return 2
    port = settings.port("sandbox")
    uvicorn.run(
        served,
        host="127.0.0.1",
        port=port,
        http=BoundedHttp,
        log_config=None,
        access_log=False,
        server_header=False,
        ws="none",
    )
    return 0


def world_folder(settings: Settings) -> Path:
    """Where the other authorities keep their keys and books."""
    return settings.data / "sandbox" / "world"


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
