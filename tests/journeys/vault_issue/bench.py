"""Two real ends around the real vault: a small center with the page of ⑤ and ⑥, and the authority's whole office.

The vault is served as it is built and under its real headers; the center is a few routes that answer as the contract
of the page says, with faults that a test switches on. Everything on free loopback ports.
"""

from __future__ import annotations

import asyncio
import base64
import json
import threading
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from html import escape
from pathlib import Path
from typing import Any, Final

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route
from tests.ca import world as authority
from tests.journeys.world import free_ports

from ingam.npki import certificate, policies
from ingam.page.headers import content_policy, fixed_headers
from ingam.protocols.cmp import message
from ingam.protocols.cmp.message import BodyKind
from ingam.run import vault
from ingam.settings import Settings

ROOT: Final = Path(__file__).resolve().parents[3]
BUILT: Final = ROOT / "build" / "browser"
FLOW: Final = "f" * 32
CSRF: Final = "csrf-of-this-session"
PASSWORD: Final = "Gold!seal-2026x"
KINDS: Final = {".js": "text/javascript", ".css": "text/css", ".woff2": "font/woff2"}
TEXTS: Final = {
    "ko": ("신규공동인증서신청", "공동인증서 비밀번호를 정해 주세요", "발급 확인", "골드(용도제한용, 무료)", "확인"),
    "en": ("New joint certificate", "Set the certificate password", "Confirm", "Gold (limited use, free)", "Confirm"),
}


@dataclass
class Faults:
    """What goes wrong. `lost`: endpoints whose next answer never reaches the browser; `down`: that answer 503.

    The two `…_after_ir`: the same for what is carried behind the first message.
    """

    lost: set[str] = field(default_factory=set)
    down: set[str] = field(default_factory=set)
    refuse: set[str] = field(default_factory=set)
    holder: str = "홍길동"
    down_after_ir: bool = False
    lost_after_ir: bool = False


@dataclass
class Bench:
    """The center's memory, and what it saw."""

    center: str
    vault: str
    ca: authority.World
    lang: str = "ko"
    state: str = "key"
    spki: str | None = None
    codes: dict[str, str] | None = None
    certificate: bytes | None = None
    version: int = 1
    carried: list[bytes] = field(default_factory=list)
    bodies: list[str] = field(default_factory=list)
    signed: str = ""
    ending: bool = False
    faults: Faults = field(default_factory=Faults)

    def kinds(self) -> list[BodyKind]:
        """Which messages went to the authority."""
        return [message.parse(one).body.kind for one in self.carried]

    def issued(self) -> int:
        """How many certificates the authority has made."""
        return self.ca.books.count_of(1)

    # ── what the page asks ──

    def told(self) -> dict[str, Any]:
        root, ca, _, opens = authority.certificates("ingam")
        rows = [row for row in policies.policies() if row.ca.key == "ingam" and row.holder == "personal"]
        return {
            "now": self.ca.clock.now().strftime("%Y-%m-%dT%H:%M:%SZ"),
            "flow": FLOW,
            "lang": self.lang,
            "origin": self.center,
            "holder": {"name": self.faults.holder, "kind": "personal"},
            "encryption": _base64(opens.der),
            "anchors": [_base64(root.der), _base64(ca.der)],
            "policies": sorted({row.oid for row in rows if row.use == "securities"}),
            "profile_ko": "증권용 개인",
            "profile_en": "Securities, personal",
            "state": self.state,
            "spki": self.spki,
        }

    async def key(self, fields: dict[str, str]) -> dict[str, Any]:
        assert self.state in ("key", "product")
        self.spki, self.state = fields["spki"], "product"
        self.version += 1
        return {"version": self.version}

    async def product(self, fields: dict[str, str]) -> dict[str, Any]:
        if self.codes is None:
            assert (self.state, fields["product"], fields["version"]) == ("product", "gold", str(self.version))
            assert self.spki is not None
            found = await self.ca.register("securities", authority.HONG, spki_hash=bytes.fromhex(self.spki))
            self.codes = {
                "reference": found.reference, "code": found.code.reveal(), "idn": authority.IDN,
                "not_after_at_most": "2027-12-31T14:59:59Z",
            }  # fmt: skip
            self.state = "requested"
        return self.codes

    async def carry(self, fields: dict[str, str]) -> dict[str, Any]:
        data = base64.b64decode(fields["message"])
        self.carried.append(data)
        _, answer = await self.ca.endpoint.answer(await self.sent(data), "127.0.0.1")
        kind = message.parse(answer).body.kind
        if kind is BodyKind.IP:
            self.state = "delivered"
        if kind is BodyKind.PKICONF:
            self.state = "issued"
        return {"message": _base64(answer)}

    async def sent(self, given: bytes) -> bytes:
        """What goes to the authority of a message that the vault made."""
        return given

    # ── HTTP ──

    def routes(self) -> list[Route]:
        asked: list[tuple[str, Callable[[dict[str, str]], Awaitable[dict[str, Any]]]]] = [
            ("key", self.key), ("product", self.product), ("carry", self.carry),
        ]  # fmt: skip
        return [
            Route("/issuance/new", self._page),
            Route("/issuance/new/issue", self._issue),
            *(Route(f"/issuance/new/{name}", self._json(name, act), methods=["POST"]) for name, act in asked),
            Route("/issuance/new/cancel", self._cancel, methods=["POST"]),
            Route("/login", self._login),
            Route("/login/challenge", self._challenge, methods=["POST"]),
            Route("/login/certificate", self._logged_in, methods=["POST"]),
            Route("/assets/{name}", _asset),
        ]

    def _json(
        self, name: str, act: Callable[[dict[str, str]], Awaitable[dict[str, Any]]]
    ) -> Callable[[Request], Awaitable[Response]]:
        async def answer(request: Request) -> Response:
            body = await request.body()
            self.bodies.append(body.decode())
            form = await request.form()
            assert request.headers["x-ingam-csrf"] == CSRF
            if name in self.faults.refuse:
                return JSONResponse({"code": "issuance-refused", "message": "발급할 수 없습니다."}, 422)
            later = name == "carry" and bool(self.carried)
            if name in self.faults.down or (later and self.faults.down_after_ir):
                return JSONResponse({"code": "certification-outage", "message": "인증기관의 응답이 없습니다."}, 503)
            told = await act({key: str(value) for key, value in form.items()})
            if name in self.faults.lost or (later and self.faults.lost_after_ir):
                self.faults.lost.discard(name)
                while not self.ending:
                    await asyncio.sleep(0.05)
            return JSONResponse(told)

        return answer

    async def _issue(self, _: Request) -> Response:
        return JSONResponse(self.told(), headers={"cache-control": "no-store"})

    async def _cancel(self, _: Request) -> Response:
        return self._document("<p id=cancelled>cancelled</p>")

    async def _page(self, _: Request) -> Response:
        if self.state == "issued":
            return self._document('<h1 id="done">done</h1>')
        title, key, product, gold, confirm = TEXTS[self.lang]
        return self._document(f"""
<h1><span data-issue-shown="key">{key}</span><span data-issue-shown="product" hidden>{product}</span>
<span data-issue-shown="issuing" hidden>{title}</span><span data-issue-shown="issued" hidden>{title}</span></h1>
<section class="card">
<section data-issue data-vault="{self.vault}" data-csrf="{CSRF}" data-run="1" data-version="{self.version}"
  data-state="{self.state}" data-spki="{self.spki or ""}" data-base="/issuance/new"></section>
<form data-product hidden method="post" action="/issuance/new/product">
  <fieldset class="radio-cards"><legend>{product}</legend>
  <div class="radio-card"><input type="radio" id="gold" name="product" value="gold" checked>
  <div class="radio-words"><label for="gold">{gold}</label></div></div></fieldset>
  <div class="actions"><button class="primary">{confirm}</button></div>
</form>
<form method="post" action="/issuance/new/cancel" id="cancel"></form>
</section>""")

    async def _login(self, _: Request) -> Response:
        return self._document(f"""
<h1>login</h1><section class="card"><form method="post" action="/login/certificate" data-certificate-window
 data-challenge="/login/challenge" data-vault="{self.vault}"><input type="hidden" name="csrf" value="{CSRF}">
<input type="hidden" name="nonce"><input type="hidden" name="signed"><input type="hidden" name="sealed">
<button class="primary" id="open">login</button></form></section>""")

    async def _challenge(self, _: Request) -> Response:
        return JSONResponse({
            "purpose": "login", "origin": self.center, "nonce": "1" * 64, "issued": "2026-11-26T09:00:00Z",
            "expires": "2026-11-26T09:03:00Z", "session": "2" * 64, "body": None, "body_text": None, "seal": False,
            "customer_kind": None, "lang": self.lang,
        })  # fmt: skip

    async def _logged_in(self, request: Request) -> Response:
        self.signed = str((await request.form())["signed"])
        return self._document("<p id=welcome>welcome</p>")

    def _document(self, body: str) -> Response:
        names = json.loads((BUILT / "manifest.json").read_text())["center"]
        page = f"""<!doctype html><html lang="{self.lang}"><head><meta charset="utf-8"><title>Ingam</title>
<meta name="viewport" content="width=device-width, initial-scale=1"><meta name="color-scheme" content="light dark">
<link rel="icon" href="data:,"><link rel="stylesheet" href="/assets/{escape(names["center.css"])}">
<script type="module" src="/assets/{escape(names["main.js"])}"></script></head>
<body><div class="alone"><main id="content" tabindex="-1">{body}</main></div></body></html>"""
        headers = {name.decode(): value.decode() for name, value in fixed_headers(self.vault, False)}
        headers["content-security-policy"] = content_policy("x", self.vault)
        headers["cache-control"] = "no-store"
        return HTMLResponse(page, headers=headers)


async def _asset(request: Request) -> Response:
    path = BUILT / "center" / request.path_params["name"]
    return Response(path.read_bytes(), media_type=KINDS.get(path.suffix, "application/octet-stream"))


def _base64(octets: bytes) -> str:
    return base64.b64encode(octets).decode()


class Served:
    """Both servers on one loop in a thread of their own."""

    def __init__(self, folder: Path, made: type[Bench] = Bench) -> None:
        port = free_ports(2, 9)
        center, vault_origin = f"http://localhost:{port}", f"http://localhost:{port + 1}"
        self.bench = made(center, vault_origin, authority.world(folder))
        root, *_ = authority.certificates("ingam")
        settings = Settings(
            center_origin=center,
            vault_origin=vault_origin,
            base_port=port,
            vault_roots=(root.fingerprint.hex(),),
        )
        self._servers = [
            uvicorn.Server(uvicorn.Config(app, port=at, log_level="warning", lifespan="off", ws="none"))
            for app, at in ((Starlette(routes=self.bench.routes()), port), (vault.app(settings, BUILT), port + 1))
        ]
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()), daemon=True)
        self._thread.start()
        until = time.monotonic() + 20
        while not all(one.started for one in self._servers):
            assert time.monotonic() < until
            time.sleep(0.02)

    async def _run(self) -> None:
        await asyncio.gather(*(one.serve() for one in self._servers))
        await self.bench.ca.shut()

    def stop(self) -> None:
        """Ends both; whatever waits for an answer gets one first."""
        self.bench.ending = True
        time.sleep(0.2)
        for one in self._servers:
            one.should_exit = one.force_exit = True
        self._thread.join(20)


def parsed(der: bytes) -> certificate.Certificate:
    """A certificate."""
    return certificate.parse(der)
