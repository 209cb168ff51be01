"""인증서관리 of the center, over one set of ports: its routes, and the word to the authority for the worker."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from starlette.routing import BaseRoute

from ingam.center.incident.suspending import to_authority
from ingam.center.management.revoking import deliver_revoking
from ingam.center.management.service import Management, Ports
from ingam.center.management.web import ManagementWeb
from ingam.customer.additional_auth.service import AdditionalAuth
from ingam.customer.binding.bindings import Bindings
from ingam.customer.notice import Notices, Sender
from ingam.ports.store import Claimed
from ingam.run.device_keys import DeviceKeys
from ingam.run.on_behalf import asking_anew
from ingam.settings import Settings
from ingam.wiring import CenterPorts


def management_routes(
    settings: Settings, given: CenterPorts, auth: AdditionalAuth, keys: DeviceKeys, sender: Sender
) -> list[BaseRoute]:
    """/management, its tasks."""
    service = Management(
        Ports(given.store, given.clock, given.customers, given.digests, given.certification),
        settings.limits,
        auth=auth,
        acts=keys.acts,
        bindings=Bindings(given.store, given.digests, given.fields),
        notices=Notices(sender),
        sender=sender,
        hold=to_authority,
    )
    return [*ManagementWeb(service, auth, given.clock, settings.vault_origin).routes()]


def management_deliveries(given: CenterPorts) -> dict[str, Callable[[Claimed], Awaitable[None]]]:
    """For the worker."""
    ended = asking_anew(given.authorities, given.status, given.clock)
    return deliver_revoking(given.store, given.clock, given.digests, given.certification, ended)
