"""갱신 of the center, over one set of ports; nothing where nothing is issued."""

from __future__ import annotations

from starlette.routing import BaseRoute

from ingam.center.renewal.service import Ports, Renewing
from ingam.center.renewal.web import RenewalWeb
from ingam.center.terms.registry import Registry
from ingam.customer.binding.bindings import Bindings
from ingam.customer.consent import Consents
from ingam.customer.notice import Notices, Sender
from ingam.customer.policy import Policy
from ingam.settings import Settings
from ingam.wiring import CenterPorts


def renewal_routes(settings: Settings, given: CenterPorts, sender: Sender, policy: Policy) -> list[BaseRoute]:
    """Everything below /issuance/renewal."""
    if given.certification is None:
        return []
    terms = Registry.read(settings.terms, production=settings.production).under(policy)
    renewing = Renewing(
        Ports(given.store, given.clock, given.customers, given.digests, given.fields, given.certification),
        settings.limits,
        Consents(terms, given.store),
        Bindings(given.store, given.digests, given.fields),
        Notices(sender),
        settings.center_origin,
    )
    return [*RenewalWeb(renewing, settings.vault_origin).routes()]
