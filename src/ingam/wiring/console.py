"""The console's ports: the center's database by a role of its own, and the keys that both need (security G1)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field

from ingam.adapters.blind_index.process import ProcessBlindIndex
from ingam.adapters.clock.system import SystemClock
from ingam.adapters.customers.core_bank import CoreBankCustomers
from ingam.adapters.customers.fields import CustomerFields
from ingam.adapters.customers.passwords import Passwords
from ingam.adapters.ephemeral.in_process import InProcessEphemeral
from ingam.adapters.hsm.file import open_keys
from ingam.adapters.status import trust_file
from ingam.adapters.store import open_store
from ingam.customer.binding.bindings import SealDetails
from ingam.customer.notice.wishes import ToldCustomers, Wishes
from ingam.kernel.errors import Failure
from ingam.ports.clock import Clock
from ingam.ports.customers import Customers
from ingam.ports.ephemeral import Ephemeral
from ingam.ports.keys import BlindIndex, Digests
from ingam.ports.status import Authorities
from ingam.ports.store import Store
from ingam.settings import Settings
from ingam.wiring import index_folder, keys_path
from ingam.wiring.customers import kept_customers


@dataclass(frozen=True, slots=True)
class ConsolePorts:
    """What the console's process is given; `closing` ends connections and threads, in order."""

    store: Store
    clock: Clock
    ephemeral: Ephemeral
    digests: Digests
    customers: Customers
    fields: SealDetails
    blind_index: BlindIndex
    authorities: Authorities = field(default_factory=lambda: Authorities({}))
    closing: tuple[Callable[[], Awaitable[None]], ...] = ()

    async def shut(self) -> None:
        """Close everything, whatever one of them says."""
        for close in self.closing:
            with suppress(Failure):
                await close()


def console_store(settings: Settings) -> str:
    """Where the console finds the center's database: by its own role where one is set."""
    return settings.console.store or settings.store


def _authorities(settings: Settings) -> Authorities:
    """Whom the file of trust names; a console may run where there is none."""
    path = settings.data / "trust" / "authorities.toml"
    return trust_file.read(path)[0] if path.exists() else Authorities({})


def console_ports(settings: Settings) -> ConsolePorts:
    """Every port of the console. The database is at its revision before."""
    clock = SystemClock()
    keys = open_keys(keys_path(settings), production=settings.production)
    store = open_store(console_store(settings), keys.outbox)
    passwords = Passwords(cheap=settings.cheap_passwords)
    blind_index = ProcessBlindIndex(index_folder(settings) / "socket")

    async def close_passwords() -> None:
        passwords.close()

    fields = CustomerFields(store, keys.fields)
    customers = kept_customers(settings, store, keys.fields, keys.digests, blind_index, passwords, clock)
    lines = (customers.aclose,) if isinstance(customers, CoreBankCustomers) else ()
    return ConsolePorts(
        store=store,
        clock=clock,
        ephemeral=InProcessEphemeral(clock),
        digests=keys.digests,
        customers=ToldCustomers(customers, Wishes(store, fields)),
        fields=fields,
        blind_index=blind_index,
        authorities=_authorities(settings),
        closing=(*lines, close_passwords, store.close),
    )
