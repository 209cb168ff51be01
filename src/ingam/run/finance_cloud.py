"""The sandbox of 금융인증서 as its own process, on loopback: it asks yessign's house for certificates over CMP."""

from __future__ import annotations

import os
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace
from typing import TypeAlias

import uvicorn
from starlette.applications import Starlette
from starlette.routing import Mount

from ingam import page
from ingam.adapters.clock.system import SystemClock
from ingam.adapters.sms.aligo import AligoSms
from ingam.kernel.errors import Failure, Refusal
from ingam.kernel.secret import Secret
from ingam.page import Bundle
from ingam.ports.clock import Clock
from ingam.ports.sms import SmsSender
from ingam.run.houses_counter import behind
from ingam.run.houses_line import Process
from ingam.run.houses_places import socket_path, world_folder
from ingam.run.http import BoundedHttp
from ingam.run.service_page import BUNDLE
from ingam.sandbox.authorities.keys import FreshKeys, KeySource
from ingam.sandbox.behind import HousesAway, Line, Passed
from ingam.sandbox.finance_cloud.api import Api
from ingam.sandbox.finance_cloud.cloud import Cloud
from ingam.sandbox.finance_cloud.holders import Holders
from ingam.sandbox.finance_cloud.web import CloudWeb
from ingam.settings import Settings, read

SENDER = "15778000"
NAME = "fincert.test"
LineOpener: TypeAlias = Callable[[], AbstractAsyncContextManager[Line]]


def address(settings: Settings) -> dict[str, str]:
    """Where the center finds it on this machine, by its name under `.test`."""
    return {NAME: f"http://localhost:{settings.port('finance_cloud')}"}


def app(
    settings: Settings,
    *,
    line: LineOpener,
    sms: SmsSender,
    bundle: Bundle | None = None,
    clock: Clock | None = None,
    keys: KeySource | None = None,
) -> Starlette:
    """The cloud. Refused in production (security G7); the world of the other authorities stands already."""
    if settings.production:
        raise Refusal("sandbox-in-production")
    time, origin = clock or SystemClock(), settings.finance.origin
    names = replace(
        settings.institution, name_ko="금융인증서 시험용 클라우드", name_en="Finance certificate sandbox",
        bank_ko="금융인증서", bank_en="Finance certificate", mark="金",
    )  # fmt: skip
    own = replace(settings, center_origin=origin, institution=names)
    folder, way = settings.data / "sandbox" / "finance_cloud", _Way()
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    holders = Holders(folder / "cloud.db")
    counter = behind(settings, world_folder(settings), way, time).counter
    cloud = Cloud(holders, counter, sms, keys or FreshKeys(), time)
    pages = page.Pages(
        ["ingam.sandbox.finance_cloud"], own, bundle or Bundle.read(BUNDLE), time, frame="plain"
    )  # fmt: skip

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        async with line() as opened:
            way.opened = opened
            yield
        holders.close()

    asking = {"ko": settings.institution.name_ko, "en": settings.institution.name_en}
    web = CloudWeb(cloud, counter, f"{settings.sandbox_origin}/phone/01085130001", asking)
    screens = Starlette(
        routes=[*page.shell_routes(pages), *web.routes()],
        middleware=[page.middleware(own)],
        exception_handlers=page.failure_handlers(),
    )
    screens.state.pages = pages
    screens.state.origin = origin
    api = Api(cloud, origin, settings.center_origin, settings.finance.key.reveal())
    made = Starlette(routes=[*api.routes(), Mount("/", screens)], lifespan=lifespan)
    made.state.cloud = cloud
    return made


class _Way:
    """`sandbox.behind.Line`: what the application's life has opened."""

    opened: Line | None = None

    async def ask(self, method: str, target: str, body: bytes = b"", content_type: str = "") -> Passed:
        if self.opened is None:
            raise HousesAway
        return await self.opened.ask(method, target, body, content_type)


@asynccontextmanager
async def _houses(settings: Settings) -> AsyncIterator[Line]:
    line = Process(socket_path(settings))
    try:
        yield line
    finally:
        await line.close()


def main() -> int:
    """Until a signal; 2 where the settings or the bundle are refused."""
    page.set_up_log()
    try:
        settings = read(os.environ)
        base = settings.addresses.get(settings.sms_host, f"http://localhost:{settings.port('sandbox')}/aligo")
        sms = AligoSms(base, key=Secret("sandbox"), user_id="fincert", sender=SENDER)
        served = app(settings, line=lambda: _houses(settings), sms=sms)
    except Failure as failure:
        print(failure, file=sys.stderr)
        return 2
    uvicorn.run(
        served,
        host="127.0.0.1",
        port=settings.port("finance_cloud"),
        http=BoundedHttp,
        log_config=None,
        access_log=False,
        server_header=False,
        ws="none",
    )
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
