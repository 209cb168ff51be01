"""What a house of the sandbox issues and ends while it is founded: by its own services, at instants of the past."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from ingam.ca.endpoint.service import Endpoint
from ingam.ca.facts import Facts
from ingam.ca.issuing.entering import enter_services
from ingam.ca.issuing.registering import Asked, register
from ingam.ca.issuing.service import Issuing
from ingam.ca.revoking import changes
from ingam.ca.revoking.service import Revoking
from ingam.kernel.errors import Defect
from ingam.kernel.secret import Secret
from ingam.npki import certificate
from ingam.npki.certificate import Certificate
from ingam.ports.certification import Registered
from ingam.ports.signing import Signer
from ingam.run.enrolling import OwnKey, Window, enrol
from ingam.run.founding_houses import Moment, Random
from ingam.run.houses_offices import publisher
from ingam.sandbox.behind import Order
from ingam.wiring.authority import CaPorts, services

REGISTRAR: Final = "sandbox"
"""What the sandbox is called in its certificates as a registration authority."""


class Branch:
    """A house's office and its clock. `window` takes orders for its demo people."""

    def __init__(self, ports: CaPorts, moment: Moment, random: Random) -> None:
        office = ports.office
        self._ports, self._office, self._moment, self._random = ports, office, moment, random
        self._revoking = Revoking(office)
        self._endpoint = Endpoint(office, Issuing(office), self._revoking)
        self.window = Window(self._register, self._post, self._opener, moment, random)

    @property
    def generation(self) -> int:
        """The one that issues."""
        return self._office.issuer.generation.number

    async def enter_services(self) -> None:
        """The certificates of its own services, from the instant at which its CA began."""
        for one in self._office.issuers:
            at = one.certificate.not_before
            found = services(self._ports.holdings, one.generation.number, self._moment.at)
            await enter_services(self._office.books, self._office.authority, one.generation.number, found, at)

    async def enter(self, mistaken: Mapping[str, Certificate]) -> None:
        """Certificates that carry its signature, though it would not have issued them; into the first generation."""
        await enter_services(self._office.books, self._office.authority, 1, dict(mistaken), self._moment.at)

    async def act(self, issued: bytes, act: str, at: datetime) -> None:
        """`revoke` (keyCompromise) or `suspend` at an instant."""
        self._moment.at = at
        found = self._revoking.find(self.generation, certificate.parse(issued).serial)
        if act == "revoke":
            await self._revoking.revoke(found, changes.KEY_COMPROMISE, by="registrar")
        else:
            await self._revoking.suspend(found, by="registrar")

    async def registrar(self, signer: Signer) -> bytes:
        """DER of the sandbox's certificate as an RA of this house."""
        told = await self._enter(Asked("ra", Facts(name=REGISTRAR, idn=Secret(""))))
        return await enrol(self._post, told, OwnKey.kept(signer), self._moment, self._random)

    def publish(self) -> None:
        """Its first lists."""
        with publisher(self._ports) as lists:
            lists.step()

    async def shut(self) -> None:
        """Close books and keys."""
        await self._ports.shut()

    async def _register(self, order: Order) -> Registered:
        return await self._enter(Asked(order.profile, facts_of(order)))

    async def _enter(self, asked: Asked) -> Registered:
        found = await register(self._office, asked, by="founding")
        return Registered(found.reference, found.code, found.expires)

    async def _post(self, message: bytes) -> bytes:
        status, answer = await self._endpoint.answer(message, "founding")
        if status != 200:
            raise Defect("sandbox-founding", status=status)
        return answer

    async def _opener(self) -> Certificate:
        return self._office.openers[-1].certificate


def facts_of(order: Order) -> Facts:
    """What the RA says of a person; no telephone, so that houses send no messages."""
    owner = order.person
    return Facts(owner.name, Secret(owner.idn), order.number, owner.english)
