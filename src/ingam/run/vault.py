"""The vault's process: static files of an origin of its own, and nothing else (security B1, B3).

No templates, no uploads, no cookies, no log of who came. `/window.html`, its hash-named files, and `/settings.json`
(the origins this vault belongs to) are read into memory at start; every other path is 404. A worker's policy comes with
its own script: those that read pictures have less than the page, and one alone may compile WebAssembly.
"""

from __future__ import annotations

import gzip
import json
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ingam.kernel.errors import Defect
from ingam.settings import Settings, read

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

BUILT: Final = Path(__file__).resolve().parents[3] / "build" / "browser"
PAGE: Final = "window.html"
LISTING: Final = "files.json"
NOTICES: Final = "THIRD-PARTY.txt"
LOOPBACK: Final = ("127.0.0.1", "[::1]")
KINDS: Final = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".json": "application/json",
    ".woff2": "font/woff2",
    ".txt": "text/plain; charset=utf-8",
    ".wasm": "application/wasm",
}
PACKED: Final = (".js", ".css", ".wasm")
READS: Final = "scan-"
COMPILES: Final = "scan_wasm-"
# What no certificate window needs; passkeys, the clipboard, and the camera that reads a QR (C5) it does.
DENIED: Final = (
    "accelerometer", "autoplay", "browsing-topics", "display-capture", "encrypted-media", "fullscreen",
    "geolocation", "gyroscope", "hid", "idle-detection", "local-fonts", "magnetometer", "microphone", "midi", "payment",
    "screen-wake-lock", "serial", "usb", "xr-spatial-tracking",
)  # fmt: skip

Headers = tuple[tuple[bytes, bytes], ...]


@dataclass(frozen=True, slots=True)
class File:
    """One answer in full: `body`, `packed` (gzip, or None where it is not worth it), their headers, and the status."""

    body: bytes
    packed: bytes | None
    headers: Headers
    status: int = 200


NO_STORE: Final[Headers] = ((b"cache-control", b"no-store"),)
NOT_FOUND: Final = File(b"", None, NO_STORE, 404)
NOT_ALLOWED: Final = File(b"", None, (*NO_STORE, (b"allow", b"GET, HEAD")), 405)
MISDIRECTED: Final = File(b"misdirected\n", None, NO_STORE, 421)
HEALTHY: Final = File(b"ok\n", None, NO_STORE)


def app(settings: Settings, built: Path = BUILT) -> ASGIApp:
    """The ASGI application. `built`: what scripts/build_browser.py wrote. Raises Defect `bundle-missing`."""
    files = _files(settings, built)
    host = settings.vault_origin.partition("://")[2]
    fixed = _fixed_headers(settings)

    async def serve(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await _started(scope, receive, send)
            return
        asked = dict(scope["headers"])
        file = _refusal(scope, asked, settings.vault_origin, host) or files.get(scope["path"], NOT_FOUND)
        packed = file.packed if b"gzip" in asked.get(b"accept-encoding", b"") else None
        extra = ((b"content-encoding", b"gzip"),) if packed is not None else ()
        body = packed if packed is not None else file.body
        headers = [*fixed, *file.headers, *extra, (b"content-length", str(len(body)).encode())]
        await send({"type": "http.response.start", "status": file.status, "headers": headers})
        await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else body})

    return serve


def _refusal(scope: Scope, asked: Mapping[bytes, bytes], origin: str, host: str) -> File | None:
    """What is answered before any file is looked for, or None."""
    if scope["method"] not in ("GET", "HEAD"):
        return NOT_ALLOWED
    told = asked.get(b"host", b"").decode("latin-1")
    if told == host or scope["path"] == "/healthz":
        return None
    # 127.0.0.1 is sent to the one name that vaults are bound to; another host is none of ours.
    name, _, port = told.rpartition(":")
    if name not in LOOPBACK or origin != f"http://localhost:{port}":
        return MISDIRECTED
    path = scope.get("raw_path", b"/").decode("latin-1").partition("?")[0]
    return File(b"", None, (*NO_STORE, (b"location", f"{origin}{path}".encode("latin-1"))), 308)


async def _started(scope: Scope, receive: Receive, send: Send) -> None:
    """The lifespan protocol: nothing to open, nothing to close. WebSockets are not spoken here."""
    if scope["type"] != "lifespan":
        await receive()
        await send({"type": "websocket.close", "code": 1008})
        return
    while True:
        message = await receive()
        await send({"type": message["type"] + ".complete"})
        if message["type"] == "lifespan.shutdown":
            return


def _files(settings: Settings, built: Path) -> Mapping[str, File]:
    try:
        found = {path.name: path.read_bytes() for path in sorted((built / "vault").iterdir())}
        page = found.pop(PAGE)
    except (OSError, KeyError):
        raise Defect("bundle-missing", folder=str(built)) from None
    files = {f"/{name}": _file(name, body, _cache(name)) for name, body in found.items()}
    integrity = ((b"integrity-policy", b"blocked-destinations=(script)"),) if _all_scripts_vouched(page) else ()
    framed = _file(PAGE, page, "no-store")
    files |= {f"/{PAGE}": replace(framed, headers=framed.headers + integrity)}
    origins = {
        "center": settings.center_origin,
        "vault": settings.vault_origin,
        "relay": settings.relay.origin,
        "roots": settings.vault_roots,
        "desk_roots": settings.desk_roots,
    }
    files |= {"/settings.json": _file("settings.json", json.dumps(origins).encode(), "no-store"), "/healthz": HEALTHY}
    policies = _policies(settings, [path for path in files if path.endswith(".wasm")])
    return {path: replace(file, headers=(*file.headers, policies(path))) for path, file in files.items()}


def _cache(name: str) -> str:
    """Hash-named files never change; the listing of the bundle (B4) and the licences keep their names."""
    return "no-store" if name in (LISTING, NOTICES) else "public, max-age=31536000, immutable"


def _file(name: str, body: bytes, cache: str) -> File:
    suffix = Path(name).suffix
    packed = gzip.compress(body, 6, mtime=0) if suffix in PACKED else None
    kind = KINDS.get(suffix, "application/octet-stream")
    vary = ((b"vary", b"accept-encoding"),) if packed is not None else ()
    return File(body, packed, ((b"content-type", kind.encode()), (b"cache-control", cache.encode()), *vary))


def _policies(settings: Settings, compiled: Sequence[str]) -> Callable[[str], tuple[bytes, bytes]]:
    """B3: the policy header of a path. `compiled`: paths of WebAssembly, all that the worker for it may fetch."""
    fetched = " ".join(settings.vault_origin + path for path in compiled)
    of_page, closed, compiling = _policy(settings), _closed(), _closed(fetched)

    def header(path: str) -> tuple[bytes, bytes]:
        name = path.removeprefix("/")
        policy = compiling if name.startswith(COMPILES) else closed if name.startswith(READS) else of_page
        return (b"content-security-policy", policy.encode())

    return header


def _closed(compiled: str = "") -> str:
    """What reads pictures has no network, no further scripts and no frames; `compiled` lets it have just that code."""
    allowed = f"script-src 'wasm-unsafe-eval'; connect-src {compiled}; " if compiled else ""
    return f"default-src 'none'; {allowed}frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types"


def _policy(settings: Settings) -> str:
    """Of the center only the sealing key is fetched (A15), of the relay what copying needs, by both of its ways."""
    relay = settings.relay.origin
    sockets = relay.replace("http", "ws", 1)
    return "; ".join(
        (
            "default-src 'none'",
            "script-src 'self'",
            "worker-src 'self'",
            "style-src 'self'",
            "font-src 'self'",
            "img-src 'self' data:",
            f"connect-src 'self' {settings.center_origin}/seal-key {sockets}/copy {relay}/copy/",
            "form-action 'none'",
            "base-uri 'none'",
            f"frame-ancestors {settings.center_origin}",
            "require-trusted-types-for 'script'",
            "trusted-types ingam-worker",
        )
    )


def _all_scripts_vouched(page: bytes) -> bool:
    """Integrity-Policy blocks scripts without `integrity`: sent only with a page whose build has put it in."""
    return page.count(b"<script") == page.count(b'integrity="sha384-') > 0


def _fixed_headers(settings: Settings) -> Headers:
    permissions = ", ".join([*(f"{name}=()" for name in DENIED), "clipboard-write=(self)", "camera=(self)"])
    headers = {
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
        "Cross-Origin-Opener-Policy": "same-origin",
        # The center embeds us: another origin of the same site.
        "Cross-Origin-Resource-Policy": "same-site",
        "Origin-Agent-Cluster": "?1",
        "Permissions-Policy": permissions,
    }
    if settings.vault_origin.startswith("https://"):
        headers["Strict-Transport-Security"] = "max-age=63072000; includeSubDomains"
    return tuple((name.lower().encode(), value.encode()) for name, value in headers.items())


def main() -> None:
    """Serves on loopback until told to stop."""
    import uvicorn

    from ingam.run.http import BoundedHttp

    settings = read(os.environ)
    uvicorn.run(
        app(settings),
        host="127.0.0.1",
        port=settings.port("vault"),
        http=BoundedHttp,
        log_level="warning",
        access_log=False,
        server_header=False,
        date_header=False,
        ws="none",
    )


if __name__ == "__main__":
    main()
