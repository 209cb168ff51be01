"""What ⑥ offers, to whom, and what a new certificate would end."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from ingam.center import budgets
from ingam.center.budgets import Budget
from ingam.center.carrying import CARRYING_S
from ingam.center.issuance.identity import Parts
from ingam.center.issuance.states import Kind
from ingam.center.issuance.walks import Walks
from ingam.customer.binding.bindings import Bindings, Details
from ingam.kernel.errors import Refusal
from ingam.npki import policies
from ingam.npki.certificate import Certificate
from ingam.npki.policies import Policy
from ingam.ports.certification import Certification, CertificationOutage, CertificationRefused, IssuedCertificate
from ingam.ports.customers import Customer, CustomerKind

ASKED: Final = 40
"""Questions about one person that the authority signs answers to, in ten minutes."""


class ProductUnknown(Refusal):
    """This is not offered here, or nothing was chosen."""

    code = "issuance-product-unknown"


class PersonalOnly(Refusal):
    """A corporation's certificate is not issued on the telephone."""

    code = "issuance-personal-only"


class NothingToReissue(Refusal):
    """No certificate of this authority stands that could be issued again."""

    code = "issuance-nothing-to-reissue"


@dataclass(frozen=True, slots=True)
class Product:
    """What ⑥ offers. `key`: as settings and forms name it; `profile`: the authority's word; `use`: of policies.toml;
    `fee`: won for a new one.
    """

    key: str
    profile: str
    use: str
    fee: int = 0


PRODUCTS: Final = {
    "gold": Product("gold", "securities", "securities"),
    "universal": Product("universal", "universal", "universal", 4_400),
}
"""골드(용도제한용, 무료), and 범용 where an institution offers it."""


@dataclass(frozen=True, slots=True)
class Ending:
    """What a new certificate will stop. `known` False: the authority could not be asked, so the warning is general.

    `certificates`: by product, the standing one of the same policy; `binding`: the registration here that it replaces.
    """

    known: bool
    certificates: Mapping[str, IssuedCertificate]
    binding: Details | None


class Offer:
    """What is issued here. `products`: their keys; `fees`: whether somebody takes what a product costs."""

    def __init__(
        self, walks: Walks, parts: Parts, certification: Certification, bindings: Bindings, products: tuple[str, ...],
        *, fees: bool,
    ) -> None:  # fmt: skip
        self._walks, self._parts, self._certification, self._bindings = walks, parts, certification, bindings
        self._products = {name: PRODUCTS[name] for name in products if fees or not PRODUCTS[name].fee}

    @property
    def products(self) -> tuple[Product, ...]:
        """As ⑥ lists them."""
        return tuple(self._products.values())

    def product(self, key: str) -> Product:
        """The one that was chosen. Raises ProductUnknown."""
        if key not in self._products:
            raise ProductUnknown
        return self._products[key]

    def rows(self, authorities: Sequence[Certificate]) -> list[Policy]:
        """The rows of the policy table that its certificates may carry under these authorities."""
        return [row for one in self.products for row in _rows(authorities, one)]

    def admits(self, customer: Customer) -> None:
        """Raises PersonalOnly."""
        if customer.kind is CustomerKind.CORPORATE:
            raise PersonalOnly

    async def refuse_nothing_to_reissue(self, customer: Customer) -> None:
        """재발급 is of what stands, at this authority. Raises NothingToReissue, CertificationOutage."""
        ending = await self.ending(customer)
        if not ending.known:
            raise CertificationOutage(cause="not-asked")
        if not ending.certificates:
            raise NothingToReissue

    def offered(self, kind: Kind, ending: Ending) -> tuple[Product, ...]:
        """What ⑥ offers: at 재발급 what stands, where the authority could be asked."""
        if kind is Kind.NEW or not ending.known:
            return self.products
        return tuple(one for one in self.products if one.key in ending.certificates)

    async def ending(self, customer: Customer) -> Ending:
        """What the warning at ⑥ names."""
        active = await self._bindings.standing(customer)
        details = None if active is None else await self._bindings.details(active)
        asked = Budget(f"ever-issued:{customer.customer_id}", CARRYING_S, ASKED)
        if not await budgets.spent(self._parts.store, asked, self._walks.now()):
            return Ending(False, {}, details)
        try:
            ever = await self._certification.issued(customer.idn)
        except (CertificationOutage, CertificationRefused):
            return Ending(False, {}, details)
        found = {one.key: ever.ended_by(one.profile, self._walks.now()) for one in self.products}
        return Ending(True, {key: one for key, one in found.items() if one is not None}, details)


def _rows(authorities: Sequence[Certificate], product: Product) -> list[Policy]:
    """The rows of the policy table that a product's certificates may carry under these authorities."""
    owners = {found.key for one in authorities if (found := policies.authority(one.subject)) is not None}
    return [
        row
        for row in policies.policies()
        if row.ca.key in owners and row.use == product.use and row.holder == "personal"
    ]
