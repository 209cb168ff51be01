"""The person's session at the center, as `ingam copy` has it: the pages' own routes, forms and refusals (security C1).

Cookies stay in memory but one: that by which the center recognises this device is kept for the next time, in a file of
this user alone. It opens nothing by itself.
"""

from __future__ import annotations

import asyncio
import html
import json
import platform
import re
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import httpx2

from ingam.kernel.errors import Outage, Refusal
from ingam.kernel.secret import Secret
from ingam.npki.folder import replace_file

ANSWER_S: Final = 20.0
TELL_TRIES: Final = 5
MOST_KEPT: Final = 64 * 1024
LOOPBACK: Final = ("localhost", "127.0.0.1", "::1")
DEVICE_COOKIES: Final = ("__Host-ingam-device", "ingam-center-device")
LANGUAGE_COOKIE: Final = "lang"

_CSRF: Final = re.compile(r'(?:data-csrf="|name="csrf" value=")([^"]+)"')
_DEVICE: Final = re.compile(r'data-device="([^"]*)"')
_ERROR: Final = re.compile(r'class="error-summary".*?<ul>(.*?)</ul>', re.DOTALL)
_AUTHORITY: Final = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[^\[\]:@\s]+)(:[0-9]{1,5})?")
_COOKIE_VALUE: Final = re.compile(r"[A-Za-z0-9_-]{43}")


class AddressRefused(Refusal):
    """Neither https nor this machine itself: a password and a number would be readable on the way."""

    code = "copy-address"


class CenterUnreachable(Outage):
    """The center does not answer, or with something that is none of its answers."""

    code = "copy-center-away"


class CenterRefused(Refusal):
    """The center's own refusal. `told`: its sentence, in the language that was asked for."""

    def __init__(self, code: str, told: str) -> None:
        super().__init__(code)
        self.told = told


@dataclass(frozen=True, slots=True)
class DeviceCookies:
    """The file of device cookies: {origin: {name: value}}, mode 0600 in a folder of mode 0700."""

    file: Path

    @staticmethod
    def of(environment: Mapping[str, str]) -> DeviceCookies:
        """In $XDG_STATE_HOME/ingam, else ~/.local/state/ingam."""
        home = Path(environment.get("HOME", "~")).expanduser()
        state = Path(environment.get("XDG_STATE_HOME") or home / ".local" / "state")
        return DeviceCookies(state / "ingam" / "devices.json")

    def read(self, origin: str) -> dict[str, str]:
        """What the center of this origin recognises the device by; {} where nothing usable is kept."""
        kept = self._all().get(origin)
        if not isinstance(kept, dict):
            return {}
        return {
            name: value
            for name, value in kept.items()
            if name in DEVICE_COOKIES and isinstance(value, str) and _COOKIE_VALUE.fullmatch(value)
        }

    def write(self, origin: str, cookies: Mapping[str, str]) -> None:
        """Keep them for the next time; what cannot be written is only asked for again (C2)."""
        if not cookies or self.read(origin) == dict(cookies):
            return
        try:
            self.file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            data = json.dumps(self._all() | {origin: dict(cookies)}, indent=1).encode()
            replace_file(self.file, data)
            self.file.chmod(0o600)
        except OSError:
            return

    def _all(self) -> dict[str, Any]:
        try:
            with self.file.open("rb") as opened:
                kept = json.loads(opened.read(MOST_KEPT))
        except (OSError, ValueError):
            return {}
        return kept if isinstance(kept, dict) else {}


def origin_of(address: str) -> str:
    """The origin of an address that was given. Raises AddressRefused: https, or http on this machine."""
    try:
        parts = urlsplit(address)
        host, _ = parts.hostname, parts.port
    except ValueError:
        raise AddressRefused from None
    secure = parts.scheme == "https" or (parts.scheme == "http" and host in LOOPBACK)
    if not secure or not _AUTHORITY.fullmatch(parts.netloc) or parts.path.strip("/") or parts.query or parts.fragment:
        raise AddressRefused
    return f"{parts.scheme}://{parts.netloc.lower()}"


def agent() -> str:
    """The User-Agent by which the center says `ingam` and `command line`."""
    try:
        own = version("ingam")
    except PackageNotFoundError:
        own = "0"
    systems = {"Darwin": "Macintosh", "Windows": "Windows"}
    return f"ingam/{own} ({systems.get(platform.system(), platform.system() or 'unknown')})"


def client(origin: str, lang: str, kept: DeviceCookies, **words: Any) -> httpx2.AsyncClient:
    """A client for one center. `words`: a transport, in tests."""
    words.setdefault("trust_env", False)
    headers = {"User-Agent": agent(), "Origin": origin}
    made = httpx2.AsyncClient(base_url=origin, headers=headers, timeout=ANSWER_S, follow_redirects=False, **words)
    host = re.sub(r":[0-9]+$", "", urlsplit(origin).netloc)
    domain = host if "." in host else f"{host}.local"  # as http.cookiejar files a host without a dot (RFC 2965)
    for name, value in {**kept.read(origin), LANGUAGE_COOKIE: lang}.items():
        made.cookies.set(name, value, domain=domain)
    return made


class Center:
    """One person at one center. Every method raises CenterUnreachable; posts raise CenterRefused."""

    def __init__(self, http: httpx2.AsyncClient, origin: str, kept: DeviceCookies) -> None:
        self.origin = origin
        self._http, self._kept = http, kept
        self._csrf = ""
        self.device = ""

    async def log_in(self, banking_id: str, password: Secret[str]) -> None:
        """아이디 로그인. The device cookie of the answer is kept."""
        self._csrf = _found(_CSRF, (await self._get("/login")).text) or ""
        fields = {"banking_id": banking_id, "password": password.reveal(), "then": "/copying"}
        answer = await self._send("/login/id", fields, {})
        if answer.status_code != 303:
            raise _login_refused(answer)
        cookies = {one.name: one.value or "" for one in self._http.cookies.jar if one.name in DEVICE_COOKIES}
        self._kept.write(self.origin, cookies)

    async def page(self, role: str) -> None:
        """Open /copying/receive or /copying/send: its token for the posts, and what the center calls this device."""
        answer = await self._get(f"/copying/{role}")
        csrf = _found(_CSRF, answer.text)
        if answer.status_code != 200 or csrf is None:
            raise CenterUnreachable
        self._csrf = csrf
        self.device = _found(_DEVICE, answer.text) or self.device

    async def post(self, path: str, **fields: str) -> dict[str, Any]:
        """One POST below /copying; the JSON of its answer."""
        answer = await self._send(f"/copying/{path}", fields, {"Accept": "application/json"})
        try:
            told: Any = answer.json()
        except ValueError:
            raise CenterUnreachable from None
        if not isinstance(told, dict):
            raise CenterUnreachable
        if answer.status_code != 200:
            raise CenterRefused(_code(told.get("code")), str(told.get("message", "")))
        return told

    async def tell(self, path: str, **fields: str) -> None:
        """A post that changes nothing here: until the center has heard it, a few times."""
        for pause in range(TELL_TRIES - 1):
            try:
                await self.post(path, **fields)
            except CenterUnreachable:
                await asyncio.sleep(pause)
            else:
                return
        await self.post(path, **fields)

    async def _get(self, path: str) -> httpx2.Response:
        try:
            return await self._http.get(path)
        except httpx2.HTTPError:
            raise CenterUnreachable from None

    async def _send(self, path: str, fields: Mapping[str, str], headers: Mapping[str, str]) -> httpx2.Response:
        try:
            return await self._http.post(path, data={"csrf": self._csrf, **fields}, headers=headers)
        except httpx2.HTTPError:
            raise CenterUnreachable from None


def _found(pattern: re.Pattern[str], text: str) -> str | None:
    found = pattern.search(text)
    return html.unescape(found[1]) if found else None


def _code(told: object) -> str:
    return told if isinstance(told, str) and re.fullmatch(r"[a-z0-9-]{1,64}", told) else "copy-center-away"


def _login_refused(answer: httpx2.Response) -> Refusal | Outage:
    """What the login page says: its own sentence, or nothing of ours."""
    said = _found(_ERROR, answer.text)
    if said is None:
        return CenterUnreachable()
    return CenterRefused("copy-login", " ".join(re.sub(r"<[^>]*>", " ", said).split()))
