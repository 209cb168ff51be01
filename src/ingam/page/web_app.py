"""The center as a web app that can be installed: manifest, icons, the page without a network, the service worker (B13).

All but the worker are hash-named files of the bundle. The worker's name stays, since it is what browsers ask for again;
it is served on the center's origin only, and its end in its place where the institution has switched it off.
"""

from __future__ import annotations

import hashlib
import json
from importlib.resources import files
from typing import Final, Protocol

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from ingam.kernel import words
from ingam.page import menu
from ingam.page.bundle import Bundle
from ingam.page.headers import WORKER_POLICY
from ingam.page.icon import icon

WORKER: Final = "/static/service-worker.js"
OFFLINE: Final = "offline.html"
MANIFEST: Final = "manifest.webmanifest"
CARD_LIGHT: Final = "#ffffff"
ICONS: Final = ("icon-180.png", "icon-192.png", "icon-512.png", "icon-mask.png")


class AppFacts(Protocol):
    """What the manifest tells of an institution."""

    @property
    def name_ko(self) -> str: ...
    @property
    def bank_ko(self) -> str: ...
    @property
    def mark(self) -> str: ...


def with_web_app(bundle: Bundle, institution: AppFacts, offline: bytes) -> Bundle:
    """The bundle with icons, manifest and the page without a network. `offline`: that page's HTML in UTF-8."""
    for name, size in zip(ICONS, (180, 192, 512, 512), strict=True):
        bundle = bundle.with_file(name, icon(size, institution.mark, maskable=name == ICONS[-1]))
    return bundle.with_file(MANIFEST, manifest(bundle, institution)).with_file(OFFLINE, offline)


def manifest(bundle: Bundle, institution: AppFacts) -> bytes:
    """W3C Web Application Manifest. Browsers ask for it without cookies, so that it is Korean for everybody."""
    shown = (("icon-192.png", 192, "any"), ("icon-512.png", 512, "any"), ("icon-mask.png", 512, "maskable"))
    told = {
        "id": "/",
        "name": f"{institution.name_ko} {institution.bank_ko}",
        "short_name": institution.bank_ko,
        "description": words.say("phone.app_description"),
        "lang": "ko",
        "dir": "ltr",
        "start_url": "/",
        "scope": "/",
        "display": "standalone",
        "theme_color": CARD_LIGHT,
        "background_color": CARD_LIGHT,
        "categories": ["finance"],
        "icons": [
            {"src": bundle.address(name), "sizes": f"{size}x{size}", "type": "image/png", "purpose": purpose}
            for name, size, purpose in shown
        ],
        "shortcuts": [{"name": words.say(one.word), "url": one.path} for one in (menu.NEW, menu.CENTER)],
    }
    return json.dumps(told, ensure_ascii=False, sort_keys=True, indent=1).encode()


def worker(bundle: Bundle, *, on: bool) -> bytes:
    """The worker's script, or the one that ends it. What it keeps from the start: the look, the script, the icon."""
    if not on:
        return _script("ending.js")
    first = ("center.css", "institution.css", "main.js", ICONS[1], OFFLINE)
    kept = [bundle.address(name) for name in first if name in bundle.names]
    version = hashlib.sha256("\n".join(kept).encode()).hexdigest()[:16]
    facts = {"version": version, "offline": bundle.address(OFFLINE), "files": kept}
    return f"const KEPT = {json.dumps(facts, sort_keys=True)}\n".encode() + _script("serving.js")


def worker_route(bundle: Bundle, *, on: bool) -> Route:
    """GET /static/service-worker.js, for the whole origin; browsers ask for it anew each time."""
    body = worker(bundle, on=on)
    headers = {
        "Cache-Control": "no-cache",
        "Service-Worker-Allowed": "/",
        "Content-Security-Policy": WORKER_POLICY,
    }

    async def serve(_: Request) -> Response:
        return Response(body, media_type="text/javascript; charset=utf-8", headers=headers)

    return Route(WORKER, serve, methods=["GET"])


def _script(name: str) -> bytes:
    return (files("ingam.page") / "worker" / name).read_bytes()
