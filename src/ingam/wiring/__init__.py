"""The only place that chooses adapters: settings in, ports out. Nothing here decides anything else."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

from ingam.adapters.blind_index.process import ProcessBlindIndex
from ingam.adapters.cards.core import CoreCards
from ingam.adapters.clock.system import SystemClock
from ingam.adapters.customers.core_bank import CoreBankCustomers
from ingam.adapters.customers.fields import CustomerFields
from ingam.adapters.customers.passwords import Passwords
from ingam.adapters.ephemeral.in_process import InProcessEphemeral
from ingam.adapters.ephemeral.valkey import ValkeyEphemeral
from ingam.adapters.hsm.file import open_keys
from ingam.adapters.hsm.tokens import FileTokenSigner
from ingam.adapters.otp.tables import TableOtp
from ingam.adapters.regions import file as regions
from ingam.adapters.regions.file import FileRegions
from ingam.adapters.status import trust_file
from ingam.adapters.status.online import OnlineStatus
from ingam.adapters.status.outgoing import Outgoing
from ingam.adapters.store import open_store
from ingam.customer.binding.bindings import SealDetails
from ingam.customer.notice.wishes import ToldCustomers, Wishes
from ingam.kernel.errors import Failure
from ingam.ports.ars import ArsCaller
from ingam.ports.cards import SecurityCards
from ingam.ports.certification import Certification
from ingam.ports.clock import Clock
from ingam.ports.customers import Customers
from ingam.ports.ephemeral import Ephemeral
from ingam.ports.finance_cert import FinanceCert
from ingam.ports.keys import Digests, TicketSigner
from ingam.ports.otp import OtpTokens
from ingam.ports.regions import Regions
from ingam.ports.sms import SmsSender
from ingam.ports.status import Authorities, StatusChecker
from ingam.ports.store import Store
from ingam.ports.tokens import TokenSigner
from ingam.settings import Settings
from ingam.wiring.ars import ars_caller
from ingam.wiring.cards import kept_cards
from ingam.wiring.certification import FILE, certification, registrar_folder
from ingam.wiring.customers import kept_customers
from ingam.wiring.finance import finance_cert
from ingam.wiring.following import following
from ingam.wiring.parties import PartyPorts, party_ports, watched_parties
from ingam.wiring.sms import sms_sender
from ingam.wiring.watching import Board, watched

AUTHORITY_S: Final = 10.0
"""An authority signs before it answers; a status question is given three seconds."""


@dataclass(frozen=True, slots=True)
class CenterPorts:
    """What the center's process is given; `closing` ends connections, threads and children, in order."""

    store: Store
    clock: Clock
    ephemeral: Ephemeral
    digests: Digests
    customers: Customers
    fields: SealDetails
    authorities: Authorities
    status: StatusChecker
    sms: SmsSender
    ars: ArsCaller
    tickets: TicketSigner
    regions: Regions
    otp: OtpTokens | None = None
    cards: SecurityCards | None = None
    certification: Certification | None = None
    parties: PartyPorts | None = None
    finance: FinanceCert | None = None
    tokens: TokenSigner | None = None
    health: Board | None = None
    tell_numbers: Callable[[], Awaitable[int]] | None = None  # to a core-banking system that keeps the customers
    closing: tuple[Callable[[], Awaitable[None]], ...] = ()

    async def shut(self) -> None:
        """Close everything, whatever one of them says."""
        for close in self.closing:
            with suppress(Failure):
                await close()


def center_ports(settings: Settings) -> CenterPorts:
    """Every port of the center. The database is at its revision before (`run/demo` or `ingam store migrate`)."""
    clock = SystemClock()
    keys = open_keys(keys_path(settings), production=settings.production)
    store = open_store(settings.store, keys.outbox)
    passwords = Passwords(cheap=settings.cheap_passwords)
    blind_index = ProcessBlindIndex(index_folder(settings) / "socket")
    ephemeral = ephemeral_store(settings, clock)
    authorities, _ = trust_file.read(settings.data / "trust" / "authorities.toml")
    outgoing, sms, ars = Outgoing(settings.addresses), sms_sender(settings), ars_caller(settings)

    async def close_passwords() -> None:
        passwords.close()

    # Where nothing is issued, no authority and no party of issuing is asked for.
    issues = bool(settings.issuance_products)
    authority = Outgoing(settings.addresses, seconds=AUTHORITY_S)
    parties = party_ports(settings, clock) if issues else None
    board = Board(clock)
    finance = finance_cert(settings, clock)
    status = OnlineStatus(authorities, outgoing, store, ephemeral, cache_s=settings.limits.status_cache_s)
    ra, made = registrar_folder(settings) / FILE, partial(certification, settings, authority, clock)
    authority_ports = following(ra, made, clock) if issues else None
    fields = CustomerFields(store, keys.fields)
    customers = kept_customers(settings, store, keys.fields, keys.digests, blind_index, passwords, clock)
    core = customers if isinstance(customers, CoreBankCustomers) else None
    cards = kept_cards(settings, store, clock, fields)
    return CenterPorts(
        store=store,
        clock=clock,
        ephemeral=ephemeral,
        digests=keys.digests,
        customers=ToldCustomers(customers, Wishes(store, fields)),
        fields=fields,
        otp=TableOtp(store, clock, fields),
        cards=cards,
        authorities=authorities,
        status=watched(board, "status", status),
        sms=watched(board, "sms", sms),
        ars=watched(board, "ars", ars),
        tickets=keys.tickets,
        regions=FileRegions(()) if settings.regions is None else regions.read(settings.regions),
        certification=None if authority_ports is None else watched(board, "certification", authority_ports),
        finance=None if finance is None else watched(board, "finance-cert", finance),
        parties=None if parties is None else watched_parties(board, parties),
        health=board,
        tell_numbers=None if core is None else core.tell_numbers,
        tokens=token_signer(settings),
        closing=(
            *(parties.closing if parties else ()),
            *(() if core is None else (core.aclose,)),
            *((cards.aclose,) if isinstance(cards, CoreCards) else ()),
            *((finance.aclose,) if finance else ()),
            authority.close,
            outgoing.close,
            sms.aclose,
            ephemeral.close,
            ars.aclose,
            close_passwords,
            store.close,
        ),
    )


def keys_path(settings: Settings) -> Path:
    """The center's key file."""
    return settings.data / "center" / "keys" / "center.keys"


def token_signer(settings: Settings) -> FileTokenSigner | None:
    """Signs ID tokens, where this center is a provider (F12)."""
    if settings.oidc_clients is None:
        return None
    return FileTokenSigner(keys_path(settings).with_name("oidc"), production=settings.production)


def ephemeral_store(settings: Settings, clock: Clock) -> InProcessEphemeral | ValkeyEphemeral:
    """Address ceilings and caches: of this process alone, or shared by the nodes of one Valkey (F9)."""
    return ValkeyEphemeral(settings.ephemeral, clock) if settings.ephemeral else InProcessEphemeral(clock)


def index_folder(settings: Settings) -> Path:
    """Where the blind index's own process listens; only that process reads its key (H7)."""
    return settings.data / "blind-index"
