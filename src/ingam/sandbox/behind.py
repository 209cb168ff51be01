"""What stands behind the sandbox: the houses in their own process, as far as the sandbox has to do with them.

`run/` ties these to the authority's code, which the sandbox does not know (house.md: neighbours never meet).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

from ingam.kernel.errors import Outage
from ingam.npki.certificate import Certificate
from ingam.sandbox.authorities.houses import House
from ingam.sandbox.people import Person


class HousesAway(Outage):
    """The process of the other authorities does not answer."""

    code = "sandbox-houses-away"


class Passed(NamedTuple):
    """An answer as the house gave it. `fields`: its header fields, names in lower case."""

    status: int
    fields: Mapping[str, str]
    body: bytes


class Line(Protocol):
    """The way to the houses."""

    async def ask(self, method: str, target: str, body: bytes = b"", content_type: str = "") -> Passed:
        """One question, passed on as it is. Raises HousesAway."""


class Signing(NamedTuple):
    """A certificate and its key at work: for what is wrong on purpose. `algorithm`: DER AlgorithmIdentifier."""

    certificate: Certificate
    algorithm: bytes
    sign: Callable[[bytes], bytes]
    """Signature over to-be-signed bytes; blocks."""


class Signings(Protocol):
    """The houses' and the roots' certificates by their names here: `root4`, `signkorea-ca4`, `signkorea-ca4-ocsp`."""

    def certificate(self, name: str) -> Certificate:
        """What it is. KeyError for none."""

    def signing(self, name: str) -> Signing:
        """With its key. KeyError for none."""


@dataclass(frozen=True, slots=True)
class Order:
    """A certificate that a person of the demo gets from a house. `profile`: the house's word; `number`: in the name."""

    house: House
    profile: str
    person: Person
    number: str


class Enroller(Protocol):
    """Who gets people certificates from houses."""

    async def enrol(
        self, order: Order, make: Callable[[], RSAPrivateKey], r: bytes | None
    ) -> tuple[bytes, RSAPrivateKey]:
        """DER of the new certificate, and the key that was certified; one of the same person and profile is superseded.

        `make`: gives a key, and another one where the house knows it as somebody else's; `r`: R for the VID, None for
        certificates without one. Raises CertificationRefused, CertificationOutage.
        """


class Counter(Enroller, Protocol):
    """The houses' counter, where the sandbox stands as a registration authority and speaks CMP."""

    async def standings(self) -> Mapping[str, str]:
        """SHA-256 of a certificate in hex → `good`, `held` or `revoked`. Raises HousesAway."""

    async def act(self, issuer: str, one: Certificate, act: str) -> None:
        """`revoke`, `suspend` or `release`; `issuer`: key of a house, or of a root for an authority's certificate.

        Raises CertificationRefused (a revoked one is not released), CertificationOutage, HousesAway.
        """


@dataclass(frozen=True, slots=True)
class Behind:
    """All of it."""

    line: Line
    signings: Signings
    counter: Counter
