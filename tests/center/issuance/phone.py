"""A person with a telephone: the browser's pages, forms and JSON calls, and the vault beside them."""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import unquote

import httpx2
from tests.ca.world import held
from tests.center.issuance.vault import Vault
from tests.npki.certs import Party

from ingam.kernel.secret import Secret
from ingam.npki import cms
from ingam.ports.card_reader import CardKind
from ingam.protocols.challenge import Challenge, Purpose, seal, text
from ingam.sandbox.payment import PaymentProvider
from ingam.sandbox.people import BANKING_PASSWORD, Person

if TYPE_CHECKING:
    from tests.center.issuance.world import World

HERE: Final = "/issuance/new"
Fields = dict[str, str]

_MARKS: Final = {
    "password": 'action="{base}/password"',
    "consents": 'action="{base}/name"',
    "otp": 'action="{base}/phone-proof"',
    "identity": 'action="{base}/phone"',
    "card": 'action="{base}/card-fields"',
    "account": 'action="{base}/onewon"',
    "onewon": 'action="{base}/onewon-proof"',
    "details": 'action="{base}/details"',
    "key": 'data-state="key"',
    "product": 'data-state="product"',
    "requested": 'data-state="requested"',
    "delivered": 'data-state="delivered"',
    "issued": 'class="certificate"',
    "refused": 'href="{base}?new=1"',
    "login": 'action="/login/id"',
}
WALK: Final = ("password", "consents", "identity", "otp", "card", "account", "onewon", "details", "key", "product",
               "requested", "delivered", "issued")  # fmt: skip
"""The screens of the whole route, in order."""


class Refused(Exception):  # noqa: N818 - what a page is told
    """A JSON endpoint refused: the vault's page shows it."""

    def __init__(self, answer: httpx2.Response) -> None:
        self.status, told = answer.status_code, answer.json()
        self.code, self.message = told["code"], told["message"]
        super().__init__(f"{self.status} {self.code} {self.message}")


@dataclass
class Phone:
    """One browser with its cookies; keeps the page that it sees. `vault`: its newest record.

    `asked`: every address; `sent`: every form; `seen`: every page.
    """

    world: World
    client: httpx2.AsyncClient
    who: Person
    key: int
    page: str = ""
    status: int = 0
    csrf: str = ""
    vault: Vault = field(init=False)
    asked: list[str] = field(default_factory=list)
    seen: list[str] = field(default_factory=list)
    sent: list[tuple[str, Fields]] = field(default_factory=list)
    base: str = HERE
    product: str = "gold"

    def __post_init__(self) -> None:
        self.fresh_vault(self.key)

    def fresh_vault(self, key: int) -> None:
        """Another record with another key."""
        self.vault = Vault(held("person", key), self.world.random)

    # pages

    async def get(self, path: str = "") -> str:
        path = path or self.base
        self.asked.append(path)
        return self._saw(await self.client.get(path))

    async def send(
        self, path: str, fields: Fields | None = None, *, content: bytes | None = None, **headers: str
    ) -> httpx2.Response:
        """One POST as a browser sends it; nothing is followed."""
        told = {"Origin": "http://localhost:8700", "Sec-Fetch-Site": "same-origin"}
        told |= {name.replace("_", "-"): value for name, value in headers.items()}
        self.asked.append(path)
        self.sent.append((path, fields or {}))
        if content is not None:
            return await self.client.post(path, content=content, headers=told | {"X-Ingam-CSRF": self.csrf})
        return await self.client.post(path, data={"csrf": self.csrf, **(fields or {})}, headers=told)

    async def post(self, step: str, fields: Fields | None = None) -> str:
        """Submit a form of the page that is seen, with its hidden fields; a redirect is followed."""
        answer = await self.send(f"{self.base}/{step}", {**self.turn, **(fields or {})})
        if answer.status_code == 303:
            return await self.get(unquote(answer.headers["location"]).partition("#")[0])
        return self._saw(answer)

    async def tell(self, step: str, fields: Fields | None = None) -> dict[str, Any]:
        """A JSON call of the page that is seen. Raises Refused."""
        answer = await self.send(
            f"{self.base}/{step}", {**self.turn, **(fields or {})}, Accept="application/json", X_Ingam_CSRF=self.csrf
        )
        return _json(answer)

    @property
    def turn(self) -> Fields:
        """run and version of the page."""
        return _turn(self.page)

    @property
    def run(self) -> str:
        """The newest that a page named: the last page has none, and its script remembers it."""
        return next((turn["run"] for page in reversed(self.seen) if "run" in (turn := _turn(page))), "1")

    @property
    def screen(self) -> str:
        """Which screen is seen."""
        marks = {name: mark.replace("{base}", self.base) for name, mark in _MARKS.items()}
        return next((name for name, mark in marks.items() if mark in self.page), "other")

    @property
    def ticks(self) -> Fields:
        """Every document of the page, agreed to."""
        return dict(re.findall(r'name="(consent_T[0-9])" value="([^"]*)"', self.page))

    def errors(self) -> str:
        """The errors that stand beside fields."""
        return " ".join(re.findall(r'class="error"[^>]*>([^<]+)<', self.page))

    def _saw(self, answer: httpx2.Response) -> str:
        self.page, self.status = answer.text, answer.status_code
        self.seen.append(answer.text)
        found = re.search(r'name="csrf" value="([^"]+)"', self.page)
        self.csrf = found[1] if found else self.csrf
        return self.page

    # 로그인

    async def log_in(self, password: str = BANKING_PASSWORD) -> None:
        """아이디 로그인: a new session, on this device."""
        await self.get("/login")
        answer = await self.send("/login/id", {"banking_id": self.who.banking_id, "password": password})
        assert answer.status_code == 303, answer.text

    async def log_out(self) -> None:
        """The session is over, the device is remembered."""
        await self.get("/cert-center")
        await self.send("/logout")

    async def log_in_with(self, holder: Party) -> httpx2.Response:
        """공동인증서 로그인, from its page."""
        await self.get("/login?way=cert&then=/mybank")
        answer = await self.send("/login/challenge", Accept="application/json")
        return await self.send("/login/certificate", {"then": "/mybank"} | await self.signed(holder, _json(answer)))

    @property
    def party(self) -> Party:
        """What the vault holds when it is issued."""
        return Party(self.vault.certificate, self.vault.key.key)  # type: ignore[arg-type]

    # the screens

    async def enter(self, password: str = BANKING_PASSWORD) -> str:
        return await self.post("password", {"password": password})

    async def name(self, **changed: str) -> str:
        return await self.post("name", self.ticks | {"name": self.who.name, "idn": self.who.idn} | changed)

    async def ask_code(self, **changed: str) -> str:
        told = {"mobile": self.who.mobile, "carrier": self.who.carrier, "method": "SMS"}
        return await self.post("phone", self.ticks | told | changed)

    @property
    def otp(self) -> str:
        """The code of the newest SMS of the agency."""
        found = [match[1] for one in self.world.texts(self.who) if (match := re.search("인증번호 ([0-9]{6})", one))]
        return found[0]

    async def prove_phone(self, otp: str | None = None) -> str:
        return await self.post("phone-proof", {"otp": self.otp if otp is None else otp})

    async def challenge(self) -> dict[str, Any]:
        return await self.tell("challenge")

    async def prove_certificate(self, holder: Party, r: bytes, told: dict[str, Any] | None = None) -> str:
        """공동인증서 인증: the certificate window, then the form."""
        told = told or await self.challenge()
        return await self.post("certificate-proof", await self.signed(holder, told, r))

    async def shoot(self, kind: CardKind = CardKind.RESIDENT, image: bytes | None = None) -> dict[str, Any]:
        """A photograph; what was read of it. Raises Refused."""
        from tests.center.issuance.world import photograph

        taken = photograph(self.who, kind) if image is None else image
        path = f"{self.base}/card?run={self.turn['run']}&kind={kind}"
        return _json(await self.send(path, content=taken, Content_Type="image/jpeg", Accept="application/json"))

    def card_fields(self, kind: CardKind = CardKind.RESIDENT) -> Fields:
        """②, filled in from the card itself."""
        if kind is CardKind.RESIDENT:
            assert self.who.resident_card is not None
            day = f"{self.who.resident_card.issued_on:%Y%m%d}"
            return {"kind": kind, "name": self.who.name, "number_front": self.who.idn[:7], "issued_on": day}
        assert self.who.licence is not None
        return {
            "kind": kind, "name": self.who.name, "birth_date": f"{self.who.birth_date:%Y%m%d}",
            "licence_number": self.who.licence.number, "licence_serial": self.who.licence.serial,
        }  # fmt: skip

    async def card(self, kind: CardKind = CardKind.RESIDENT, **changed: str) -> str:
        return await self.post("card-fields", self.ticks | self.card_fields(kind) | changed)

    async def ask_one_won(self, **changed: str) -> str:
        assert self.who.bank is not None
        told = {"bank_code": self.who.bank.bank_code, "account": self.who.bank.account}
        return await self.post("onewon", self.ticks | told | changed)

    @property
    def digits(self) -> str:
        """Of the newest 1원, as the bank's statement has them."""
        found = re.search("[0-9]{4}", self.world.deposits(self.who)[0])
        assert found is not None
        return found[0]

    async def prove_one_won(self, code: str | None = None) -> str:
        return await self.post("onewon-proof", {"code": self.digits if code is None else code})

    def details(self) -> Fields:
        """④, as somebody fills it in."""
        assert self.who.address is not None
        local, _, domain = self.who.email.partition("@")
        home = {"home_phone": self.who.home_phone} if self.who.home_phone else {"home_phone_none": "yes"}
        return {
            "email_local": local, "email_domain": domain, "mobile": self.who.mobile, "zip5": self.who.address.zip5,
            "road": self.who.address.road, "detail": self.who.address.detail, **home,
        }  # fmt: skip

    async def describe(self, **changed: str) -> str:
        return await self.post("details", self.details() | changed)

    # ⑤ and ⑥

    async def issue(self) -> dict[str, Any]:
        """What the vault is told when its frame opens."""
        self.asked.append(f"{self.base}/issue")
        return _json(await self.client.get(f"{self.base}/issue"))

    async def make_key(self) -> dict[str, Any]:
        return await self.tell("key", {"spki": self.vault.make(await self.issue())})

    async def choose(self, **changed: str) -> dict[str, Any]:
        """⑥; what costs is paid in the provider's window first, and chosen again."""
        told = await self.tell("product", {"product": self.product, "revoke": "yes"} | changed)
        if "pay" in told:
            self.pay(told["pay"])
            await self.get()
            told = await self.tell("product", {"product": self.product, "revoke": "yes"} | changed)
        return told

    def pay(self, window: str, *, allowed: bool = True) -> None:
        """In the payment provider's window."""
        box = self.world.around.box
        provider = PaymentProvider(box.payments, box.switches, box.clock, box.origin)
        provider.decided(window.rpartition("/")[2], allowed=allowed)

    async def again(self) -> dict[str, Any]:
        """The registration's answer was lost."""
        return await self.tell("product", {"again": "yes"})

    async def carry(self, message: bytes) -> bytes:
        told = await self.tell("carry", {"run": self.run, "message": base64.b64encode(message).decode()})
        return base64.b64decode(told["message"], validate=True)

    async def fetch(self) -> None:
        """From Requested or Delivered to the end, as the page's script and the vault do."""
        self.vault.issue = await self.issue()
        ir = self.vault.ask(self.vault.registered or await self.again())
        confirmation = self.vault.confirm(await self.carry(ir))
        self.vault.finish(await self.carry(confirmation))

    # the way through

    async def on(self) -> str:
        """Whatever the screen asks for next."""
        match self.screen:
            case "password":
                return await self.enter()
            case "consents":
                return await self.name()
            case "identity":
                return await self.ask_code()
            case "otp":
                return await self.prove_phone()
            case "card":
                await self.shoot()
                return await self.card()
            case "account":
                return await self.ask_one_won()
            case "onewon":
                return await self.prove_one_won()
            case "details":
                return await self.describe()
            case "key":
                await self.make_key()
            case "product":
                if not self.vault.issue:
                    self.vault.issue = await self.issue()
                self.vault.registered = await self.choose()
            case "requested" | "delivered":
                await self.fetch()
            case seen:
                raise AssertionError(f"at {seen}: {self.status} {self.page[:3000]}")
        return await self.get()

    async def until(self, screen: str) -> str:
        """As far as this screen, from wherever it is."""
        await self.get()
        for _ in range(20):
            if self.screen == screen:
                return self.page
            before = self.screen
            await self.on()
            assert self.screen != before or screen == before, (before, self.status, self.errors(), self.page[:3000])
        raise AssertionError(f"never came to {screen}: {self.screen}")

    # the vault's hands

    async def signed(self, holder: Party, told: dict[str, Any], r: bytes | None = None) -> Fields:
        """What the certificate window fills in; with `r`, sealed for the center."""
        challenge = Challenge(
            purpose=Purpose(told["purpose"]),
            origin=told["origin"],
            nonce=told["nonce"],
            issued=datetime.fromisoformat(told["issued"]),
            expires=datetime.fromisoformat(told["expires"]),
            session=told["session"],
            body=told["body"],
        )
        sealed = None
        if r is not None:
            public = base64.b64decode((await self.client.get("/seal-key")).json()["public"])
            sealed = seal(public, Secret(r), challenge, holder.certificate.der)
        made = cms.sign(
            text(challenge, holder.certificate.der, sealed), holder.certificate, holder.key,
            purpose=str(challenge.purpose), signing_time=self.world.clock.now(),
        )  # fmt: skip
        blob = "" if sealed is None else base64.b64encode(sealed).decode()
        return {"nonce": told["nonce"], "signed": base64.b64encode(made).decode(), "sealed": blob}


def _json(answer: httpx2.Response) -> dict[str, Any]:
    if answer.status_code != 200:
        raise Refused(answer)
    told: dict[str, Any] = answer.json()
    return told


def _turn(page: str) -> Fields:
    found = {}
    for name in ("run", "version"):
        match = re.search(f'name="{name}" value="([^"]*)"|data-{name}="([^"]*)"', page)
        if match is not None:
            found[name] = match[1] or match[2]
    return found
