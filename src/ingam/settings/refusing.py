"""What no process starts with: bounds of the rules, contradictions, and in production a demo's leniences (G7)."""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import urlsplit

from ingam.kernel.secret import Secret
from ingam.settings.institution import refuse_quiet
from ingam.settings.operators import APPROVAL_MOST_S, CONSOLE_IDLE_MOST_S, refuse_audit
from ingam.settings.parties import refuse_ars, refuse_sandbox_ars, refuse_sandbox_cards, refuse_sandbox_parties
from ingam.settings.process import Settings
from ingam.settings.refused import SettingsRefused

STATUS_CACHE_MOST_S: Final = 600  # rule A11
COPY_TTL_MOST_S: Final = 180  # rule C12
CDN_MOST_S: Final = 300  # rule D13
_ORIGIN: Final = re.compile(r"(https?)://([A-Za-z0-9.-]+)(?::[0-9]{1,5})?")
_SMPP: Final = re.compile(r"(smpps?)://[!-.0-~]{1,15}@([A-Za-z0-9.-]{1,255}):[0-9]{1,5}(\?long=(udh|payload))?")


def refuse(settings: Settings) -> None:
    """What every process is held to, whatever it is. Raises SettingsRefused with the variable's name."""
    refuse_audit(settings.audit)
    _refuse_ca(settings)
    refuse_ars(settings.ars)
    _refuse_finance(settings)
    refuse_quiet(settings.institution)
    _refuse_origins(settings)
    _refuse_console(settings)
    if settings.parties.email_tls not in ("none", "starttls", "tls"):
        raise SettingsRefused(variable="INGAM_PARTY_EMAIL_TLS")
    if not set(settings.issuance_products) <= {"gold", "universal"}:
        raise SettingsRefused(variable="INGAM_ISSUANCE_PRODUCTS")
    for name in ("copy_number_ttl_s", "copy_qr_ttl_s"):
        if getattr(settings.limits, name) > COPY_TTL_MOST_S:
            raise SettingsRefused(variable=f"INGAM_LIMIT_{name.upper()}")
    if settings.limits.status_cache_s > STATUS_CACHE_MOST_S:
        raise SettingsRefused(variable="INGAM_LIMIT_STATUS_CACHE_S")
    if not settings.production:
        return
    if settings.kill_at is not None:
        raise SettingsRefused(variable="INGAM_KILL_AT")
    if settings.cheap_passwords:
        raise SettingsRefused(variable="INGAM_CHEAP_PASSWORDS")
    _refuse_clear_lines(settings)
    served = {"CENTER": settings.center_origin, "VAULT": settings.vault_origin, "RELAY": settings.relay.origin}
    for variable, origin in served.items():
        if not origin.startswith("https://"):
            raise SettingsRefused(variable=f"INGAM_{variable}_ORIGIN")
    if settings.sms_key == Secret("sandbox"):
        raise SettingsRefused(variable="INGAM_SMS_KEY")
    if settings.customers.address and not settings.customers.address.startswith("https://"):
        raise SettingsRefused(variable="INGAM_CUSTOMERS")
    if settings.customers.address and settings.customers.key == Secret("sandbox"):
        raise SettingsRefused(variable="INGAM_CUSTOMERS_KEY")
    refuse_sandbox_cards(settings.cards)
    refuse_sandbox_ars(settings.ars)
    if settings.issuance_products:
        refuse_sandbox_parties(settings.parties, paid="universal" in settings.issuance_products)
        if not settings.vault_roots:
            raise SettingsRefused(variable="INGAM_VAULT_ROOTS")
    if any(name.endswith(".test") for name in settings.addresses):
        raise SettingsRefused(variable="INGAM_ADDRESSES")


def refuse_unseen_audit(settings: Settings) -> None:
    """What the auditor's process does not start with in production: nobody outside, or a demo's (G6, G7).

    Raises SettingsRefused.
    """
    audit = settings.audit
    if not settings.production:
        return
    if ".test" in audit.origin:
        raise SettingsRefused(variable="INGAM_AUDIT_ORIGIN")
    if any(not one.partition(" ")[2].startswith("https://") or ".test" in one for one in audit.witnesses):
        raise SettingsRefused(variable="INGAM_AUDIT_WITNESSES")
    if not audit.witnesses and not audit.tsa:
        raise SettingsRefused(variable="INGAM_AUDIT_WITNESSES")
    if "//localhost" in audit.tsa or ".test" in audit.tsa:
        raise SettingsRefused(variable="INGAM_AUDIT_TSA")
    if not settings.store.startswith("sqlite:") and audit.store in ("", settings.store):
        raise SettingsRefused(variable="INGAM_AUDIT_STORE")  # a role of its own, where there are roles


def refuse_open_console(settings: Settings) -> None:
    """G1, G7, for the console's own start: production serves it over TLS, with a database role of its own."""
    if settings.production and not settings.console.origin.startswith("https://"):
        raise SettingsRefused(variable="INGAM_CONSOLE_ORIGIN")
    if settings.production and settings.store_url and settings.console.store in ("", settings.store_url):
        raise SettingsRefused(variable="INGAM_CONSOLE_STORE")


def _refuse_clear_lines(settings: Settings) -> None:
    """G7: what leaves this machine towards a database or a Valkey goes over TLS, with the server's name checked."""
    databases = {
        "INGAM_STORE": settings.store_url,
        "INGAM_CONSOLE_STORE": settings.console.store,
        "INGAM_AUDIT_STORE": settings.audit.store,
    }
    for variable, url in databases.items():
        if _leaves(url, "postgresql", "postgres") and "sslmode=verify-full" not in url.partition("?")[2].split("&"):
            raise SettingsRefused(variable=variable)
    for variable, url in {"INGAM_EPHEMERAL": settings.ephemeral, "INGAM_RELAY_STORE": settings.relay.store}.items():
        if _leaves(url, "valkey", "redis"):
            raise SettingsRefused(variable=variable)


def _leaves(url: str, *schemes: str) -> bool:
    """Whether it is of one of these schemes and names another machine; a socket's folder (`?host=/…`) is this one."""
    parts = urlsplit(url)
    return parts.scheme in schemes and parts.hostname not in (None, "localhost", "127.0.0.1", "::1")


def _refuse_ca(settings: Settings) -> None:
    ca = settings.ca
    if not re.fullmatch(r"[a-z0-9-]{1,32}", ca.name):
        raise SettingsRefused(variable="INGAM_CA_NAME")
    if not (1 <= ca.workers <= 64 and 1 <= ca.va_workers <= 64):
        raise SettingsRefused(variable="INGAM_CA_WORKERS")
    if not 1 <= ca.cdn_max_age_s <= CDN_MOST_S:
        raise SettingsRefused(variable="INGAM_CA_CDN_MAX_AGE_S")
    if settings.production and (ca.conformance or (ca.module and ca.file_keys)):
        # G7: no reusable secret, and no key in a file where a token is configured.
        raise SettingsRefused(variable="INGAM_CA_CONFORMANCE" if ca.conformance else "INGAM_CA_FILE_KEYS")


def _refuse_console(settings: Settings) -> None:
    """G1, G3: its bounds, and an origin that is nobody else's."""
    console = settings.console
    if console.idle_s > CONSOLE_IDLE_MOST_S:
        raise SettingsRefused(variable="INGAM_CONSOLE_IDLE_S")
    if console.approval_s > APPROVAL_MOST_S:
        raise SettingsRefused(variable="INGAM_CONSOLE_APPROVAL_S")
    if console.origin in (settings.center_origin, settings.vault_origin):
        raise SettingsRefused(variable="INGAM_CONSOLE_ORIGIN")


def _refuse_finance(settings: Settings) -> None:
    """Its window is nobody's origin of ours (B5); G7: no sandbox's key and no clear line in production."""
    finance, found = settings.finance, _ORIGIN.fullmatch(settings.finance.origin)
    if finance.via not in ("none", "http"):
        raise SettingsRefused(variable="INGAM_FINANCE_VIA")
    ours = (settings.center_origin, settings.vault_origin, settings.console.origin, settings.relay.origin)
    clear = found is not None and found[1] == "http"
    if found is None or finance.origin in ours or (clear and found[2] != "localhost"):
        raise SettingsRefused(variable="INGAM_FINANCE_ORIGIN")
    if settings.production and finance.via == "http" and (clear or finance.key == Secret("sandbox")):
        raise SettingsRefused(variable="INGAM_FINANCE_ORIGIN" if clear else "INGAM_FINANCE_KEY")


def _refuse_sms(settings: Settings) -> None:
    """SMPP in clear is for this machine (a tunnel's end) alone in production; its password is INGAM_SMS_KEY."""
    found = _SMPP.fullmatch(settings.sms)
    if settings.sms and found is None:
        raise SettingsRefused(variable="INGAM_SMS")
    local = found is not None and found[2] in ("localhost", "127.0.0.1")
    if settings.production and found is not None and found[1] == "smpp" and not local:
        raise SettingsRefused(variable="INGAM_SMS")


def _refuse_origins(settings: Settings) -> None:
    """Origins stand in headers and signed texts; the vault has one of its own (B1), plain HTTP is loopback's."""
    origins = {
        "INGAM_CENTER_ORIGIN": settings.center_origin,
        "INGAM_VAULT_ORIGIN": settings.vault_origin,
        "INGAM_RELAY_ORIGIN": settings.relay.origin,
        "INGAM_CONSOLE_ORIGIN": settings.console.origin,
    }
    for variable, origin in origins.items():
        found = _ORIGIN.fullmatch(origin)
        if found is None or (found[1] == "http" and found[2] != "localhost"):
            raise SettingsRefused(variable=variable)
    if not re.fullmatch(r"|(valkey|redis)s?://\S+", settings.relay.store):
        raise SettingsRefused(variable="INGAM_RELAY_STORE")
    if not re.fullmatch(r"|(valkey|redis)s?://\S+", settings.ephemeral):
        raise SettingsRefused(variable="INGAM_EPHEMERAL")
    _refuse_sms(settings)
    if settings.center_origin == settings.vault_origin:
        raise SettingsRefused(variable="INGAM_VAULT_ORIGIN")
