"""Fees of the center, over one set of ports: what the worker does with payments of runs that ended."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from ingam.center.issuance.flow import ISSUANCE, Issued
from ingam.customer.payment.settling import Life, Settling
from ingam.ports.certification import Certification, Standing
from ingam.ports.customers import Customers
from ingam.ports.store import Claimed
from ingam.wiring import CenterPorts


def payment_deliveries(given: CenterPorts) -> dict[str, Callable[[Claimed], Awaitable[None]]]:
    """For the worker; nothing where nothing that costs is offered."""
    if given.parties is None or given.parties.payments is None or given.certification is None:
        return {}
    standing = _standings(given.customers, given.certification)
    lives = {ISSUANCE.name: issuance_life}
    return Settling(given.store, given.clock, given.parties.payments, lives, standing).deliveries


def issuance_life(state: str) -> Life:
    """How a run of an issuance stands."""
    found = ISSUANCE.load(state)
    if isinstance(found, Issued):
        return Life.ISSUED
    return Life.OVER if type(found) in ISSUANCE.ends() else Life.OPEN


def _standings(
    customers: Customers, authority: Certification
) -> Callable[[str, str], Awaitable[Standing | None]]:  # fmt: skip
    """What the authority says of a certificate."""

    async def standing(customer_id: str, fingerprint: str) -> Standing | None:
        customer = await customers.by_id(customer_id)
        if customer is None:
            return None
        ever = await authority.issued(customer.idn)
        return next((one.standing for one in ever if one.fingerprint == fingerprint), None)

    return standing
