"""A status change with all that goes with it in one transaction: CRL entry, log leaf, audit line, notice."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Final

from ingam.ca.log import entries
from ingam.ca.office import Office
from ingam.ports.books import AuditLine, Certificate, Notice, State, StatusChange
from ingam.protocols.crl import writing
from ingam.protocols.log.commitment import SALT

KEY_COMPROMISE: Final = 1
SUPERSEDED: Final = 4
CESSATION: Final = 5
HOLD: Final = 6
REMOVE: Final = 8

STANDING: Final = frozenset({State.VALID, State.HELD})
ANY: Final = frozenset({State.PENDING, State.VALID, State.HELD})


def revoked(
    office: Office,
    one: Certificate,
    reason: int,
    at: datetime,
    *,
    action: str,
    expected: frozenset[State] = ANY,
    notices: Sequence[Notice] = (),
) -> StatusChange:
    """The end of a certificate for a CRLReason number. `action`: who ends it, for the audit line."""
    return _change(office, one, State.REVOKED, reason, at, action, expected, notices)


def held(
    office: Office, one: Certificate, at: datetime, *, action: str, notices: Sequence[Notice] = ()
) -> StatusChange:
    """효력정지: certificateHold."""
    return _change(office, one, State.HELD, HOLD, at, action, frozenset({State.VALID}), notices)


def released(
    office: Office, one: Certificate, at: datetime, *, action: str, notices: Sequence[Notice] = ()
) -> StatusChange:
    """회복: the end date does not move; only deltas say removeFromCRL."""
    return _change(office, one, State.VALID, None, at, action, frozenset({State.HELD}), notices)


def _change(
    office: Office, one: Certificate, state: State, reason: int | None, at: datetime, action: str,
    expected: frozenset[State], notices: Sequence[Notice],
) -> StatusChange:  # fmt: skip
    facts = json.dumps({"ca": one.ca, "serial": f"{one.serial:x}", "state": state.value, "reason": reason})
    entry = writing.entry(one.serial, at, REMOVE if reason is None else reason)
    leaf = entries.changed(one.ca, one.serial, state, reason, at, office.random(SALT))
    return StatusChange(
        one.id, expected, state, reason, at, entry, leaf, AuditLine(at, action, state.value, facts), notices
    )
