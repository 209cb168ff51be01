"""The blind relay of copying: `python -m ingam.run.relay` on its port, for one node, until a signal (docs/relay).

SIGTERM drains: /readyz answers 503 at once, nothing is begun any more, and copies that run may finish within
INGAM_RELAY_DRAIN_S; then what is left is ended, or left to the other nodes of the same Valkey.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
import re
import socket
import sys
import time
from pathlib import Path
from typing import Final

import structlog
import uvloop

from ingam.adapters.clock.system import SystemClock
from ingam.adapters.mailboxes.in_process import InProcessMailboxes
from ingam.kernel import steps
from ingam.kernel.errors import Failure, Refusal
from ingam.page.log import set_up_log
from ingam.ports.mailboxes import Mailboxes
from ingam.relay.service import Relay, Rules
from ingam.run.exchange import Bounds, listening
from ingam.run.relay_web import RelayWeb, tell_defect
from ingam.run.stopping import told_to_stop
from ingam.settings import Settings, read

HOST: Final = "127.0.0.1"
REFUSED: Final = 2
BOUNDS: Final = Bounds(connections=60_000, idle_s=20, drain_s=2, backlog=4096)
"""More than a node needs for half of all numbers; the process's own limit of files is below it nearly everywhere."""


class TicketKeysRefused(Refusal):
    """The file of the center's public keys is missing or is none."""

    code = "ticket-keys-refused"


def ticket_keys(path: Path) -> tuple[bytes, ...]:
    """The center's public keys, 64 hex digits a line. Raises TicketKeysRefused."""
    try:
        lines = path.read_text("ascii").split()
    except (OSError, UnicodeDecodeError):
        raise TicketKeysRefused from None
    if not 1 <= len(lines) <= 16 or not all(re.fullmatch(r"[0-9a-f]{64}", line) for line in lines):
        raise TicketKeysRefused
    return tuple(bytes.fromhex(line) for line in lines)


def mailboxes(settings: Settings) -> Mailboxes:
    """The store that the settings name."""
    if not settings.relay.store:
        return InProcessMailboxes()
    from ingam.adapters.mailboxes.valkey import ValkeyMailboxes  # a single node needs no client

    return ValkeyMailboxes(settings.relay.store)


def rules(settings: Settings, keys: tuple[bytes, ...]) -> Rules:
    """What the settings say of tickets and limits."""
    limits = settings.limits
    return Rules(settings.relay.origin, keys, limits.copy_opens, limits.copy_runs, limits.copy_window_s)


async def serve(settings: Settings, sock: socket.socket, stop: asyncio.Event) -> None:
    """One node until `stop`, then drained. Raises TicketKeysRefused, RelayOutage."""
    store = mailboxes(settings)
    relay = Relay(store, SystemClock(), rules(settings, ticket_keys(settings.ticket_keys)), tell_defect)
    behind_tls = settings.relay.origin.startswith("https://")
    web = RelayWeb(relay, settings.vault_origin, behind_tls=behind_tls, bounds=BOUNDS)
    await relay.start()
    gc.collect()
    gc.freeze()
    await web.exchange.start(sock)
    beating = asyncio.create_task(_beat(relay))
    structlog.get_logger("relay").info("serving", shared=store.shared, pid=os.getpid())
    await stop.wait()
    await _drain(relay, settings.relay.drain_s)
    await relay.stop()
    await web.exchange.drain()
    beating.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await beating


async def _beat(relay: Relay) -> None:
    while True:
        await asyncio.sleep(1)
        try:
            relay.rooms.beat()
        except Exception as error:  # the next second comes all the same
            tell_defect(error)


async def _drain(relay: Relay, seconds: int) -> None:
    structlog.get_logger("relay").info("draining", rooms=len(relay.rooms.all))
    await relay.drain()
    until = time.monotonic() + seconds
    while relay.rooms.all and time.monotonic() < until:
        await asyncio.sleep(0.1)


async def _serve(settings: Settings, sock: socket.socket) -> None:
    stop = told_to_stop()
    await serve(settings, sock, stop)


def main() -> int:
    """Until a signal; 2 where settings, keys or store are refused."""
    set_up_log()
    try:
        settings = read(os.environ)
        steps.arm(settings.kill_at)
        uvloop.run(_serve(settings, listening(HOST, settings.port("relay"))))
    except Failure as failure:
        print(failure, file=sys.stderr)
        return REFUSED
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
