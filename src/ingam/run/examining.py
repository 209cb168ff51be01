"""The whole audit examined: the chain, the heads that were signed over it, and every body that can be opened."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from ingam.adapters.store.audit_lines import check
from ingam.adapters.store.sealing import Sealer
from ingam.kernel.instants import to_micros
from ingam.ports.audit import AuditTables, Body
from ingam.protocols.audit import examining
from ingam.protocols.audit.body import BodyChanged
from ingam.protocols.audit.examining import Examiner, Finding
from ingam.protocols.log.head import TreeHead

AT_ONCE: Final = 1_000

UNSIGNED: Final = timedelta(minutes=10)
"""An entry that no checkpoint is over after this time is a finding: the auditor signs every five minutes at most."""


@dataclass(slots=True)
class Examined:
    """What was looked at, and what is wrong. `erased`: bodies that are gone on their date, as they should be."""

    entries: int = 0
    bodies: int = 0
    erased: int = 0
    findings: Sequence[Finding] = field(default_factory=list)


async def examine(
    tables: AuditTables,
    heads: Sequence[TreeHead],
    sealer: Sealer | None,
    now: datetime,
    told: Callable[[int], None] = lambda _entries: None,
) -> Examined:
    """Everything, once. Without `sealer` bodies stay shut, and only whether they are there is looked at.

    Raises StoreOutage. Writers may go on meanwhile: heads are of entries that were there before.
    """
    done, examiner = Examined(), Examiner(heads, now - UNSIGNED)
    while entries := await tables.entries(examiner.last, AT_ONCE):
        bodies = await tables.bodies(examiner.last, AT_ONCE)
        examiner.take(entries)
        for body in bodies:
            _look(body, sealer, to_micros(now), done, examiner)
        done.entries += len(entries)
        told(done.entries)
    for seq in await tables.strays(examining.MOST):
        if seq <= examiner.last:  # a later one may be of a save that came meanwhile
            examiner.tell(examining.STRAY, seq)
    done.findings = examiner.end()
    return done


def _look(body: Body, sealer: Sealer | None, now: int, done: Examined, examiner: Examiner) -> None:
    if body["sealed"] is None or body["wrapped"] is None:
        if body["delete_at"] > now:
            examiner.tell(examining.BODY_MISSING, body["seq"])
        else:
            done.erased += 1
        return
    if sealer is None:
        return
    try:
        check(body, sealer)
        done.bodies += 1
    except BodyChanged:
        examiner.tell(examining.BODY_CHANGED, body["seq"])
