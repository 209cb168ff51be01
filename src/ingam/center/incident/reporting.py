"""A report as it is received: counted, put down, answered. Whether anybody matched is not known here (E11, F8).

The request looks nobody up: it makes one transaction, always the same, and the outbox compares afterwards (see
`suspending`). So neither the answer nor its time can tell a customer from nobody, and what was reported survives a
crash. The number is kept as a keyed digest alone.
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Protocol

import msgspec

from ingam.center.incident.forms import CODE_DIGITS, Report
from ingam.customer.session import Session
from ingam.kernel.errors import Refusal
from ingam.kernel.secret import Secret
from ingam.ports.clock import Clock
from ingam.ports.ephemeral import Ceiling, Ephemeral
from ingam.ports.keys import Digests
from ingam.ports.store import AlreadyUsed, Audit, Count, Issue, NotIssued, Outgoing, Save, Store, Use

REPORTED: Final = "incident-report"
"""The outbox kind of a report."""

HOUR_S: Final = 3600
SHOWN_S: Final = 1800
"""How long the page of a report can be opened again."""

ID_BYTES: Final = 16


class IncidentLimits(Protocol):
    """Counts and seconds."""

    @property
    def incidents_an_hour(self) -> int: ...
    @property
    def address_incidents_an_hour(self) -> int: ...
    @property
    def sms_ttl_s(self) -> int: ...
    @property
    def sms_tries(self) -> int: ...


class IncidentsCrowded(Refusal):
    """Too many reports of one ID, or from one device or network; 118 takes them at any hour."""

    code = "incident-crowded"


class IncidentOver(Refusal):
    """There is nothing to confirm any more, or never was, in this session."""

    code = "incident-over"


class IncidentCodeWrong(Refusal):
    """Another number was sent, or none; fact `n`, tries left."""

    code = "incident-code-wrong"


class Reported(msgspec.Struct, frozen=True):
    """What the outbox carries, sealed. `number`: a keyed digest; `code`: to be sent if somebody matches, or "".

    `which`: a word of `forms.Lost`; a report of before there was a choice meant the joint certificate.
    """

    report: str
    banking_id: str
    number: str
    code: str
    lang: str
    which: str = "joint"


class _Kept(msgspec.Struct, frozen=True):
    """What the ledger keeps of a report. `digest`: of the code, or ""; `subject`: the pseudonym of the typed ID."""

    at: datetime
    until: datetime
    digest: str
    subject: str


@dataclass(frozen=True, slots=True)
class Received:
    """A report as its page shows it. `until`: to when it can be confirmed; None: nobody asked, done, or over."""

    report: str
    at: datetime
    until: datetime | None
    confirmed: bool


class Reports:
    """The counter at which reports are handed in."""

    def __init__(
        self, store: Store, ephemeral: Ephemeral, clock: Clock, digests: Digests, limits: IncidentLimits,
        token: Callable[[int], bytes] = secrets.token_bytes, below: Callable[[int], int] = secrets.randbelow,
    ) -> None:  # fmt: skip
        self._store = store
        self._ephemeral = ephemeral
        self._clock = clock
        self._digests = digests
        self._limits = limits
        self._token = token
        self._below = below

    async def receive(self, told: Report, session: Session, address: str, lang: str) -> str:
        """The id of the report. Raises IncidentsCrowded, EphemeralOutage, StoreOutage."""
        subject = self._digests.digest("banking-id", told.banking_id)
        await self._admit(subject, session, address)
        report, now = self._token(ID_BYTES).hex(), self._clock.now()
        made = f"{self._below(10**CODE_DIGITS):0{CODE_DIGITS}d}"  # drawn in any case: the same work for everybody
        kept = _Kept(
            now, now + timedelta(seconds=self._limits.sms_ttl_s),
            self._digest(report, Secret(made)) if told.telephone else "", subject,
        )  # fmt: skip
        sent = Reported(
            report, told.banking_id, number_digest(self._digests, told.banking_id, told.idn),
            made if told.telephone else "", lang, str(told.which),
        )  # fmt: skip
        issue = Issue(
            _kinds(session)[0], report, now + timedelta(seconds=SHOWN_S), msgspec.json.encode(kept).decode()
        )  # fmt: skip
        outgoing = Outgoing(REPORTED, msgspec.json.encode(sent), f"{REPORTED}:{report}", now)
        line = self._line("incident.report", "ok", subject, session, address, now)
        await self._store.save(Save(ledger=[issue], outbox=[outgoing], audit=[line]))
        return report

    async def shown(self, report: str, session: Session) -> Received:
        """A report of this browser. Raises IncidentOver."""
        _, kept, used = await self._kept(report, session)
        open_until = kept.until if kept.digest and not used and self._clock.now() < kept.until else None
        return Received(report, kept.at, open_until, used)

    async def confirm(self, report: str, code: Secret[str], session: Session, address: str) -> None:
        """The registered telephone confirms: it is recorded, and changes nothing else. The try is counted before.

        Raises IncidentOver, IncidentCodeWrong {n}.
        """
        now = self._clock.now()
        kind, kept, used = await self._kept(report, session)
        if used or not kept.digest or now >= kept.until:
            raise IncidentOver
        tries = await self._store.count(Count(f"incident-try:{report}", HOUR_S, self._limits.sms_tries, now))
        if tries > self._limits.sms_tries:
            raise IncidentOver
        if not hmac.compare_digest(kept.digest, self._digest(report, code)):
            wrong = IncidentCodeWrong(n=self._limits.sms_tries - tries)
            line = self._line("incident.confirm", wrong.code, kept.subject, session, address, now)
            await self._store.save(Save(audit=[line]))
            raise wrong
        line = self._line("incident.confirm", "ok", kept.subject, session, address, now)
        try:
            await self._store.save(Save(ledger=[Use(kind, report, now)], audit=[line]))
        except (AlreadyUsed, NotIssued):
            raise IncidentOver from None

    async def _admit(self, subject: str, session: Session, address: str) -> None:
        """By ID, device and network, in one step before the work (F9); an unknown ID counts like any other (F8)."""
        most = self._limits.incidents_an_hour
        full = await self._ephemeral.admit(
            Ceiling("person", f"incident-id:{subject}", HOUR_S, most),
            Ceiling("device", f"incident-device:{session.device or session.session}", HOUR_S, most),
            Ceiling("network", f"incident:{address}", HOUR_S, self._limits.address_incidents_an_hour),
        )
        if full is not None:
            raise IncidentsCrowded(cause=full.whose)

    async def _kept(self, report: str, session: Session) -> tuple[str, _Kept, bool]:
        for kind in _kinds(session) if report else ():
            row = await self._store.issued(kind, report)
            if row is not None and row.expires_at > self._clock.now():
                return kind, msgspec.json.decode(row.facts, type=_Kept), row.used_at is not None
        raise IncidentOver

    def _digest(self, report: str, code: Secret[str]) -> str:
        return self._digests.digest("incident-code", f"{report}:{code.reveal()}")

    def _line(
        self, action: str, result: str, subject: str, session: Session, address: str, now: datetime
    ) -> Audit:  # fmt: skip
        return Audit(now, action, result, subject, session.session, self._digests.digest("address", address))


def number_digest(digests: Digests, banking_id: str, idn: Secret[str]) -> str:
    """What stands for a number between the report and its comparison."""
    return digests.digest("incident-number", f"{banking_id}:{idn.reveal()}")


def _kinds(session: Session) -> tuple[str, ...]:
    """One ledger kind a browser: another browser's report is simply unknown. By its device cookie, where it has one: a
    report ends the session that was opened by the certificate, and its page has to be found afterwards."""
    by_session = f"incident:{session.session}"
    return (by_session,) if session.device is None else (f"incident:{session.device}", by_session)
