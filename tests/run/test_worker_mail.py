"""A worker that dies between handing a notice over and marking it: over SMTP as over SMS it arrives once."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from tests.center.registration.world import HONG
from tests.clocks import SetClock

from ingam.adapters.clock.system import SystemClock
from ingam.adapters.email.smtp import SmtpEmail, Tls
from ingam.adapters.hsm.file import OutboxSealer
from ingam.adapters.store import open_store
from ingam.customer.notice import EMAIL, SMS, Notices, Sender, deliver_email
from ingam.ports.store import Claimed, Save, Store
from ingam.run.worker import LEASE_S, once, work
from ingam.sandbox.mail import Mails, MailServer
from ingam.sandbox.people import PEOPLE
from ingam.sandbox.switches import Switches
from ingam.settings import Institution

SEALER = OutboxSealer(bytes(32))
DUE = datetime(2026, 1, 1, tzinfo=UTC)
TO = next(one.email for one in PEOPLE if one.email)
WHO = replace(HONG, email=TO)


def mail(port: int) -> Callable[[Claimed], Awaitable[None]]:
    sender = SmtpEmail(
        "127.0.0.1", port, sender="no-reply@ingam.test", name="증권금융", clock=SystemClock(), tls=Tls.NONE
    )
    return deliver_email(sender)


async def put(message: Claimed) -> None:
    """The telephone of this test: it has it."""


async def dies(url: str, port: str) -> None:
    """The child: the mail is with its server; before that is marked, the worker stands until it is killed."""
    deliver = mail(int(port))

    async def handed_over(message: Claimed) -> None:
        await deliver(message)
        print("handed over", flush=True)
        await asyncio.sleep(3600)

    await work(open_store(url, SEALER), {EMAIL: handed_over, SMS: put}, SystemClock(), asyncio.Event())


async def killed(url: str, port: int) -> None:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    child = await asyncio.create_subprocess_exec(
        sys.executable, __file__, url, str(port), stdout=asyncio.subprocess.PIPE, env=environment
    )
    assert child.stdout is not None
    while (line := await child.stdout.readline()) != b"handed over\n":
        assert line  # the worker's own log
    child.kill()
    await child.wait()


async def left(store: Store) -> int:
    return len(await store.many("outbox", {"delivered_at": None}))


def test_kill_9_between_smtp_and_marking_sends_the_same_mail_which_arrives_once(sqlite_url: str) -> None:
    async def go() -> None:
        clock, mails = SetClock(), Mails()
        server = MailServer(mails, Switches(), clock)
        port, store = await server.start(0), open_store(sqlite_url, SEALER)
        notices = Notices(Sender(Institution())).tell(WHO, "revoked", at=DUE, dedup="revoked:1", use="증권/보험용")
        await store.save(Save(outbox=notices))
        await killed(sqlite_url, port)
        assert len(mails.box(TO)) == 1 and await left(store) == 1
        after = SetClock(datetime.now(UTC) + timedelta(seconds=LEASE_S + 1))
        assert await once(store, {EMAIL: mail(port), SMS: put}, after)
        assert await left(store) == 0
        (arrived,) = mails.box(TO)  # the second has the Message-ID of the first, and is the same mail
        assert "폐지" in arrived.subject
        await store.save(Save(outbox=notices))  # nor does saying it again send it again
        assert await left(store) == 0
        await store.close()
        await server.close()
        mails.close()

    asyncio.run(go())


if __name__ == "__main__":
    asyncio.run(dies(*sys.argv[1:]))
