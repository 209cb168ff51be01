"""The demo's own authority: founded once, with a ceremony's record, before its processes start."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Final

from ingam.adapters.clock.system import SystemClock
from ingam.adapters.hsm.signing_file import FileSigningKeys, PrivateKey, generated
from ingam.ca import ceremony
from ingam.ca.ceremony import Keys, Participant, Places, Plan
from ingam.ca.issuing.entering import enter_services
from ingam.ca.profiles import preset, preset_files
from ingam.kernel.errors import Refusal
from ingam.npki.signature import KeyKind
from ingam.run.sandbox import key_source
from ingam.sandbox.authorities.keys import FreshKeys
from ingam.settings import Settings
from ingam.wiring.authority import authority_folder, log_origin, open_books, passphrase, services

PRESET: Final = "ingam"
_BITS: Final = {KeyKind.RSA_2048: 2048, KeyKind.RSA_3072: 3072}


def prepare(settings: Settings, say: Callable[[str], None]) -> None:
    """Founds it where it does not stand; keys of INGAM_SANDBOX_KEYS, a folder of test keys, where that is set."""
    if settings.production:
        raise Refusal("sandbox-in-production")
    folder = authority_folder(settings)
    if folder.exists():
        return
    say("인증기관의 키와 인증서 만드는 중 · founding the certification authority")
    folder.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    authority, secret = preset(PRESET), passphrase(settings, folder)

    def opened(draft: Path) -> Keys:
        keys = FileSigningKeys(draft / "keys", secret, source=_keys())
        return Keys(keys, keys)

    place = "encrypted files of a demo"
    plan = Plan(
        (Participant("make run", "demo"),), Places(place, place), {"ingam": "demo"}, log_origin=log_origin(authority)
    )
    now = SystemClock().now()
    ceremony.found(folder, authority, preset_files(PRESET), opened, plan, now, secrets.token_bytes)
    asyncio.run(_enter(folder))


async def _enter(folder: Path) -> None:
    books, at = open_books(folder), SystemClock().now().replace(microsecond=0)
    found = services(ceremony.read_certificates(folder), 1, at)
    await enter_services(books, preset(PRESET), 1, found, at)
    await books.shut()


def _keys() -> Callable[[KeyKind], PrivateKey]:
    source = key_source()

    def key(kind: KeyKind) -> PrivateKey:
        if kind not in _BITS or isinstance(source, FreshKeys):
            return generated(kind)
        return source.make(_BITS[kind])

    return key
