"""알림 설정 of the center, over one set of ports."""

from __future__ import annotations

from starlette.routing import BaseRoute

from ingam.center.notices.service import NoticeSettings, Ports
from ingam.center.notices.web import NoticesWeb
from ingam.customer.notice import Notices, Sender
from ingam.customer.notice.wishes import Wishes
from ingam.wiring import CenterPorts


def notices_routes(given: CenterPorts, sender: Sender) -> list[BaseRoute]:
    """/management/notices, and the language of whoever is logged in; before the routes that every process has."""
    ports = Ports(given.store, given.clock, given.customers, given.digests)
    service = NoticeSettings(ports, Wishes(given.store, given.fields), Notices(sender))
    return [*NoticesWeb(service, sender.hours).routes()]
