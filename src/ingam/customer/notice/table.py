"""Every notice to a customer, once: why it is sent, whether a person may do without it, and when it may wait.

Each has three texts in both languages: `notice.<key>` (SMS), `notice.<key>-subject` and, where the SMS is too short for
what there is to say, `notice.<key>-mail`. A test holds this table complete against flows.md and the words.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from ingam.ports.customers import Told


class Matter(StrEnum):
    """Why a person is told."""

    DEED = "deed"  # something was done with a certificate, a device or a number: always told
    EXPIRY = "expiry"  # an end to come
    LOGIN = "login"  # a use that is no change: told to whom it is wanted by


@dataclass(frozen=True, slots=True)
class Kind:
    """One notice. `quiet`: waits for the end of the quiet hours. `mails`: goes by e-mail too."""

    matter: Matter = Matter.DEED
    quiet: bool = False
    mails: bool = True

    def wanted(self, told: Told) -> bool:
        """Whether this person hears of it: what was done is told to everybody."""
        match self.matter:
            case Matter.DEED:
                return True
            case Matter.EXPIRY:
                return told.expiry
            case Matter.LOGIN:
                return told.logins


_DEED: Final = Kind()
_FOUND: Final = Kind(quiet=True)  # found at night by ourselves, done by nobody now
_EXPIRY: Final = Kind(Matter.EXPIRY, quiet=True)

KINDS: Final[Mapping[str, Kind]] = {
    "registered": _DEED,
    "replaced": _DEED,
    "released": _DEED,
    "finance-registered": _DEED,
    "finance-released": _DEED,
    "finance-locked": _DEED,
    "finance-suspended": _DEED,
    "finance-resumed": _DEED,
    "finance-found-revoked": _FOUND,
    "finance-found-expired": _FOUND,
    "finance-found-suspended": _FOUND,
    "finance-expires": _EXPIRY,
    "finance-expires-today": _EXPIRY,
    "issued": _DEED,
    "reissued": _DEED,
    "renewed": _DEED,
    "superseded": _DEED,
    "revoked": _DEED,
    "held": _DEED,
    "suspended": _DEED,
    "nothing-suspended": _DEED,
    "resumed": _DEED,
    "copy-begun": _DEED,
    "copied": _DEED,
    "new-device": _DEED,
    "device-added": _DEED,
    "device-removed": _DEED,
    "passkey-added": _DEED,
    "passkey-removed": _DEED,
    "protection-cancelled": _DEED,
    "contact-changed": Kind(mails=False),  # to the telephones that it is about
    "wishes-changed": _DEED,
    "pin-set": _DEED,
    "pin-removed": _DEED,
    "pin-locked": _DEED,
    "pin-suspended": _DEED,
    "pin-revoked": _DEED,
    "fee-unpaid": _FOUND,
    "fee-paid": _FOUND,
    "loan-received": _DEED,
    "branch-number": _DEED,
    "ars-refused": Kind(mails=False),  # while the person holds the telephone
    "locked": _DEED,
    "registration-locked": _DEED,
    "protection-locked": _DEED,
    "incident-locked": _DEED,
    "management-locked": _DEED,
    "head-locked": _DEED,
    "unlocked": _DEED,
    "found-revoked": _FOUND,
    "found-expired": _FOUND,
    "found-suspended": _FOUND,
    "expires": _EXPIRY,
    "expires-elsewhere": _EXPIRY,
    "expires-today": _EXPIRY,
    "expires-today-elsewhere": _EXPIRY,
    "logged-in": Kind(Matter.LOGIN),
}
"""By key. A code is none: it is asked for by whoever waits for it, and goes to one telephone."""

CODES: Final = ("code", "incident-code")
"""Texts that hold a number to type."""
