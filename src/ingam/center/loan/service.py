"""대출신청 behind its pages: the text, the challenge, and ONE transaction of application, evidence and audit line."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final, Protocol

import msgspec

from ingam.center.loan.application import Application, text
from ingam.center.walks import Act, Recorder, Visit, With, told
from ingam.customer.binding.bindings import SealDetails
from ingam.customer.evidence import Evidences, EvidenceUnknown
from ingam.customer.evidence.numbering import Numbers
from ingam.customer.evidence.signing import Signing
from ingam.customer.notice import Notices
from ingam.kernel import steps
from ingam.kernel.errors import Failure, Refusal
from ingam.npki import certificate as certificates
from ingam.npki import cms, policies
from ingam.npki.certificate import Certificate
from ingam.ports.clock import Clock
from ingam.ports.customers import Customer, Customers
from ingam.ports.keys import Digests
from ingam.ports.store import Conflict, Insert, Outgoing, Row, Store
from ingam.ports.timestamps import TimestampInvalid, Timestamps
from ingam.protocols import evidence as form
from ingam.protocols.challenge import Purpose
from ingam.protocols.evidence import Evidence

TABLE: Final = "loan_application"
RECEIVED: Final = "RECEIVED"
ACTION: Final = "loan.sign"
MOST_SHOWN: Final = 20


class ReceivedAlready(Refusal):
    """The application that this page showed was received before; there is nothing more to sign."""

    code = "loan-received-already"


class InstitutionNames(Protocol):
    """The names in the text."""

    @property
    def name_ko(self) -> str: ...
    @property
    def name_en(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Line:
    """An application in a list."""

    number: str
    application: Application
    status: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Receipt:
    """What the receipt shows. `stamped_at`: the time that the time-stamp authority says, or None without one."""

    line: Line
    evidence: Evidence
    digest: str
    signer: Certificate
    use: str
    issuer: str
    stamped_at: datetime | None


@dataclass(frozen=True, slots=True)
class Ports:
    """What the service works on."""

    store: Store
    clock: Clock
    customers: Customers
    digests: Digests
    fields: SealDetails


class Loans:
    """The service. `timestamps` reads the time out of a kept stamp."""

    def __init__(
        self,
        ports: Ports,
        signing: Signing,
        evidences: Evidences,
        institution: InstitutionNames,
        notices: Notices,
        timestamps: Timestamps | None = None,
    ) -> None:
        self._store, self._clock, self._fields = ports.store, ports.clock, ports.fields
        self._recorder = Recorder(ports.store, ports.customers, ports.digests)
        self._signing, self._evidences = signing, evidences
        self._notices = notices
        self._numbers = Numbers(ports.digests, ports.clock)
        self._institution, self._timestamps = institution, timestamps

    async def customer(self, visit: Visit) -> Customer:
        """Whose session it is. Raises NotLoggedIn."""
        return await self._recorder.customer(visit.session)

    def allot(self, visit: Visit) -> str:
        """A receipt's number for one page that is read, as its form carries it."""
        return self._numbers.allot(visit.session)

    async def text(self, visit: Visit, one: Application, carried: str, lang: str) -> str:
        """What is shown and signed. `carried`: what `allot` gave; `lang`: of the page that it was read on.

        Raises NumberNotAllotted.
        """
        return self._text(await self.customer(visit), one, self._numbers.number(visit.session, carried), lang)

    def _text(self, customer: Customer, one: Application, number: str, lang: str) -> str:
        name = self._institution.name_en if lang == "en" else self._institution.name_ko
        return text(one, number, customer.name, name, lang)

    async def challenge(self, visit: Visit, one: Application, carried: str, lang: str) -> dict[str, object]:
        """For the certificate window. Raises NumberNotAllotted, ReceivedAlready, TooManyChallenges."""
        customer, body = await self.customer(visit), await self.text(visit, one, carried, lang)
        if await self._received(customer, self._numbers.number(visit.session, carried)):
            raise ReceivedAlready
        return await self._signing.challenge(customer, visit.session, visit.address, Purpose.LOAN, body, visit.lang)

    async def apply(
        self, visit: Visit, one: Application, carried: str, lang: str, nonce: str, signed: bytes
    ) -> str:  # fmt: skip
        """The application is received; the number of its receipt. What the signature's checks refuse is recorded.

        A page is received once: what comes after finds the receipt. Raises NumberNotAllotted.
        """
        customer, number = await self.customer(visit), self._numbers.number(visit.session, carried)
        if await self._received(customer, number):
            return number
        body = self._text(customer, one, number, lang)
        try:
            done = await self._signing.signed(customer, visit.session, Purpose.LOAN, body, number, nonce, signed)
        except Failure as failure:
            act = Act(visit, customer, self._clock.now(), ACTION, failure.code)
            await self._recorder.save(act, None, With(facts=told(failure)))
            raise
        evidence = done.evidence
        rows = [*done.rows, await self._row(customer, one, evidence)]
        steps.reach("loan.1")
        act = Act(visit, customer, evidence.at, ACTION)
        try:
            beside = With(rows=rows, outbox=self._told(customer, evidence), facts={"evidence": done.digest})
            await self._recorder.save(act, None, beside)
        except Conflict:
            if not await self._received(customer, number):
                raise
        steps.reach("loan.2")
        return number

    def _told(self, customer: Customer, evidence: Evidence) -> list[Outgoing]:
        """Whoever did not apply hears of it at the registered contact, once."""
        dedup = f"loan-received:{evidence.number}"
        return self._notices.tell(customer, "loan-received", at=evidence.at, dedup=dedup)

    async def _received(self, customer: Customer, number: str) -> bool:
        where: Row = {"number": number, "customer_id": customer.customer_id}
        return await self._store.one(TABLE, where) is not None

    async def _row(self, customer: Customer, one: Application, evidence: Evidence) -> Insert:
        number = evidence.number
        details = await self._fields.seal(
            customer.customer_id, TABLE, "details", number, msgspec.json.encode(_Details.of(one))
        )
        row: Row = {
            "number": number,
            "customer_id": customer.customer_id,
            "details": details,
            "status": RECEIVED,
            "at": evidence.at,
        }
        return Insert(TABLE, row)

    async def lines(self, visit: Visit) -> list[Line]:
        """This person's applications, newest first."""
        customer = await self.customer(visit)
        where: Row = {"customer_id": customer.customer_id}
        rows = await self._store.many(TABLE, where, order="at", descending=True, limit=MOST_SHOWN)
        return [await self._line(row) for row in rows]

    async def receipt(self, visit: Visit, number: str, lang: str) -> Receipt:
        """The receipt of one of this person's. Raises EvidenceUnknown."""
        customer = await self.customer(visit)
        row = await self._store.one(TABLE, {"number": number, "customer_id": customer.customer_id})
        if row is None:
            raise EvidenceUnknown
        evidence = await self._evidences.opened(number, customer.customer_id)
        signer = cms.parse(evidence.cms).certificate
        policy = policies.lookup(signer.issuer, signer.policy_oid)
        use = "" if policy is None else policy.name_en if lang == "en" else policy.name_ko
        issuer = policies.issuer_name(certificates.parse(evidence.authority).subject, lang)
        line, stamped_at = await self._line(row), self._stamped_at(evidence)
        return Receipt(line, evidence, form.digest(evidence), signer, use, issuer, stamped_at)

    async def file(self, visit: Visit, number: str) -> bytes:
        """The evidence as a file, for the person whose it is. Raises EvidenceUnknown."""
        customer = await self.customer(visit)
        return form.written(await self._evidences.opened(number, customer.customer_id))

    def _stamped_at(self, evidence: Evidence) -> datetime | None:
        if evidence.stamp is None or self._timestamps is None:
            return None
        try:
            return self._timestamps.check(evidence.stamp, form.stamped(evidence))
        except TimestampInvalid:
            return None

    async def _line(self, row: Row) -> Line:
        sealed, at, number = row["details"], row["at"], str(row["number"])
        assert isinstance(sealed, bytes) and isinstance(at, datetime)
        clear = await self._fields.open(str(row["customer_id"]), TABLE, "details", number, sealed)
        return Line(number, msgspec.json.decode(clear, type=_Details).application(), str(row["status"]), at)


class _Details(msgspec.Struct, frozen=True):
    """An application in its row."""

    kind: str
    amount: int
    months: int
    account: str

    @classmethod
    def of(cls, one: Application) -> _Details:
        return cls(one.kind, one.amount, one.months, one.account)

    def application(self) -> Application:
        return Application(self.kind, self.amount, self.months, self.account)
