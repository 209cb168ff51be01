"""The mailboxes of the demo people, and the SMTP server that fills them (RFC 5321, loopback only).

The same Message-ID is delivered once into a mailbox. Nobody else's address is taken.
"""

from __future__ import annotations

import asyncio
import re
import sqlite3
import ssl
from dataclasses import dataclass
from datetime import datetime
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from email.utils import make_msgid, parseaddr
from pathlib import Path
from threading import Lock
from typing import Final

import anyio

from ingam.kernel.instants import from_micros, to_micros
from ingam.ports.clock import Clock
from ingam.sandbox.people import PEOPLE
from ingam.sandbox.switches import Switches

PARTY: Final = "email"
KEPT: Final = 200
"""Messages of a mailbox that are not dropped."""

MOST_BYTES: Final = 256 * 1024
MOST_RECIPIENTS: Final = 20
IDLE_S: Final = 60.0
LONGEST_LINE: Final = 4096
_PATH: Final = re.compile(r"(?:FROM|TO):\s*<([^<>\s]{0,254})>(?:\s.*)?", re.IGNORECASE)

_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS mail (
    id INTEGER PRIMARY KEY AUTOINCREMENT, address TEXT NOT NULL, sender TEXT NOT NULL, subject TEXT NOT NULL,
    text TEXT NOT NULL, reference TEXT NOT NULL, at INTEGER NOT NULL, UNIQUE (address, reference)
);
"""
_DROP_OLD: Final = """
DELETE FROM mail WHERE address = ? AND id NOT IN (SELECT id FROM mail WHERE address = ? ORDER BY id DESC LIMIT ?)
"""


@dataclass(frozen=True, slots=True)
class Mail:
    """One message as it arrived. `reference`: its Message-ID."""

    id: int
    sender: str
    subject: str
    text: str
    reference: str
    at: datetime


class Mails:
    """All mailboxes, each with its newest KEPT messages. Thread-safe."""

    def __init__(self, path: Path | None = None) -> None:
        self._lock = Lock()
        self._db = sqlite3.connect(path or ":memory:", check_same_thread=False)
        self._db.executescript(_SCHEMA)

    def close(self) -> None:
        """Closes the file."""
        self._db.close()

    def deliver(self, address: str, message: EmailMessage, at: datetime) -> None:
        """Puts a message into a mailbox, once."""
        reference = str(message.get("message-id", "")).strip() or make_msgid(domain="smtp.test")
        sender, subject = parseaddr(str(message.get("from", "")))[1], str(message.get("subject", ""))
        row = (address, sender, subject, _text(message), reference, to_micros(at))
        sql = "INSERT OR IGNORE INTO mail (address, sender, subject, text, reference, at) VALUES (?, ?, ?, ?, ?, ?)"
        with self._lock, self._db as db:
            db.execute(sql, row)
            db.execute(_DROP_OLD, (address, address, KEPT))

    def box(self, address: str) -> list[Mail]:
        """The messages of an address, newest first."""
        sql = "SELECT id, sender, subject, text, reference, at FROM mail WHERE address = ? ORDER BY id DESC"
        with self._lock:
            rows = self._db.execute(sql, (address,)).fetchall()
        return [Mail(one, sender, subject, text, ref, from_micros(at)) for one, sender, subject, text, ref, at in rows]

    def counts(self) -> dict[str, int]:
        """How many messages each address has."""
        with self._lock:
            return dict(self._db.execute("SELECT address, count(*) FROM mail GROUP BY address").fetchall())


def _text(message: EmailMessage) -> str:
    """The plain text; "" of what is not readable."""
    body = message.get_body(("plain",))
    try:
        return str(body.get_content()).replace("\r\n", "\n").rstrip() if body is not None else ""
    except (LookupError, ValueError):
        return ""


class MailServer:
    """Speaks SMTP on 127.0.0.1; `start(0)` takes a free port and returns it.

    `tls`: STARTTLS is offered under it; without one all is in clear, on loopback.
    """

    def __init__(self, mails: Mails, switches: Switches, clock: Clock, tls: ssl.SSLContext | None = None) -> None:
        self._tls = tls
        self._mails = mails
        self._switches = switches
        self._clock = clock
        self._server: asyncio.Server | None = None
        self._talks: set[asyncio.Task[None]] = set()

    async def start(self, port: int) -> int:
        """Listens. Raises OSError where the port is taken."""
        self._server = await asyncio.start_server(self._met, "127.0.0.1", port, limit=LONGEST_LINE)
        return int(self._server.sockets[0].getsockname()[1])

    async def close(self) -> None:
        """Ends it, and every conversation."""
        if self._server is not None:
            self._server.close()
        for one in list(self._talks):
            one.cancel()
        await asyncio.gather(*self._talks, return_exceptions=True)

    async def _met(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._talks.add(task)
        try:
            async with asyncio.timeout(IDLE_S):
                await _Talk(reader, writer, self._mails, self._switches, self._clock, self._tls).hold()
        except (OSError, TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, ValueError):
            pass  # whoever went away in the middle, or spoke endless lines
        except asyncio.CancelledError:
            pass  # `close` ends it; a task that ends cancelled is reported by asyncio's streams as an error
        finally:
            self._talks.discard(task)
            writer.close()


class _Talk:
    """One conversation: EHLO, STARTTLS, MAIL, RCPT, DATA, RSET, NOOP, QUIT."""

    def __init__(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        mails: Mails,
        switches: Switches,
        clock: Clock,
        tls: ssl.SSLContext | None,
    ) -> None:
        self._tls = tls
        self._reader, self._writer = reader, writer
        self._mails, self._switches, self._clock = mails, switches, clock
        self._from: str | None = None
        self._to: list[str] = []

    async def hold(self) -> None:
        """From the greeting to QUIT, as the switch says."""
        position = self._switches.party(PARTY)
        if position == "timeout":
            await anyio.sleep(self._switches.party_timeout_s)
        elif position == "off":
            await self._say("421 4.3.2 closed for maintenance")
        else:
            if position == "slow":
                await anyio.sleep(self._switches.party_slow_s)
            await self._converse()

    async def _converse(self) -> None:
        await self._say("220 smtp.test sandbox")
        while True:
            line = (await self._reader.readuntil(b"\n")).decode("utf-8", "replace").strip()
            verb, _, rest = line.partition(" ")
            if verb.upper() == "QUIT":
                await self._say("221 2.0.0 bye")
                return
            if verb.upper() == "STARTTLS" and self._tls is not None:
                await self._say("220 2.0.0 go ahead")
                self._forget()
                await self._writer.start_tls(self._tls)
                self._tls = None
            else:
                await self._say(*await self._answer(verb.upper(), rest.strip()))

    async def _answer(self, verb: str, rest: str) -> tuple[str, ...]:
        match verb:
            case "EHLO":
                self._forget()
                offered = ("250-STARTTLS",) if self._tls is not None else ()
                return "250-smtp.test", "250-8BITMIME", "250-SMTPUTF8", *offered, f"250 SIZE {MOST_BYTES}"
            case "HELO" | "RSET":
                self._forget()
                return ("250 smtp.test",)
            case "NOOP":
                return ("250 2.0.0 ok",)
            case "MAIL":
                return (self._mail(rest),)
            case "RCPT":
                return (self._recipient(rest),)
            case "DATA":
                return (await self._data(),)
        return ("500 5.5.2 unknown",)

    def _mail(self, rest: str) -> str:
        found = _PATH.fullmatch(rest)
        if found is None:
            return "501 5.5.4 syntax"
        self._forget()
        self._from = found[1]
        return "250 2.1.0 ok"

    def _recipient(self, rest: str) -> str:
        found = _PATH.fullmatch(rest)
        if self._from is None or found is None or len(self._to) >= MOST_RECIPIENTS:
            return "503 5.5.1 not now"
        if self._switches.party(PARTY) == "refusing":
            return "550 5.7.1 refused by policy"
        if not any(one.email == found[1].lower() for one in PEOPLE):
            return f"550 5.1.1 <{found[1]}> nobody here"
        self._to.append(found[1].lower())
        return "250 2.1.5 ok"

    async def _data(self) -> str:
        if not self._to:
            return "503 5.5.1 no recipient"
        await self._say("354 end with a dot")
        raw = await self._body()
        if raw is None:
            return "552 5.3.4 too large"
        message = message_from_bytes(raw, policy=default)
        for address in self._to:
            self._mails.deliver(address, message, self._clock.now())
        self._forget()
        return "250 2.0.0 delivered"

    async def _body(self) -> bytes | None:
        """Without the dots that were stuffed (RFC 5321 section 4.5.2); None where it is too large."""
        found, size = [], 0
        while (line := await self._reader.readuntil(b"\n")) not in (b".\r\n", b".\n"):
            size += len(line)
            if size <= MOST_BYTES:
                found.append(line[1:] if line.startswith(b".") else line)
        return b"".join(found) if size <= MOST_BYTES else None

    def _forget(self) -> None:
        self._from, self._to = None, []

    async def _say(self, *lines: str) -> None:
        self._writer.write("".join(f"{line}\r\n" for line in lines).encode())
        await self._writer.drain()
