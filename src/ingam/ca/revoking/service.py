"""Revoking (폐지), suspending (효력정지), resuming (회복), on behalf (폐지 대행), and what time ends by itself.

    revoking.1 decided    .2 recorded
A change is recorded before anybody is told of it; OCSP of this machine says it in its very next answer.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
from calendar import monthrange
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from ingam.ca.notices import status_notice
from ingam.ca.office import Office
from ingam.ca.revoking import approval, changes, statement
from ingam.ca.revoking.statement import Operator, Signed
from ingam.kernel.errors import Outage, Refusal
from ingam.kernel.instants import KST
from ingam.kernel.steps import reach
from ingam.ports.books import AuditLine, Certificate, Notice, StandingRefused, State, StatusChange
from ingam.protocols.cmp.on_behalf import OperatorSignature
from ingam.protocols.webauthn import RelyingParty

SUSPENDED_MONTHS: Final = 6
ON_BEHALF: Final = "revoke-on-behalf"
ON_BEHALF_AN_HOUR: Final = 20
"""Beyond it somebody is emptying the books: refused, and the alarm counter rises (security D14)."""


class CertificateUnknown(Refusal):
    """This authority never issued a certificate of that serial."""

    code = "ca-certificate-unknown"


class OnBehalfCeiling(Outage):
    """Too many revocations on behalf in an hour; nothing was revoked and the alarm is raised."""

    code = "ca-on-behalf-ceiling"


class Revoking:
    """The service. `alarms` counts what an operator should look at."""

    def __init__(self, office: Office) -> None:
        self._office = office
        self.alarms = 0
        self._on_behalf = asyncio.Lock()

    def find(self, ca: int, serial: int) -> Certificate:
        """The certificate of a serial. Raises CertificateUnknown."""
        found = self._office.books.certificate(ca, serial)
        if found is None:
            raise CertificateUnknown
        return found

    async def revoke(self, one: Certificate, reason: int, *, by: str) -> Certificate:
        """End it for a CRLReason number (not 6 or 8). Raises StandingRefused (ended already), BooksOutage."""
        return await self._change(self.revocation(one, reason, by=by))

    def revocation(self, one: Certificate, reason: int, *, by: str) -> StatusChange:
        """The change that `revoke` records, for who records it together with an answer."""
        at = self._office.now()
        return changes.revoked(
            self._office, one, reason, at, action=f"revoke-by-{by}", notices=self._notices(one, State.REVOKED, at)
        )

    async def suspend(self, one: Certificate, *, by: str) -> Certificate:
        """효력정지. Raises StandingRefused unless it is valid."""
        return await self._change(self.suspension(one, by=by))

    def suspension(self, one: Certificate, *, by: str) -> StatusChange:
        """The change that `suspend` records."""
        at, notices = self._office.now(), self._notices(one, State.HELD, self._office.now())
        return changes.held(self._office, one, at, action=f"suspend-by-{by}", notices=notices)

    async def resume(self, one: Certificate, *, by: str) -> Certificate:
        """회복, within six months; the end date does not move. Raises StandingRefused unless it is held."""
        return await self._change(self.resumption(one, by=by))

    def resumption(self, one: Certificate, *, by: str) -> StatusChange:
        """The change that `resume` records. Raises StandingRefused after six months: it is as good as revoked."""
        at = self._office.now()
        if one.state is State.HELD and one.changed_at is not None and one.changed_at <= six_months_before(at):
            raise StandingRefused(found="held-too-long")
        notices = self._notices(one, State.VALID, at)
        return changes.released(self._office, one, at, action=f"resume-by-{by}", notices=notices)

    async def on_behalf(
        self, text: bytes, signatures: Sequence[Signed], operators: Mapping[str, Operator]
    ) -> Certificate:
        """End a certificate on two operators' statement (security D14).

        Raises StatementRefused, CertificateUnknown, OnBehalfCeiling, StandingRefused, BooksOutage.
        """
        office, at = self._office, self._office.now()
        try:
            stated, persons = statement.verify(text, signatures, operators, authority=office.authority.key, at=at)
        except Refusal as refused:
            await office.books.audit(AuditLine(at, ON_BEHALF, refused.code, json.dumps(refused.facts)))
            raise
        async with self._on_behalf:  # counted and recorded before the next is counted
            await self._bounded(at)
            one = self.find(stated.ca, stated.serial)
            return await self._ended(one, stated.reason, stated.basis, persons, at)

    async def on_approval(
        self, text: bytes, signatures: Sequence[OperatorSignature], operators: Mapping[str, Operator],
        console: RelyingParty,
    ) -> Certificate:  # fmt: skip
        """End a certificate on a change that two operators of the console signed (security D14, G3).

        The very text that ended it may be told again, at any time: the answer to the first may be lost on its way.
        Raises StatementRefused, CertificateUnknown, OnBehalfCeiling, StandingRefused, BooksOutage.
        """
        if (done := self._done_by(text)) is not None:
            return done
        office, at = self._office, self._office.now()
        try:
            key = office.authority.key
            approved, persons = approval.verify(text, signatures, operators, console, authority=key, at=at)
            one = self._exactly(approved.serial, approved.fingerprint)
        except Refusal as refused:
            await office.books.audit(AuditLine(at, ON_BEHALF, refused.code, json.dumps(refused.facts)))
            raise
        async with self._on_behalf:
            await self._bounded(at)
            try:
                return await self._ended(one, approved.reason, approved.basis, persons, at, digest=_digest(text))
            except StandingRefused:
                # Another process of this authority may have carried out the same approval meanwhile.
                if (done := self._done_by(text)) is not None:
                    return done
                raise

    def _done_by(self, text: bytes) -> Certificate | None:
        """The certificate that an approval of these bytes has ended, if one has; its signatures were checked then."""
        try:
            approved = approval.parse(text)
            one = self._exactly(approved.serial, approved.fingerprint)
        except Refusal:
            return None
        if one.state is not State.REVOKED or one.changed_at is None:
            return None
        lines = self._office.books.audited_at(ON_BEHALF, one.changed_at)
        return one if any(json.loads(line.facts).get("approval") == _digest(text) for line in lines) else None

    def _exactly(self, serial: int, fingerprint: bytes) -> Certificate:
        """The certificate of a serial, of whichever generation, that has this SHA-256. Raises CertificateUnknown."""
        for issuer in reversed(self._office.issuers):
            found = self._office.books.certificate(issuer.generation.number, serial)
            if found is not None and hashlib.sha256(found.der).digest() == fingerprint:
                return found
        raise CertificateUnknown

    async def _bounded(self, at: datetime) -> None:
        """Raises OnBehalfCeiling, and the alarm."""
        office = self._office
        if office.books.audited(ON_BEHALF, at - timedelta(hours=1)) >= ON_BEHALF_AN_HOUR:
            self.alarms += 1
            await office.books.audit(AuditLine(at, "alarm", "ca-on-behalf-ceiling"))
            raise OnBehalfCeiling

    async def _ended(
        self, one: Certificate, reason: str, basis: str, persons: Sequence[Operator], at: datetime, digest: str = ""
    ) -> Certificate:
        change = changes.revoked(
            self._office, one, statement.BY_NAME[reason], at, action=ON_BEHALF,
            notices=self._notices(one, State.REVOKED, at),
        )  # fmt: skip
        facts = {**json.loads(change.audit.facts), "by": [person.name for person in persons], "basis": basis}
        facts |= {"approval": digest} if digest else {}
        return await self._change(_with_facts(change, facts))

    async def sweep(self) -> int:
        """What time ends: unconfirmed certificates, and holds of six months. Returns how many it ended."""
        office, ended = self._office, 0
        at = office.now()
        for one in office.books.overdue(at, six_months_before(at)):
            action = "unconfirmed" if one.state is State.PENDING else "held-six-months"
            notices = [] if one.state is State.PENDING else self._notices(one, State.REVOKED, at)
            change = changes.revoked(
                office, one, changes.CESSATION, at, action=action, expected=frozenset({one.state}), notices=notices
            )
            try:
                await office.books.change(change)
            except StandingRefused:
                continue  # confirmed, released or ended by somebody else meanwhile
            ended += 1
        return ended

    async def _change(self, change: StatusChange) -> Certificate:
        reach("revoking.1")
        await self._office.books.change(change)
        reach("revoking.2")
        found = self._office.books.certificate_by_id(change.id)
        assert found is not None
        return found

    def _notices(self, one: Certificate, state: State, at: datetime) -> list[Notice]:
        return status_notice(self._office, one, state, at)


def six_months_before(at: datetime) -> datetime:
    """The same day six months earlier in Korea, or the last one of a shorter month."""
    local = at.astimezone(KST)
    year, month = divmod(local.year * 12 + local.month - 1 - SUSPENDED_MONTHS, 12)
    day = min(local.day, monthrange(year, month + 1)[1])
    return local.replace(year=year, month=month + 1, day=day).astimezone(at.tzinfo)


def _digest(text: bytes) -> str:
    """What an approval is known by in the books, also after its certificate has ended."""
    return hashlib.sha256(text).hexdigest()


def _with_facts(change: StatusChange, facts: dict[str, object]) -> StatusChange:
    return replace(change, audit=replace(change.audit, facts=json.dumps(facts)))
