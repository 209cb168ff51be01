"""A center and two authorities, ours and another, with a clock that a test moves by days.

Real: both authorities with their books, endpoints, six-month rule and publishers; the store, outbox and worker;
issuance from ⑤ on, renewal, 인증서관리, 사고신고 and 회복, fees with the sandbox's provider over HTTP in memory, the
nightly re-check and the reminders. Narrower than the real thing, because ten thousand people do it: a run of 신규발급
begins at its ⑤ (nobody proves a name, a card or an account), additional authentication is a proof that was issued
beside the flow, and a registration is the transaction of its checks 11 and 12. Nothing is asked of a web page.
"""

from __future__ import annotations

import hashlib
import io
import re
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import Any, Final, cast

import msgspec
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from tests.ca.endpoint.asking import confirmation, revoke
from tests.ca.world import (
    IMPLICIT,
    HeldKey,
    Holder,
    by_certificate,
    by_code,
    certificates,
    counting,
    held,
    only_certificate,
    registrar,
    request,
    vid_of,
)
from tests.ca.world import World as Ca
from tests.ca.world import world as ca_world
from tests.center.issuance.vault import Vault
from tests.clocks import SetClock
from tests.ports.outside import Outside, outside
from tests.year.plan import REASONS, START, Authority, Buying, Kind, Life

from ingam.adapters.ars.recording import RecordingArs
from ingam.adapters.blind_index.in_memory import InMemoryBlindIndex
from ingam.adapters.certification.cmp import CmpCertification, RegistrationAuthority
from ingam.adapters.customers.fields import CustomerFields
from ingam.adapters.customers.passwords import Passwords
from ingam.adapters.customers.tables import TableCustomers
from ingam.adapters.directory.folder import FolderDirectory
from ingam.adapters.ephemeral.in_process import InProcessEphemeral
from ingam.adapters.hsm.file import open_keys
from ingam.adapters.payment.http import HttpPayments
from ingam.adapters.regions.file import FileRegions
from ingam.adapters.store import open_store
from ingam.ca.facts import Facts
from ingam.ca.notices import opened as opened_notice
from ingam.ca.profiles import Operation, preset
from ingam.ca.profiles.profile import KeyRules, Profile
from ingam.ca.publishing.lists import ListIssuer, plan_of
from ingam.ca.publishing.publisher import Publisher
from ingam.center.incident import service as incident
from ingam.center.incident.flow import INCIDENT, RESUME
from ingam.center.incident.reporting import REPORTED, Reported, number_digest
from ingam.center.incident.suspending import to_authority
from ingam.center.issuance.account import Accounting, AccountPorts
from ingam.center.issuance.delivery import Delivery
from ingam.center.issuance.flow import ISSUANCE
from ingam.center.issuance.identity import Parts
from ingam.center.issuance.issuing import Issuing
from ingam.center.issuance.products import Offer
from ingam.center.issuance.states import AwaitingKey, Door
from ingam.center.issuance.states import Kind as Running
from ingam.center.issuance.walks import Walks as IssuanceWalks
from ingam.center.management import service as management
from ingam.center.management.flow import MANAGEMENT, PURPOSES
from ingam.center.management.flow import Kind as Managing
from ingam.center.renewal import service as renewal
from ingam.center.renewal.walks import Ports as RenewalPorts
from ingam.center.task.flow import FactorAnswered, Task
from ingam.center.task.walks import Feature, Walks
from ingam.center.terms.registry import Registry
from ingam.center.walks import Turn, Visit, With
from ingam.customer.additional_auth import Purpose
from ingam.customer.additional_auth.flow import Answered
from ingam.customer.additional_auth.proof import new_proof
from ingam.customer.additional_auth.service import AdditionalAuth
from ingam.customer.binding.bindings import Bindings, ToBind
from ingam.customer.consent import Consents
from ingam.customer.device.acts import ActProofs
from ingam.customer.finance.bindings import FinanceBindings
from ingam.customer.notice import EMAIL, SMS, Notices, Sender, Words, deliver_sms
from ingam.customer.notice.wishes import ToldCustomers, Wish, Wishes
from ingam.customer.payment import Fees, PaymentDeclined
from ingam.customer.session import Level, Session
from ingam.kernel.errors import Outage
from ingam.kernel.instants import KST
from ingam.kernel.secret import Secret
from ingam.kernel.words import say
from ingam.npki import certificate, policies
from ingam.npki.certificate import Certificate
from ingam.page import set_up_log
from ingam.ports.books import State
from ingam.ports.customers import Customer, CustomerKind, NewCustomer
from ingam.ports.sms import Sms, SmsOutage
from ingam.ports.status import (
    Authorities,
    Good,
    IssuingAuthority,
    Revoked,
    Source,
    Status,
    StatusList,
    StatusUnavailable,
    Suspended,
    Unknown,
)
from ingam.ports.store import Claimed, FlowSave, Insert, Outgoing, Row, Save
from ingam.protocols.cmp import message
from ingam.protocols.cmp.message import BodyKind
from ingam.run.expiring import expiring
from ingam.run.incidents import incident_deliveries
from ingam.run.managing import management_deliveries
from ingam.run.paying import payment_deliveries
from ingam.run.recheck import recheck
from ingam.run.renewing import renewal_deliveries
from ingam.run.worker import once
from ingam.sandbox.payment import PaymentProvider
from ingam.settings import Settings
from ingam.wiring import CenterPorts
from ingam.wiring.parties import PartyPorts

CENTER: Final = "http://localhost:8700"
CMP: Final = "http://ca.ingam.test/.well-known/cmp"
DAWN, NIGHT, MORNING, NOON, EVENING = time(0, 30), time(7, 30), time(9), time(10), time(20)
LOST: Final = 10
"""Of so many messages one is sent and its answer is lost."""

PRODUCTS: Final = {"securities": "gold", "universal": "universal"}


class Nowhere(io.StringIO):
    """A log that nobody reads."""

    def write(self, text: str, /) -> int:
        return len(text)


class Telephones:
    """`ports.sms.SmsSender`: what each number heard, by the day in Korea and which notice it was.

    As providers do, it sends one message for one reference; and of some the answer is lost, so that they come again.
    """

    def __init__(self, clock: SetClock) -> None:
        self._clock = clock
        self.heard: dict[str, Counter[tuple[int, str]]] = defaultdict(Counter)
        self.references: Counter[str] = Counter()

    async def send(self, sms: Sms) -> str:
        day = (self._clock.now().astimezone(KST).date() - START).days
        self.references[sms.reference] += 1
        if self.references[sms.reference] == 1:
            self.heard[sms.to][day, read_as(sms.text)] += 1
            if len(self.references) % LOST == 0:
                raise SmsOutage
        return sms.reference


_FACTS: Final = ("institution", "authority", "use", "date", "time", "tel", "days")
_KEYS: Final = (
    "registered", "replaced", "released", "issued", "reissued", "renewed", "superseded", "revoked", "held",
    "suspended", "resumed", "found-revoked", "found-expired", "found-suspended", "expires", "expires-elsewhere",
    "expires-today", "expires-today-elsewhere",
)  # fmt: skip


def _shape(key: str) -> re.Pattern[str]:
    """A text of the words as a pattern."""
    marks = {name: f"@{name}@" for name in _FACTS}
    text = re.escape(say(key, "ko", **marks))
    for name in _FACTS:
        text = text.replace(f"@{name}@", f"(?P<{name}>.+?)", 1).replace(f"@{name}@", ".+?")
    return re.compile(text)


_BY_CENTER: Final = {key: _shape(f"notice.{key}") for key in _KEYS}
_BY_AUTHORITIES: Final = {key: _shape(f"ca.{key}") for key in ("issued", "revoked", "held", "resumed", "contact")}


def read_as(text: str, shapes: Mapping[str, re.Pattern[str]] = _BY_CENTER) -> str:
    """`expires 14 elsewhere`: which notice a person reads in a message."""
    for key, shape in shapes.items():
        found = shape.fullmatch(text)
        if found is not None:
            name, where, _ = key.partition("-elsewhere")
            days = found.groupdict().get("days")
            return name + (f" {days}" if days else "") + (" elsewhere" if where else "")
    return f"unknown: {text}"


class Wire:
    """Between center and our authority (`HttpPost`); each message is of another source."""

    def __init__(self, ca: Ca) -> None:
        self.ca, self.sent, self.away = ca, 0, False

    async def post(self, url: str, body: bytes, content_type: str, limit: int) -> bytes:
        self.sent += 1
        if self.away:
            raise Outage("outgoing")
        _, answer = await self.ca.endpoint.answer(body, f"198.51.{self.sent // 200 % 200}.{self.sent % 200}")
        return answer


class Statuses:
    """`ports.status.StatusChecker` that asks the books of whichever authority it is."""

    def __init__(self, books: dict[bytes, Ca]) -> None:
        self._books, self.asked = books, 0
        self.silent: bytes | None = None

    async def check(self, person: Certificate, issuer: Certificate, *, fresh: bool, at: datetime) -> Status:
        self.asked += 1
        if issuer.subject.raw == self.silent:
            raise StatusUnavailable("status-unreachable")
        found = self._books[issuer.subject.raw].books.standing(1, person.serial)
        if found is None:
            return Unknown(Source.OCSP, at)
        match found.state:
            case State.REVOKED:
                return Revoked(Source.OCSP, at, found.changed_at or at, str(found.reason))
            case State.HELD:
                return Suspended(Source.OCSP, at, found.changed_at or at)
            case _:
                return Good(Source.OCSP, at)

    async def whole_list(self, issuer: Certificate, partition: str, at: datetime) -> StatusList:
        raise StatusUnavailable("status-not-configured")

    async def root_list(self, issuer: Certificate, at: datetime) -> tuple[frozenset[int], datetime]:
        return frozenset(), at + timedelta(days=1)


@dataclass
class Held:
    """What a person holds: certificates in the order they came, each with its key, and who they are."""

    customer: Customer
    papers: list[tuple[Certificate, HeldKey]] = field(default_factory=list)
    runs: int = 0
    visits: int = 0


@dataclass
class World:
    """Everything that lives through the year."""

    clock: SetClock
    here: Ca
    elsewhere: Ca
    there: Holder
    ports: CenterPorts
    around: Outside
    phones: Telephones
    statuses: Statuses
    wire: Wire
    folder: Path
    people: dict[int, Held] = field(default_factory=dict)
    charges: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        given, settings = self.ports, Settings(mode="test", center_origin=CENTER)
        limits, sender = settings.limits, Sender(settings.institution)
        self.random, self.notices, self.limits = counting(9_000_000), Notices(sender), limits
        self.bindings = Bindings(given.store, given.digests, given.fields, self.random)
        assert given.certification is not None and given.parties is not None and given.parties.payments is not None
        terms = Registry.read(None, production=False)
        consents = Consents(terms, given.store, self.random)
        walks = IssuanceWalks(given, limits)
        parts = Parts(given.store, given.digests, given.fields, consents)
        accounting = Accounting(walks, parts, cast(AccountPorts, None), limits)
        fees = Fees(given.store, given.parties.payments, given.digests)
        offer = Offer(walks, parts, given.certification, self.bindings, ("gold", "universal"), fees=True)
        self.issuing = Issuing(
            walks, parts, given.certification, accounting, offer, CENTER, settings.institution.name_ko, fees
        )
        self.delivery = Delivery(walks, parts, given.certification, accounting, self.bindings, self.notices)
        self.renewing = renewal.Renewing(
            RenewalPorts(
                given.store, given.clock, given.customers, given.digests, given.fields, given.certification
            ),
            limits, consents, self.bindings, self.notices, CENTER, fees,
        )  # fmt: skip
        nobody = cast(AdditionalAuth, None)
        ports = management.Ports(given.store, given.clock, given.customers, given.digests, given.certification)
        self.management = management.Management(
            ports, limits, auth=nobody, acts=cast(ActProofs, None), bindings=self.bindings, notices=self.notices,
            sender=sender, hold=to_authority,
        )  # fmt: skip
        self.resuming = incident.Resuming(
            incident.Ports(given.store, given.clock, given.customers, given.digests, True), limits, auth=nobody,
            bindings=self.bindings, finance=FinanceBindings(given.store, given.digests, given.fields),
            notices=self.notices,
        )  # fmt: skip
        locked = self.notices.registration_locked
        self.managed = Walks(ports, limits, Feature(MANAGEMENT, PURPOSES, locked))
        self.resumed = Walks(ports, limits, Feature(INCIDENT, {RESUME.kind: Purpose.RESUME}, locked))
        self.expiring, self.recheck = expiring(settings, given), recheck(settings, given)
        self.provider = PaymentProvider(self.around.box.payments, self.around.box.switches, self.clock, "")
        self.handlers = {SMS: deliver_sms(self.phones), EMAIL: _no_mail}
        self.handlers |= management_deliveries(given) | incident_deliveries(settings, given)
        self.handlers |= payment_deliveries(settings, given)
        self.handlers |= renewal_deliveries(settings, given)
        self.publishers = {name: self._publisher(name, ca) for name, ca in self.authorities.items()}

    @property
    def authorities(self) -> dict[str, Ca]:
        return {Authority.HERE: self.here, Authority.ELSEWHERE: self.elsewhere}

    def _publisher(self, name: str, ca: Ca) -> Publisher:
        authority, issuer = ca.office.authority, ca.office.issuers[0]
        lists = ListIssuer(1, issuer.certificate, ca.keys["issuing"], plan_of(authority))
        places = [FolderDirectory(self.folder / name / "published")]
        (self.folder / name / "published").mkdir()
        return Publisher(authority, [lists], ca.books, places, self.folder / name / "lists", self.clock)

    # the day

    def at(self, day: int, hour: time) -> None:
        self.clock.at = datetime.combine(START + timedelta(days=day), hour, KST).astimezone(UTC)

    async def deliver(self) -> None:
        """What the worker does, until nothing is due."""
        while await once(self.ports.store, self.handlers, self.clock):
            pass
        self.charges |= {key: one.charges for key, one in self.around.box.payments.rows.items() if one.charges}

    async def night(self, *, silent: bool) -> None:
        """`silent`: the authority elsewhere does not answer."""
        self.statuses.silent = certificates("signkorea")[1].subject.raw if silent else None
        await self.recheck.once()
        self.statuses.silent = None

    async def morning(self) -> None:
        await self.expiring.once()
        await self.deliver()

    async def evening(self) -> None:
        """What time ends at both authorities, and what they may forget."""
        for ca in self.authorities.values():
            while await ca.revoking.sweep():
                pass
            await ca.books.forget(self.clock.now())

    def lists(self) -> dict[str, dict[int, int]]:
        """Serial numbers and reasons of every revocation list that is published now, by authority.

        The list of everything has to say what the partitions say together.
        """
        return {name: self._listed(name, publisher) for name, publisher in self.publishers.items()}

    def _listed(self, name: str, publisher: Publisher) -> dict[int, int]:
        failed = [one for one in publisher.publish_now().outcomes if one.code is not None]
        assert not failed, failed[:3]
        whole: dict[int, int] = {}
        parts: dict[int, int] = {}
        for path in (self.folder / name / "published").glob("*.crl"):
            crl = x509.load_der_x509_crl(path.read_bytes())
            if any(one.oid == x509.DeltaCRLIndicator.oid for one in crl.extensions):
                continue
            (parts if path.name.startswith("dp") else whole).update({one.serial_number: _reason(one) for one in crl})
        assert parts == whole
        return whole

    # the people

    async def enrol(self, life: Life) -> None:
        number = f"{life.number:06}"
        idn, mobile = Secret(f"7510051{number}"), f"0108{number}0"
        one = Customer(f"c-{number}", CustomerKind.PERSONAL, f"year{number}", "홍길동", idn, mobile)
        await self.ports.customers.enrol(NewCustomer(one, Secret("우리-Secret-77")))
        self.people[life.number] = Held(one)
        if life.silent:
            wish = Wish("ko", mails=True, expiry=False, logins=False)
            wishes = Wishes(self.ports.store, self.ports.fields)
            await self.ports.store.save(Save(rows=[await wishes.wish(one.customer_id, wish, self.clock.now())]))

    def _visit(self, one: Held) -> Visit:
        one.visits += 1
        now = self.clock.now()
        name = hashlib.sha256(f"{one.customer.customer_id} {one.visits}".encode()).hexdigest()
        device = hashlib.sha256(one.customer.customer_id.encode()).hexdigest()
        session = Session(name, Level.ID, one.customer.customer_id, "", device, now, now, now + timedelta(hours=1))
        return Visit(session, "192.0.2.1", "ko")

    def _key(self) -> HeldKey:
        return HeldKey("person", generate_private_key(SECP256R1()))

    # what happens to them

    async def begin(self, life: Life) -> None:
        one = self.people[life.number]
        if life.authority is Authority.ELSEWHERE:
            await self._issued_there(one, life)
            await self._register(one)
            return
        product = PRODUCTS[life.product]
        if life.costs and life.buying is Buying.GIVEN_BACK:
            await self._run(one, product, gives_back=True)
        if life.costs and life.buying is Buying.LEFT:
            await self._run(one, product, leaves=True)
        await self._run(one, product, declined=life.costs and life.buying is Buying.DECLINED)

    async def event(self, life: Life) -> None:
        one = self.people[life.number]
        match life.kind:
            case Kind.RENEWED:
                await self._renew(one)
            case Kind.REISSUED:
                await self._run(one, PRODUCTS[life.product], kind=Running.REISSUE)
            case Kind.ISSUED_OVER:
                await self._run(one, PRODUCTS[life.product])
            case Kind.BOTH:
                await self._run(one, "universal")
            case Kind.MOVED:
                await self._run(one, "gold")
            case Kind.REVOKED | Kind.ISSUED_AFTER:
                await self._manage(one, Managing.REVOCATION, life.reason)
            case Kind.RENEWED_THERE:
                await self._renew_alone(one)
            case Kind.RESUMED | Kind.LAPSED | Kind.REISSUED_HELD | Kind.REVOKED_HELD | Kind.REPORTED_TWICE:
                await (self._report(one) if life.by_report else self._manage(one, Managing.SUSPENSION))
            case Kind.RELEASED | Kind.REGISTERED_AGAIN:
                await self._manage(one, Managing.RELEASE)
            case Kind.REVOKED_THERE:
                await self._end_there(one, REASONS[life.reason])
            case Kind.SUSPENDED_THERE | Kind.RESUMED_THERE | Kind.MOVED_HELD:
                await self._hold_there(one, 6)
            case Kind.REISSUED_THERE:
                await self._issued_there(one, life, operation=Operation.REISSUE)
            case Kind.EXPIRES | Kind.ISSUED_LATE:
                pass

    async def dawn(self, life: Life) -> None:
        await self._run(self.people[life.number], PRODUCTS[life.product])

    async def following(self, life: Life) -> None:
        one = self.people[life.number]
        match life.kind:
            case Kind.RESUMED:
                await self._resume(one)
            case Kind.RESUMED_THERE:
                await self._hold_there(one, 8)
                if await self.bindings.suspended(one.customer) is not None:
                    await self._resume(one)
            case Kind.REISSUED_HELD:
                await self._run(one, PRODUCTS[life.product], kind=Running.REISSUE)
            case Kind.REVOKED_HELD:
                await self._manage(one, Managing.REVOCATION, life.reason)
            case Kind.ISSUED_AFTER:
                await self._run(one, PRODUCTS[life.product])
            case Kind.REPORTED_TWICE:
                await self._end_there(one, REASONS[life.reason])
            case Kind.MOVED_HELD:
                await self._run(one, "gold")
            case Kind.REISSUED_THERE | Kind.REGISTERED_AGAIN | Kind.RENEWED_THERE:
                await self._register(one)

    async def _run(
        self, one: Held, product: str, *, kind: Running = Running.NEW, gives_back: bool = False, leaves: bool = False,
        declined: bool = False,
    ) -> None:  # fmt: skip
        """신규발급 or 재발급 from ⑤ on."""
        visit, store, now = self._visit(one), self.ports.store, self.clock.now()
        one.runs += 1
        state = AwaitingKey(Door(visit.session.session, visit.session.device, now, kind))
        customer_id, expires = one.customer.customer_id, now + timedelta(seconds=self.limits.flow_ttl_s)
        flow = FlowSave(
            f"{ISSUANCE.name}:{customer_id}:{one.runs}", ISSUANCE.name, 0, ISSUANCE.dump(state), visit.session.session,
            customer_id, expires,
        )  # fmt: skip
        card: Row = {
            "image_id": self.random(16).hex(), "flow_id": flow.flow_id, "customer_id": customer_id, "kind": "resident",
            "image": b"", "taken_at": now, "delete_at": expires,
        }  # fmt: skip
        await store.save(Save(flow=flow, rows=[Insert("id_card_image", card)]))
        vault = Vault(self._key(), self.random)
        spki = vault.make(await self.issuing.told(visit))
        turn = Turn(one.runs, await self.issuing.key_made(visit, Turn(one.runs, 1), spki))
        codes = await self._chosen(visit, turn, product, leaves=leaves, declined=declined)
        if codes is None:
            return
        ip = await self.delivery.carry(visit, one.runs, vault.ask(codes))
        said = vault.decline(ip) if gives_back else vault.confirm(ip)
        pkiconf = await self.delivery.carry(visit, one.runs, said)
        if not gives_back:
            vault.finish(pkiconf)
        one.papers.append((certificate.parse(only_certificate(message.parse(ip))), vault.key))

    async def _chosen(
        self, visit: Visit, turn: Turn, product: str, *, leaves: bool, declined: bool
    ) -> dict[str, str] | None:
        """⑥, with its fee: the codes; None of who pays and goes away."""
        told = await self.issuing.choose(visit, turn, product, agreed=True)
        if "pay" not in told:
            return told
        self.provider.decided(told["pay"].rpartition("/")[2], allowed=not declined)
        if leaves:
            return None
        try:
            told = await self.issuing.choose(visit, turn, product, agreed=True)
            assert not declined
            return told
        except PaymentDeclined:
            assert declined
        self.clock.forward(1)  # payments of one run are told apart by when they were opened
        return await self._chosen(visit, turn, product, leaves=False, declined=False)

    async def _renew(self, one: Held) -> None:
        visit, key, (old, old_key) = self._visit(one), self._key(), one.papers[-1]
        run, spki = (await self.renewing.here(visit)).run, hashlib.sha256(key.public.spki).hexdigest()
        version, _ = await self.renewing.key_made(visit, run, spki, old.fingerprint.hex())
        ticks = {document.code: document.tick("ko") for document in self.renewing.documents()}
        told = await self.renewing.agree(visit, Turn(run, version), ticks)
        if "pay" in told:
            self.provider.decided(told["pay"].rpartition("/")[2], allowed=True)
            told = await self.renewing.agree(visit, Turn(run, version), ticks)
        assert "pay" not in told
        holder = by_certificate(self.here, old.der, old_key)
        sent = holder.compose(request(key, BodyKind.KUR, encrypted=vid_of(self.here)))
        kup = message.parse(_answer(await self.renewing.carry(visit, run, sent)))
        await self.renewing.carry(visit, run, confirmation(holder, kup))
        one.papers.append((certificate.parse(only_certificate(kup)), key))

    async def _renew_alone(self, one: Held) -> None:
        """By a program of the holder's own, at the authority."""
        (old, old_key), key = one.papers[-1], self._key()
        body = request(key, BodyKind.KUR, encrypted=vid_of(self.here))
        answer = await self.here.ask(by_certificate(self.here, old.der, old_key).compose(body, infos=IMPLICIT))
        one.papers.append((certificate.parse(only_certificate(answer)), key))

    async def _manage(self, one: Held, kind: Managing, reason: str = "") -> None:
        visit = self._visit(one)
        binding = await self.bindings.standing(one.customer)
        assert binding is not None
        target = f"{binding.binding_id}:{reason}" if kind is Managing.REVOCATION else binding.binding_id
        await self.management.begin(visit, Task(kind, target))
        if kind is not Managing.SUSPENSION:
            await self._prove(self.managed, visit)
        here = await self.management.here(visit)
        await self.management.finish(visit, Turn(here.run, here.version), None)

    async def _prove(self, walks: Walks, visit: Visit) -> None:
        """Additional authentication, as it is when it has succeeded."""
        walk = await walks.walk(visit, await walks.settled(visit))
        proof = new_proof(walk.bound, walk.now, self.limits.proof_ttl_s, self.random)
        event = FactorAnswered(Answered(proof.proof_id, proof.expires_at))
        await walks.save(walk, event, "factor", With(ledger=[proof.issue]))

    async def _report(self, one: Held) -> None:
        """사고신고, as its form leaves it for the outbox."""
        name, report = one.customer.banking_id, self.random(16).hex()
        told = Reported(report, name, number_digest(self.ports.digests, name, one.customer.idn), "", "ko")
        outgoing = Outgoing(REPORTED, msgspec.json.encode(told), f"report:{report}", self.clock.now())
        await self.ports.store.save(Save(outbox=[outgoing]))

    async def _resume(self, one: Held) -> None:
        visit = self._visit(one)
        await self.resuming.begin(visit)
        await self._prove(self.resumed, visit)
        here = await self.resuming.here(visit)
        await self.resuming.resume(visit, Turn(here.run, here.version))

    async def _register(self, one: Held) -> None:
        """Checks 11 and 12 of a registration."""
        found, customer, now = one.papers[-1][0], one.customer, self.clock.now()
        policy = policies.lookup(found.issuer, found.policy_oid)
        known = await self.ports.customers.by_id(customer.customer_id)
        assert policy is not None and known is not None
        replaces = await self.bindings.standing(customer)
        visit = self._visit(one)
        change = await self.bindings.change(ToBind(customer, found, policy, now, visit.session.session), replaces)
        notices = self.notices.registered(
            known, use=Words(policy.name_ko, policy.name_en), not_after=found.not_after, at=now,
            replaced=replaces is not None, dedup=f"registered:{change.binding_id}",
        )  # fmt: skip
        await self.ports.store.save(Save(rows=change.rows, outbox=notices))

    # elsewhere

    async def _issued_there(self, one: Held, life: Life, operation: Operation = Operation.ISSUE) -> None:
        ca, key = self.elsewhere, self._key()
        facts = Facts(name=one.customer.name, idn=one.customer.idn, mobile=one.customer.mobile)
        registered = await ca.register(life.product, facts, operation=operation)
        holder = by_code(ca, registered)
        asked = holder.compose(request(key, encrypted=vid_of(ca)), infos=IMPLICIT)
        answer = await ca.ask(asked, f"203.0.{life.number // 200 % 200}.{life.number % 200}")
        one.papers.append((certificate.parse(only_certificate(answer)), key))

    async def _end_there(self, one: Held, reason: int) -> None:
        """By its holder, who signs."""
        found, key = one.papers[-1]
        answer = await self.elsewhere.ask(
            by_certificate(self.elsewhere, found.der, key).compose(revoke(found.der, reason))
        )
        assert answer.body.kind is BodyKind.RP

    async def _hold_there(self, one: Held, reason: int) -> None:
        """By the authority's own RA: 6 holds, 8 resumes."""
        answer = await self.elsewhere.ask(self.there.compose(revoke(one.papers[-1][0].der, reason)))
        assert answer.body.kind is BodyKind.RP

    # what is there at the end

    async def ties(self) -> dict[str, list[tuple[str, str]]]:
        """Fingerprint and status of every binding, by customer."""
        found: dict[str, list[tuple[str, str]]] = defaultdict(list)
        for row in await self._rows("binding"):
            found[str(row["customer_id"])].append((str(row["fingerprint"]), str(row["status"])))
        return found

    async def fees(self) -> dict[str, list[tuple[str, str]]]:
        """Key and stage of every payment, by customer."""
        found: dict[str, list[tuple[str, str]]] = defaultdict(list)
        for row in await self._rows("payment"):
            found[str(row["customer_id"])].append((str(row["key"]), str(row["stage"])))
        return found

    async def _rows(self, table: str, **where: str | None) -> list[Row]:
        return await self.ports.store.many(table, where, limit=10_000_000)

    def told_by_authorities(self) -> dict[str, Counter[str]]:
        """Which notices the authorities themselves wrote to each number."""
        found: dict[str, Counter[str]] = defaultdict(Counter)
        for ca in self.authorities.values():
            for _, notice in ca.books.notices(self.clock.now(), 1_000_000):
                sms = opened_notice(ca.office, notice)
                found[sms.to][read_as(sms.text, _BY_AUTHORITIES)] += 1
        return found

    async def undelivered(self) -> list[str]:
        """What is still in the outbox."""
        return [str(row["dedup"]) for row in await self._rows("outbox", delivered_at=None)]

    async def silences(self) -> int:
        """How often the operators were told that an authority does not answer."""
        return len(await self._rows("audit", action="recheck.authority"))

    async def refused(self) -> Counter[tuple[str, str]]:
        """Action and result of every audit line of something that did not succeed."""
        lines = await self._rows("audit")
        return Counter((str(row["action"]), str(row["result"])) for row in lines if row["result"] not in ("ok", "done"))

    def issuer(self, one: Certificate) -> Authority:
        ours = certificates("ingam")[1].subject.raw
        return Authority.HERE if one.issuer.raw == ours else Authority.ELSEWHERE

    def state(self, one: Certificate) -> str:
        found = self.authorities[self.issuer(one)].books.standing(1, one.serial)
        return "unknown" if found is None else str(found.state.value)


def _answer(carried: object) -> bytes:
    """The authority's answer, alone or with what the center says beside it."""
    found = getattr(carried, "message", carried)
    assert isinstance(found, bytes)
    return found


async def _no_mail(claimed: Claimed) -> None:
    raise AssertionError("nobody here has an e-mail address")


def _reason(one: x509.RevokedCertificate) -> int:
    try:
        flag = one.extensions.get_extension_for_class(x509.CRLReason).value.reason
    except x509.ExtensionNotFound:
        return 0
    return _FLAGS[flag]


_FLAGS: Final = {
    x509.ReasonFlags.key_compromise: 1, x509.ReasonFlags.ca_compromise: 2, x509.ReasonFlags.affiliation_changed: 3,
    x509.ReasonFlags.superseded: 4, x509.ReasonFlags.cessation_of_operation: 5,
    x509.ReasonFlags.certificate_hold: 6, x509.ReasonFlags.remove_from_crl: 8,
}  # fmt: skip


@asynccontextmanager
async def opened(url: str, folder: Path) -> AsyncIterator[World]:
    """Everything as it stands before the first day."""
    set_up_log(Nowhere())
    for name in ("outside", *Authority):
        (folder / name).mkdir()
    around = outside(folder / "outside")
    clock = around.clock
    clock.at = datetime.combine(START, time(6), KST).astimezone(UTC)
    here = ca_world(folder / Authority.HERE, authority=_ours(), clock=clock)
    elsewhere = ca_world(
        folder / Authority.ELSEWHERE, preset_name="signkorea", authority=_signkorea(), clock=clock
    )  # fmt: skip
    ra, there = await registrar(here), await registrar(elsewhere)
    keys = open_keys(folder / "keys" / "center.key")
    store, passwords = open_store(url, keys.outbox), Passwords(cheap=True)
    wire, fields = Wire(here), CustomerFields(store, keys.fields)
    known, books = {}, {}
    for name, ca in (("ingam", here), ("signkorea", elsewhere)):
        root, above, *_ = certificates(name)
        known[above.fingerprint] = IssuingAuthority(name, above, root, (), "http://ocsp.test", "", "http://arl.test")
        books[above.subject.raw] = ca
    root, above, speaker, _ = certificates("ingam")
    center_ra = RegistrationAuthority(certificate.parse(ra.extra[0]), (above.der, root.der), held("ra", 101))
    payments = HttpPayments("http://localhost:1/pay-api", secret=Secret("k"), transport=around.transport)
    none = cast(Any, None)
    phones, statuses = Telephones(clock), Statuses(books)
    index = InMemoryBlindIndex(Secret(bytes(32)), clock, ceiling=1_000_000)
    ports = CenterPorts(
        store=store, clock=clock, ephemeral=InProcessEphemeral(clock), digests=keys.digests,
        customers=ToldCustomers(
            TableCustomers(store, keys.fields, keys.digests, index, passwords, clock), Wishes(store, fields)
        ),
        fields=fields, authorities=Authorities(known), status=statuses, sms=phones, ars=RecordingArs(),
        tickets=keys.tickets, regions=FileRegions(()),
        certification=CmpCertification(
            CMP, "http://localhost:8703", wire, center_ra, (speaker,), clock, counting(5_000_000)
        ),
        parties=PartyPorts(none, none, none, none, none, none, none, payments),
    )  # fmt: skip
    world = World(clock, here, elsewhere, there, ports, around, phones, statuses, wire, folder)
    try:
        yield world
    finally:
        await payments.aclose()
        passwords.close()
        await store.close()
        for ca in (here, elsewhere):
            await ca.shut()
        around.box.phones.close()
        around.box.deposits.close()
        around.box.mails.close()


def _ours() -> Any:
    """Its preset. The center's own certificate, an RA's, outlives the simulation."""
    given = preset("ingam")
    return replace(given, profiles={name: _longer(one) for name, one in given.profiles.items()})


def _signkorea() -> Any:
    """Its preset, with lists of a thousand and keys that are quickly made."""
    given = preset("signkorea")
    rules = KeyRules(frozenset({"rsa", "p-256"}))
    profiles = {name: replace(_longer(one), keys=rules) for name, one in given.profiles.items()}
    return replace(given, profiles=profiles, partition_size=1000, serial_bytes=16)


def _longer(one: Profile) -> Profile:
    return replace(one, years=2) if one.name == "ra" else one
