"""E-mail by SMTP (RFC 5321) with aiosmtplib: one connection a message, STARTTLS or TLS from the start where set.

The Message-ID is made of the reference alone, so a message that is sent again is recognised as the same one. What is
raised names the kind of failure and the server's status, never an address or a text (security H1).
"""

from __future__ import annotations

import asyncio
import hashlib
import re
import ssl
from email.message import EmailMessage
from email.policy import SMTP as WIRE
from email.utils import format_datetime, formataddr
from enum import StrEnum
from typing import Final

import aiosmtplib

from ingam.adapters.outgoing import Breaker
from ingam.adapters.outgoing.breaker import Event
from ingam.kernel.instants import KST
from ingam.kernel.secret import Secret
from ingam.ports.clock import Clock
from ingam.ports.email import Email, EmailOutage

ANSWER_S: Final = 10.0
"""Seconds for the whole conversation."""

_ONE_ADDRESS: Final = re.compile(r"[^\s@<>(),;:\"\\\[\]]{1,64}@[A-Za-z0-9.-]{1,189}")


class Tls(StrEnum):
    """NONE is for a server on this machine; STARTTLS is asked for and required; TLS is from the start (port 465)."""

    NONE = "none"
    STARTTLS = "starttls"
    TLS = "tls"


class SmtpEmail:
    """`ports.email.EmailSender` at one configured server. `sender`: the address in From, `name`: beside it.

    `trust`: whose certificates the server's is checked against; the machine's own where it is not given.
    """

    def __init__(
        self,
        host: str,
        port: int,
        *,
        sender: str,
        name: str,
        clock: Clock,
        tls: Tls = Tls.STARTTLS,
        user: str | None = None,
        password: Secret[str] | None = None,
        trust: ssl.SSLContext | None = None,
        answer_s: float = ANSWER_S,
        breaker: Breaker | None = None,
    ) -> None:
        self._host, self._port, self._tls = host, port, tls
        self._sender, self._name = sender, name
        self._user, self._password, self._trust = user, password, trust
        self._clock = clock
        self._answer_s = answer_s
        self._breaker = breaker or Breaker()

    async def send(self, email: Email) -> None:
        """One conversation; the caller's worker tries again."""
        message = self._message(email)
        given = self._breaker.admit()
        if given is None:
            raise EmailOutage(cause="breaker-open")
        event = Event.GAVE_UP
        try:
            await self._within(message, email.to)
            event = Event.ANSWERED
        except EmailOutage as outage:
            event = Event.ANSWERED if outage.facts["cause"] == "refused" else Event.OUTAGE
            raise
        finally:
            self._breaker.settle(given, event)

    async def _within(self, message: EmailMessage, to: str) -> None:
        try:
            async with asyncio.timeout(self._answer_s):
                await self._spoken(message, to)
        except TimeoutError:  # aiosmtplib's own are of this kind too
            raise EmailOutage(cause="timeout") from None
        except aiosmtplib.SMTPRecipientsRefused as refused:
            raise EmailOutage(cause="refused", status=refused.recipients[0].code) from None
        except aiosmtplib.SMTPResponseException as answered:
            # Only its number: the server's words repeat the address.
            cause = "refused" if answered.code >= 500 else "status"
            raise EmailOutage(cause=cause, status=answered.code) from None
        except (aiosmtplib.SMTPException, OSError, ValueError) as error:
            raise EmailOutage(cause=type(error).__name__) from None

    async def _spoken(self, message: EmailMessage, to: str) -> None:
        client = aiosmtplib.SMTP(
            hostname=self._host, port=self._port, timeout=self._answer_s, local_hostname="localhost",
            use_tls=self._tls is Tls.TLS, start_tls=self._tls is Tls.STARTTLS, username=self._user or None,
            tls_context=self._trust,
            password=self._password.reveal() if self._user and self._password is not None else None,
        )  # fmt: skip
        async with client:
            await client.send_message(message, sender=self._sender, recipients=[to])

    def _message(self, email: Email) -> EmailMessage:
        """Plain text in UTF-8. Line ends in an address or a subject would begin a header: such a message is refused."""
        message = EmailMessage(policy=WIRE)
        if not _ONE_ADDRESS.fullmatch(email.to):
            raise EmailOutage(cause="message-malformed")
        try:
            message["From"] = formataddr((self._name, self._sender))
            message["To"] = email.to
            message["Subject"] = email.subject
            message["Date"] = format_datetime(self._clock.now().astimezone(KST))
            message["Message-ID"] = message_id(email.reference, self._sender)
            message["Auto-Submitted"] = "auto-generated"
            message.set_content(email.text, charset="utf-8", cte="base64")
        except (ValueError, LookupError, UnicodeError, IndexError):
            raise EmailOutage(cause="message-malformed") from None
        return message


def message_id(reference: str, sender: str) -> str:
    """The same for the same reference, and the reference is not in it."""
    return f"<{hashlib.sha256(reference.encode()).hexdigest()[:40]}@{sender.rpartition('@')[2] or 'localhost'}>"
