"""The whole center in memory: `run.center.app` over real SQLite, fields and passwords; doubles for the outside."""

from __future__ import annotations

import asyncio
import base64
import io
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from ipaddress import ip_network
from pathlib import Path
from typing import Any, Final

import httpx2
from starlette.applications import Starlette
from tests.center.registration.world import (
    FIRM,
    HONG,
    KIM,
    PASSWORD,
    Phone,
    SettableClock,
    Statuses,
    authorities,
    party,
)
from tests.npki.certs import Party

from ingam.adapters.ars.recording import RecordingArs
from ingam.adapters.blind_index.in_memory import InMemoryBlindIndex
from ingam.adapters.customers.fields import CustomerFields
from ingam.adapters.customers.passwords import Passwords
from ingam.adapters.customers.tables import TableCustomers
from ingam.adapters.ephemeral.in_process import InProcessEphemeral
from ingam.adapters.hsm.file import open_keys
from ingam.adapters.regions.file import FileRegions
from ingam.adapters.store import open_store
from ingam.customer.binding.bindings import Bindings, ToBind
from ingam.customer.binding.proof import OwnedCertificate, ProvenCertificate, UnverifiedPresentation
from ingam.customer.notice.wishes import ToldCustomers, Wishes
from ingam.kernel.secret import Secret
from ingam.npki import cms, policies
from ingam.page import Bundle, set_up_log
from ingam.ports.customers import Customer, NewCustomer
from ingam.ports.regions import Region
from ingam.ports.status import Good, Source
from ingam.ports.store import Row, Save
from ingam.protocols.challenge import Challenge, Purpose, text
from ingam.run import center
from ingam.settings import Limits, Settings
from ingam.wiring import CenterPorts

CENTER: Final = "http://localhost:8700"
WRONG: Final = "no-such-password-9"
__all__ = [
    "CENTER",
    "FIRM",
    "HONG",
    "KIM",
    "PASSWORD",
    "WRONG",
    "Browser",
    "World",
    "opened",
    "party",
    "signed",
    "told",
]


@dataclass
class World:
    """Everything a test touches."""

    ports: CenterPorts
    clock: SettableClock
    statuses: Statuses
    phone: Phone
    passwords: Passwords
    app: Starlette
    log: io.StringIO
    folder: Path
    origin: str
    clients: list[httpx2.AsyncClient] = field(default_factory=list)

    def browser(self, address: str = "127.0.0.1") -> Browser:
        """A browser without cookies, at a network address."""
        transport = httpx2.ASGITransport(app=self.app, client=(address, 1234))
        self.clients.append(httpx2.AsyncClient(transport=transport, base_url=self.origin))
        return Browser(self, self.clients[-1])

    async def rows(self, table: str, **where: str | None) -> list[Row]:
        return await self.ports.store.many(table, where, limit=1000)

    async def results(self, action: str) -> list[str]:
        """Results of the audit lines of an action, in order."""
        rows = await self.ports.store.many("audit", {"action": action}, order="seq", limit=1000)
        return [str(row["result"]) for row in rows]

    async def bind(self, customer: Customer, holder: Party) -> None:
        """A registration that was done before."""
        bindings = Bindings(self.ports.store, self.ports.digests, self.ports.fields)
        certificate, now = holder.certificate, self.clock.now()
        policy = policies.lookup(certificate.issuer, certificate.policy_oid)
        assert policy is not None
        challenge = Challenge(Purpose.REGISTRATION, self.origin, "0" * 64, now, now, "0" * 64, None)
        (authority,) = self.ports.authorities.by_fingerprint.values()
        good = Good(Source.OCSP, now)
        proven = ProvenCertificate(
            UnverifiedPresentation(challenge, b""), certificate, authority, policy, good, now
        )  # fmt: skip
        change = await bindings.change(ToBind.of(OwnedCertificate(proven, customer)), None)
        await self.ports.store.save(Save(rows=change.rows))

    def everything_kept(self) -> bytes:
        """All bytes that the center's database left on the disk, and all that it logged (H1)."""
        files = [path.read_bytes() for path in (self.folder / "center").rglob("*") if path.is_file()]
        return b"".join(files) + self.log.getvalue().encode()


@dataclass
class Browser:
    """One browser; keeps its cookies and the page that it sees."""

    world: World
    client: httpx2.AsyncClient
    page: str = ""
    csrf: str = ""

    @property
    def cookies(self) -> dict[str, str]:
        return dict(self.client.cookies.items())

    def plant(self, name: str, value: str) -> None:
        """A cookie from somewhere else."""
        self.client.cookies.set(name, value, domain="localhost.local")

    @property
    def cookie(self) -> str:
        """The session cookie's value."""
        return self.cookies.get("ingam-center") or self.cookies.get("__Host-ingam") or ""

    async def get(self, path: str) -> httpx2.Response:
        answer = await self.client.get(path)
        self.page = answer.text
        found = re.search(r'name="csrf" value="([^"]*)"', self.page)
        self.csrf = found[1] if found else self.csrf
        return answer

    async def send(self, path: str, fields: dict[str, str] | None = None, **headers: str) -> httpx2.Response:
        """One POST as a browser sends it; nothing is followed."""
        sent = {"Origin": self.world.origin, "Sec-Fetch-Site": "same-origin"}
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        answer = await self.client.post(path, data={"csrf": self.csrf, **(fields or {})}, headers=sent)
        self.page = answer.text
        return answer

    async def log_in(self, who: Customer = HONG, password: str = PASSWORD, **fields: str) -> httpx2.Response:
        """아이디 로그인, from its page."""
        await self.get("/login")
        return await self.send("/login/id", {"banking_id": who.banking_id, "password": password} | fields)

    async def challenge(self) -> dict[str, Any]:
        """What the certificate window is to sign."""
        answer = await self.send("/login/challenge", Accept="application/json")
        told: dict[str, Any] = answer.json()
        return told

    async def present(self, holder: Party, told: dict[str, Any] | None = None, **changed: Any) -> httpx2.Response:
        """공동인증서 로그인 with this certificate, from its page."""
        if told is None:
            await self.get("/login?way=cert&then=/loan")
            told = await self.challenge()
        fields = {"nonce": told["nonce"], "signed": signed(holder, told | changed, self.world.clock.now())}
        return await self.send("/login/certificate", fields | {"then": "/loan"})


def signed(holder: Party, told: dict[str, Any], at: datetime) -> str:
    """What the vault signs of a challenge, in base64."""
    challenge = Challenge(
        purpose=Purpose(told["purpose"]),
        origin=told["origin"],
        nonce=told["nonce"],
        issued=datetime.fromisoformat(told["issued"]),
        expires=datetime.fromisoformat(told["expires"]),
        session=told["session"],
        body=told["body"],
    )
    content = text(challenge, holder.certificate.der, None)
    made = cms.sign(content, holder.certificate, holder.key, purpose=str(challenge.purpose), signing_time=at)
    return base64.b64encode(made).decode()


@asynccontextmanager
async def opened(
    url: str, folder: Path, origin: str = CENTER, *, software_keys: bool = True, heads: int = 1,
    cheap_passwords: bool = True, **limits: int,
) -> AsyncIterator[World]:  # fmt: skip
    """A center on a fresh store at `url`, with three customers."""
    clock, log = SettableClock(), io.StringIO()
    set_up_log(log)
    settings = Settings(mode="test", center_origin=origin, limits=replace(Limits(), **limits))
    settings = replace(settings, device_software=software_keys)
    keys = open_keys(folder / "keys" / "center.key")
    store = open_store(url, keys.outbox)
    passwords = Passwords(cheap=cheap_passwords)
    customers = TableCustomers(
        store, keys.fields, keys.digests, InMemoryBlindIndex(Secret(bytes(32)), clock), passwords, clock, heads
    )
    statuses, phone = Statuses(clock), Phone()
    fields = CustomerFields(store, keys.fields)
    ports = CenterPorts(
        store=store,
        clock=clock,
        ephemeral=InProcessEphemeral(clock),
        digests=keys.digests,
        customers=ToldCustomers(customers, Wishes(store, fields)),
        fields=fields,
        authorities=authorities(),
        status=statuses,
        sms=phone,
        ars=RecordingArs(),
        tickets=keys.tickets,
        regions=FileRegions([(ip_network("203.0.113.0/24"), Region("서울", "Seoul"))]),
    )
    app = center.app(settings, ports, Bundle({"center.css": "center-0.css"}))
    world = World(ports, clock, statuses, phone, passwords, app, log, folder, origin)
    for one in (HONG, KIM, FIRM):
        await customers.enrol(NewCustomer(one, Secret(PASSWORD)))
    try:
        yield world
    finally:
        for client in world.clients:
            await client.aclose()
        passwords.close()
        await store.close()


def told(url: str, folder: Path, story: Callable[[World], Awaitable[None]], **facts: Any) -> None:
    """Run a story in a fresh world."""

    async def go() -> None:
        async with opened(url, folder, **facts) as world:
            await story(world)

    asyncio.run(go())
