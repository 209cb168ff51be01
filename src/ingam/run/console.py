"""The console's process: the operators' and the branches' screens on loopback (security G1).

Every feature is a `ConsoleWeb`; `features` is the one list of them, in the order of the menu.
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, cast

import uvicorn
from starlette.applications import Starlette
from starlette.middleware import Middleware

from ingam.adapters.store.migrate import check_revision
from ingam.console import web
from ingam.console.doorway import Cookie, Doorway
from ingam.console.home.web import HomeWeb
from ingam.console.login.service import Login
from ingam.console.login.web import LoginWeb
from ingam.console.operators.register import Operators
from ingam.console.sessions import OperatorSessions
from ingam.console.trail import Trail
from ingam.console.web import ConsoleWeb
from ingam.customer.policy import Policy
from ingam.customer.policy.limits import LiveLimits
from ingam.kernel import steps
from ingam.kernel.errors import Failure
from ingam.page import Bundle, Pages, failure_handlers, middleware, set_up_log, shell_routes
from ingam.protocols.webauthn import RelyingParty
from ingam.run import console_branch, console_officers
from ingam.run.beside import steadily
from ingam.run.http import BoundedHttp
from ingam.run.service_page import BUNDLE
from ingam.settings import Limits, Settings, read, refuse_open_console
from ingam.wiring.console import ConsolePorts, console_ports, console_store

TEMPLATES: Final = (
    *console_branch.TEMPLATES,
    *console_officers.TEMPLATES,
    "ingam.console",
    "ingam.console.home",
    "ingam.console.login",
)
"""Every package of the console with a `templates/` folder."""


@dataclass(frozen=True, slots=True)
class Desk:
    """What features are made of: the settings, the ports, and the shell's own services."""

    settings: Settings
    ports: ConsolePorts
    operators: Operators
    sessions: OperatorSessions
    trail: Trail
    rp: RelyingParty
    live: Settings
    """The settings with limits as they were approved; `settings` has the ground that approvals stand on."""


def features(desk: Desk) -> Sequence[ConsoleWeb]:
    """The console's features, in the order of the menu."""
    revoking = console_branch.revocation(desk.settings, desk.ports, desk.operators)
    office = console_officers.office(desk.settings, desk.ports, desk.operators, desk.trail, desk.rp, more=[revoking])
    return [
        HomeWeb(desk.trail, desk.operators, desk.ports.store, desk.ports.clock),
        *console_branch.features(desk.live, desk.ports, desk.trail, desk.operators, office.changes, revoking),
        *office.features,
    ]


def app(settings: Settings, given: ConsolePorts, bundle: Bundle) -> Starlette:
    """The application over its ports."""
    console, policy = settings.console, Policy(given.store)
    pages = Pages(TEMPLATES, settings, bundle, given.clock, frame="console", origin=console.origin, more=web.more)
    sessions = OperatorSessions(given.store, given.clock, console.idle_s, console.max_s)
    operators, cookie = Operators(given.store), Cookie(console.origin.startswith("https://"))
    trail = Trail(given.store, given.digests, given.clock)
    live = replace(settings, limits=cast(Limits, LiveLimits(settings.limits, policy)))
    desk = Desk(settings, given, operators, sessions, trail, relying_party(settings), live)
    login = Login(given.store, given.clock, operators, sessions, desk.trail, desk.rp)
    every = features(desk)
    built = Starlette(
        routes=[
            *LoginWeb(desk.trail, login, sessions, given.clock, cookie).routes(),
            *(route for one in every for route in one.routes()),
            *shell_routes(pages),
        ],
        middleware=[
            middleware(settings, console.origin),
            Middleware(
                Doorway,
                sessions=sessions,
                operators=operators,
                ephemeral=given.ephemeral,
                clock=given.clock,
                cookie=cookie,
                visits_an_hour=console.address_visits_an_hour,
            ),
        ],
        exception_handlers=failure_handlers(),
        lifespan=_beside(given, sessions, policy),
    )
    built.state.pages = pages
    built.state.entries = tuple(entry for one in every for entry in one.entries)
    return built


def relying_party(settings: Settings) -> RelyingParty:
    """The console as WebAuthn knows it: its host name, its origin alone."""
    host = settings.console.origin.partition("://")[2].partition(":")[0]
    return RelyingParty(host, f"{settings.institution.name_ko} 운영자", settings.console.origin)


def _beside(given: ConsolePorts, sessions: OperatorSessions, policy: Policy) -> Any:
    """The tasks beside the screens: approved policy as the center has it, and sessions that are long over."""

    @asynccontextmanager
    async def beside(_: Starlette) -> AsyncIterator[None]:
        stop = asyncio.Event()
        tasks = [
            asyncio.create_task(steadily("policy", lambda: policy.follow(stop), stop)),
            asyncio.create_task(steadily("tidy", lambda: sessions.tidy(stop), stop)),
        ]
        try:
            yield
        finally:
            stop.set()
            await asyncio.gather(*tasks)
            await given.shut()

    return beside


def main() -> int:
    """`python -m ingam.run.console`; 2 where settings, schema or bundle are refused."""
    set_up_log()
    try:
        settings = read(os.environ)
        refuse_open_console(settings)
        steps.arm(settings.kill_at)
        check_revision(console_store(settings))
        application = app(settings, console_ports(settings), Bundle.read(Path(BUNDLE)))
    except Failure as failure:
        print(failure, file=sys.stderr)
        return 2
    uvicorn.run(
        application,
        host="127.0.0.1",
        port=settings.port("console"),
        loop="uvloop",
        http=BoundedHttp,
        log_config=None,
        access_log=False,
        server_header=False,
        date_header=True,
        proxy_headers=settings.console.origin.startswith("https://"),
        timeout_graceful_shutdown=3,
    )
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
