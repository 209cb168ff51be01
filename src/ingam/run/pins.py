"""간편비밀번호 of the center, over one set of ports: its routes, and what the worker ends by itself."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from starlette.routing import BaseRoute

from ingam.center.pin.service import Pins, Ports
from ingam.center.pin.web import PinWeb
from ingam.customer.notice import Notices, Sender
from ingam.ports.store import Claimed
from ingam.settings import Settings
from ingam.wiring import CenterPorts


def pin_routes(settings: Settings, given: CenterPorts) -> list[BaseRoute]:
    """Everything below /management/pin."""
    return [*PinWeb(_pins(settings, given)).routes()]


def pin_deliveries(settings: Settings, given: CenterPorts) -> dict[str, Callable[[Claimed], Awaitable[None]]]:
    """For the worker."""
    return _pins(settings, given).deliveries


def _pins(settings: Settings, given: CenterPorts) -> Pins:
    ports = Ports(given.store, given.ephemeral, given.clock, given.customers, given.digests, given.fields)
    return Pins(ports, Notices(Sender(settings.institution)), settings.center_origin)
