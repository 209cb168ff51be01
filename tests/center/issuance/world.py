"""The whole center over real SQLite, real parties and a real authority: adapters speak to the sandbox's own application
and to an authority's own endpoint, and a `Vault` does what the browser does. Only the reader of cards is a double.
"""

from __future__ import annotations

import asyncio
import io
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import httpx2
from starlette.applications import Starlette
from tests.ca.world import (
    IMPLICIT,
    NOW,
    by_code,
    certificates,
    counting,
    held,
    only_certificate,
    registrar,
    request,
    vid_of,
)
from tests.ca.world import World as Authority
from tests.ca.world import world as authority_world
from tests.center.issuance.phone import Phone
from tests.clocks import SetClock
from tests.npki.certs import Party
from tests.ports.outside import SLOW_S, WAIT_S, Outside, outside

from ingam.adapters.address.juso import Juso
from ingam.adapters.ars.http import HttpArs
from ingam.adapters.bank.open_banking import Contract, OpenBanking
from ingam.adapters.blind_index.in_memory import InMemoryBlindIndex
from ingam.adapters.certification.cmp import CmpCertification, RegistrationAuthority
from ingam.adapters.customers.fields import CustomerFields
from ingam.adapters.customers.passwords import Passwords
from ingam.adapters.customers.tables import TableCustomers
from ingam.adapters.email.smtp import SmtpEmail, Tls
from ingam.adapters.ephemeral.in_process import InProcessEphemeral
from ingam.adapters.hsm.file import open_keys
from ingam.adapters.id_card.http import HttpIdCards
from ingam.adapters.payment.http import HttpPayments
from ingam.adapters.phone_identity.portone import PortOne
from ingam.adapters.real_name.http import HttpRealName
from ingam.adapters.regions.file import FileRegions
from ingam.adapters.sms.aligo import AligoSms
from ingam.adapters.store import open_store
from ingam.ca.facts import Facts
from ingam.customer.notice import EMAIL, SMS, deliver_email, deliver_sms
from ingam.kernel.errors import Outage
from ingam.kernel.secret import Secret
from ingam.npki import certificate
from ingam.npki.certificate import Certificate
from ingam.page import Bundle, set_up_log
from ingam.ports.books import State
from ingam.ports.card_reader import (
    MOST_BYTES,
    CardKind,
    CardNotAnImage,
    CardReaderOutage,
    CardTooLarge,
    CardUnreadable,
    Reading,
)
from ingam.ports.customers import Customer, CustomerKind, NewCustomer
from ingam.ports.email import Email
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
from ingam.ports.store import Row
from ingam.run import center
from ingam.run.paying import payment_deliveries
from ingam.run.renewing import renewal_deliveries
from ingam.run.worker import once
from ingam.sandbox.mail import Mail, MailServer
from ingam.sandbox.people import BANKING_PASSWORD, PEOPLE, Person
from ingam.settings import Limits, Settings
from ingam.wiring import CenterPorts
from ingam.wiring.parties import PartyPorts

CENTER: Final = "http://localhost:8700"
OUTSIDE: Final = "http://localhost:1"
CMP: Final = "http://ca.ingam.test/.well-known/cmp"
JPEG: Final = b"\xff\xd8\xff\xe0"
MASKED: Final = JPEG + b"a card whose back half is black"


def photograph(one: Person, kind: CardKind, **changed: str) -> bytes:
    """What the camera sends: a JPEG by its first bytes, which this reader reads the printed fields of."""
    return JPEG + json.dumps({"kind": kind, "fields": printed(one, kind) | changed}).encode()


def printed(one: Person, kind: CardKind) -> dict[str, str]:
    """The fields of a person's card, as a reader finds them."""
    if kind is CardKind.RESIDENT:
        assert one.resident_card is not None
        return {"name": one.name, "idn": one.idn, "issued_on": f"{one.resident_card.issued_on:%Y%m%d}"}
    assert one.licence is not None
    number = one.licence.number
    dashed = f"{number[:2]}-{number[2:4]}-{number[4:10]}-{number[10:]}"
    born = f"{one.birth_date:%Y%m%d}"
    return {"name": one.name, "birth_date": born, "number": dashed, "serial": one.licence.serial}


class Reader:
    """`ports.card_reader.CardReader` of `photograph`s. `away`: it does not answer."""

    def __init__(self) -> None:
        self.away = False

    async def read(self, image: bytes, kind: CardKind) -> Reading:
        if self.away:
            raise CardReaderOutage(cause="busy")
        if len(image) > MOST_BYTES:
            raise CardTooLarge(most_mib=6)
        if not image.startswith(JPEG):
            raise CardNotAnImage
        try:
            found = json.loads(image.removeprefix(JPEG))
        except ValueError:
            raise CardUnreadable from None
        fields: dict[str, str] = found["fields"]
        return Reading(kind, fields, {name: 0.5 if name == "issued_on" else 0.99 for name in fields}, MASKED)


class Wire:
    """Between center and authority (`HttpPost`). `away`: nothing arrives; `lost`: nothing comes back."""

    def __init__(self, ca: Authority) -> None:
        self.ca, self.away, self.lost = ca, False, False
        self.sent: list[bytes] = []

    async def post(self, url: str, body: bytes, content_type: str, limit: int) -> bytes:
        assert (url, content_type) == (CMP, "application/pkixcmp")
        if self.away:
            raise Outage("outgoing")
        self.sent.append(body)
        _, answer = await self.ca.endpoint.answer(body, "127.0.0.1")
        assert len(answer) <= limit
        if self.lost:
            raise Outage("outgoing")
        return answer


class Statuses:
    """`ports.status.StatusChecker` that asks the authority's own books."""

    def __init__(self, wire: Wire, clock: SetClock) -> None:
        self.wire, self.clock = wire, clock

    async def check(self, person: Certificate, issuer: Certificate, *, fresh: bool, at: datetime) -> Status:
        found = self.wire.ca.books.standing(1, person.serial)
        if found is None:
            return Unknown(Source.OCSP, at)
        if found.state is State.REVOKED:
            return Revoked(Source.OCSP, at, at, str(found.reason))
        if found.state is State.HELD:
            return Suspended(Source.OCSP, at, at)
        return Good(Source.OCSP, at)

    async def whole_list(self, issuer: Certificate, partition: str, at: datetime) -> StatusList:
        raise StatusUnavailable("status-not-configured")

    async def root_list(self, issuer: Certificate, at: datetime) -> tuple[frozenset[int], datetime]:
        return frozenset(), at.replace(year=at.year + 1)


class Mailer:
    """`ports.email.EmailSender`: SMTP to the sandbox's server, which listens while something is delivered."""

    def __init__(self, around: Outside) -> None:
        self.around = around
        self.server: MailServer | None = None
        self.port = 0
        self.starting = asyncio.Lock()

    async def send(self, email: Email) -> None:
        box = self.around.box
        async with self.starting:
            if self.server is None:
                self.server = MailServer(box.mails, box.switches, box.clock)
                self.port = await self.server.start(0)
        sender = SmtpEmail(
            "127.0.0.1", self.port, sender="no-reply@ingam.test", name="증권금융", clock=box.clock, tls=Tls.NONE
        )  # fmt: skip
        await sender.send(email)

    async def close(self) -> None:
        if self.server is not None:
            await self.server.close()


def customer(one: Person) -> Customer:
    """The institution's own record of a demo person."""
    return Customer(
        f"c-{one.key}", CustomerKind(one.kind), one.banking_id, one.name, Secret(one.idn), one.mobile,
        home_phone=one.home_phone, email=one.email, union_name=one.union_name,
    )  # fmt: skip


@dataclass
class World:
    """Everything a test touches. `restart` gives another center over the same files."""

    folder: Path
    url: str
    settings: Settings
    clock: SetClock
    around: Outside
    ca: Authority
    ra: RegistrationAuthority
    wire: Wire
    reader: Reader
    mailer: Mailer
    log: io.StringIO
    answer_s: float
    random: Callable[[int], bytes] = field(default_factory=lambda: counting(5_000_000))
    ports: CenterPorts = field(init=False)
    passwords: Passwords = field(init=False)
    app: Starlette = field(init=False)
    clients: list[httpx2.AsyncClient] = field(default_factory=list)

    def start(self) -> None:
        """A center; nothing of it is open before it is asked something."""
        clock, around = self.clock, self.around
        keys = open_keys(self.folder / "keys" / "center.key")
        store = open_store(self.url, keys.outbox)
        self.passwords = Passwords(cheap=True)
        index = InMemoryBlindIndex(Secret(bytes(32)), clock)
        root, above, speaker, _ = certificates("ingam")
        known = IssuingAuthority("ingam", above, root, (), "http://ocsp.test", "", "http://arl.test")
        self.ports = CenterPorts(
            store=store,
            clock=clock,
            ephemeral=InProcessEphemeral(clock),
            digests=keys.digests,
            customers=TableCustomers(store, keys.fields, keys.digests, index, self.passwords, clock),
            fields=CustomerFields(store, keys.fields),
            authorities=Authorities({above.fingerprint: known}),
            status=Statuses(self.wire, clock),
            sms=AligoSms(
                f"{OUTSIDE}/aligo", key=Secret("k"), user_id="u", sender="15440000", transport=around.transport
            ),
            ars=HttpArs(f"{OUTSIDE}/ars", key=Secret("k"), caller_id="15440000", transport=around.transport),
            tickets=keys.tickets,
            regions=FileRegions(()),
            certification=CmpCertification(
                CMP, "http://localhost:8703", self.wire, self.ra, (speaker,), clock, self.random
            ),
            parties=self._parties(),
        )
        self.app = center.app(self.settings, self.ports, Bundle({"center.css": "center-0.css"}))

    def _parties(self) -> PartyPorts:
        way: dict[str, Any] = {"transport": self.around.transport, "answer_s": self.answer_s}
        contract = Contract("M202600001", "client", Secret("s3cret"), Secret("1000200030004000"), Secret("phrase"))
        real_name = HttpRealName(f"{OUTSIDE}/realname", key=Secret("k3y"), **way)
        phone = PortOne(f"{OUTSIDE}/portone", secret=Secret("s3cret"), channel="channel", clock=self.clock, **way)
        cards = HttpIdCards(f"{OUTSIDE}/idcard", secret=Secret("s3cret"), **way)
        bank = OpenBanking(f"{OUTSIDE}/openbanking", contract=contract, clock=self.clock, **way)
        addresses = Juso(f"{OUTSIDE}/juso", key=Secret("k3y"), **way)
        payments = HttpPayments(f"{OUTSIDE}/pay-api", secret=Secret("s3cret"), **way)
        closing = (payments.aclose, real_name.aclose, phone.aclose, cards.aclose, bank.aclose, addresses.aclose)
        return PartyPorts(real_name, phone, self.reader, cards, bank, addresses, self.mailer, payments, closing)

    def without_payments(self) -> None:
        """A center whose institution takes no fees."""
        assert self.ports.parties is not None
        self.ports = replace(self.ports, parties=replace(self.ports.parties, payments=None))
        self.app = center.app(self.settings, self.ports, Bundle({"center.css": "center-0.css"}))

    async def stop(self) -> None:
        """The center is gone; its files, the parties and the authority stay."""
        assert self.ports.parties is not None
        for close in self.ports.parties.closing:
            await close()
        self.passwords.close()
        await self.ports.store.close()

    async def restart(self) -> None:
        """As after a crash: nothing that was in memory is there."""
        await self.stop()
        self.start()

    async def restart_authority(self) -> None:
        """The same books, and nothing that was in memory."""
        await self.ca.shut()
        self.ca = authority_world(self.folder / "authority", clock=self.clock)
        self.wire.ca = self.ca

    async def enrol(self) -> None:
        """The demo people become customers."""
        for one in PEOPLE:
            await self.ports.customers.enrol(NewCustomer(customer(one), Secret(BANKING_PASSWORD)))

    def phone(self, who: Person, key: int = 3) -> Phone:
        """A person's telephone: a browser without cookies, and the vault in it, which will make this key."""
        return Phone(self, self.client(), who=who, key=key)

    def client(self, address: str = "127.0.0.1") -> httpx2.AsyncClient:
        """Finds the center that runs now, also after a restart."""

        async def now(scope: Any, receive: Any, send: Any) -> None:
            await self.app(scope, receive, send)

        made = httpx2.AsyncClient(transport=httpx2.ASGITransport(now, client=(address, 1234)), base_url=CENTER)
        self.clients.append(made)
        return made

    async def deliver(self) -> None:
        """What the worker does: everything that is due leaves."""
        handlers = {SMS: deliver_sms(self.ports.sms), EMAIL: deliver_email(self.mailer)}
        handlers |= payment_deliveries(self.settings, self.ports) | renewal_deliveries(self.settings, self.ports)
        while await once(self.ports.store, handlers, self.clock):
            pass

    def mails(self, one: Person) -> list[Mail]:
        """A person's mailbox, newest first."""
        return self.around.box.mails.box(one.email)

    def texts(self, one: Person) -> list[str]:
        """A person's SMS, newest first."""
        return self.around.texts(one.mobile)

    def deposits(self, one: Person) -> list[str]:
        """What the statement of a person's account reads, newest first."""
        assert one.bank is not None
        return [row.print_content for row in self.around.box.deposits.statement(one.bank.bank_code, one.bank.account)]

    async def rows(self, table: str, **where: Any) -> list[Row]:
        return await self.ports.store.many(table, where, limit=1000)

    async def results(self, action: str) -> list[str]:
        """Results of the audit lines of an action, in order."""
        rows = await self.ports.store.many("audit", {"action": action}, order="seq", limit=1000)
        return [str(row["result"]) for row in rows]

    async def certificates(self, one: Person) -> list[State]:
        """What became of every certificate that the authority ever issued to a person, oldest first."""
        person = await self.ca.office.index.index("idn", Secret(one.idn))
        found = self.ca.books.of_person(person)
        return [row.state for row in reversed(found)]

    async def holds(self, one: Person, key: int, profile: str = "securities", branch: str = "다온증권") -> Party:
        """Another broker's certificate of the same authority, issued to a person before."""
        facts = Facts(name=one.name, idn=Secret(one.idn), mobile=one.mobile, branch=branch)
        holder = by_code(self.ca, await self.ca.register(profile, facts))
        body = request(held("person", key), encrypted=vid_of(self.ca))
        made = only_certificate(await self.ca.ask(holder.compose(body, infos=IMPLICIT)))
        return Party(certificate.parse(made), held("person", key).key)  # type: ignore[arg-type]

    def everything_kept(self) -> bytes:
        """All bytes that the center's database left on the disk, and all that it logged (H1)."""
        files = [path.read_bytes() for path in (self.folder / "center").rglob("*") if path.is_file()]
        return b"".join(files) + self.log.getvalue().encode()


@asynccontextmanager
async def opened(
    url: str, folder: Path, *, answer_s: float = 5.0, products: tuple[str, ...] = ("gold",), **limits: int
) -> AsyncIterator[World]:
    """A center with the demo people as customers, in a world of the same people."""
    log = io.StringIO()
    set_up_log(log)
    settings = Settings(
        mode="test", center_origin=CENTER, limits=replace(Limits(), **limits), issuance_products=products
    )
    (folder / "outside").mkdir()
    (folder / "authority").mkdir()
    around = outside(folder / "outside")
    clock = around.clock
    clock.at = NOW
    ca = authority_world(folder / "authority", clock=clock)
    ra = await registrar(ca)
    root, above, *_ = certificates("ingam")
    center_ra = RegistrationAuthority(certificate.parse(ra.extra[0]), (above.der, root.der), held("ra", 101))
    world = World(
        folder, url, settings, clock, around, ca, center_ra, Wire(ca), Reader(), Mailer(around), log, answer_s
    )  # fmt: skip
    world.start()
    await world.enrol()
    try:
        yield world
    finally:
        for client in world.clients:
            await client.aclose()
        await world.mailer.close()
        await world.stop()
        await world.ca.shut()
        around.box.phones.close()
        around.box.deposits.close()
        around.box.mails.close()


Story = Callable[[World], Awaitable[None]]


def told(url: str, folder: Path, story: Story, **facts: Any) -> None:
    """Run a story in a fresh world."""

    async def go() -> None:
        async with opened(url, folder, **facts) as world:
            await story(world)

    asyncio.run(go())


__all__ = ["MASKED", "SLOW_S", "WAIT_S", "Reader", "Story", "World", "customer", "opened", "photograph", "told"]
