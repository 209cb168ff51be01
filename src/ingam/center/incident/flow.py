"""회복 after a report of loss, on the table that all tasks share: additional authentication, always (E11, W7).

Reporting has no flow: it is one form.
"""

from __future__ import annotations

from typing import Any, Final

from ingam.center.task import flow
from ingam.center.task.flow import Event, State, Task
from ingam.kernel.flow import Machine

RESUME: Final = Task("resume")
"""The one task."""


def upgrade(version: int, name: str, facts: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """Version 1 named no task: there is but one."""
    if version == 1 and name in ("ChoosingFactor", "AwaitingFactor", "Confirming"):
        return name, {"task": {"kind": RESUME.kind, "target": ""}, **facts}
    if version == 1 and name == "Done":
        return name, {"kind": RESUME.kind}
    return name, facts


INCIDENT: Final[Machine[State, Event]] = flow.machine("incident", flow.PROVED, 2, upgrade)
