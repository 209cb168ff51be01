"""갱신 of the center, over one set of ports: its routes, and what the worker sees to; none where nothing is issued."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from starlette.routing import BaseRoute

from ingam.center.renewal.late import Late
from ingam.center.renewal.service import Renewing
from ingam.center.renewal.standing import Renewals
from ingam.center.renewal.walks import Ports
from ingam.center.renewal.web import RenewalWeb
from ingam.center.terms.registry import Registry
from ingam.customer.binding.bindings import Bindings
from ingam.customer.consent import Consents
from ingam.customer.notice import Notices, Sender
from ingam.customer.payment import Fees
from ingam.customer.policy import Policy
from ingam.ports.store import Claimed
from ingam.settings import Settings
from ingam.wiring import CenterPorts


def renewal_routes(settings: Settings, given: CenterPorts, sender: Sender, policy: Policy) -> list[BaseRoute]:
    """Everything below /issuance/renewal."""
    ports = _ports(given)
    if ports is None:
        return []
    terms = Registry.read(settings.terms, production=settings.production).under(policy)
    payments = None if given.parties is None else given.parties.payments
    renewing = Renewing(
        ports,
        settings.limits,
        Consents(terms, given.store),
        _bindings(given),
        Notices(sender),
        settings.center_origin,
        None if payments is None else Fees(given.store, payments, given.digests),
    )
    return [*RenewalWeb(renewing, settings.vault_origin).routes()]


def renewal_deliveries(settings: Settings, given: CenterPorts) -> dict[str, Callable[[Claimed], Awaitable[None]]]:
    """For the worker: renewals whose confirmation was lost."""
    ports = _ports(given)
    if ports is None:
        return {}
    renewals = Renewals(ports, _bindings(given), Notices(Sender(settings.institution)))
    return Late(ports, renewals, settings.limits.flow_ttl_s).deliveries


def _ports(given: CenterPorts) -> Ports | None:
    if given.certification is None:
        return None
    return Ports(given.store, given.clock, given.customers, given.digests, given.fields, given.certification)


def _bindings(given: CenterPorts) -> Bindings:
    return Bindings(given.store, given.digests, given.fields)
