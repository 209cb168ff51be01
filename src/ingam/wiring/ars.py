"""Who places the automatic call: a provider at its configured address, our own SIP user agent, or nobody."""

from __future__ import annotations

import ssl

import structlog

from ingam.adapters.ars.absent import AbsentArs
from ingam.adapters.ars.http import HttpArs
from ingam.kernel.errors import Failure
from ingam.ports.ars import ArsCaller
from ingam.settings import ArsSettings, Settings, SettingsRefused

log = structlog.get_logger()


def ars_caller(settings: Settings) -> ArsCaller:
    """Raises SettingsRefused where the provider has no address, or a certificate or recording cannot be read."""
    ours = settings.ars
    if ours.via == "none":
        return AbsentArs()
    if ours.via == "sip":
        return _sip(ours)
    base = settings.addresses.get(ours.host)
    if base is None:
        raise SettingsRefused(variable="INGAM_ADDRESSES", missing=ours.host)
    return HttpArs(base, key=ours.key, caller_id=ours.caller_id)


def _sip(ours: ArsSettings) -> ArsCaller:
    """What only a trunk needs is loaded only for one."""
    from ingam.adapters.ars.prompts import Espeak, Recorded
    from ingam.adapters.ars.sip import SipArs
    from ingam.adapters.ars.sip_line import Trunk
    from ingam.adapters.ars.srtp import Srtp

    host, _, port = ours.sip_trunk.rpartition(":")
    trunk = Trunk(
        host, int(port), ours.sip_transport, ours.sip_domain or host, ours.caller_id, user=ours.sip_user,
        password=ours.sip_password, secured=ours.sip_srtp, bind=ours.sip_bind, address=ours.sip_address,
        context=_context(ours),
    )  # fmt: skip
    espeak = Espeak()
    if not espeak.installed:
        log.warning("ars.no_voice", meaning="sentences without a recording cannot be said, and such calls are refused")
    try:
        voice = espeak if ours.prompts is None else Recorded(ours.prompts, espeak)
    except (OSError, ValueError, AttributeError, Failure):
        raise SettingsRefused(variable="INGAM_ARS_PROMPTS") from None
    return SipArs(trunk, voice, guarding=Srtp if ours.sip_srtp else None)


def _context(ours: ArsSettings) -> ssl.SSLContext | None:
    if ours.sip_transport != "tls":
        return None
    try:
        made = ssl.create_default_context(cafile=str(ours.sip_ca) if ours.sip_ca else None)
    except (OSError, ssl.SSLError):
        raise SettingsRefused(variable="INGAM_ARS_SIP_CA") from None
    made.minimum_version = ssl.TLSVersion.TLSv1_2
    return made
