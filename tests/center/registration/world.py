"""A center in memory for tests of the registration: real SQLite, real fields and passwords, real certificates.

Doubles stand for the outside only: the status of certificates, the SMS provider, the clock, and the vault's hands.
"""

from __future__ import annotations

import asyncio
import base64
import io
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import httpx2
from starlette.applications import Starlette
from starlette.middleware import Middleware
from tests.npki import certs
from tests.npki.certs import Party

from ingam.adapters.blind_index.in_memory import InMemoryBlindIndex
from ingam.adapters.customers.fields import CustomerFields
from ingam.adapters.customers.passwords import Passwords
from ingam.adapters.customers.tables import TableCustomers
from ingam.adapters.ephemeral.in_process import InProcessEphemeral
from ingam.adapters.hsm.file import CenterKeys, open_keys
from ingam.adapters.store import open_store
from ingam.center import seal_key
from ingam.center.additional_auth import TEMPLATES as FACTOR_TEMPLATES
from ingam.center.doorway import Cookies, Doorway
from ingam.center.keypad import keypads
from ingam.center.registration.service import Registration
from ingam.center.registration.web import TEMPLATES, RegistrationWeb
from ingam.center.seal_key import SealKeys
from ingam.customer.account.accounts import Accounts
from ingam.customer.additional_auth.ars import KIND as ARS
from ingam.customer.additional_auth.ars import ArsCalls
from ingam.customer.additional_auth.branch import BranchNumbers
from ingam.customer.additional_auth.calling import Calls
from ingam.customer.additional_auth.medium import Media
from ingam.customer.additional_auth.no_medium import NoMedium
from ingam.customer.additional_auth.service import AdditionalAuth
from ingam.customer.additional_auth.sms import SmsCodes
from ingam.customer.availability.reading import Availability
from ingam.customer.binding.bindings import Bindings
from ingam.customer.binding.challenges import Challenges
from ingam.customer.binding.proof import Prover
from ingam.customer.heads import head_key
from ingam.customer.notice import LoginLockNotice, Notices, Sender, deliver_sms
from ingam.customer.session import Level
from ingam.customer.session.sessions import Sessions, Times
from ingam.kernel.errors import Failure
from ingam.kernel.secret import Secret
from ingam.npki import certificate, cms, der, vid
from ingam.npki.certificate import Certificate
from ingam.page import Bundle, Pages, failure_handlers, set_up_log, shell_routes
from ingam.page import middleware as shell
from ingam.ports.ars import ArsOutage, Call, CallState
from ingam.ports.customers import Customer, CustomerKind, NewCustomer
from ingam.ports.keys import Digests
from ingam.ports.sms import Sms
from ingam.ports.status import Authorities, Good, IssuingAuthority, Source, Status, StatusList, StatusUnavailable
from ingam.ports.store import Store
from ingam.protocols.challenge import Challenge, Purpose, seal, text
from ingam.settings import Limits, Settings

NOW = certs.NOW
CENTER = "http://localhost:8700"
R = der.bits(bytes(range(1, 21)))
OTHER_R = der.bits(bytes(range(31, 51)))
PASSWORD = "우리-Secret-77"

HONG = Customer("c-hong", CustomerKind.PERSONAL, "hong1234", "홍길동", Secret("7510052123456"), "01085131234")
KIM = Customer("c-kim", CustomerKind.PERSONAL, "kimsec77", "김증권", Secret("8003031234567"), "01085135678")
FIRM = Customer("c-firm", CustomerKind.CORPORATE, "firm2026", "(주)조합", Secret("1298520172"), "01085139999")


class SettableClock:
    """A clock that a test moves."""

    def __init__(self, at: datetime = NOW) -> None:
        self.at = at

    def now(self) -> datetime:
        return self.at

    def forward(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)


@dataclass(frozen=True)
class Ports:
    """What a registration works on."""

    store: Store
    clock: SettableClock
    customers: TableCustomers
    digests: Digests


@dataclass(frozen=True)
class Listed:
    """A list: what it says of the serials that it names."""

    named: dict[int, Status]
    at: datetime

    def status(self, serial: int) -> Status:
        return self.named.get(serial) or Good(Source.CRL, self.at)


class Statuses:
    """Answers for the authorities: good unless a test says otherwise; remembers what it was asked."""

    def __init__(self, clock: SettableClock) -> None:
        self.clock = clock
        self.answers: dict[bytes, Status | Failure] = {}
        self.revoked_authorities: frozenset[int] = frozenset()
        self.list_until: datetime | None = None
        self.asked: list[tuple[bytes, bool]] = []
        self.lists: dict[str, dict[int, Status]] = {}
        self.fetched: list[str] = []

    async def check(self, person: Certificate, issuer: Certificate, *, fresh: bool, at: datetime) -> Status:
        self.asked.append((person.fingerprint, fresh))
        answer = self.answers.get(person.fingerprint, Good(Source.OCSP, at))
        if isinstance(answer, Failure):
            raise answer
        return answer

    async def whole_list(self, issuer: Certificate, partition: str, at: datetime) -> StatusList:
        self.fetched.append(partition)
        found = self.lists.get(partition)
        if found is None:
            raise StatusUnavailable("status-unreachable")
        return Listed(found, at)

    async def root_list(self, issuer: Certificate, at: datetime) -> tuple[frozenset[int], datetime]:
        return self.revoked_authorities, self.list_until or at + timedelta(days=30)


class Phone:
    """The SMS provider's other end."""

    def __init__(self) -> None:
        self.sent: dict[str, Sms] = {}

    async def send(self, sms: Sms) -> str:
        self.sent.setdefault(sms.reference, sms)
        return "1"

    @property
    def texts(self) -> list[str]:
        return [sms.text for sms in self.sent.values()]

    @property
    def code(self) -> str:
        """The code of the newest message that has one, as autofill reads it."""
        found = [re.search(r"\n@localhost #([0-9]{6})$", text) for text in self.texts]
        return [match[1] for match in found if match is not None][-1]


class Telephone:
    """The registered telephones: what a test has them do, one state after the other, `hold` between two of them."""

    def __init__(self) -> None:
        self.calls: list[Call] = []
        self.hung_up: list[str] = []
        self.does: list[CallState] = [CallState.RINGING, CallState.ANSWERED, CallState.APPROVED]
        self.away = False
        self.holding, self.held = asyncio.Event(), asyncio.Event()
        self.held.set()

    async def place(self, call: Call) -> AsyncIterator[CallState]:
        self.calls.append(call)
        if self.away:
            raise ArsOutage
        over = False
        try:
            for state in self.does:
                if state.final:
                    self.holding.set()
                    await self.held.wait()
                over = state.final
                yield state
        finally:
            if not over:
                self.hung_up.append(call.call_id)

    async def aclose(self) -> None:
        """Nothing is open."""


@dataclass
class World:
    """Everything a test touches."""

    store: Store
    clock: SettableClock
    statuses: Statuses
    phone: Phone
    keys: CenterKeys
    sessions: Sessions
    customers: TableCustomers
    accounts: Accounts
    challenges: Challenges
    prover: Prover
    bindings: Bindings
    sms: SmsCodes
    no_medium: NoMedium
    branch: BranchNumbers
    telephone: Telephone
    calls: Calls
    availability: Availability
    registration: Registration
    seal_keys: SealKeys
    ephemeral: InProcessEphemeral
    limits: Limits
    app: Starlette
    log: io.StringIO
    database: Path
    clients: list[httpx2.AsyncClient] = field(default_factory=list)

    async def deliver(self) -> None:
        """What the worker does: everything due leaves once."""
        hand_over = deliver_sms(self.phone)
        for claimed in await self.store.claim(self.clock.now(), 60, 50):
            await (self.calls.deliver if claimed.kind == ARS else hand_over)(claimed)
            await self.store.delivered(claimed.id, self.clock.now())

    async def browser(self, customer: Customer | None = HONG, device: str | None = None) -> Browser:
        """A browser, logged in by ID unless `customer` is None."""
        opened = await self.sessions.open_pre(None)
        if customer is not None:
            key = head_key(self.keys.digests, customer)
            risen = self.sessions.rise(opened.session, Level.ID, customer.customer_id, device, head=key)
            from ingam.ports.store import Save

            await self.store.save(Save(rows=risen.changes))
            opened = risen
        client = httpx2.AsyncClient(transport=httpx2.ASGITransport(app=self.app), base_url=CENTER)
        self.clients.append(client)
        client.cookies.set("ingam-center", opened.cookie)
        return Browser(self, client, opened.session.csrf, opened.session.session)

    async def results(self, action: str) -> list[str]:
        """Results of the audit lines of an action, in order."""
        rows = await self.store.many("audit", {"action": action}, order="seq")
        return [str(row["result"]) for row in rows]


@dataclass
class Browser:
    """One browser with one session; keeps the page that it sees."""

    world: World
    client: httpx2.AsyncClient
    csrf: str
    session: str
    page: str = ""
    status: int = 0
    path: str = ""

    async def get(self, path: str = "/registration") -> str:
        return self._saw(await self.client.get(path))

    async def post(self, path: str, fields: dict[str, str] | None = None, **extra: str) -> str:
        """Submit a form of the page that is seen, with its hidden fields; redirects are followed."""
        answer = await self.send(path, {**self.hidden(), **(fields or {})}, **extra)
        if answer.status_code == 303:
            return await self.get(unquote(answer.headers["location"]).partition("#")[0])
        return self._saw(answer)

    async def send(self, path: str, fields: dict[str, str], **headers: str) -> httpx2.Response:
        """One POST as a browser sends it; nothing is followed."""
        sent = {"Origin": CENTER, "Sec-Fetch-Site": "same-origin", **headers}
        return await self.client.post(path, data={"csrf": self.csrf, **fields}, headers=sent)

    def hidden(self) -> dict[str, str]:
        """run and version of the seen page's forms."""
        found = {name: re.search(f'name="{name}" value="([^"]*)"', self.page) for name in ("run", "version")}
        return {name: match[1] for name, match in found.items() if match is not None}

    def _saw(self, answer: httpx2.Response) -> str:
        self.page, self.status, self.path = answer.text, answer.status_code, str(answer.url.path)
        return self.page

    # ── the four screens ──

    async def identify(self, who: Customer = HONG, **changed: str) -> str:
        await self.get()
        typed = {"banking_id": who.banking_id, "password": PASSWORD, "idn": who.idn.reveal()} | changed
        return await self.post("/registration/identify", typed)

    async def request_code(self) -> str:
        page = await self.post("/registration/factor/request", {"method": "sms"})
        await self.world.deliver()
        return page

    async def prove(self, who: Customer = HONG, **changed: str) -> str:
        back = who.idn.reveal()[6 if len(who.idn) == 13 else 5 :]
        typed = {
            "method": "sms",
            "code": self.world.phone.code,
            "number_back": back,
            "phone_back": who.mobile[-4:],
        } | changed
        return await self.post("/registration/factor", typed)

    async def to_certificate(self, who: Customer = HONG) -> str:
        """①, ② and so to ③."""
        await self.identify(who)
        await self.request_code()
        page = await self.prove(who)
        assert "data-certificate-window" in page, page
        return page

    async def challenge(self, *, replace: bool = False, **changed: str) -> dict[str, Any]:
        fields = {**self.hidden(), **({"replace": "yes"} if replace else {}), **changed}
        answer = await self.send("/registration/challenge", fields, Accept="application/json")
        self.status = answer.status_code
        told: dict[str, Any] = answer.json()
        return told

    async def present(self, window: Window) -> str:
        return await self.post("/registration/certificate", window.fields)

    async def register(self, party: Party, *, random: bytes = R, replace: bool = False) -> str:
        """③ with this certificate."""
        told = await self.challenge(replace=replace)
        return await self.present(Window(self.world, party, told, random=random))


@dataclass
class Window:
    """What the vault does with a challenge; tests change one thing at a time."""

    world: World
    party: Party
    told: dict[str, Any]
    random: bytes | None = R
    signed_text: bytes | None = None
    purpose: str | None = None
    changed: dict[str, Any] = field(default_factory=dict)

    @property
    def challenge(self) -> Challenge:
        told = self.told | self.changed
        return Challenge(
            purpose=Purpose(told["purpose"]),
            origin=told["origin"],
            nonce=told["nonce"],
            issued=datetime.fromisoformat(told["issued"]),
            expires=datetime.fromisoformat(told["expires"]),
            session=told["session"],
            body=told["body"],
        )

    @property
    def fields(self) -> dict[str, str]:
        challenge, certificate = self.challenge, self.party.certificate
        sealed = None
        if self.random is not None:
            key = self.world.seal_keys.current.public
            sealed = seal(key, Secret(self.random), challenge, certificate.der)
        content = self.signed_text or text(challenge, certificate.der, sealed)
        signed = cms.sign(
            content,
            certificate,
            self.party.key,
            purpose=self.purpose or str(challenge.purpose),
            signing_time=self.world.clock.now(),
        )
        return {
            "nonce": str(self.told["nonce"]),
            "signed": base64.b64encode(signed).decode(),
            "sealed": base64.b64encode(sealed).decode() if sealed is not None else "",
        }


def vid_extension(idn: str, random: bytes = R, real_name: str = "홍길동", vids: int = 1) -> bytes:
    """subjectAltName with identifyData of this number and R, `vids` times."""
    octets = vid.compute_vid(idn, random)
    value = vid.encode_identify_data(real_name, vid.Vid("sha256", octets))
    return certs.san(*[certs.other_name(value)] * vids)


def party(
    who: Customer = HONG,
    *,
    key_name: str = "rsa2048-02",
    policy: str = "1.2.410.200004.5.1.1.9",
    serial: int = 0x085221,
    put: dict[str, bytes] | None = None,
    issuer: Party | None = None,
    **facts: Any,
) -> Party:
    """A certificate of a customer with a true VID, under the tests' CA."""
    extensions = {"policy": certs.policy(policy), "san": vid_extension(who.idn.reveal())} | (put or {})
    made = certs.person_der(issuer, key_name=key_name, serial=serial, put=extensions, **facts)
    return Party(certificate.parse(made), certs.key(key_name))


def authorities() -> Authorities:
    """The tests' one CA under its root."""
    ca = certs.ca().certificate
    known = IssuingAuthority("test", ca, certs.root().certificate, (), "http://ocsp.test", "", "http://arl.test")
    return Authorities({ca.fingerprint: known})


@asynccontextmanager
async def opened(url: str, folder: Path, *, people: int = True, heads: int = 1, **limits: int) -> AsyncIterator[World]:
    """A world on the store at `url`; `people` False finds the three customers there already."""
    clock, log = SettableClock(), io.StringIO()
    set_up_log(log)
    settings = replace(Settings(mode="test"), limits=replace(Limits(), **limits))
    keys = open_keys(folder / "keys" / "center.key")
    store = open_store(url, keys.outbox)
    passwords = Passwords(cheap=True)
    blind_index = InMemoryBlindIndex(Secret(bytes(32)), clock)
    customers = TableCustomers(store, keys.fields, keys.digests, blind_index, passwords, clock, heads)
    world = _assembled(settings, clock, log, keys, store, customers, folder)
    for one in (HONG, KIM, FIRM) if people else ():
        await customers.enrol(NewCustomer(one, Secret(PASSWORD)))
    try:
        yield world
    finally:
        for client in world.clients:
            await client.aclose()
        passwords.close()
        await store.close()


def _assembled(
    settings: Settings,
    clock: SettableClock,
    log: io.StringIO,
    keys: CenterKeys,
    store: Store,
    customers: TableCustomers,
    folder: Path,
) -> World:
    limits, sender = settings.limits, Sender(settings.institution)
    notices, ephemeral = Notices(sender), InProcessEphemeral(clock)
    accounts = Accounts(
        store, customers, keys.digests, ephemeral, clock,
        max_fail=limits.login_max_fail, address_ceiling=600, lock_notice=LoginLockNotice(notices),
    )  # fmt: skip
    sessions = Sessions(store, clock, Times(limits.session_idle_s, limits.session_max_s))
    challenges = Challenges(store, ephemeral, clock, limits, CENTER)
    statuses = Statuses(clock)
    prover = Prover(authorities(), statuses)
    bindings = Bindings(store, keys.digests, CustomerFields(store, keys.fields))
    sms = SmsCodes(store, clock, keys.digests, limits, sender, "localhost")
    no_medium, branch = NoMedium(store, clock, limits), BranchNumbers(store, clock, keys.digests, limits, sender)
    telephone = Telephone()
    calls = Calls(store, clock, telephone, limits, sender)
    availability = Availability(store, clock)
    auth = AdditionalAuth(
        clock, limits, sms=sms, branch=branch, media=Media(store, clock, no_medium, limits),
        ars=ArsCalls(store, clock, keys.digests, limits, sender), ways=availability,
    )  # fmt: skip
    seal_keys = SealKeys(clock, limits.nonce_ttl_s)
    registration = Registration(
        ports=Ports(store, clock, customers, keys.digests), accounts=accounts, auth=auth,
        challenges=challenges, prover=prover, bindings=bindings, seal_keys=seal_keys, notices=notices,
        sender=sender, limits=limits,
    )  # fmt: skip
    bundle = Bundle({"center.css": "center-0.css"})
    pages = Pages([TEMPLATES, FACTOR_TEMPLATES], settings, bundle, clock)
    routes = [
        *RegistrationWeb(registration, auth, clock).routes(),
        *seal_key.routes(seal_keys, settings.vault_origin),
        *shell_routes(pages),
    ]
    doorway = Middleware(
        Doorway,
        sessions=sessions,
        customers=customers,
        ephemeral=ephemeral,
        clock=clock,
        cookies=Cookies(False),
        digests=keys.digests,
    )
    app = Starlette(routes=routes, middleware=[shell(settings), doorway], exception_handlers=failure_handlers())
    app.state.pages = pages
    app.state.keypads = keypads(store, ephemeral, clock, limits, required=False)
    return World(
        store, clock, statuses, Phone(), keys, sessions, customers, accounts, challenges, prover, bindings, sms,
        no_medium, branch, telephone, calls, availability, registration, seal_keys, ephemeral, limits, app, log,
        folder / "center" / "center.db",
    )  # fmt: skip
