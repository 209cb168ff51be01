"""The provider of 금융인증서, where an institution has one."""

from __future__ import annotations

from ingam.adapters.finance_cert.http import HttpFinanceCert
from ingam.ports.clock import Clock
from ingam.settings import Settings, SettingsRefused


def finance_cert(settings: Settings, clock: Clock) -> HttpFinanceCert | None:
    """None where there is none. Raises SettingsRefused where production's provider has no address."""
    ours = settings.finance
    base = settings.addresses.get(ours.host)
    if ours.via == "none" or (base is None and not settings.production):
        return None
    if base is None:
        raise SettingsRefused(variable="INGAM_ADDRESSES", missing=ours.host)
    return HttpFinanceCert(base, origin=ours.origin, client=ours.client, key=ours.key, clock=clock)
