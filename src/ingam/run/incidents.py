"""사고신고 of the center, over one set of ports: its routes, and what the worker does with what was reported."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from starlette.routing import BaseRoute

from ingam.center.incident import service, suspending
from ingam.center.incident.reporting import Reports
from ingam.center.incident.service import Resuming
from ingam.center.incident.suspending import Suspending
from ingam.center.incident.web import IncidentWeb
from ingam.customer.additional_auth.service import AdditionalAuth
from ingam.customer.binding.bindings import Bindings
from ingam.customer.finance.bindings import FinanceBindings
from ingam.customer.notice import Notices, Sender
from ingam.ports.store import Claimed
from ingam.settings import Settings
from ingam.wiring import CenterPorts


def incident_routes(settings: Settings, given: CenterPorts, auth: AdditionalAuth, sender: Sender) -> list[BaseRoute]:
    """Everything below /incident."""
    ports = service.Ports(given.store, given.clock, given.customers, given.digests, given.parties is not None)
    bindings = Bindings(given.store, given.digests, given.fields)
    finance = FinanceBindings(given.store, given.digests, given.fields)
    resuming = Resuming(ports, settings.limits, auth=auth, bindings=bindings, finance=finance, notices=Notices(sender))
    reports = Reports(given.store, given.ephemeral, given.clock, given.digests, settings.limits)
    return [*IncidentWeb(reports, resuming, auth, given.clock, finance=given.finance is not None).routes()]


def incident_deliveries(
    settings: Settings, given: CenterPorts
) -> dict[str, Callable[[Claimed], Awaitable[None]]]:  # fmt: skip
    """For the worker."""
    ports = suspending.Ports(
        given.store, given.clock, given.customers, given.digests, given.certification, given.parties is not None
    )
    bindings = Bindings(given.store, given.digests, given.fields)
    host = settings.center_origin.partition("://")[2].partition(":")[0]
    notices = Notices(Sender(settings.institution))
    finance = FinanceBindings(given.store, given.digests, given.fields)
    return Suspending(ports, bindings, finance, notices, settings.limits, host).deliveries
