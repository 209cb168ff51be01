"""Signed acts of the center, over one set of ports: /loan, and the evidence behind it."""

from __future__ import annotations

from starlette.routing import BaseRoute

from ingam.center.loan.service import Loans, Ports
from ingam.center.loan.web import LoanWeb
from ingam.customer.binding.bindings import Bindings
from ingam.customer.binding.challenges import Challenges
from ingam.customer.binding.proof import Prover
from ingam.customer.evidence import Evidences
from ingam.customer.evidence.signing import Signing
from ingam.customer.notice import Notices, Sender
from ingam.run.auditor import timestamps_of
from ingam.settings import Settings
from ingam.wiring import CenterPorts


def loan_routes(
    settings: Settings, given: CenterPorts, challenges: Challenges, bindings: Bindings, prover: Prover
) -> list[BaseRoute]:
    """Everything below /loan."""
    evidences, timestamps = Evidences(given.store, given.fields), timestamps_of(settings)
    signing = Signing(challenges, bindings, prover, evidences, given.clock, timestamps)
    ports = Ports(given.store, given.clock, given.customers, given.digests, given.fields)
    loans = Loans(ports, signing, evidences, settings.institution, Notices(Sender(settings.institution)), timestamps)
    return [*LoanWeb(loans, given.clock, settings.vault_origin).routes()]
