"""The whole console in memory: `run.console.app` over real SQLite, with operators who sign in by software passkeys.

def test_…(tmp_path):
    async def story(world: World) -> None:
        desk = await world.signed_in("clerk")
        answer = await desk.get("/")
    told(tmp_path, story)
"""

from __future__ import annotations

import asyncio
import html
import io
import json
import re
import sqlite3
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any, ClassVar, Final

import httpx2
from jinja2.bccache import Bucket, BytecodeCache
from starlette.applications import Starlette
from tests.authenticator import Authenticator
from tests.clocks import SetClock

from ingam.adapters.blind_index.in_memory import InMemoryBlindIndex
from ingam.adapters.customers.fields import CustomerFields
from ingam.adapters.customers.passwords import Passwords
from ingam.adapters.customers.tables import TableCustomers
from ingam.adapters.ephemeral.in_process import InProcessEphemeral
from ingam.adapters.hsm.file import open_keys
from ingam.adapters.store import open_store
from ingam.adapters.store.migrate import migrate
from ingam.console.operators import Role
from ingam.console.operators.register import Operators
from ingam.kernel.secret import Secret
from ingam.page import Bundle, set_up_log
from ingam.ports.customers import Customer, CustomerKind, NewCustomer
from ingam.ports.store import Row, Save
from ingam.run import console
from ingam.settings import ConsoleSettings, Settings
from ingam.wiring.console import ConsolePorts

CONSOLE: Final = "http://localhost:8702"
MAIN, YEOUIDO = "본점", "여의도지점"
PASSWORD: Final = "우리-Secret-77"
HONG = Customer("c-hong", CustomerKind.PERSONAL, "hong1234", "홍길동", Secret("7510052123456"), "01085131234")
KIM = Customer("c-kim", CustomerKind.PERSONAL, "kimsec77", "김증권", Secret("8003031234567"), "01085135678")
FIRM = Customer("c-firm", CustomerKind.CORPORATE, "firm2026", "(주)조합", Secret("1298520172"), "01085139999")
OPERATORS: Final = {
    "security": ("E1001", "보안일", MAIN, frozenset({Role.SECURITY, Role.ADMINISTRATOR})),
    "administrator": ("E1002", "관리이", MAIN, frozenset({Role.ADMINISTRATOR, Role.SECURITY})),
    "third": ("E1003", "보안삼", MAIN, frozenset({Role.SECURITY, Role.ADMINISTRATOR})),
    "auditor": ("E1004", "감사사", MAIN, frozenset({Role.AUDITOR})),
    "clerk": ("E2001", "지점하나", YEOUIDO, frozenset({Role.CLERK})),
    "other-clerk": ("E2002", "지점둘", MAIN, frozenset({Role.CLERK})),
}
"""Who works here. The clerk E2001 is a customer too: HONG (E10)."""

__all__ = ["CONSOLE", "FIRM", "HONG", "KIM", "OPERATORS", "Desk", "World", "opened", "told"]


@dataclass
class World:
    """Everything a test touches."""

    ports: ConsolePorts
    settings: Settings
    clock: SetClock
    app: Starlette
    operators: Operators
    log: io.StringIO
    clients: list[httpx2.AsyncClient] = field(default_factory=list)

    def desk(self, address: str = "127.0.0.1") -> Desk:
        """A browser without cookies."""
        transport = httpx2.ASGITransport(app=self.app, client=(address, 1234))
        self.clients.append(httpx2.AsyncClient(transport=transport, base_url=CONSOLE))
        return Desk(self, self.clients[-1], Authenticator(CONSOLE))

    async def invite(self, who: str) -> str:
        """The secret of a fresh enrolment link of an operator of OPERATORS."""
        invited = self.operators.invited(OPERATORS[who][0], self.clock.now(), self.settings.console.invitation_s)
        await self.ports.store.save(Save(ledger=[invited.issue]))
        return invited.invitation.token

    async def enrolled(self, who: str) -> Desk:
        """A browser whose authenticator holds a passkey of this operator; not signed in."""
        desk = self.desk()
        answer = await desk.enrol(await self.invite(who))
        assert answer.status_code == 303, desk.page
        return desk

    async def signed_in(self, who: str) -> Desk:
        """The browser of this operator, signed in by passkey."""
        desk = await self.enrolled(who)
        answer = await desk.log_in()
        assert answer.status_code == 303, desk.page
        return desk

    async def at_customer(self, customer: Customer, who: str = "clerk", reason: str = "counter") -> Desk:
        """The browser of this operator, at the page of a customer."""
        desk = await self.signed_in(who)
        await desk.get("/desk")
        await desk.follow(await desk.send("/desk", {"banking_id": customer.banking_id, "reason": reason}))
        return desk

    async def rows(self, table: str, **where: str | None) -> list[Row]:
        return await self.ports.store.many(table, where, limit=1000)

    async def audit(self, action: str) -> list[tuple[str, dict[str, Any]]]:
        """(result, facts) of the audit lines of an action, in order."""
        rows = await self.ports.store.many("audit", {"action": action}, order="seq", limit=1000)
        return [(str(row["result"]), json.loads(str(row["facts"]))) for row in rows]


@dataclass
class Desk:
    """One operator's browser and authenticator; keeps its cookies and the page that it sees."""

    world: World
    client: httpx2.AsyncClient
    authenticator: Authenticator
    page: str = ""
    csrf: str = ""

    @property
    def cookie(self) -> str:
        return dict(self.client.cookies.items()).get("ingam-console", "")

    @property
    def text(self) -> str:
        """What the page's main part says, without tags."""
        main = self.page.partition("<main")[2].partition("</main>")[0]
        return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", main)).split())

    async def get(self, path: str) -> httpx2.Response:
        answer = await self.client.get(path)
        return self._seen(answer)

    async def send(self, path: str, fields: dict[str, Any] | None = None, **headers: str) -> httpx2.Response:
        """One POST as a browser sends it; nothing is followed. A field may be a list."""
        sent = {"Origin": CONSOLE, "Sec-Fetch-Site": "same-origin"}
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        answer = await self.client.post(path, data={"csrf": self.csrf, **(fields or {})}, headers=sent)
        return self._seen(answer)

    async def follow(self, answer: httpx2.Response) -> httpx2.Response:
        """The page that a 303 leads to."""
        assert answer.status_code == 303, answer.text
        return await self.get(answer.headers["location"])

    async def options(self, path: str, **fields: str) -> dict[str, Any]:
        """What the passkey is asked."""
        answer = await self.client.post(
            path, data={"csrf": self.csrf, **fields}, headers={"Origin": CONSOLE, "Accept": "application/json"}
        )
        told: dict[str, Any] = answer.json()
        return told

    async def enrol(self, token: str, code: str = "") -> httpx2.Response:
        """The enrolment page, by a link's secret and the code that goes with it."""
        halves = {"token": token, "code": code}
        await self.get("/enrol?with=code" if code else "/enrol")
        told = await self.options("/enrol/options", **halves)
        if "options" not in told:
            return await self.send("/enrol", {**halves, "answer": "{}"})
        answer = self.authenticator.create(told["options"])
        return await self.send("/enrol", {**halves, "answer": json.dumps(answer)})

    async def log_in(self, then: str = "/") -> httpx2.Response:
        """The passkey login."""
        await self.get("/login")
        told = await self.options("/login/options")
        answer = self.authenticator.get(told["options"])
        return await self.send("/login", {"answer": json.dumps(answer), "then": then})

    def signed(self) -> str:
        """The passkey's answer to the form of this page that has its options with it (`data-given`)."""
        given = re.search(r'data-given="([^"]*)"', self.page)
        assert given is not None, self.page
        return json.dumps(self.authenticator.get(json.loads(html.unescape(given[1]))))

    def _seen(self, answer: httpx2.Response) -> httpx2.Response:
        self.page = answer.text
        found = re.search(r'name="csrf" value="([^"]*)"', self.page)
        self.csrf = found[1] if found else self.csrf
        return answer


class _Compiled(BytecodeCache):
    """Templates are compiled once for all worlds."""

    kept: ClassVar[dict[str, bytes]] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        if bucket.key in self.kept:
            bucket.bytecode_from_string(self.kept[bucket.key])

    def dump_bytecode(self, bucket: Bucket) -> None:
        self.kept[bucket.key] = bucket.bytecode_to_string()


@cache
def _migrated() -> bytes:
    """An empty database at today's revision, made once."""
    with tempfile.TemporaryDirectory() as folder:
        migrate(f"sqlite:///{folder}/center.db")
        with closing(sqlite3.connect(f"{folder}/center.db")) as made:
            made.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        return Path(folder, "center.db").read_bytes()


@asynccontextmanager
async def opened(
    folder: Path, settings: Settings | None = None, url: str = "", by_role: str = "", **limits: Any
) -> AsyncIterator[World]:
    """A console with three customers and the operators of OPERATORS; nobody has a passkey.

    On a fresh SQLite store, or on the migrated database at `url`, which the console reaches as `by_role`.
    """
    if not url:
        (folder / "center.db").write_bytes(await asyncio.get_running_loop().run_in_executor(None, _migrated))
    url = url or f"sqlite:///{folder / 'center.db'}"
    clock, log = SetClock(), io.StringIO()
    set_up_log(log)
    settings = settings or Settings(mode="test", console=replace(ConsoleSettings(), **limits))
    keys = open_keys(folder / "keys" / "center.key")
    owner, store = open_store(url, keys.outbox), open_store(by_role or url, keys.outbox)
    passwords = Passwords(cheap=True)
    index = InMemoryBlindIndex(Secret(bytes(32)), clock)
    customers = TableCustomers(store, keys.fields, keys.digests, index, passwords, clock)
    ports = ConsolePorts(
        store=store,
        clock=clock,
        ephemeral=InProcessEphemeral(clock),
        digests=keys.digests,
        customers=customers,
        fields=CustomerFields(store, keys.fields),
        blind_index=index,
    )
    app = console.app(settings, ports, Bundle({"center.css": "center-0.css", "console_look.css": "console-0.css"}))
    app.state.pages.environment.bytecode_cache = _Compiled()
    operators = Operators(store)
    world = World(ports, settings, clock, app, operators, log)
    center = TableCustomers(owner, keys.fields, keys.digests, index, passwords, clock)
    for one in (HONG, KIM, FIRM):
        await center.enrol(NewCustomer(one, Secret(PASSWORD)))
    himself = await index.index("idn", HONG.idn)
    rows = [
        operators.new(employee, name, branch, roles, clock.now(), himself if who == "clerk" else None)
        for who, (employee, name, branch, roles) in OPERATORS.items()
    ]
    await store.save(Save(rows=rows))
    try:
        yield world
    finally:
        for client in world.clients:
            await client.aclose()
        passwords.close()
        await store.close()
        await owner.close()


def told(folder: Path, story: Callable[[World], Awaitable[None]], **facts: Any) -> None:
    """Run a story in a fresh world."""

    async def go() -> None:
        async with opened(folder, **facts) as world:
            await story(world)

    asyncio.run(go())
