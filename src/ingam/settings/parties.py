"""Who outside is asked, by what name and with what key: issuing, calls, 금융인증서, core banking."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from ingam.kernel.secret import Secret
from ingam.ports.customers import MOST_HEADS
from ingam.settings.refused import SettingsRefused


@dataclass(frozen=True, slots=True)
class PartySettings:
    """The outside parties of 신규공동인증서신청: a name in `addresses`, and what each knows us by."""

    real_name_host: str = "realname.ingam.test"
    real_name_key: Secret[str] = field(default_factory=lambda: Secret("sandbox"))
    phone_identity_host: str = "portone.test"
    phone_identity_secret: Secret[str] = field(default_factory=lambda: Secret("sandbox"))
    phone_identity_channel: str = "channel-key-ingam-demo"
    id_card_host: str = "idcard.test"
    id_card_secret: Secret[str] = field(default_factory=lambda: Secret("sandbox"))
    bank_host: str = "openbanking.test"
    bank_institution: str = "M202600001"  # 이용기관코드
    bank_client_id: str = "ingam-demo"
    bank_client_secret: Secret[str] = field(default_factory=lambda: Secret("sandbox"))
    bank_account: Secret[str] = field(default_factory=lambda: Secret("2930000000001"))  # 약정 계좌 that 1원 leaves from
    bank_passphrase: Secret[str] = field(default_factory=lambda: Secret("sandbox"))
    address_host: str = "juso.test"
    address_key: Secret[str] = field(default_factory=lambda: Secret("sandbox"))
    payment_host: str = "pay.test"  # asked where 범용 is offered
    payment_secret: Secret[str] = field(default_factory=lambda: Secret("sandbox"))
    email_server: str = ""  # host:port; "" is the sandbox's on this machine
    email_sender: str = "no-reply@ingam.test"
    email_tls: str = "none"  # none, starttls, tls; the demo's server is on this machine
    email_user: str = ""
    email_password: Secret[str] = field(default_factory=lambda: Secret("sandbox"))


@dataclass(frozen=True, slots=True)
class ArsSettings:
    """The automatic call: by a provider of `addresses`, or by our own user agent on an institution's SIP trunk."""

    via: str = "http"  # none | http | sip
    host: str = "ars.test"  # the provider's name in `addresses`
    key: Secret[str] = field(default_factory=lambda: Secret("sandbox"))
    caller_id: str = "15440000"  # the number that telephones show
    sip_trunk: str = ""  # host:port of the trunk
    sip_transport: str = "tls"  # tls, tcp, udp; only tls in production (E6)
    sip_domain: str = ""  # of our address; "" is the trunk's host
    sip_user: str = ""
    sip_password: Secret[str] = field(default_factory=lambda: Secret(""))
    sip_bind: str = "0.0.0.0"  # noqa: S104 - the trunk's ACL and E6 guard what arrives
    sip_address: str = ""  # of this host as the trunk sees it; "" is the one that leads there
    sip_ca: Path | None = None  # PEM of who signs the trunk's certificate; None: the system's
    sip_srtp: bool = True  # refuses a trunk without it; only on in production (E6)
    prompts: Path | None = None  # a folder of recorded WAV files; None speaks by espeak-ng


@dataclass(frozen=True, slots=True)
class FinanceSettings:
    """금융인증서: its provider under contract, and the one origin of its window that people are led to (B5)."""

    via: str = "http"  # none | http
    host: str = "fincert.test"  # the provider's name in `addresses`
    client: str = "ingam-demo"
    key: Secret[str] = field(default_factory=lambda: Secret("sandbox"))
    origin: str = "http://localhost:8708"


@dataclass(frozen=True, slots=True)
class CoreBankSettings:
    """The core-banking system that keeps the customers; `address` "" keeps them in our own tables."""

    address: str = ""  # base URL of its API (docs/reference/customers.md)
    key: Secret[str] = field(default_factory=lambda: Secret("sandbox"))
    certificate: Path | None = None  # our certificate and key (PEM), for TLS on both sides
    ca: Path | None = None  # who its certificate is trusted by (PEM); None: the system's
    union_heads: int = 1  # INGAM_UNION_HEADS: so many heads of one union register, each a certificate of their own


@dataclass(frozen=True, slots=True)
class CardSettings:
    """The core system that keeps 보안카드; `address` "" keeps them in our own tables (docs/reference/cards.md)."""

    address: str = ""
    key: Secret[str] = field(default_factory=lambda: Secret("sandbox"))


def read_cards(environment: Mapping[str, str]) -> CardSettings:
    """INGAM_CARDS (its address), INGAM_CARDS_KEY. Raises SettingsRefused."""
    address = environment.get("INGAM_CARDS", "").rstrip("/")
    if address and not re.fullmatch(r"https?://[^\s@?#]+", address):
        raise SettingsRefused(variable="INGAM_CARDS")
    return CardSettings(address, Secret(environment.get("INGAM_CARDS_KEY", "sandbox")))


def refuse_sandbox_cards(cards: CardSettings) -> None:
    """G7: production sends no digit of a card in the clear, nor with the sandbox's key. Raises SettingsRefused."""
    if cards.address and not cards.address.startswith("https://"):
        raise SettingsRefused(variable="INGAM_CARDS")
    if cards.address and cards.key == Secret("sandbox"):
        raise SettingsRefused(variable="INGAM_CARDS_KEY")


def read_parties(environment: Mapping[str, str]) -> PartySettings:
    """INGAM_PARTY_BANK_HOST …: each by its name in capitals."""
    chosen: dict[str, Any] = {}
    for one in fields(PartySettings):
        text = environment.get(f"INGAM_PARTY_{one.name.upper()}")
        if text is not None:
            chosen[one.name] = Secret(text) if one.type == "Secret[str]" else text
    return PartySettings(**chosen)


def refuse_sandbox_parties(parties: PartySettings, *, paid: bool) -> None:
    """G7: production asks nobody with the sandbox's key. Raises SettingsRefused."""
    for one in fields(PartySettings):
        if (paid or not one.name.startswith("payment")) and getattr(parties, one.name) in (Secret("sandbox"), "none"):
            raise SettingsRefused(variable=f"INGAM_PARTY_{one.name.upper()}")
    if not parties.email_server:
        raise SettingsRefused(variable="INGAM_PARTY_EMAIL_SERVER")


def read_ars(environment: Mapping[str, str]) -> ArsSettings:
    """INGAM_ARS_VIA, INGAM_ARS_SIP_TRUNK …: each by its name in capitals."""
    chosen: dict[str, Any] = {}
    for one in fields(ArsSettings):
        text = environment.get(f"INGAM_ARS_{one.name.upper()}")
        if text is None:
            continue
        if one.type == "Secret[str]":
            chosen[one.name] = Secret(text)
        elif one.type == "bool":
            chosen[one.name] = text != "0"
        else:
            chosen[one.name] = (Path(text) if text else None) if one.type == "Path | None" else text
    return ArsSettings(**chosen)


def refuse_ars(ars: ArsSettings) -> None:
    """A way of calling that does not exist. Raises SettingsRefused."""
    if ars.via not in ("none", "http", "sip"):
        raise SettingsRefused(variable="INGAM_ARS_VIA")
    if ars.sip_transport not in ("tls", "tcp", "udp"):
        raise SettingsRefused(variable="INGAM_ARS_SIP_TRANSPORT")
    if ars.via == "sip" and not re.fullmatch(r"[A-Za-z0-9.-]+:[0-9]{1,5}", ars.sip_trunk):
        raise SettingsRefused(variable="INGAM_ARS_SIP_TRUNK")


def refuse_sandbox_ars(ars: ArsSettings) -> None:
    """Keys that are pressed travel over TLS and SRTP in production, or by a provider that knows us (E6, E7)."""
    if ars.via == "http" and ars.key == Secret("sandbox"):
        raise SettingsRefused(variable="INGAM_ARS_KEY")
    if ars.via == "sip" and ars.sip_transport != "tls":
        raise SettingsRefused(variable="INGAM_ARS_SIP_TRANSPORT")
    if ars.via == "sip" and not ars.sip_srtp:
        raise SettingsRefused(variable="INGAM_ARS_SIP_SRTP")


def read_finance(environment: Mapping[str, str], mode: str, origin: str) -> FinanceSettings:
    """INGAM_FINANCE_VIA, INGAM_FINANCE_KEY …; production has no provider until it names one."""
    chosen: dict[str, Any] = {"origin": origin, "via": "none" if mode == "production" else "http"}
    for one in fields(FinanceSettings):
        text = environment.get(f"INGAM_FINANCE_{one.name.upper()}")
        if text is not None:
            chosen[one.name] = Secret(text) if one.type == "Secret[str]" else text
    return FinanceSettings(**(chosen | {"origin": chosen["origin"].rstrip("/")}))


def read_core_bank(environment: Mapping[str, str]) -> CoreBankSettings:
    """INGAM_CUSTOMERS (its address), INGAM_CUSTOMERS_KEY, INGAM_CUSTOMERS_CERTIFICATE, INGAM_CUSTOMERS_CA;
    INGAM_UNION_HEADS.
    """
    address = environment.get("INGAM_CUSTOMERS", "").rstrip("/")
    if address and not re.fullmatch(r"https?://[^\s@?#]+", address):
        raise SettingsRefused(variable="INGAM_CUSTOMERS")
    files = {name: environment.get(f"INGAM_CUSTOMERS_{name}") for name in ("CERTIFICATE", "CA")}
    return CoreBankSettings(
        address,
        Secret(environment.get("INGAM_CUSTOMERS_KEY", "sandbox")),
        Path(files["CERTIFICATE"]) if files["CERTIFICATE"] else None,
        Path(files["CA"]) if files["CA"] else None,
        _heads(environment.get("INGAM_UNION_HEADS", "1")),
    )


def _heads(text: str) -> int:
    if not re.fullmatch(f"[1-{MOST_HEADS}]", text):
        raise SettingsRefused(variable="INGAM_UNION_HEADS")
    return int(text)
