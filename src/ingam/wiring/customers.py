"""Who keeps the customers: our own tables, or the institution's core-banking system where it has an address."""

from __future__ import annotations

import ssl

import httpx2

from ingam.adapters.customers.core_bank import CoreBankCustomers
from ingam.adapters.customers.passwords import Passwords
from ingam.adapters.customers.tables import TableCustomers
from ingam.ports.clock import Clock
from ingam.ports.customers import Customers
from ingam.ports.keys import BlindIndex, Digests, FieldKeys
from ingam.ports.store import Store
from ingam.settings import Settings, SettingsRefused


def kept_customers(
    settings: Settings,
    store: Store,
    keys: FieldKeys,
    digests: Digests,
    blind_index: BlindIndex,
    passwords: Passwords,
    clock: Clock,
) -> Customers | CoreBankCustomers:
    """Raises SettingsRefused for certificates that cannot be read."""
    if not settings.customers.address:
        return TableCustomers(store, keys, digests, blind_index, passwords, clock, settings.customers.union_heads)
    return core_bank(settings, store, keys, clock)


def core_bank(settings: Settings, store: Store, keys: FieldKeys, clock: Clock) -> CoreBankCustomers:
    """The core-banking system, over TLS with our own certificate where there is one."""
    ours = settings.customers
    return CoreBankCustomers(
        ours.address,
        key=ours.key,
        store=store,
        keys=keys,
        clock=clock,
        transport=_transport(settings),
        heads=ours.union_heads,
    )


def _transport(settings: Settings) -> httpx2.AsyncBaseTransport | None:
    ours = settings.customers
    if ours.certificate is None and ours.ca is None:
        return None
    try:
        context = ssl.create_default_context(cafile=None if ours.ca is None else str(ours.ca))
        if ours.certificate is not None:
            context.load_cert_chain(str(ours.certificate))
    except (OSError, ssl.SSLError):
        raise SettingsRefused(
            variable="INGAM_CUSTOMERS_CERTIFICATE" if ours.certificate else "INGAM_CUSTOMERS_CA"
        ) from None
    return httpx2.AsyncHTTPTransport(verify=context)
