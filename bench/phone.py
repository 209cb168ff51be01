"""신규공동인증서신청 on a telephone: what each of its steps costs the center.

`python -m bench.phone`. The whole center in one process over SQLite on the disk, the sandbox's parties and a real
authority around it. A step is timed around the application; what it waited for somebody else (a party, the authority,
Argon2, the card's reader) is taken out and told by that name. The aim is our own.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

import httpx2
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from tests.adapters.card_reader.photographs import Spoilt, jpeg, photograph
from tests.ca.world import HeldKey
from tests.center.issuance.phone import HERE, Phone
from tests.center.issuance.vault import Vault
from tests.center.issuance.world import Reader, Wire, World, opened

from bench.figures import Figure, at_most, report, spread
from ingam.adapters.blind_index.in_memory import InMemoryBlindIndex
from ingam.adapters.card_reader.tesseract import TesseractReader
from ingam.adapters.customers.passwords import Passwords
from ingam.adapters.customers.tables import TableCustomers
from ingam.adapters.hsm.file import open_keys
from ingam.adapters.store.migrate import migrate
from ingam.kernel.secret import Secret
from ingam.page import Bundle
from ingam.ports.card_reader import CardKind, Reading
from ingam.run import center
from ingam.sandbox import cards
from ingam.sandbox.cards import ResidentFace
from ingam.sandbox.people import Person, person

ROOT: Final = Path(__file__).resolve().parent.parent
WALKS: Final = 20
FIRST_READS: Final = 5
DAY_S: Final = 86_400
WHO: Final = ("hong", "kim", "choi", "jung", "han")
"""Each of them walks again every day; the limits of a day are the product's."""

OWN_MS: Final = 50.0

ARGON2: Final = "Argon2id"
READER: Final = "card reader"
AUTHORITY: Final = "authority"
PARTIES: Final = {
    "realname": "real-name service", "portone": "telephone agency", "idcard": "card issuer", "openbanking": "bank",
    "juso": "address service",
}  # fmt: skip
STEPS: Final = {
    "password": "banking password", "name": "① name and number", "phone": "① code asked for",
    "phone-proof": "① code proven", "card": "② card read", "card-fields": "② card checked", "onewon": "③ 1 won sent",
    "onewon-proof": "③ 1 won proven", "address": "④ address search", "details": "④ details",
    "issue": "⑤ told to the vault", "key": "⑤ key registered", "product": "⑥ holder registered (CMP)",
    "carry ir": "⑥ ir carried", "carry certConf": "⑥ certConf carried, bound",
}  # fmt: skip
"""Requests below /issuance/new, as the figures call them, in their order."""


@dataclass
class Cost:
    """Seconds, of the clock and of this process's processors (all its threads)."""

    wall: float = 0.0
    cpu: float = 0.0


@dataclass
class Request:
    """One request: everything that it cost, and what of it by whom it waited for."""

    name: str
    whole: Cost = field(default_factory=Cost)
    others: dict[str, Cost] = field(default_factory=dict)

    def own(self) -> Cost:
        """What the center itself took."""
        wall, cpu = (sum(getattr(one, each) for one in self.others.values()) for each in ("wall", "cpu"))
        return Cost(self.whole.wall - wall, self.whole.cpu - cpu)


class Meter:
    """The requests of a walk; only one runs at a time, and it waits for one other at a time."""

    def __init__(self) -> None:
        self.seen: list[Request] = []
        self._going: Request | None = None

    @contextlib.contextmanager
    def request(self, name: str) -> Iterator[None]:
        """Around the application."""
        self._going = Request(name)
        with _measured(self._going.whole):
            yield
        self.seen.append(self._going)
        self._going = None

    @contextlib.contextmanager
    def other(self, name: str) -> Iterator[None]:
        """Around whatever is not the center's."""
        with _measured(self._going.others.setdefault(name, Cost()) if self._going else Cost()):
            yield


@contextlib.contextmanager
def _measured(cost: Cost) -> Iterator[None]:
    wall, cpu = time.perf_counter(), time.process_time()
    try:
        yield
    finally:
        cost.wall += time.perf_counter() - wall
        cost.cpu += time.process_time() - cpu


class MeteredParties(httpx2.AsyncBaseTransport):
    """The way to the sandbox's parties, which run in this process."""

    def __init__(self, inner: httpx2.AsyncBaseTransport, meter: Meter) -> None:
        self._inner, self._meter = inner, meter

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        with self._meter.other(PARTIES[request.url.path.split("/")[1]]):
            return await self._inner.handle_async_request(request)


class MeteredWire(Wire):
    """The way to the authority."""

    def __init__(self, inner: Wire, meter: Meter) -> None:
        super().__init__(inner.ca)
        self._meter = meter

    async def post(self, url: str, body: bytes, content_type: str, limit: int) -> bytes:
        with self._meter.other(AUTHORITY):
            return await super().post(url, body, content_type, limit)


class MeteredReader(Reader):
    """Tesseract in the place of the double."""

    def __init__(self, inner: TesseractReader, meter: Meter) -> None:
        super().__init__()
        self._inner, self._meter = inner, meter

    async def read(self, image: bytes, kind: CardKind) -> Reading:
        with self._meter.other(READER):
            return await self._inner.read(image, kind)


class MeteredPasswords(Passwords):
    """Argon2id at its real cost."""

    def __init__(self, meter: Meter) -> None:
        super().__init__()
        self._meter = meter

    async def fits(self, encoded: str | None, password: Secret[str]) -> bool:
        with self._meter.other(ARGON2):
            return await super().fits(encoded, password)


async def rebuilt(world: World, meter: Meter, reader: TesseractReader) -> MeteredPasswords:
    """The same world with a real reader and real Argon2, and the meter around everything that is somebody else's."""
    world.around = replace(world.around, transport=MeteredParties(world.around.transport, meter))
    world.wire, world.reader = MeteredWire(world.wire, meter), MeteredReader(reader, meter)
    await world.restart()
    passwords, keys = MeteredPasswords(meter), open_keys(world.folder / "keys" / "center.key")
    index = InMemoryBlindIndex(Secret(bytes(32)), world.clock)
    customers = TableCustomers(world.ports.store, keys.fields, keys.digests, index, passwords, world.clock)
    world.ports = replace(world.ports, customers=customers)
    inner = center.app(world.settings, world.ports, Bundle({"center.css": "center-0.css"}))

    async def metered(scope: Any, receive: Any, send: Any) -> None:
        with meter.request(f"{scope['method']} {scope['path'].removeprefix(HERE).strip('/')}"):
            await inner(scope, receive, send)

    world.app = metered  # type: ignore[assignment]
    return passwords


def photographed(one: Person, seed: int = 1) -> bytes:
    """Somebody's 주민등록증 on a desk, a little askew, as the page's camera sends it."""
    assert one.resident_card is not None
    home = one.address.road if one.address else ""
    face = cards.resident_card(ResidentFace(one.name, one.idn, one.resident_card.issued_on, home))
    return jpeg(photograph(face, Spoilt(skew=0.15), seed=seed))


async def walked(world: World, one: Person, image: bytes) -> None:
    """From the ID login to the certificate, with a key that no other walk has."""
    phone = world.phone(one)
    key = await asyncio.to_thread(generate_private_key, 65537, 2048)
    phone.vault = Vault(HeldKey("person", key), world.ca.random)
    await phone.log_in()
    await phone.get(f"{HERE}?new=1")
    await phone.enter()
    await phone.name()
    await phone.ask_code()
    await phone.prove_phone()
    await phone.shoot(image=image)
    await phone.card()
    await phone.ask_one_won()
    await phone.prove_one_won()
    await phone.tell("address", {"keyword": "시험로", "page": "1"})
    await phone.describe()
    await phone.make_key()
    await phone.get()
    phone.vault.registered = await phone.choose()
    await fetched(phone)
    await phone.get()
    assert phone.screen == "issued", (one.key, phone.screen, phone.errors())


async def fetched(phone: Phone) -> None:
    """The two messages of the vault."""
    confirmation = phone.vault.confirm(await phone.carry(phone.vault.ask(phone.vault.registered)))
    phone.vault.finish(await phone.carry(confirmation))


async def walks(folder: Path, count: int) -> list[list[Request]]:
    """The requests of each walk; one walk before them, which brings everything into memory, is left out."""
    (folder / "center").mkdir(mode=0o700)
    url = f"sqlite:///{folder / 'center' / 'center.db'}"
    migrate(url)
    meter, told = Meter(), []
    async with opened(url, folder) as world, TesseractReader() as reader:
        passwords = await rebuilt(world, meter, reader)
        try:
            for number in range(count + 1):
                one = person(WHO[number % len(WHO)])
                image = photographed(one, seed=number + 1)
                meter.seen.clear()
                await walked(world, one, image)
                told.append(named(meter.seen))
                world.clock.forward(DAY_S)
        finally:
            passwords.close()
    return told[1:]


def named(seen: list[Request]) -> list[Request]:
    """The requests below /issuance/new, by step; `screen` is the page that follows."""
    carried = iter(("carry ir", "carry certConf"))
    told = []
    for one in seen:
        method, _, step = one.name.partition(" ")
        name = "screen" if (method, step) == ("GET", "") else next(carried) if step == "carry" else step
        if name == "screen" or name in STEPS:
            told.append(replace(one, name=name))
    return told


async def first_reads(count: int) -> list[float]:
    """Seconds of the first card of a reader that was just made."""
    image, taken = photographed(person("hong")), []
    for _ in range(count):
        async with TesseractReader() as reader:
            start = time.perf_counter()
            await reader.read(image, CardKind.RESIDENT)
            taken.append(time.perf_counter() - start)
    return taken


def server_figures(told: list[list[Request]], first: list[float]) -> list[Figure]:
    """Per step what is the center's own, with its aim; then the others, by name."""
    figures: list[Figure] = []
    for name, shown in STEPS.items():
        figures += step_figures(shown, [one for walk in told for one in walk if one.name == name])
    screens = [one for walk in told for one in walk if one.name == "screen"]
    figures += step_figures("the screen after a step", screens)
    places = zip(*([one.own().wall for one in walk if one.name == "screen"] for walk in told), strict=True)
    slowest = max(statistics.median(place) for place in places)
    figures.append(at_most("phone the slowest of these screens", slowest * 1e3, "ms", OWN_MS))
    figures.append(Figure(f"phone {READER}: first card of a fresh one", statistics.median(first) * 1e3, "ms"))
    for title, part in (("the center's own, wall", "wall"), ("the center's own, CPU", "cpu")):
        sums = [sum(getattr(one.own(), part) for one in walk) for walk in told]
        figures.append(Figure(f"phone the whole route, {title}", statistics.median(sums) * 1e3, "ms"))
    return figures


def step_figures(shown: str, seen: list[Request]) -> list[Figure]:
    """Median with the aim, quartiles, processor time, and whoever was waited for."""
    own = spread([one.own().wall for one in seen])
    cpu = statistics.median(one.own().cpu for one in seen)
    told = [
        at_most(f"phone {shown}", own.median * 1e3, "ms", OWN_MS),
        Figure(f"phone {shown}: q1", own.low * 1e3, "ms"),
        Figure(f"phone {shown}: q3", own.high * 1e3, "ms"),
        Figure(f"phone {shown}: CPU", cpu * 1e3, "ms"),
    ]
    for name in sorted({name for one in seen for name in one.others}):
        waited = [one.others[name].wall for one in seen if name in one.others]
        if len(waited) > len(seen) / 2:
            told.append(Figure(f"phone {shown}: + {name}", statistics.median(waited) * 1e3, "ms"))
    return told


def main() -> int:
    """0 where every step met its aim."""
    busy = os.getloadavg()[0]
    (ROOT / "build").mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=ROOT / "build", prefix="phone-") as folder:
        told = asyncio.run(walks(Path(folder), WALKS))
    met = report("phone", server_figures(told, asyncio.run(first_reads(FIRST_READS))))
    print(f"load average {busy:.1f} at the beginning, {os.getloadavg()[0]:.1f} at the end")
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
