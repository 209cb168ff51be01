"""The real vault and the real relay, around them a small center that plays the page of a copy.

The page in it is a script of a few lines that embeds the frame and carries messages to the bench and back, so that
every word between page and vault is seen here. Faults are switched on by a test. Everything on free loopback ports.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import secrets
import socket
import threading
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import uvicorn
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route
from tests.ca import world as authority
from tests.journeys.world import free_ports
from tests.npki import certs

from ingam.npki import key_file, pfx, shapes
from ingam.protocols.mailbox import ticket
from ingam.run import relay, vault
from ingam.settings import RelaySettings, Settings

ROOT: Final = Path(__file__).resolve().parents[3]
BUILT: Final = ROOT / "build" / "browser"
PASSWORD: Final = "Gold!seal-2026x"
WHO: Final = "7" * 64
LETTER: Final = {
    "ko": "증권금융 인증서복사: 이 인증서를 다음 기기로 복사합니다. 받는 기기: 휴대폰 · Chrome · Android · 지역: 서울",
    "en": "Copying a certificate to this device: phone · Chrome · Android · region: Seoul",
}
DEVICES: Final = {"pc": "PC · Chrome · Windows", "phone": "휴대폰 · Chrome · Android"}
PAGE: Final = """<!doctype html><html lang="%(lang)s"><head><meta charset="utf-8"><title>copying</title>
<meta name="viewport" content="width=device-width, initial-scale=1"><meta name="color-scheme" content="light dark">
<link rel="icon" href="data:,"><style>
body { margin: 0; padding: 16px; background: Canvas }
iframe { display: block; width: 100%%; border: 0 } main { max-width: 720px; margin: auto }
h1 { font-size: 1px }</style></head>
<body><main><h1>copying</h1><p id="page-end"></p></main><script>
const vault = '%(vault)s', id = 'copy-1'
const frame = document.createElement('iframe')
frame.allow = ['clipboard-write', 'publickey-credentials-get', 'camera'].map((one) => one + ' ' + vault).join('; ')
frame.title = 'copying'
frame.src = vault + '/window.html'
const say = (message) => frame.contentWindow.postMessage({ ingam: 1, id, ...message }, vault)
window.told = []
addEventListener('message', async (event) => {
  if (event.origin !== vault || event.source !== frame.contentWindow) return
  window.told.push(event.data)
  if (event.data.kind === 'size') { frame.style.height = event.data.height + 'px'; return }
  if (['done', 'cancelled'].includes(event.data.kind)) document.querySelector('#page-end').textContent = event.data.kind
  const answer = await fetch('/tell/%(role)s/%(here)s', { method: 'POST', body: JSON.stringify(event.data) })
  for (const message of await answer.json()) say(message)
})
document.querySelector('main').append(frame)
</script></body></html>"""


@dataclass
class Faults:
    """What goes wrong. `proof`, `arrived`, `wanted`: codes with which the center refuses; `mute`: no answer at all."""

    proof: str | None = None
    arrived: str | None = None
    wanted: str | None = None
    mute: set[str] = field(default_factory=set)


@dataclass
class Pair:
    """A certificate with its key file, as an NPKI folder holds them."""

    certificate: bytes
    pkcs8: bytes
    key: bytes

    @property
    def fingerprint(self) -> str:
        return hashlib.sha256(self.certificate).hexdigest()

    def files(self, folder: Path) -> list[Path]:
        """Both files, written."""
        folder.mkdir(parents=True, exist_ok=True)
        paths = [folder / "signCert.der", folder / "signPri.key"]
        for path, content in zip(paths, (self.certificate, self.key), strict=True):
            path.write_bytes(content)
        return paths

    def pfx(self, path: Path) -> Path:
        """The same as a .pfx."""
        path.write_bytes(pfx.write_pfx([(self.certificate, self.pkcs8)], PASSWORD.encode()))
        return path


@dataclass
class Bench:
    """The center's memory, and every word between the pages and their vaults."""

    center: str
    vault: str
    relay: str
    pair: Pair
    renewed: Pair
    lang: str = "ko"
    bound: list[str] = field(default_factory=list)
    told: dict[str, list[dict[str, Any]]] = field(default_factory=lambda: {"send": [], "receive": []})
    tickets: dict[str, str] = field(default_factory=dict)
    faults: Faults = field(default_factory=Faults)
    signing: Ed25519PrivateKey = field(default_factory=Ed25519PrivateKey.generate)
    life: timedelta = timedelta(minutes=3)
    ttl: int = 180
    who: str = WHO

    def kinds(self, role: str) -> list[str]:
        """Which messages a vault told its page, without sizes."""
        return [one["kind"] for one in self.told[role]]

    def last(self, role: str, kind: str) -> dict[str, Any]:
        """The newest message of a kind."""
        return next(one for one in reversed(self.told[role]) if one["kind"] == kind)

    # ── what the page asks ──

    def copy(self, role: str, here: str) -> dict[str, Any]:
        sending = role == "send"
        return {
            "origin": self.center, "role": role, "lang": self.lang, "customer_kind": "personal", "here": here,
            "device": DEVICES[here], "bound": self.bound if sending else [],
            "other": DEVICES["phone" if here == "pc" else "pc"] if sending else None,
            "challenge": self.challenge() if sending else None,
        }  # fmt: skip

    def challenge(self) -> dict[str, Any]:
        now, text = datetime.now(UTC), LETTER[self.lang]
        return {
            "purpose": "copy-out", "origin": self.center, "nonce": secrets.token_hex(32), "issued": _instant(now),
            "expires": _instant(now + self.life), "session": "2" * 64, "seal": False, "customer_kind": "personal",
            "body": hashlib.sha256(text.encode()).hexdigest(), "body_text": text, "lang": self.lang,
        }  # fmt: skip

    def answers(self, role: str, here: str, message: dict[str, Any]) -> list[dict[str, Any]]:
        """What the page says then."""
        kind = message["kind"]
        if kind in self.faults.mute:
            return []
        if kind == "ready":
            return [{"kind": "copy", "copy": self.copy(role, here)}]
        if kind == "expired":
            self.life = timedelta(minutes=3)
            return [{"kind": "renewed", "challenge": self.challenge()}]
        if kind == "opened":
            self.tickets[message["mailbox"]] = message["ticket"]
        refusal = {"proved": self.faults.proof, "arrived": self.faults.arrived, "wanted": self.faults.wanted}.get(kind)
        if refusal is not None:
            return [{"kind": "failed", "code": refusal}]
        if kind in ("proved", "arrived"):
            return [{"kind": "accepted"}]
        return [self._ticket(role, message)] if kind == "wanted" else []

    def _ticket(self, role: str, message: dict[str, Any]) -> dict[str, Any]:
        mailbox = message["mailbox"]
        if mailbox is not None and mailbox not in self.tickets:
            return {"kind": "failed", "code": "copy-number-unknown"}
        now = int(time.time())
        made = ticket.Ticket(
            id=secrets.token_hex(16), relay=self.relay, act=message["act"],
            role="sender" if role == "send" else "receiver", mailbox=mailbox,
            peer=None if mailbox is None else self.tickets[mailbox], who=self.who, iat=now, exp=now + 120, ttl=self.ttl,
        )  # fmt: skip
        return {"kind": "ticket", "ticket": ticket.write(made, self.signing.sign)}

    # ── HTTP ──

    def routes(self) -> list[Route]:
        return [
            Route("/copying/{role}/{here}", self._page),
            Route("/tell/{role}/{here}", self._tell, methods=["POST"]),
        ]

    async def _page(self, request: Request) -> Response:
        return HTMLResponse(PAGE % {"vault": self.vault, "lang": self.lang, **request.path_params})

    async def _tell(self, request: Request) -> Response:
        role, here = request.path_params["role"], request.path_params["here"]
        message = json.loads(await request.body())
        self.told[role].append(message)
        return JSONResponse(self.answers(role, here, message))


def _instant(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


async def pairs(folder: Path) -> tuple[Pair, Pair]:
    """A person's certificate, and the one that a renewal gave the same person."""
    ca = authority.world(folder)
    found = []
    for number in (3, 4):
        issued = await authority.enrolled(ca, key=number)
        pkcs8 = shapes.private_key_info(certs.key(f"rsa2048-{number:02}"), bytes(range(20)))
        found.append(Pair(issued, pkcs8, key_file.seal_key(pkcs8, PASSWORD.encode())))
    await ca.shut()
    return found[0], found[1]


class Served:
    """Center, vault and relay on one loop in a thread of their own."""

    def __init__(self, folder: Path, two: tuple[Pair, Pair]) -> None:
        port = free_ports(3, 11)
        center, vault_origin, relay_origin = (f"http://localhost:{port + at}" for at in range(3))
        self.bench = Bench(center, vault_origin, relay_origin, *two, bound=[two[0].fingerprint])
        keys = folder / "tickets.pub"
        keys.write_text(self.bench.signing.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw).hex() + "\n")
        settings = Settings(
            data=folder, center_origin=center, vault_origin=vault_origin, base_port=port,
            relay=RelaySettings(origin=relay_origin, ticket_keys=keys, drain_s=0),
        )  # fmt: skip
        self._servers = [
            uvicorn.Server(uvicorn.Config(app, port=at, log_level="warning", lifespan="off", ws="none"))
            for app, at in ((Starlette(routes=self.bench.routes()), port), (vault.app(settings, BUILT), port + 1))
        ]
        self._relay = settings, socket.create_server(("127.0.0.1", port + 2))
        self._stop = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()), daemon=True)
        self._thread.start()
        until = time.monotonic() + 20
        while not all(one.started for one in self._servers):
            assert time.monotonic() < until
            time.sleep(0.02)
        # A relay that has just started knows no ticket of its first second (C12).
        started = int(time.time())
        while int(time.time()) == started:
            time.sleep(0.02)

    async def _run(self) -> None:
        self._loop = asyncio.get_running_loop()
        await asyncio.gather(*(one.serve() for one in self._servers), relay.serve(*self._relay, self._stop))

    def stop(self) -> None:
        """Ends all three."""
        assert self._loop is not None
        self._loop.call_soon_threadsafe(self._stop.set)
        for one in self._servers:
            one.should_exit = one.force_exit = True
        self._thread.join(20)
