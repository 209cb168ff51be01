"""The sandbox as a registration authority of every house (`sandbox.behind.Counter`), and the houses' keys for lies.

What becomes of a certificate is asked by CMP (an rr under the RA's signature), and a new one as anybody asks for it.
"""

from __future__ import annotations

import asyncio
import json
import secrets
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

from ingam.adapters.certification.cmp import CmpCertification, RegistrationAuthority
from ingam.ca.ceremony import Holdings, read_certificates
from ingam.kernel.errors import Refusal
from ingam.kernel.secret import Secret
from ingam.npki import certificate
from ingam.npki.certificate import Certificate
from ingam.ports.certification import CertificationOutage, Registered
from ingam.ports.clock import Clock
from ingam.ports.signing import Intent, SigningKeys
from ingam.protocols.crl.writing import Reason
from ingam.run.enrolling import Window
from ingam.run.houses_places import REGISTRAR_KEY, ROOTS, house_folder, own, registrar_folder
from ingam.sandbox.authorities.houses import LICENSED
from ingam.sandbox.behind import Behind, Line, Order, Signing
from ingam.sandbox.world import UnknownSample
from ingam.settings import Settings

REASONS: Final = {
    "revoke": Reason.KEY_COMPROMISE, "suspend": Reason.CERTIFICATE_HOLD, "release": Reason.REMOVE_FROM_CRL
}  # fmt: skip
HERE: Final = "http://localhost"
"""Where a house is reached: on this machine, so that codes go over no network."""


def behind(settings: Settings, world: Path, line: Line, clock: Clock) -> Behind:
    """All that stands behind the sandbox, over this line."""
    return Behind(line, Signings(settings, world), Counter(settings, world, line, clock))


class Signings:
    """`sandbox.behind.Signings`: a house's keys are opened when a switch first wants something wrong of it."""

    def __init__(self, settings: Settings, world: Path) -> None:
        self._settings, self._world = settings, world
        self._holdings = cache(self._read)
        self._keys = cache(self._open)
        self._named = dict(_names())

    def certificate(self, name: str) -> Certificate:
        """KeyError for none."""
        return self._found(name)[1]

    def signing(self, name: str) -> Signing:
        """KeyError for none."""
        key, found = self._found(name)
        signer = self._keys(self._named[name][0]).signer(key)
        return Signing(found, signer.public.algorithm, lambda part: signer.sign(Intent.of(part)))

    def _found(self, name: str) -> tuple[str, Certificate]:
        """The name of its key, and itself."""
        folder, use, number = self._named[name]
        held = self._holdings(folder)
        if use == "ocsp":
            service = held.services_of("ocsp", number)[-1]
            return service.name, service.certificate
        return f"{use}-{number}", held.roots[number] if use == "root" else held.issuing[number]

    def _read(self, folder: str) -> Holdings:
        return read_certificates(house_folder(self._world, folder))

    def _open(self, folder: str) -> SigningKeys:
        return _opened_keys(self._settings, house_folder(self._world, folder))


def _names() -> Mapping[str, tuple[str, str, int]]:
    """What the sandbox calls a certificate: its folder, use and number."""
    found = {key: (key, "root", number) for key, number in ROOTS.items()}
    for one in LICENSED:
        found[one.key] = (one.house.key, "issuing", one.generation)
        found[one.responder] = (one.house.key, "ocsp", one.generation)
    return found


class Counter:
    """`sandbox.behind.Counter` over a line."""

    def __init__(self, settings: Settings, world: Path, line: Line, clock: Clock) -> None:
        self._settings, self._world, self._line, self._clock = settings, world, line, clock
        self._certification = cache(self._opened)

    async def standings(self) -> Mapping[str, str]:
        """As the books say now."""
        found: dict[str, str] = json.loads((await self._line.ask("GET", "/standings.json")).body)
        return found

    async def enrol(
        self, order: Order, make: Callable[[], RSAPrivateKey], r: bytes | None
    ) -> tuple[bytes, RSAPrivateKey]:
        """Registered at the counter, asked for by CMP."""
        house = await asyncio.to_thread(self._certification, order.house.key)

        async def opener() -> Certificate:
            return certificate.parse(await house.encryption_certificate())

        window = Window(self._register, house.carry, opener, self._clock, secrets.token_bytes)
        return await window.enrol(order, make, r)

    async def act(self, issuer: str, one: Certificate, act: str) -> None:
        """By an rr of the RA; of a root's certificate at the counter, as nobody speaks CMP with a root."""
        if act not in REASONS:
            raise UnknownSample
        if issuer in ROOTS:
            await self._ask(f"/desk/{issuer}/act", {"serial": f"{one.serial:x}", "act": act})
        else:
            house = await asyncio.to_thread(self._certification, issuer)
            await house.revoke(one.issuer.raw, one.serial, REASONS[act], one.subject.raw)

    async def _register(self, order: Order) -> Registered:
        owner = order.person
        told = await self._ask(
            f"/desk/{order.house.key}/register",
            {"profile": order.profile, "name": owner.name, "idn": owner.idn, "number": order.number,
             "english": owner.english},
        )  # fmt: skip
        expires = datetime.fromisoformat(told["expires"])
        return Registered(told["reference_number"], Secret(told["authorization_code"]), expires)

    async def _ask(self, target: str, given: Mapping[str, str]) -> dict[str, str]:
        found = await self._line.ask("POST", target, json.dumps(given).encode(), "application/json")
        if found.status not in (200, 422):
            raise CertificationOutage
        told: dict[str, Any] = json.loads(found.body)
        if found.status == 422:
            raise Refusal(told["code"], **told.get("facts", {}))
        return told

    def _opened(self, house: str) -> CmpCertification:
        """The house over CMP, as its RA. Raises what its files and keys raise."""
        place, folder = registrar_folder(self._world, house), house_folder(self._world, house)
        own_certificate = certificate.parse((place / "registrar.der").read_bytes())
        held = read_certificates(folder)
        chain = tuple(one.der for one in held.issuing.values() if one.subject.raw == own_certificate.issuer.raw)
        signer = _opened_keys(self._settings, place).signer(REGISTRAR_KEY)
        speakers = tuple(one.certificate for one in held.services if one.name.startswith("cmp-"))
        ra = RegistrationAuthority(own_certificate, chain, signer)
        return CmpCertification(
            f"/cmp/{house}", HERE, Posting(self._line), ra, speakers, self._clock, secrets.token_bytes
        )


def _opened_keys(settings: Settings, folder: Path) -> SigningKeys:
    from ingam.wiring.authority import open_keys  # all that an authority stands on: loaded for acts and lies alone

    return open_keys(own(settings), folder)


class Posting:
    """`adapters.certification.cmp.HttpPost` over a line: what is no 200 is an outage."""

    def __init__(self, line: Line) -> None:
        self._line = line

    async def post(self, url: str, body: bytes, content_type: str, limit: int) -> bytes:
        """`url`: the target on the line."""
        found = await self._line.ask("POST", url, body, content_type)
        if found.status != 200 or len(found.body) > limit:
            raise CertificationOutage(http=found.status)
        return found.body
