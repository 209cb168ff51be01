"""SMS by SMPP 3.4 straight to a carrier's SMSC: one bound line, opened when needed, with many messages under way on it.

PDUs are written by aiosmpplib's codec; the session (bind_transmitter, enquire_link, unbind, time limits, TLS) is here,
because a message's text and number may be in no log and no error (security H1), and what comes in is bounded. Korean
goes as UCS-2. A longer text goes in parts with a user data header that the telephone joins, or as one message_payload.

SMPP knows no reference: a part whose answer was lost is sent again with the next attempt, and one that was answered is
not, for as long as this process remembers it.
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl
import struct
from collections import OrderedDict
from dataclasses import dataclass, field
from hashlib import sha256
from itertools import count
from typing import Any, Final

from aiosmpplib.protocol import (
    BindTransmitter,
    EnquireLink,
    EnquireLinkResp,
    GenericNack,
    SmppMessage,
    SubmitSm,
    Unbind,
    UnbindResp,
)
from aiosmpplib.state import NPI, TON, PhoneNumber

from ingam.kernel.secret import Secret
from ingam.ports.sms import Sms, SmsOutage

ANSWER_S: Final = 5.0
ENQUIRE_S: Final = 30.0
"""How long a line may be silent before the SMSC is asked whether it is there (enquire_link)."""

SHUTDOWN_S: Final = 1.0
"""How long the end of TLS is waited for."""

LONGEST_PDU: Final = 4096
"""Bytes; answers have some eighty."""

REMEMBERED: Final = 10_000
"""Parts that were taken."""

PASSWORD_MOST: Final = 8
"""SMPP 3.4 section 5.2.2."""

_HEADER: Final = struct.Struct(">IIII")
_RESPONSE: Final = 0x80000000
_UNBIND: Final = 0x00000006
_ENQUIRE_LINK: Final = 0x00000015
_UDH: Final = 0b01000000
_DEFAULT: Final = frozenset(" ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.,:;!?'\"()*+-/<=>%&#\n")
"""What ASCII and the GSM alphabet write alike; anything else makes the whole text UCS-2."""


@dataclass(frozen=True, slots=True)
class Part:
    """What one submit_sm carries. `ucs2`: else the SMSC's default alphabet. `header`: user data header, or empty."""

    body: bytes = field(repr=False)
    ucs2: bool
    header: bytes = b""


def parts(text: str, reference: str) -> tuple[Part, ...]:
    """A text as one part, or as parts under one 8-bit reference number (3GPP TS 23.040, 9.2.3.24.1); at most 255.

    A retry of the same reference has the same number, so that the telephone joins what arrived before with the rest.
    """
    ucs2 = not set(text) <= _DEFAULT
    whole, room, step = (140, 134, 2) if ucs2 else (160, 153, 1)
    body = text.encode("utf-16-be") if ucs2 else text.encode("ascii")
    if len(body) <= whole:
        return (Part(body, ucs2),)
    pieces, at = [], 0
    while at < len(body):
        end = at + room - (room % step)
        if ucs2 and end < len(body) and 0xD8 <= body[end - 2] <= 0xDB:
            end -= 2  # a pair of surrogates stays together
        pieces.append(body[at:end])
        at = end
    number = sha256(reference.encode()).digest()[0]
    return tuple(
        Part(piece, ucs2, bytes((5, 0, 3, number, len(pieces), place))) for place, piece in enumerate(pieces, 1)
    )


class SmppSms:
    """`ports.sms.SmsSender` at one SMSC. `long`: `udh` or `payload`. `tls`: None speaks in clear (a tunnel's end)."""

    def __init__(
        self,
        host: str,
        port: int,
        *,
        system_id: str,
        password: Secret[str],
        sender: str,
        long: str = "udh",
        tls: ssl.SSLContext | None = None,
        answer_s: float = ANSWER_S,
        enquire_s: float = ENQUIRE_S,
    ) -> None:
        self._host, self._port, self._tls = host, port, tls
        self._system_id, self._password = system_id, password
        self._sender = PhoneNumber(sender, TON.NATIONAL, NPI.ISDN)
        self._long = long
        self._answer_s, self._enquire_s = answer_s, enquire_s
        self._line: _Line | None = None
        self._opening = asyncio.Lock()
        self._taken: OrderedDict[str, str] = OrderedDict()

    async def send(self, sms: Sms) -> str:
        ids = [await self._submit(f"{sms.reference} {place}", part) for place, part in enumerate(self._written(sms), 1)]
        return ids[0]

    async def aclose(self) -> None:
        """Unbind and close the line."""
        if self._line is not None:
            await self._line.unbind()
            self._line = None

    def _written(self, sms: Sms) -> list[SubmitSm]:
        try:
            found = parts(sms.text, sms.reference)
            if self._long == "payload" and len(found) > 1:
                return [self._message(sms, message_payload=sms.text)]
            return [self._part(sms, part) for part in found]
        except ValueError:
            raise SmsOutage(cause="unsendable") from None  # the codec's words may hold the number

    def _part(self, sms: Sms, part: Part) -> SubmitSm:
        message = self._message(sms, short_message=sms.text, esm_class=_UDH if part.header else 0)
        message.encoding = "ucs2" if part.ucs2 else None
        message.set_encoded_message(part.header + part.body)
        return message

    def _message(self, sms: Sms, **words: Any) -> SubmitSm:
        to = PhoneNumber(sms.to, TON.NATIONAL, NPI.ISDN)
        ucs2 = None if set(sms.text) <= _DEFAULT else "ucs2"
        return SubmitSm(source=self._sender, destination=to, registered_delivery=0, encoding=ucs2, **words)

    async def _submit(self, part: str, message: SubmitSm) -> str:
        if part in self._taken:
            return self._taken[part]
        try:
            async with asyncio.timeout(self._answer_s):
                line = await self._bound()
            status, body = await line.ask(message)
        except (OSError, TimeoutError) as error:
            raise SmsOutage(cause=type(error).__name__) from None
        if status != 0:
            raise SmsOutage(cause="refused", status=f"{status:08x}")
        given = self._taken[part] = body.partition(b"\0")[0].decode("ascii", "replace")[:64]
        while len(self._taken) > REMEMBERED:
            self._taken.popitem(last=False)
        return given

    async def _bound(self) -> _Line:
        """The line; a new one where there is none, or where the old one is lost."""
        async with self._opening:
            if self._line is None or self._line.lost:
                self._line = None
                line = await _Line.open(self._host, self._port, self._tls, self._answer_s, self._enquire_s)
                try:
                    await self._bind(line)
                except BaseException:
                    line.close()
                    raise
                self._line = line
            return self._line

    async def _bind(self, line: _Line) -> None:
        asked = BindTransmitter(system_id=self._system_id, password=self._password.reveal())
        status, _ = await line.ask(asked)
        if status != 0:
            raise SmsOutage(cause="bind-refused", status=f"{status:08x}")


class _Line:
    """One connection: requests and answers met by their sequence numbers; lost for good at the first fault."""

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, answer_s: float, enquire_s: float
    ) -> None:
        self._reader, self._writer = reader, writer
        self._answer_s, self._enquire_s = answer_s, enquire_s
        self._waiting: dict[int, asyncio.Future[tuple[int, bytes]]] = {}
        self._numbers = count(1)
        self.lost = False
        self._tasks = [asyncio.create_task(self._read()), asyncio.create_task(self._keep())]

    @classmethod
    async def open(cls, host: str, port: int, tls: ssl.SSLContext | None, answer_s: float, enquire_s: float) -> _Line:
        """Connect. Raises OSError."""
        over_tls: dict[str, Any] = (
            {"ssl": tls, "server_hostname": host, "ssl_shutdown_timeout": SHUTDOWN_S} if tls else {}
        )
        reader, writer = await asyncio.open_connection(host, port, limit=LONGEST_PDU, **over_tls)
        return cls(reader, writer, answer_s, enquire_s)

    async def ask(self, message: SmppMessage) -> tuple[int, bytes]:
        """Status and body of the answer. Raises SmsOutage, and loses the line, where none comes in time."""
        if self.lost:
            raise SmsOutage(cause="line-lost")
        message.sequence_num = number = next(self._numbers)
        answer: asyncio.Future[tuple[int, bytes]] = asyncio.get_running_loop().create_future()
        self._waiting[number] = answer
        try:
            self._write(message)
            async with asyncio.timeout(self._answer_s):
                return await answer
        except TimeoutError:
            self.close()
            self._writer.transport.abort()
            raise SmsOutage(cause="no-answer") from None
        finally:
            self._waiting.pop(number, None)

    async def unbind(self) -> None:
        """Say goodbye and close."""
        with contextlib.suppress(SmsOutage):
            await self.ask(Unbind())
        self.close()
        self._writer.transport.abort()  # everything was said; a peer that does not close TLS is not waited for
        await asyncio.gather(*self._tasks, self._writer.wait_closed(), return_exceptions=True)

    def close(self) -> None:
        """End it; whoever waits for an answer is told."""
        if self.lost:
            return
        self.lost = True
        for answer in self._waiting.values():
            if not answer.done():
                answer.set_exception(SmsOutage(cause="line-lost"))
        self._writer.close()
        for task in self._tasks:
            task.cancel()

    def _write(self, message: SmppMessage) -> None:
        self._writer.write(message.pdu())

    async def _keep(self) -> None:
        while True:
            await asyncio.sleep(self._enquire_s)
            with contextlib.suppress(SmsOutage):
                await self.ask(EnquireLink())

    async def _read(self) -> None:
        try:
            while True:
                size, command, status, number = _HEADER.unpack(await self._reader.readexactly(_HEADER.size))
                if not _HEADER.size <= size <= LONGEST_PDU:
                    break
                body = await self._reader.readexactly(size - _HEADER.size)
                if not self._heard(command, status, number, body):
                    break
        except (OSError, EOFError):
            pass
        finally:
            self.close()

    def _heard(self, command: int, status: int, number: int, body: bytes) -> bool:
        """Whether the line stays."""
        if command & _RESPONSE:
            answer = self._waiting.get(number)
            if answer is not None and not answer.done():
                answer.set_result((status, body))
        elif command == _ENQUIRE_LINK:
            self._write(EnquireLinkResp(number))
        elif command == _UNBIND:
            self._write(UnbindResp(number))
            return False
        else:
            self._write(GenericNack(number))
        return True
