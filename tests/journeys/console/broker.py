"""Another broker's counter: a certificate of the demo's own authority for somebody, in the two files of a PC."""

from __future__ import annotations

import asyncio
import secrets
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

from tests.journeys.world import ROOT, World

from ingam.adapters.clock.system import SystemClock
from ingam.ca.ceremony import read_certificates
from ingam.ca.facts import Facts
from ingam.ca.issuing.registering import Asked, register
from ingam.kernel.secret import Secret
from ingam.npki import certificate, key_file, shapes
from ingam.npki.certificate import Certificate
from ingam.npki.key_file import Variant
from ingam.ports.certification import CertificationRefused, Registered
from ingam.run.cli.ca_place import desk
from ingam.run.enrolling import KEY_IN_USE, OwnKey, enrol, sealed_vid
from ingam.sandbox.authorities.keys import FolderKeys
from ingam.sandbox.people import CERTIFICATE_PASSWORD
from ingam.settings import Settings, read
from ingam.wiring.authority import authority_folder


def certified(world: World, who: dict[str, Any], place: Path) -> tuple[Certificate, list[Path]]:
    """The certificate, valid at once, and its files."""
    with ThreadPoolExecutor(1) as beside:  # Playwright has the loop of this thread
        return beside.submit(asyncio.run, _certified(world, who, place)).result()


async def _certified(world: World, who: dict[str, Any], place: Path) -> tuple[Certificate, list[Path]]:
    settings = read({"INGAM_DATA": str(world.data), "INGAM_PORT": str(world.port)})
    told, r = await _registered(settings, who), secrets.token_bytes(20)
    vid = sealed_vid(r, read_certificates(authority_folder(settings)).services_of("encryption", 1)[-1].certificate)
    keys, clock = FolderKeys(ROOT / "vectors" / "keys"), SystemClock()

    async def post(message: bytes) -> bytes:
        return await asyncio.to_thread(_post, world, message)

    while True:  # keys of tests are a handful, and may be somebody else's already; FolderKeys comes to an end
        key = keys.make(2048)
        try:
            issued = await enrol(post, told, OwnKey.of(key), clock, secrets.token_bytes, vid)
            break
        except CertificationRefused as refused:
            if not str(refused.facts.get("said")).startswith(KEY_IN_USE):
                raise
    pkcs8 = shapes.private_key_info(key, r)
    sealed = key_file.seal_key(pkcs8, CERTIFICATE_PASSWORD.encode(), Variant.PBES2_SEED, random=secrets.token_bytes)
    files = [place / "signCert.der", place / "signPri.key"]
    for path, octets in zip(files, (issued, sealed), strict=True):
        path.write_bytes(octets)
    return certificate.parse(issued), files


async def _registered(settings: Settings, who: dict[str, Any]) -> Registered:
    facts = Facts(who["name"], Secret(who["idn"]), english="Sample", branch="예시증권")
    async with desk(settings, index=True) as ports:
        found = await register(ports.office, Asked("securities", facts), by="cli")
    return Registered(found.reference, found.code, found.expires)


def _post(world: World, message: bytes) -> bytes:
    headers = {"content-type": "application/pkixcmp"}
    url = f"http://localhost:{world.port + 3}/.well-known/cmp"
    with urlopen(Request(url, message, headers), timeout=10) as answer:
        octets: bytes = answer.read()
    return octets
