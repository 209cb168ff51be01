"""One process's settings, of all concerns together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from ingam.kernel.secret import Secret
from ingam.settings.authority import CaSettings
from ingam.settings.copying import RelaySettings
from ingam.settings.institution import Institution
from ingam.settings.limits import Limits
from ingam.settings.operators import AuditSettings, ConsoleSettings
from ingam.settings.parties import ArsSettings, CardSettings, CoreBankSettings, FinanceSettings, PartySettings

PORTS: Final = ("center", "vault", "console", "ca", "va", "relay", "sandbox", "mail", "finance_cloud")
"""Each has the next port after the base; `mail` is the sandbox's SMTP server. New ones go to the end."""


@dataclass(frozen=True, slots=True)
class Settings:
    """One process's settings. Origins are `http://localhost:PORT` in the demo, https elsewhere."""

    mode: str = "demo"  # demo | test | production
    data: Path = Path("data")
    base_port: int = 8700
    center_origin: str = "http://localhost:8700"
    vault_origin: str = "http://localhost:8701"
    sandbox_origin: str = "http://localhost:8706"
    store_url: str = field(default="", repr=False)  # may hold a password; "" = SQLite below `data`; or postgresql://…
    ephemeral: str = field(default="", repr=False)  # "" is in process; valkey(s)://host:port/0 where nodes share limits
    addresses: Mapping[str, str] = field(
        default_factory=dict
    )  # name under .test → base URL: the allowed outgoing requests
    sms: str = field(default="", repr=False)  # "" is Aligo's form API; smpp(s)://system_id@host:port?long=udh|payload
    sms_ca: Path | None = None  # certificates that an SMSC over TLS is trusted by; None: the system's
    sms_host: str = "sms.aligo.test"  # the provider's name in `addresses`
    sms_user: str = "ingam-demo"
    sms_sender: str = "15440000"
    sms_key: Secret[str] = field(default_factory=lambda: Secret("sandbox"))
    issuance_products: tuple[str, ...] = ("gold", "universal")  # none: no 신규공동인증서신청, as in production
    vault_roots: tuple[str, ...] = ()  # SHA-256 of the roots that the vault lets issue: a center cannot name others
    desk_roots: tuple[str, ...] = ()  # of those that the certificate desk believes besides: none is issued below them
    service_worker: bool = True  # off takes it away from every browser that has it (B13)
    terms: Path | None = None  # a folder of consent documents that takes the place of the demo's
    customers: CoreBankSettings = field(default_factory=CoreBankSettings)
    cards: CardSettings = field(default_factory=CardSettings)
    oidc_clients: Path | None = None  # OpenID Connect clients (TOML); None: this center is no provider
    kill_at: str | None = None
    limits: Limits = field(default_factory=Limits)
    institution: Institution = field(default_factory=Institution)
    parties: PartySettings = field(default_factory=PartySettings)
    ars: ArsSettings = field(default_factory=ArsSettings)
    finance: FinanceSettings = field(default_factory=FinanceSettings)
    ca: CaSettings = field(default_factory=CaSettings)
    relay: RelaySettings = field(default_factory=RelaySettings)
    console: ConsoleSettings = field(default_factory=ConsoleSettings)
    audit: AuditSettings = field(default_factory=AuditSettings)
    regions: Path | None = (
        None  # a table of networks and their places: what the center tells of a receiving device (C3)
    )
    keypad_required: bool = False  # secret fields are taken sealed only: no page without script, no `ingam copy`
    device_software: bool = True  # INGAM_DEVICE_SOFTWARE=no: only WebAuthn keys make a designated device (E8)
    cheap_passwords: bool = False  # tests only: Argon2id with the least work

    @property
    def production(self) -> bool:
        """Whether the demo's leniences are refused."""
        return self.mode == "production"

    @property
    def secure(self) -> bool:
        """Whether the center is served over TLS: cookies then carry `__Host-` and Secure (F2)."""
        return self.center_origin.startswith("https://")

    def port(self, process: str) -> int:
        """The port of a process, counted from the base port in the order of PORTS."""
        return self.base_port + PORTS.index(process)

    @property
    def ticket_keys(self) -> Path:
        """Where the center writes and the relay reads the public keys of tickets (C12)."""
        return self.relay.ticket_keys or self.data / "relay" / "tickets.pub"

    @property
    def store(self) -> str:
        """The address of the store: SQLite in the data folder unless set."""
        return self.store_url or f"sqlite:///{self.data / 'center' / 'center.db'}"
