"""금융인증서 of the center, over one set of ports: its routes, and what the login asks."""

from __future__ import annotations

from starlette.routing import BaseRoute

from ingam.center.finance_cert import service
from ingam.center.finance_cert.service import FinanceCerts
from ingam.center.finance_cert.web import FinanceCertWeb
from ingam.center.login.finance import FinanceLogin
from ingam.customer.additional_auth.service import AdditionalAuth
from ingam.customer.binding.proof import Prover
from ingam.customer.finance.asking import FinanceWindows
from ingam.customer.finance.bindings import FinanceBindings
from ingam.customer.notice import Notices
from ingam.settings import Settings
from ingam.wiring import CenterPorts


def finance_login(settings: Settings, given: CenterPorts, prover: Prover) -> FinanceLogin:
    """For the login."""
    return FinanceLogin(_windows(settings, given), _bindings(given), prover, given.clock)


def finance_routes(
    settings: Settings, given: CenterPorts, auth: AdditionalAuth, prover: Prover, notices: Notices
) -> list[BaseRoute]:
    """Everything below /finance-cert."""
    made = FinanceCerts(
        service.Ports(given.store, given.clock, given.customers, given.digests),
        settings.limits,
        auth=auth,
        windows=_windows(settings, given),
        bindings=_bindings(given),
        prover=prover,
        notices=notices,
    )
    return [*FinanceCertWeb(made, auth, given.clock, settings.finance.origin).routes()]


def _windows(settings: Settings, given: CenterPorts) -> FinanceWindows:
    return FinanceWindows(
        given.store, given.ephemeral, given.clock, settings.limits, given.finance, settings.center_origin
    )


def _bindings(given: CenterPorts) -> FinanceBindings:
    return FinanceBindings(given.store, given.digests, given.fields)
