"""The demo's own authority: founded once, with a ceremony's record, before its processes start; and kept going.

An OCSP responder's certificate lives 90 days (security D12), so a demo that is started again after months renews it.
Its registration authorities come after it (`run/demo_registrars`).
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from ingam.adapters.clock.system import SystemClock
from ingam.adapters.hsm.signing_file import FileSigningKeys, PrivateKey, generated
from ingam.ca import ceremony
from ingam.ca.ceremony import Keys, Participant, Places, Plan
from ingam.ca.issuing.entering import enter_services
from ingam.ca.profiles import Authority, preset, preset_files
from ingam.kernel.errors import Refusal
from ingam.npki import certificate
from ingam.npki.signature import KeyKind
from ingam.ports.clock import Clock
from ingam.run import demo_registrars
from ingam.run.sandbox import key_source
from ingam.sandbox.authorities.keys import FreshKeys
from ingam.settings import Settings
from ingam.wiring.authority import (
    authority_folder,
    log_origin,
    open_authority,
    open_books,
    open_keys,
    passphrase,
    services,
)

PRESET: Final = "ingam"
ENOUGH: Final = timedelta(days=30)
"""Of a responder's life, to be left until the next start."""
_BITS: Final = {KeyKind.RSA_2048: 2048, KeyKind.RSA_3072: 3072}


def prepare(settings: Settings, say: Callable[[str], None], clock: Clock | None = None) -> None:
    """Founds it where it does not stand; keys of INGAM_SANDBOX_KEYS, a folder of test keys, where that is set."""
    if settings.production:
        raise Refusal("sandbox-in-production")
    folder, time = authority_folder(settings), clock or SystemClock()
    if folder.exists():
        _renew(settings, folder, time.now())
    else:
        _found(settings, folder, time, say)
    demo_registrars.prepare(settings, folder, time, say)


def roots(settings: Settings) -> list[bytes]:
    """SHA-256 of the authority's roots, every generation: what the vault has certificates issued below."""
    files = sorted((authority_folder(settings) / "certificates").glob("root-*.der"))
    return [certificate.parse(one.read_bytes()).fingerprint for one in files]


def _found(settings: Settings, folder: Path, time: Clock, say: Callable[[str], None]) -> None:
    say("인증기관의 키와 인증서 만드는 중 · founding the certification authority")
    folder.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    authority, secret = preset(PRESET), passphrase(settings, folder)

    def opened(draft: Path) -> Keys:
        keys = FileSigningKeys(draft / "keys", secret, source=_keys())
        return Keys(keys, keys)

    ceremony.found(folder, authority, preset_files(PRESET), opened, _plan(authority), time.now(), secrets.token_bytes)
    asyncio.run(_enter(folder, time.now().replace(microsecond=0)))


def _renew(settings: Settings, folder: Path, now: datetime) -> None:
    """Responders that end soon get their next certificate for the same key."""
    held = ceremony.read_certificates(folder)
    for number, issuing in held.issuing.items():
        newest = max(one.certificate.not_after for one in held.services_of("ocsp", number))
        if newest - now > ENOUGH or issuing.not_after <= now:
            continue
        keys = open_keys(settings, folder)
        authority = open_authority(settings, folder)
        ceremony.renew_responder(
            folder, authority, Keys(keys, keys), _plan(authority), now, secrets.token_bytes, issuing=number
        )
        keys.close()


def _plan(authority: Authority) -> Plan:
    place = "encrypted files of a demo"
    return Plan(
        (Participant("make run", "demo"),), Places(place, place), {"ingam": "demo"}, log_origin=log_origin(authority)
    )


async def _enter(folder: Path, at: datetime) -> None:
    books = open_books(folder)
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
