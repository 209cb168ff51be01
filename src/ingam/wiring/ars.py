"""Who places the automatic call: a provider at its configured address, or our own SIP user agent."""

from __future__ import annotations

from ingam.adapters.ars.absent import AbsentArs
from ingam.adapters.ars.http import HttpArs
from ingam.ports.ars import ArsCaller
from ingam.settings import Settings, SettingsRefused


def ars_caller(settings: Settings) -> ArsCaller:
    """Raises SettingsRefused where the provider has no address."""
    ours = settings.ars
    if ours.via == "none":
        return AbsentArs()
    if ours.via == "sip":
        raise SettingsRefused(variable="INGAM_ARS_VIA")
    base = settings.addresses.get(ours.host)
    if base is None:
        raise SettingsRefused(variable="INGAM_ADDRESSES", missing=ours.host)
    return HttpArs(base, key=ours.key, caller_id=ours.caller_id)
