"""The browser bundle of this process: hash-named files in memory, and the names that pages ask for."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response

from ingam.kernel.errors import Defect, Refusal

IMMUTABLE: Final = "public, max-age=31536000, immutable"
KINDS: Final = {
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".woff2": "font/woff2",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".json": "application/json",
    ".txt": "text/plain; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".webmanifest": "application/manifest+json",
}
WORTH_PACKING: Final = (".js", ".css", ".svg", ".json", ".html", ".webmanifest")


@dataclass(frozen=True, slots=True)
class StaticFile:
    """One file as it leaves: its bytes, the same bytes gzipped where that is worth it, and its media type."""

    body: bytes
    packed: bytes | None
    kind: str

    @staticmethod
    def of(name: str, body: bytes) -> StaticFile:
        """Packed once, at start; `mtime=0` keeps the bytes the same on every start."""
        suffix = Path(name).suffix
        packed = gzip.compress(body, 6, mtime=0) if suffix in WORTH_PACKING else None
        return StaticFile(body, packed, KINDS.get(suffix, "application/octet-stream"))


@dataclass(frozen=True, slots=True)
class Bundle:
    """`names`: "main.js" → "main-ABC.js". `files`: by hash name. `vault_hash`: 64 lower hex of the vault's bundle."""

    names: Mapping[str, str]
    files: Mapping[str, StaticFile] = field(default_factory=dict)
    vault_hash: str = ""

    @staticmethod
    def read(folder: Path, place: str = "center") -> Bundle:
        """`folder`: what scripts/build_browser.py wrote. Raises Defect `bundle-missing` where it has not run."""
        try:
            manifest: dict[str, dict[str, str]] = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
            names = manifest[place]
            files = {
                path.name: StaticFile.of(path.name, path.read_bytes()) for path in sorted((folder / place).iterdir())
            }
        except (OSError, ValueError, KeyError) as cause:
            raise Defect("bundle-missing", folder=str(folder)) from cause
        return Bundle(names, files, manifest.get("vault", {}).get("bundle", ""))

    @staticmethod
    def empty() -> Bundle:
        """A bundle of empty files, for tests of routes that need pages but no look."""
        names = {name: name for name in ("main.js", "center.css", "sandbox.css")}
        return Bundle(names, {name: StaticFile.of(name, b"") for name in names}, "0" * 64)

    def with_file(self, name: str, body: bytes) -> Bundle:
        """With a further file that is not built but written from settings; its name gets a hash of its bytes."""
        stem, suffix = Path(name).stem, Path(name).suffix
        hashed = f"{stem}-{hashlib.sha256(body).hexdigest()[:8].upper()}{suffix}"
        names = {**self.names, name: hashed}
        return Bundle(names, {**self.files, hashed: StaticFile.of(hashed, body)}, self.vault_hash)

    def address(self, name: str) -> str:
        """`/static/main-ABC.js` of "main.js". Raises Defect `bundle-missing` for a name that was not built."""
        hashed = self.names.get(name)
        if hashed is None:
            raise Defect("bundle-missing", file=name)
        return f"/static/{hashed}"

    def integrity(self, name: str) -> str:
        """`sha384-…` of a file's bytes, for the `integrity` attribute (W3C SRI)."""
        file = self.files[self.address(name).removeprefix("/static/")]
        return "sha384-" + base64.b64encode(hashlib.sha384(file.body).digest()).decode()

    async def serve(self, request: Request) -> Response:
        """GET /static/{name}: only names of the bundle exist, no path leads out. Raises Refusal `not-found`."""
        name: Any = request.path_params["name"]
        file = self.files.get(name)
        if file is None:
            raise Refusal("not-found")
        headers = {"Cache-Control": IMMUTABLE, "Vary": "Accept-Encoding"}
        if file.packed is not None and "gzip" in request.headers.get("accept-encoding", ""):
            return Response(file.packed, media_type=file.kind, headers={**headers, "Content-Encoding": "gzip"})
        return Response(file.body, media_type=file.kind, headers=headers)
