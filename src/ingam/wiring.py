"""The only place that chooses adapters: settings in, ports out. Nothing here decides anything else."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ingam.adapters.blind_index.process import ProcessBlindIndex
from ingam.adapters.clock.system import SystemClock
from ingam.adapters.customers.fields import CustomerFields
from ingam.adapters.customers.passwords import Passwords
from ingam.adapters.customers.tables import TableCustomers
from ingam.adapters.ephemeral.in_process import InProcessEphemeral
from ingam.adapters.hsm.file import CenterKeys, open_keys
from ingam.adapters.sms.aligo import AligoSms
from ingam.adapters.status import trust_file
from ingam.adapters.status.online import OnlineStatus
from ingam.adapters.status.outgoing import Outgoing
from ingam.adapters.store import open_store
from ingam.ports.clock import Clock
from ingam.ports.ephemeral import Ephemeral
from ingam.ports.status import Authorities
from ingam.ports.store import Store
from ingam.settings import Settings, SettingsRefused


@dataclass(frozen=True, slots=True)
class Ports:
    """What the center's process is given."""

    store: Store
    clock: Clock
    ephemeral: Ephemeral
    keys: CenterKeys
    passwords: Passwords
    blind_index: ProcessBlindIndex
    customers: TableCustomers
    fields: CustomerFields
    authorities: Authorities
    outgoing: Outgoing
    status: OnlineStatus
    sms: AligoSms

    async def shut(self) -> None:
        """Close connections, threads and the child process."""
        await self.outgoing.close()
        await self.sms.aclose()
        self.passwords.close()
        await self.store.close()


def ports(settings: Settings) -> Ports:
    """Every port of the center. The database is at its revision before (`run/demo`, `ingam store migrate`)."""
    clock = SystemClock()
    keys = open_keys(keys_path(settings), production=settings.production)
    store = open_store(settings.store, keys.outbox)
    passwords = Passwords(cheap=settings.cheap_passwords)
    blind_index = ProcessBlindIndex(index_folder(settings) / "socket")
    ephemeral = InProcessEphemeral(clock)
    authorities, _anchors = trust_file.read(settings.data / "trust" / "authorities.toml")
    outgoing = Outgoing(settings.addresses)
    return Ports(
        store=store,
        clock=clock,
        ephemeral=ephemeral,
        keys=keys,
        passwords=passwords,
        blind_index=blind_index,
        customers=TableCustomers(store, keys.fields, keys.digests, blind_index, passwords, clock),
        fields=CustomerFields(store, keys.fields),
        authorities=authorities,
        outgoing=outgoing,
        status=OnlineStatus(authorities, outgoing, store, ephemeral, cache_s=settings.limits.status_cache_s),
        sms=_sms(settings),
    )


def keys_path(settings: Settings) -> Path:
    """The center's key file."""
    return settings.data / "center" / "keys" / "center.keys"


def index_folder(settings: Settings) -> Path:
    """Where the blind index's own process listens; only that process reads its key (H7)."""
    return settings.data / "blind-index"


def _sms(settings: Settings) -> AligoSms:
    """The SMS provider at its configured address."""
    base = settings.addresses.get(settings.sms_host)
    if base is None:
        raise SettingsRefused(variable="INGAM_ADDRESSES", missing=settings.sms_host)
    return AligoSms(base, key=settings.sms_key, user_id=settings.sms_user, sender=settings.sms_sender)
