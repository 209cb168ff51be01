"""The authority's clerk: what time ends, revocation lists, tree heads, notices, and what may be forgotten.

`python -m ingam.run.clerk` works for the authority of INGAM_CA_NAME until a signal; one is enough for a machine, and a
second one does no harm. Lists are made in a thread here, never on a loop that serves.
"""

from __future__ import annotations

import asyncio
import os
import sys
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from typing import Final

import structlog

from ingam.ca import facts as sealed
from ingam.ca import notices
from ingam.ca.issuing.entering import enter_services
from ingam.ca.log.heads import Log
from ingam.ca.publishing.publisher import Publisher, Step
from ingam.ca.revoking.service import Revoking
from ingam.kernel import steps
from ingam.kernel.errors import Failure
from ingam.page import set_up_log
from ingam.page.log import tell_defect
from ingam.ports.sms import SmsSender
from ingam.run.stopping import told_to_stop
from ingam.settings import Settings, read
from ingam.wiring.authority import CaPorts, ca_ports, publisher, root_lists, services, transparency_log
from ingam.wiring.sms import sms_sender

log = structlog.get_logger("clerk")

SWEEP_S: Final = 5.0
FORGET_S: Final = 60.0
NOTICE_S: Final = 1.0
HEAD_S: Final = 2.0
RETRY: Final = timedelta(minutes=1)
GIVE_UP: Final = timedelta(hours=24)


async def every(seconds: float, stop: asyncio.Event, act: Callable[[], Awaitable[object]]) -> None:
    """Again and again until told to stop; a failure is told and does not end it."""
    while not stop.is_set():
        try:
            await act()
        except Failure as failure:
            log.warning("again", code=failure.code)
        except Exception as error:
            tell_defect("clerk", error)
        with suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), seconds)


async def forget(ports: CaPorts) -> None:
    """Answers, exchanges and codes whose time is over (security D3, D9)."""
    office, at = ports.office, ports.office.now()
    await office.books.forget(at)
    for one in office.books.codes_to_forget(at):
        _, facts = sealed.open_registration(office.sealer, one.reference, one.sealed)
        await office.books.forget_code(
            one.reference, sealed.seal_registration(office.sealer, one.reference, None, facts)
        )


async def notify(ports: CaPorts, sender: SmsSender) -> None:
    """Notices that are due leave, each once; one that cannot is tried again for a day."""
    office, at = ports.office, ports.office.now()
    for id, notice in office.books.notices(at):
        try:
            await sender.send(notices.opened(office, notice))
        except Failure as failure:
            again = None if at - notice.due_at > GIVE_UP else at + RETRY
            log.warning("notice", id=id, code=failure.code, given_up=again is None)
            await office.books.noticed(id, at, again)
        else:
            await office.books.noticed(id, at, None)


async def work(ports: CaPorts, sender: SmsSender, lists: Publisher, heads: Log, stop: asyncio.Event) -> None:
    """All of it, until `stop`."""
    clock = ports.office.now
    await tend(
        ports, lists, stop,
        every(NOTICE_S, stop, lambda: notify(ports, sender)),
        every(HEAD_S, stop, lambda: asyncio.to_thread(heads.publish, clock())),
    )  # fmt: skip


async def tend(ports: CaPorts, lists: Publisher, stop: asyncio.Event, *more: Awaitable[object]) -> None:
    """What every authority needs, and `more`, until `stop`: its lists, what time ends, what may be forgotten."""
    office = ports.office
    for one in office.issuers:
        found = services(ports.holdings, one.generation.number, office.now())
        await enter_services(office.books, office.authority, one.generation.number, found, office.now())
    revoking = Revoking(office)
    async with publishing(lists):
        await asyncio.gather(every(SWEEP_S, stop, revoking.sweep), every(FORGET_S, stop, lambda: forget(ports)), *more)


@asynccontextmanager
async def publishing(lists: Publisher) -> AsyncIterator[None]:
    """Lists are made and brought out in a thread, for the length of the block."""
    ended = threading.Event()
    thread = threading.Thread(target=_publish, args=(lists, ended), name="lists")
    thread.start()
    try:
        yield
    finally:
        ended.set()
        await asyncio.to_thread(thread.join)


def _publish(lists: Publisher, ended: threading.Event) -> None:
    while not ended.is_set():
        try:
            lists.follow(ended, _told)
        except Failure as failure:
            log.warning("lists", code=failure.code)
        except Exception as error:
            tell_defect("clerk", error)
        ended.wait(1.0)


def _told(step: Step) -> None:
    for one in step.outcomes:
        if one.code is not None:
            log.warning("list", what=one.what, place=one.place, code=one.code)


def main() -> int:
    """Until SIGTERM or SIGINT. 2 where settings, keys or books are refused."""
    set_up_log()
    try:
        settings = read(os.environ)
        steps.arm(settings.kill_at)
        asyncio.run(_run(settings))
    except Failure as failure:
        print(failure, file=sys.stderr)
        return 2
    return 0


async def _run(settings: Settings) -> None:
    stop = told_to_stop()
    ports, sender = ca_ports(settings), sms_sender(settings)
    # The publisher and the log read the books in threads of their own, so each has a handle of its own.
    own = [ca_ports(settings), ca_ports(settings)]
    try:
        lists = publisher(settings, own[0], root_lists(own[0].holdings, own[0].keys))
        await work(ports, sender, lists, transparency_log(own[1]), stop)
    finally:
        await sender.aclose()
        for one in (ports, *own):
            await one.shut()


if __name__ == "__main__":
    raise SystemExit(main())
