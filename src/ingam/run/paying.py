"""Fees of the center, over one set of ports: what the worker does with payments of runs that ended.

Codes that were paid for are withdrawn at the authority before their fee is released: whoever kept them gets nothing by
them at its own door, and whoever was quicker has used them and pays. A renewal has no codes: its old key asks, and what
passed through the center is what was paid for.
"""

from __future__ import annotations

import base64
from collections.abc import Awaitable, Callable
from typing import Final

import msgspec

from ingam.center.issuance.flow import ISSUANCE
from ingam.center.issuance.states import Issued, codes_of
from ingam.center.renewal.flow import RENEWAL, Renewed
from ingam.customer.notice import Notices, Sender
from ingam.customer.payment import Fee, Fees, owing
from ingam.customer.payment.owing import Owing
from ingam.customer.payment.settling import Came, Life, Run, Settling
from ingam.ports.certification import Certification, CertificationRefused, IssuedCertificate, Standing, Withdrawal
from ingam.ports.store import Claimed
from ingam.run.night import coming_night
from ingam.settings import Settings
from ingam.wiring import CenterPorts

_CAME: Final = {
    Withdrawal.WITHDRAWN: Came.NOTHING, Withdrawal.GIVEN_UP: Came.NOTHING, Withdrawal.PENDING: Came.WAITS,
    Withdrawal.USED: Came.CERTIFICATE,
}  # fmt: skip


def payment_deliveries(settings: Settings, given: CenterPorts) -> dict[str, Callable[[Claimed], Awaitable[None]]]:
    """For the worker; nothing where nothing that costs is offered."""
    owed = owing_of(settings, given)
    if owed is None or given.parties is None or given.parties.payments is None or given.certification is None:
        return {}
    asking = _Asking(given, given.certification)
    runs = {ISSUANCE.name: issuance_run, RENEWAL.name: renewal_run}
    return Settling(given.store, given.clock, given.parties.payments, runs, asking.came, owed).deliveries


def owing_of(settings: Settings, given: CenterPorts) -> Owing | None:
    """Fees that are owed; None where nobody takes any."""
    payments = None if given.parties is None else given.parties.payments
    if payments is None:
        return None
    limits = settings.limits
    return Owing(
        owing.Ports(given.store, given.clock, payments, given.customers, given.digests),
        Fees(given.store, payments, given.digests), Notices(Sender(settings.institution)), limits.fee_unpaid_days,
        lambda key, after: coming_night(key, limits.recheck_hour, after),
    )  # fmt: skip


def issuance_run(state: str) -> Run:
    """How a run of an issuance stands, and the codes that it registered."""
    found = ISSUANCE.load(state)
    if isinstance(found, Issued):
        return Run(Life.ISSUED)
    return Run(Life.OVER if type(found) in ISSUANCE.ends() else Life.OPEN, codes_of(found))


def renewal_run(state: str) -> Run:
    """How a run of a renewal stands."""
    found = RENEWAL.load(state)
    if isinstance(found, Renewed):
        return Run(Life.ISSUED)
    return Run(Life.OVER if type(found) in RENEWAL.ends() else Life.OPEN)


class _Asking:
    """What came of a run, by the authority's word."""

    def __init__(self, given: CenterPorts, authority: Certification) -> None:
        self._given, self._authority = given, authority

    async def came(self, fee: Fee, run: Run) -> Came:
        """Raises CertificationOutage."""
        try:
            if fee.machine == RENEWAL.name:
                return await self._by_certificate(fee)
            return await self._by_codes(fee, run.sealed)
        except CertificationRefused:
            return Came.UNKNOWN

    async def _by_codes(self, fee: Fee, sealed: str) -> Came:
        if not sealed:
            return Came.UNKNOWN
        clear = await self._given.fields.open(
            fee.customer_id, "flow", "codes", fee.flow_id, base64.b64decode(sealed)
        )  # fmt: skip
        codes = msgspec.json.decode(clear, type=dict[str, str])
        return _CAME[await self._authority.withdraw(codes["reference"])]

    async def _by_certificate(self, fee: Fee) -> Came:
        """Of a kup; where none passed through, nothing can be confirmed by this run any more."""
        customer = await self._given.customers.by_id(fee.customer_id)
        if fee.certificate is None or customer is None:
            return Came.NOTHING
        heads = [customer, *(head for one in customer.heads if (head := customer.as_head(one.slot)) is not None)]
        for head in heads:
            ever = await self._authority.issued(head.idn)
            found = next((one for one in ever if one.fingerprint == fee.certificate), None)
            if found is not None:
                return _came(found)
        return Came.NOTHING


def _came(one: IssuedCertificate) -> Came:
    if one.standing is Standing.PENDING:
        return Came.WAITS
    return Came.NOTHING if one.never_stood else Came.CERTIFICATE
