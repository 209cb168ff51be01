"""Withdrawing a registration: whoever has its codes gets nothing by them any more, and the RA learns what came before.

One transaction of the books decides between an ir that is under way and its withdrawal: what is not recorded then never
will be, and what was signed for it never leaves. Asked again, the answer is the same or further on.
"""

from __future__ import annotations

import json
from typing import Final

from ingam.ca.office import Office
from ingam.kernel.errors import Refusal
from ingam.ports.books import AuditLine, Certificate, State

NEVER_STOOD: Final = ("unconfirmed", "reject")
"""The audit lines of a pending certificate's end: its time was over, or its requester gave it back."""


class RegistrationUnknown(Refusal):
    """No person is registered under this reference number, or not any more."""

    code = "ca-registration-unknown"


async def withdraw(office: Office, reference: str, *, by: str) -> str:
    """`withdrawn`: nothing came of it. `given-up`: a certificate came, and was never confirmed. `pending`: it may yet
    be. `used`: one stands, or stood. `by`: the RA's serial. Raises RegistrationUnknown, BooksOutage.
    """
    line = AuditLine(office.now(), "withdraw", "ok", json.dumps({"by": by, "reference": reference}))
    found = await office.books.withdraw(reference, line)
    if found is None:
        raise RegistrationUnknown
    states = {_came(office, one) for one in found}
    return next((state for state in ("used", "pending", "given-up") if state in states), "withdrawn")


def _came(office: Office, one: Certificate) -> str:
    if one.state is State.PENDING:
        return "pending"
    return "given-up" if never_stood(office, one) else "used"


def never_stood(office: Office, one: Certificate) -> bool:
    """Whether its end was that nobody confirmed it: a CRLReason says nothing of that, since anybody may name one."""
    if one.state is not State.REVOKED or one.changed_at is None:
        return False
    lines = [line for action in NEVER_STOOD for line in office.books.audited_at(action, one.changed_at)]
    facts = [json.loads(line.facts) for line in lines]
    return any((of.get("ca"), of.get("serial")) == (one.ca, f"{one.serial:x}") for of in facts)
