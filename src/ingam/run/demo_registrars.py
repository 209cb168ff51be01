"""Who asks the demo's own authority: the center as its registration authority, and another broker before it.

At `make run` the center gets a key and an RA's certificate (DATA/center/ra, `wiring.certification`), again when that
ends soon. Another broker's customer holds a securities certificate of the same authority: its files are laid out with
the others of the demo, so that the center can show what a new certificate ends (DATA/sandbox/ours).
"""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

from ingam.adapters.blind_index.process import at_hand
from ingam.ca.ceremony import read_certificates
from ingam.ca.endpoint.service import Endpoint
from ingam.ca.facts import Facts
from ingam.ca.issuing.registering import Asked, register
from ingam.ca.issuing.service import Issuing
from ingam.ca.revoking.service import Revoking
from ingam.kernel.errors import Defect
from ingam.kernel.secret import Secret
from ingam.npki import certificate
from ingam.npki.key_file import Variant
from ingam.ports.certification import CertificationRefused, Registered
from ingam.ports.clock import Clock
from ingam.ports.signing import KeyKind
from ingam.run.enrolling import KEY_IN_USE, TRIES, OwnKey, enrol, sealed_vid
from ingam.run.sandbox import key_source
from ingam.sandbox import ours
from ingam.sandbox.folders import Pair
from ingam.sandbox.ours import Ours
from ingam.sandbox.people import Person, person
from ingam.settings import Settings
from ingam.wiring.authority import CaPorts, ca_index_folder, ca_ports
from ingam.wiring.certification import Registrar, next_key, read, registrar_folder, registrar_keys, write

ADDRESS: Final = "http://ca.ingam.test/.well-known/cmp"
NAME: Final = "center"
"""What the center is called in its certificates as an RA."""

ENOUGH: Final = timedelta(days=30)
"""Of an RA certificate's year, to be left until the next start."""

OTHER_BROKER: Final = Ours(
    "other-broker", "kim", "예시증권", "securities", Variant.PBES2_SEED,
    "증권용 (시연 인증기관, 예시증권)", "Securities (the demo's authority, another broker)",
)  # fmt: skip


def prepare(settings: Settings, folder: Path, clock: Clock, say: Callable[[str], None]) -> None:
    """What is missing of it. `folder`: of the authority, which stands."""
    found, issuing = read(registrar_folder(settings)), read_certificates(folder).issuing.values()
    ours_still = found is not None and any(one.der == found.chain[0].der for one in issuing)
    lasts = found is not None and ours_still and found.certificate.not_after - clock.now() > ENOUGH
    sample = ours_still and (settings.data / "sandbox" / "ours" / ours.TOLD).exists()
    if lasts and sample:
        return
    say("인증센터를 등록기관으로 등록하는 중 · making the center a registration authority")
    asyncio.run(_prepare(settings, folder, clock, center=not lasts, sample=not sample))


async def _prepare(settings: Settings, folder: Path, clock: Clock, *, center: bool, sample: bool) -> None:
    ports = ca_ports(settings, folder, clock=clock)
    try:
        counter = _Counter(ports, clock)
        if center:
            await _center(settings, ports, counter)
        if sample:
            async with at_hand(ca_index_folder(folder)):
                await _other_broker(settings, ports, counter)
    finally:
        await ports.shut()


async def _center(settings: Settings, ports: CaPorts, counter: _Counter) -> None:
    """A new key and its certificate, and what the authority's answers are signed with."""
    office = ports.office
    with closing(registrar_keys(settings)) as keys:
        name = next_key(keys)
        signer = keys.make(name, KeyKind.P_256)
        own = certificate.parse(await counter.enrol(Asked("ra", Facts(NAME, Secret(""))), OwnKey.kept(signer)))
    speakers = tuple(one.certificate for one in ports.holdings.services if one.name.startswith("cmp-"))
    chain = (office.issuer.certificate, *reversed(office.roots))
    write(registrar_folder(settings), Registrar(ADDRESS, name, own, chain, speakers))


async def _other_broker(settings: Settings, ports: CaPorts, counter: _Counter) -> None:
    """The certificate in a folder as programs on a PC leave it; nobody is told by SMS, as it was long ago."""
    one, owner, random = OTHER_BROKER, person(OTHER_BROKER.person), ports.office.random
    r, source = random(20), key_source()
    vid = sealed_vid(r, ports.office.openers[-1].certificate)
    issued, key = await _with_a_free_key(counter, _asked(one, owner), lambda: source.make(2048), vid)
    place = settings.data / "sandbox" / "ours"
    new = place.with_name("ours.new")
    shutil.rmtree(new, ignore_errors=True)
    told = ours.lay_out(one, Pair(issued, key, r), new, random)
    (new / ours.TOLD).write_text(json.dumps([told], ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    shutil.rmtree(place, ignore_errors=True)
    new.rename(place)


def _asked(one: Ours, owner: Person) -> Asked:
    return Asked(one.profile, Facts(owner.name, Secret(owner.idn), english=owner.english, branch=one.broker))


async def _with_a_free_key(
    counter: _Counter, asked: Asked, make: Callable[[], RSAPrivateKey], vid: bytes
) -> tuple[bytes, RSAPrivateKey]:
    """Keys of tests are a handful, and may be certified for somebody else here already."""
    for _ in range(TRIES):
        key = await asyncio.to_thread(make)
        try:
            return await counter.enrol(asked, OwnKey.of(key), vid), key
        except CertificationRefused as refused:
            if refused.facts.get("said") != KEY_IN_USE:
                raise
    raise Defect("demo-key-in-use")


@dataclass(frozen=True)
class _Counter:
    """The authority before its process runs: registered and asked for by the same services."""

    ports: CaPorts
    clock: Clock

    async def enrol(self, asked: Asked, key: OwnKey, vid: bytes | None = None) -> bytes:
        """DER of the certificate. Raises CertificationRefused."""
        office = self.ports.office
        found = await register(office, asked, by="founding")
        told = Registered(found.reference, found.code, found.expires)
        endpoint = Endpoint(office, Issuing(office), Revoking(office))

        async def post(message: bytes) -> bytes:
            status, answer = await endpoint.answer(message, "founding")
            if status != 200:
                raise Defect("demo-founding", status=status)
            return answer

        return await enrol(post, told, key, self.clock, office.random, vid)
