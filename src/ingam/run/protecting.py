"""전자금융사기 예방서비스 of the center, over one set of ports."""

from __future__ import annotations

from starlette.routing import BaseRoute

from ingam.center.protection.service import Ports, ProtectionService
from ingam.center.protection.web import ProtectionWeb
from ingam.customer.additional_auth.service import AdditionalAuth
from ingam.customer.device.protection import Protection
from ingam.customer.notice import Notices, Sender
from ingam.customer.notice.wishes import Wishes
from ingam.run.device_keys import DeviceKeys
from ingam.settings import Settings
from ingam.wiring import CenterPorts


def protection_routes(
    settings: Settings, given: CenterPorts, auth: AdditionalAuth, keys: DeviceKeys, sender: Sender
) -> list[BaseRoute]:
    """Everything below /protection."""
    service = ProtectionService(
        Ports(given.store, given.clock, given.customers, given.digests),
        settings.limits,
        auth=auth,
        protection=Protection(given.store, given.fields),
        designated=keys.designated,
        passkeys=keys.passkeys,
        acts=keys.acts,
        notices=Notices(sender),
        sender=sender,
        wishes=Wishes(given.store, given.fields),
    )
    return [*ProtectionWeb(service, auth, given.clock, settings.vault_origin).routes()]
