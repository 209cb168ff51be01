"""How messages leave: by Aligo's form API, or by SMPP to the SMSC that INGAM_SMS names."""

from __future__ import annotations

import ssl
from typing import Protocol
from urllib.parse import parse_qs, urlsplit

from ingam.adapters.sms.aligo import AligoSms
from ingam.adapters.sms.smpp import PASSWORD_MOST, SmppSms
from ingam.ports.sms import SmsSender
from ingam.settings import Settings, SettingsRefused


class ClosedSms(SmsSender, Protocol):
    """A sender that holds connections."""

    async def aclose(self) -> None: ...


def sms_sender(settings: Settings) -> ClosedSms:
    """The SMS provider of the settings. Raises SettingsRefused."""
    if settings.sms:
        return _smpp(settings)
    base = settings.addresses.get(settings.sms_host)
    if base is None:
        raise SettingsRefused(variable="INGAM_ADDRESSES", missing=settings.sms_host)
    return AligoSms(base, key=settings.sms_key, user_id=settings.sms_user, sender=settings.sms_sender)


def _smpp(settings: Settings) -> SmppSms:
    named, password = urlsplit(settings.sms), settings.sms_key.reveal()
    if not (password.isascii() and len(password) <= PASSWORD_MOST):
        raise SettingsRefused(variable="INGAM_SMS_KEY")
    if named.hostname is None or named.port is None or named.username is None:
        raise SettingsRefused(variable="INGAM_SMS")
    return SmppSms(
        named.hostname,
        named.port,
        system_id=named.username,
        password=settings.sms_key,
        sender=settings.sms_sender,
        long=parse_qs(named.query).get("long", ["udh"])[0],
        tls=_trusting(settings) if named.scheme == "smpps" else None,
    )


def _trusting(settings: Settings) -> ssl.SSLContext:
    try:
        trusting = ssl.create_default_context(cafile=settings.sms_ca)
    except OSError:
        raise SettingsRefused(variable="INGAM_SMS_CA") from None
    trusting.minimum_version = ssl.TLSVersion.TLSv1_2
    return trusting
