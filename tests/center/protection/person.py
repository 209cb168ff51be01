"""A person at /protection in memory: one browser with its cookies, its authenticator, and its software keys."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import unquote

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from tests.authenticator import Authenticator
from tests.center.world import HONG, Browser, World, signed
from tests.npki.certs import Party

from ingam.customer.notice import SMS, deliver_sms
from ingam.ports.customers import Customer
from ingam.protocols import device
from ingam.protocols.challenge import Challenge, Purpose
from ingam.protocols.webauthn import encode


async def deliver(world: World) -> list[str]:
    """Everything due leaves once; the texts of what left now."""
    before, hand_over = set(world.phone.sent), deliver_sms(world.phone)
    for claimed in await world.ports.store.claim(world.clock.now(), 60, 50):
        assert claimed.kind == SMS
        await hand_over(claimed)
        await world.ports.store.delivered(claimed.id, world.clock.now())
    return [sms.text for reference, sms in world.phone.sent.items() if reference not in before]


@dataclass
class SoftwareKey:
    """What WebCrypto makes in a browser."""

    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()), repr=False)

    @property
    def point(self) -> bytes:
        return self.key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)

    def sign(self, told: dict[str, Any]) -> str:
        """As browser/src/page/device_proof.ts does it."""
        challenge = Challenge(
            Purpose(told["purpose"]),
            told["origin"],
            told["nonce"],
            datetime.fromisoformat(told["issued"]),
            datetime.fromisoformat(told["expires"]),
            told["session"],
            told["body"],
        )
        r, s = decode_dss_signature(self.key.sign(device.text(challenge, told["act"]), ec.ECDSA(hashes.SHA256())))
        return encode(r.to_bytes(32, "big") + s.to_bytes(32, "big"))


@dataclass
class Person:
    """One person in one browser."""

    world: World
    browser: Browser
    who: Customer = HONG
    hardware: Authenticator = field(default_factory=lambda: Authenticator("http://localhost:8700"))
    passkey: Authenticator = field(default_factory=lambda: Authenticator("http://localhost:8700"))
    software: SoftwareKey = field(default_factory=SoftwareKey)
    status: int = 0

    @property
    def page(self) -> str:
        return self.browser.page

    async def log_in(self) -> None:
        """아이디 로그인."""
        assert (await self.browser.log_in(self.who)).status_code == 303
        await self.look()

    async def look(self, path: str = "/protection") -> str:
        self.status = (await self.browser.get(path)).status_code
        return self.page

    def hidden(self) -> dict[str, str]:
        """run and version of the seen page's forms."""
        found = {name: re.search(f'name="{name}" value="([^"]*)"', self.page) for name in ("run", "version")}
        return {name: match[1] for name, match in found.items() if match is not None}

    async def post(self, path: str, fields: dict[str, str] | None = None) -> str:
        """Submit a form of the page that is seen; a redirect is followed."""
        answer = await self.browser.send(path, {**self.hidden(), **(fields or {})})
        self.status = answer.status_code
        if answer.status_code == 303:
            return await self.look(unquote(answer.headers["location"]).partition("#")[0])
        return self.page

    async def ask(self, path: str, fields: dict[str, str] | None = None) -> dict[str, Any]:
        """What is to be signed, as JSON; the page stays."""
        page, hidden = self.page, self.hidden()
        answer = await self.browser.send(path, {**hidden, **(fields or {})}, Accept="application/json")
        self.status, self.browser.page = answer.status_code, page
        told: dict[str, Any] = answer.json()
        return told

    # ── steps ──

    async def begin(self, kind: str, target: str = "") -> str:
        return await self.post("/protection/begin", {"kind": kind, "target": target})

    async def authenticate(self) -> str:
        """휴대폰 SMS 인증 and 미소지고객 인증."""
        await self.post("/protection/factor/request", {"method": "sms"})
        await deliver(self.world)
        return await self.post("/protection/factor", self.proof())

    def proof(self) -> dict[str, str]:
        cut = 6 if len(self.who.idn) == 13 else 5
        return {
            "method": "sms",
            "code": self.world.phone.code,
            "number_back": self.who.idn.reveal()[cut:],
            "phone_back": self.who.mobile[-4:],
        }

    async def apply(self) -> None:
        await self.post("/protection/apply")
        self.world.clock.forward(61)

    async def to_new(self, kind: str = "device") -> str:
        """To the last step of a new device or passkey."""
        await self.begin(kind)
        return await self.authenticate()

    async def make(self, kind: str = "hardware", alias: str = "집 노트북", sent: str | None = None) -> str:
        """The last step: the new key signs, and is saved. `sent`: the alias that the form brings after all."""
        told = await self.ask("/protection/offer", {"alias": alias, "key_kind": kind})
        assert self.status == 200, told
        fields = {"alias": sent or alias, "device_answer": self.new(kind, told)}
        return await self.post("/protection/add", fields)

    def new(self, kind: str, told: dict[str, Any]) -> str:
        """What the script sends of a new key."""
        if kind == "software":
            made = {"point": encode(self.software.point), "signature": self.software.sign(told)}
            return json.dumps({"nonce": told["nonce"], **made})
        made_by = self.passkey if kind == "passkey" else self.hardware
        return json.dumps({"nonce": told["nonce"], "webauthn": made_by.create(told["options"])})

    async def designate(self, kind: str = "hardware", alias: str = "집 노트북") -> str:
        """신청, 추가인증, 지정."""
        await self.look()
        await self.apply()
        await self.to_new()
        page = await self.make(kind, alias)
        self.world.clock.forward(61)
        return page

    def answer(self, told: dict[str, Any], by: str = "device") -> str:
        """What the script sends of a key that is there."""
        if by == "device" and told["kind"] == "software":
            return json.dumps({"nonce": told["nonce"], "key": told["key"], "signature": self.software.sign(told)})
        authenticator = self.passkey if by == "passkey" else self.hardware
        return json.dumps({"nonce": told["nonce"], "webauthn": authenticator.get(told["options"])})

    async def sign(self, by: str, number: str = "", holder: Party | None = None) -> dict[str, str]:
        """The fields of a form that a key of this person signed."""
        told = await self.ask("/protection/sign", {"by": by, "number": number})
        assert self.status == 200, told
        if holder is not None:
            return {"by": by, "number": number, "nonce": told["nonce"], "signed": signed(holder, told, self.now)}
        return {"by": by, "number": number, "device_answer": self.answer(told, by)}

    @property
    def now(self) -> datetime:
        return self.world.clock.now()


def person(world: World, who: Customer = HONG) -> Person:
    """Somebody in a fresh browser, logged in nowhere."""
    return Person(world, world.browser(), who)
