"""Issuing: check → prepare → lint → record the intent → sign → record → answer; a crash anywhere is resumed.

    issuing.1 checked    .2 prepared    .3 linted    .4 intent recorded    .5 signed    .6 answer made    .7 recorded

The exact to-be-signed bytes lie in the intent before anything is signed, so that after a crash the same request signs
the same bytes: there is one certificate or none, and never a signed one without a record.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from ingam.ca.facts import Facts
from ingam.ca.issuing import as_asked
from ingam.ca.issuing.keys import AcceptedKey, check_key
from ingam.ca.issuing.lint import lint
from ingam.ca.issuing.names import hosts_of, real_name_of, subject_of
from ingam.ca.issuing.registering import applicant
from ingam.ca.issuing.template import new_serial
from ingam.ca.issuing.vid import vid_of
from ingam.ca.log import entries
from ingam.ca.notices import issued_notice
from ingam.ca.office import Office
from ingam.ca.profiles import Operation, Profile, validity
from ingam.ca.revoking import changes
from ingam.kernel.errors import Refusal
from ingam.kernel.steps import reach
from ingam.npki import shapes
from ingam.ports.books import (
    Answer,
    AuditLine,
    Certificate,
    Confirmed,
    IntentGone,
    IssueIntent,
    Recorded,
    StatusChange,
    SupersessionStale,
    TransactionInUse,
)
from ingam.ports.signing import Intent
from ingam.protocols.cmp.template import CertTemplate
from ingam.protocols.log.commitment import SALT

CONFIRM_WITHIN: Final = timedelta(minutes=10)

TRIES: Final = 3
"""Somebody else's confirmation may come between the question and the transaction."""


class KeyNotRegistered(Refusal):
    """The key is not the one that the RA registered (security D1)."""

    code = "ca-key-not-registered"


@dataclass(frozen=True, slots=True, repr=False)
class Holder:
    """For whom: from a registration, or from the certificate that a kur renews (`replaces`, `old_not_after`).

    `as_asked`: the wishes that a conformance suite sees granted, on a sandbox's authority alone.
    """

    profile: Profile
    operation: Operation
    facts: Facts
    person: bytes | None
    reference: str | None = None
    spki_hash: bytes | None = None
    replaces: int | None = None
    old_not_after: datetime | None = None
    as_asked: CertTemplate | None = None


@dataclass(frozen=True, slots=True)
class Exchange:
    """The exchange that the certificate is asked in. `sender`: 32 bytes; `request_hash`: SHA-256 of the request.

    `implicit`: implicitConfirm was asked and is granted. `answer`: makes the protected answer for a certificate's DER,
    and the senderNonce that stands in it. `kept_for`: how long the answer may be repeated (D9). `body`, `request_id`:
    the PKIBody number of the answer and its certReqId, for whoever answers later. `follows`: this request polls for
    an intent that stands. `confirm_within`: an unconfirmed certificate is given up then, and the old one stands.
    """

    sender: bytes
    transaction: bytes
    request_hash: bytes
    implicit: bool
    answer: Callable[[bytes], Awaitable[tuple[bytes, bytes]]]
    kept_for: timedelta
    body: int
    request_id: int
    follows: bool = False
    confirm_within: timedelta = CONFIRM_WITHIN


class Issuing:
    """The service. One of it in a process; twins of one request share one signature."""

    def __init__(self, office: Office) -> None:
        self._office = office
        self._running: dict[tuple[bytes, bytes], asyncio.Future[bytes]] = {}

    async def issue(self, exchange: Exchange, holder: Holder, spki: bytes, encrypted: bytes | None) -> bytes:
        """The answer with the new certificate. `spki`: DER, proven to be the requester's; `encrypted`: EncryptedVID.

        Raises KeyRefused, KeyNotRegistered, KeyInUse, CmpRefused (the EncryptedVID), TransactionInUse,
        RegistrationUsed, UpdateUnfinished, LintFailed, NameRefused, refusals of `validity`, SigningOutage, BooksOutage.
        """
        key = (exchange.transaction, exchange.request_hash)
        running = self._running.get(key)
        if running is not None:
            return await asyncio.shield(running)
        mine = self._running[key] = asyncio.get_running_loop().create_future()
        try:
            answer = await self._issue(exchange, holder, spki, encrypted)
        except BaseException as wrong:
            mine.set_exception(wrong)
            mine.exception()  # nobody may be waiting for it
            raise
        else:
            mine.set_result(answer)
            return answer
        finally:
            del self._running[key]

    async def _issue(self, exchange: Exchange, holder: Holder, spki: bytes, encrypted: bytes | None) -> bytes:
        books = self._office.books
        intent = books.intent(exchange.transaction)
        if intent is None:
            intent = await self._prepare(exchange, holder, spki, encrypted)
            try:
                await books.intend(intent)
            except TransactionInUse:
                intent = books.intent(exchange.transaction)  # another process has the twin
        if intent is None or intent.request_hash != exchange.request_hash:
            return self._repeated(exchange)
        reach("issuing.4")
        return await self._sign(exchange, intent, holder.facts)

    def _repeated(self, exchange: Exchange) -> bytes:
        """The answer to the twin of this request, if one was given meanwhile."""
        found = self._office.books.answered(exchange.transaction, exchange.request_hash)
        if found is None:
            raise TransactionInUse
        return found

    async def _prepare(self, exchange: Exchange, holder: Holder, spki: bytes, encrypted: bytes | None) -> IssueIntent:
        office, profile = self._office, holder.profile
        accepted = check_key(spki, profile.keys)
        if holder.spki_hash is not None and accepted.sha256 != holder.spki_hash:
            raise KeyNotRegistered
        vid = None
        if profile.identified:
            run = asyncio.get_running_loop().run_in_executor
            vid = await run(office.threads, vid_of, office, profile, holder.facts.idn, encrypted)
        reach("issuing.1")
        generation, at = office.issuer.generation, office.now()
        partition = office.authority.partition_number(office.books.count_of(generation.number))
        serial = new_serial(office.random, office.authority.serial_bytes)
        if holder.as_asked is not None:
            tbs, begins, ends = as_asked.tbs(
                office, profile, holder.as_asked, serial=serial, spki=spki, partition=partition
            )
            as_asked.lint(tbs)
        else:
            tbs, begins, ends = self._made(holder, accepted, serial, partition, vid)
        reach("issuing.3")
        return IssueIntent(
            exchange.sender, exchange.transaction, exchange.request_hash, holder.reference, generation.number, serial,
            profile.name, profile.policy, holder.person, partition, begins, ends,
            accepted.sha256, tbs, hashlib.sha256(tbs).digest(), at, exchange.body, exchange.request_id,
            exchange.implicit, holder.replaces,
        )  # fmt: skip

    def _made(
        self, holder: Holder, accepted: AcceptedKey, serial: int, partition: int, vid: bytes | None
    ) -> tuple[bytes, datetime, datetime]:
        """The exact to-be-signed bytes from the profile's template, linted, and their validity."""
        office, profile, who = self._office, holder.profile, applicant(holder.facts)
        generation = office.issuer.generation
        until = validity(profile, office.now(), holder.operation, holder.old_not_after, within=generation.validity)
        times = (until.not_before, until.not_after)
        template = office.template(profile, generation.number, partition)
        subject, real_name = subject_of(office.authority, profile, who), real_name_of(profile, who)
        hosts, spki = hosts_of(profile, who), accepted.spki
        tbs = template.fill(serial, *times, subject, spki, accepted.key_id, real_name, vid, hosts)
        reach("issuing.2")
        lint(tbs, template.expect(serial, *times, subject, spki, real_name, vid, hosts))
        return tbs, *times

    async def resume(self, exchange: Exchange, intent: IssueIntent, facts: Facts | None) -> bytes:
        """The answer of an intent that waited for its signature. Raises SigningOutage, BooksOutage."""
        return await self._sign(exchange, intent, facts)

    async def _sign(self, exchange: Exchange, intent: IssueIntent, facts: Facts | None) -> bytes:
        office = self._office
        issuer = office.issuer_of(intent.ca)
        signature = await office.sign(issuer.signer, Intent(intent.tbs, intent.digest))
        der = shapes.assemble(intent.tbs, signature, issuer.generation.algorithm)
        reach("issuing.5")
        answer, nonce = await exchange.answer(der)
        reach("issuing.6")
        try:
            await self._record(exchange, intent, facts, der, answer, nonce)
        except IntentGone:
            return self._repeated(exchange)
        reach("issuing.7")
        return answer

    async def _record(
        self, exchange: Exchange, intent: IssueIntent, facts: Facts | None, der: bytes, answer: bytes, nonce: bytes
    ) -> None:
        office, at = self._office, self._office.now()
        leaf = entries.issued(intent.ca, intent.serial, der, at, office.random(SALT))
        told = json.dumps({"ca": intent.ca, "serial": f"{intent.serial:x}", "profile": intent.profile})
        kept = Answer(
            exchange.sender, exchange.transaction, exchange.request_hash, answer, nonce, at + exchange.kept_for,
            exchange.follows,
        )  # fmt: skip
        notices = [issued_notice(office, facts, intent, at)] if facts is not None and facts.mobile else []
        for _ in range(TRIES):
            recorded = Recorded(
                intent, der, kept, leaf, AuditLine(at, "issue", "ok", told),
                exchange.implicit, None if exchange.implicit else at + exchange.confirm_within,
                self._superseded(intent, at) if exchange.implicit else None, notices,
            )  # fmt: skip
            try:
                await office.books.record(recorded)
            except SupersessionStale:
                continue
            return
        raise SupersessionStale

    async def confirm(self, pending: Certificate, answer: Answer) -> None:
        """certConf accepted it: it is valid, and the one that it supersedes ends, in that transaction.

        Raises StandingRefused (given up meanwhile), TransactionInUse, BooksOutage.
        """
        at = self._office.now()
        line = AuditLine(at, "confirm", "ok", json.dumps({"ca": pending.ca, "serial": f"{pending.serial:x}"}))
        reach("confirming.1")
        for _ in range(TRIES):
            ended = self._superseded(pending, at)
            try:
                await self._office.books.confirm(Confirmed(pending.id, answer, at, line, ended))
            except SupersessionStale:
                continue
            reach("confirming.2")
            return
        raise SupersessionStale

    def _superseded(self, new: IssueIntent | Certificate, at: datetime) -> StatusChange | None:
        """The end of the person's one that stands; of who may have several, of the one that a kur updates."""
        books, old = self._office.books, None
        if new.person is not None:
            old = books.standing_of(new.person, new.policy)
        elif new.replaces is not None and self._office.authority.profile(new.profile).supersedes:
            old = books.certificate_by_id(new.replaces)
        if old is None or old.state not in changes.STANDING:
            return None
        return changes.revoked(self._office, old, changes.SUPERSEDED, at, action="supersede", expected=changes.STANDING)
