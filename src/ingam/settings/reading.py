"""Reads the environment once (INGAM_*), each concern by its own module, and refuses what contradicts itself."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from ingam.kernel.secret import Secret
from ingam.settings.authority import read_ca
from ingam.settings.copying import read_relay
from ingam.settings.institution import read_institution
from ingam.settings.limits import read_limits
from ingam.settings.operators import read_audit, read_console
from ingam.settings.parties import read_ars, read_cards, read_core_bank, read_finance, read_parties
from ingam.settings.process import PORTS, Settings
from ingam.settings.refused import SettingsRefused
from ingam.settings.refusing import refuse


def read(environment: Mapping[str, str]) -> Settings:
    """The settings of an environment (INGAM_*). Raises SettingsRefused."""
    mode = environment.get("INGAM_MODE", "demo")
    if mode not in ("demo", "test", "production"):
        raise SettingsRefused(variable="INGAM_MODE")
    base = _port(environment.get("INGAM_PORT", "8700"))
    origins = {name: f"http://localhost:{base + number}" for number, name in enumerate(PORTS)}
    settings = Settings(
        mode=mode,
        data=Path(environment.get("INGAM_DATA", "data")),
        base_port=base,
        center_origin=environment.get("INGAM_CENTER_ORIGIN", origins["center"]).rstrip("/"),
        vault_origin=environment.get("INGAM_VAULT_ORIGIN", origins["vault"]).rstrip("/"),
        sandbox_origin=environment.get("INGAM_SANDBOX_ORIGIN", origins["sandbox"]).rstrip("/"),
        store_url=environment.get("INGAM_STORE", ""),
        ephemeral=environment.get("INGAM_EPHEMERAL", ""),
        addresses=_addresses(environment.get("INGAM_ADDRESSES", "")),
        sms=environment.get("INGAM_SMS", ""),
        sms_ca=Path(environment["INGAM_SMS_CA"]) if environment.get("INGAM_SMS_CA") else None,
        sms_host=environment.get("INGAM_SMS_HOST", "sms.aligo.test"),
        sms_user=environment.get("INGAM_SMS_USER", "ingam-demo"),
        sms_sender=environment.get("INGAM_SMS_SENDER", "15440000"),
        sms_key=Secret(environment.get("INGAM_SMS_KEY", "sandbox")),
        issuance_products=_products(environment, mode),
        vault_roots=_roots(environment, "INGAM_VAULT_ROOTS"),
        desk_roots=_roots(environment, "INGAM_DESK_ROOTS"),
        service_worker=environment.get("INGAM_SERVICE_WORKER", "1") != "0",
        terms=Path(environment["INGAM_TERMS"]) if environment.get("INGAM_TERMS") else None,
        oidc_clients=Path(environment["INGAM_OIDC_CLIENTS"]) if environment.get("INGAM_OIDC_CLIENTS") else None,
        customers=read_core_bank(environment),
        cards=read_cards(environment),
        kill_at=environment.get("INGAM_KILL_AT") or None,
        limits=read_limits(environment),
        institution=read_institution(environment),
        parties=read_parties(environment),
        ars=read_ars(environment),
        finance=read_finance(environment, mode, origins["finance_cloud"]),
        ca=read_ca(environment),
        relay=read_relay(environment, origins["relay"]),
        console=read_console(environment, origins["console"]),
        audit=read_audit(environment),
        regions=Path(environment["INGAM_REGIONS"]) if environment.get("INGAM_REGIONS") else None,
        keypad_required=environment.get("INGAM_KEYPAD_REQUIRED") == "1",
        device_software=_yes(environment, "INGAM_DEVICE_SOFTWARE"),
        cheap_passwords=environment.get("INGAM_CHEAP_PASSWORDS") == "1",
    )
    refuse(settings)
    return settings


def _port(text: str) -> int:
    if not (text.isascii() and text.isdigit()) or not 1024 <= int(text) <= 65535 - len(PORTS):
        raise SettingsRefused(variable="PORT")
    return int(text)


def _yes(environment: Mapping[str, str], variable: str) -> bool:
    """`yes` (the default) or `no`."""
    text = environment.get(variable, "yes")
    if text not in ("yes", "no"):
        raise SettingsRefused(variable=variable)
    return text == "yes"


def _addresses(text: str) -> dict[str, str]:
    """`ocsp.signkorea.test=http://localhost:8706/ocsp/signkorea,…`"""
    pairs = [pair.strip() for pair in text.split(",") if pair.strip()]
    if not all(re.fullmatch(r"[A-Za-z0-9.-]+=https?://\S+", pair) for pair in pairs):
        raise SettingsRefused(variable="INGAM_ADDRESSES")
    return {name: base for name, _, base in (pair.partition("=") for pair in pairs)}


def _products(environment: Mapping[str, str], mode: str) -> tuple[str, ...]:
    """What is issued has parties and an authority under contract: production offers only what is named."""
    text = environment.get("INGAM_ISSUANCE_PRODUCTS", "" if mode == "production" else "gold,universal")
    return tuple(one.strip() for one in text.split(",") if one.strip())


def _roots(environment: Mapping[str, str], variable: str) -> tuple[str, ...]:
    found = tuple(one.strip() for one in environment.get(variable, "").split(",") if one.strip())
    if not all(re.fullmatch(r"[0-9a-f]{64}", one) for one in found):
        raise SettingsRefused(variable=variable)
    return found
