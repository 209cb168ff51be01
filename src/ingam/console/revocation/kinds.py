"""Revocation on behalf as a change that two persons sign; the authority checks both signatures itself (D14).

With the second signature the signed text leaves for the authority by the outbox, whole. What came of it is a line of
the audit, action `revocation.on-behalf`.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final

import msgspec

from ingam.console.changes.flow import Approved, Signature
from ingam.console.changes.kinds import Applying, Described, Line, Values
from ingam.console.operators import Role
from ingam.console.operators.register import Operators
from ingam.customer.binding.bindings import Binding, Bindings, Details
from ingam.kernel.errors import Refusal
from ingam.ports.customers import Customers
from ingam.ports.keys import BlindIndex
from ingam.ports.store import Outgoing
from ingam.protocols.cmp.on_behalf import OperatorSignature

NAME: Final = "revocation"
OUTBOX: Final = "revocation"
OUTCOME: Final = "revocation.on-behalf"
REASONS: Final = ("cessationOfOperation", "keyCompromise", "affiliationChanged", "privilegeWithdrawn")
"""CRLReasons that somebody else may state."""

BASES: Final = ("death", "dissolution", "court-order", "report-of-loss", "holder-request")
_OFFICERS: Final = frozenset({Role.SECURITY})


class RevocationRefused(Refusal):
    """There is no such certificate of this customer, or no such reason (facts: part)."""

    code = "revocation-refused"


class Sent(msgspec.Struct, frozen=True):
    """What leaves for the authority. `banking_id` names whose line of the audit the outcome is; `certificate`: DER."""

    change: str
    text: str
    signatures: list[OperatorSignature]
    banking_id: str
    serial: str
    reason: str
    certificate: bytes = b""


class RevocationKind:
    """`ChangeKind`. `authority`: the name of our authority, as its statements have it."""

    name: str = NAME
    makers: frozenset[Role] = _OFFICERS
    checkers: frozenset[Role] = _OFFICERS
    at_once: bool = True

    def __init__(
        self, authority: str, bindings: Bindings, customers: Customers, operators: Operators, blind_index: BlindIndex
    ) -> None:
        self._authority = authority
        self._bindings = bindings
        self._customers = customers
        self._operators = operators
        self._blind_index = blind_index

    async def certificates(self, customer_id: str) -> list[tuple[Binding, Details]]:
        """Every certificate that was registered here, newest first."""
        return [(one, await self._bindings.details(one)) for one in await self._bindings.history(customer_id)]

    async def describe(self, values: Values) -> Described:
        """The lines that the authority reads, in its order. Raises RevocationRefused."""
        if values.get("reason") not in REASONS:
            raise RevocationRefused(part="reason")
        if values.get("basis") not in BASES:
            raise RevocationRefused(part="basis")
        customer = await self._customers.by_id(values.get("customer", ""))
        found = {} if customer is None else dict(await self._by_fingerprint(customer.customer_id))
        details = found.get(values.get("certificate", ""))
        if customer is None or details is None:
            raise RevocationRefused(part="certificate")
        index = await self._blind_index.index("idn", customer.idn)
        subjects = tuple(one.employee for one in await self._operators.all() if one.is_person(index))
        told = {
            "authority": self._authority, "certificate": values["certificate"], "serial": details.serial,
            "reason": values["reason"], "basis": values["basis"],
        }  # fmt: skip
        return Described(tuple(Line(name, "", value) for name, value in told.items()), subjects, customer.banking_id)

    async def apply(self, approved: Approved, now: datetime) -> Applying:
        """The signed text goes to the authority."""
        change, told = approved.change, {name: after for name, _, after in approved.text.lines}
        customer = await self._customers.by_id(change.values["customer"])
        assert customer is not None
        signatures = [_carried(one) for one in (approved.made, approved.checked)]
        body, serial, reason = approved.text.body, told["serial"], told["reason"]
        details = dict(await self._by_fingerprint(customer.customer_id))[told["certificate"]]
        sent = Sent(change.change_id, body, signatures, customer.banking_id, serial, reason, details.certificate)
        outgoing = Outgoing(OUTBOX, msgspec.json.encode(sent), f"revocation:{change.change_id}", now)
        return Applying(outbox=[outgoing], facts={"serial": serial, "reason": reason})

    async def _by_fingerprint(self, customer_id: str) -> list[tuple[str, Details]]:
        return [(binding.fingerprint, details) for binding, details in await self.certificates(customer_id)]


def _carried(one: Signature) -> OperatorSignature:
    return OperatorSignature(one.employee, one.credential, one.client_data, one.authenticator_data, one.signature)
