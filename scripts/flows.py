"""Prints `docs/flows/*.md` from the tables of the flows: the table is the specification, the picture follows."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from ingam.center.copying.flow import COPYING
from ingam.center.finance_cert.flow import FINANCE
from ingam.center.heads.flow import HEADS
from ingam.center.incident.flow import INCIDENT
from ingam.center.issuance.flow import ISSUANCE
from ingam.center.login.flow import MACHINE as LOGIN
from ingam.center.management.flow import MANAGEMENT
from ingam.center.oidc.flow import OIDC
from ingam.center.protection.flow import PROTECTION
from ingam.center.registration.flow import REGISTRATION
from ingam.center.renewal.flow import RENEWAL
from ingam.console.changes.flow import MACHINE as CHANGE
from ingam.customer.additional_auth.flow import FACTOR
from ingam.kernel.flow import Machine
from ingam.protocols.mailbox.mailbox import MAILBOX
from ingam.protocols.mailbox.receiver import RECEIVER
from ingam.protocols.mailbox.sender import SENDER

ROOT = Path(__file__).resolve().parent.parent
FLOWS: tuple[Machine[Any, Any], ...] = (
    REGISTRATION, FACTOR, ISSUANCE, RENEWAL, COPYING, PROTECTION, INCIDENT, MANAGEMENT, FINANCE, HEADS, SENDER,
    RECEIVER, MAILBOX, LOGIN, OIDC, CHANGE,
)  # fmt: skip


def page(machine: Machine[Any, Any]) -> str:
    """One flow as Markdown with a Mermaid diagram, and what each state and event says of itself."""
    lines = [f"# {machine.name}", "", "Printed from the table by `python scripts/flows.py`; do not edit.", ""]
    lines += ["```mermaid", "stateDiagram-v2"]
    start = next(iter(machine.edges))
    lines.append(f"    [*] --> {start.__name__}")
    for state, events in machine.edges.items():
        for event, targets in events.items():
            lines += [
                f"    {state.__name__} --> {target.__name__}: {event.__name__}"
                for target in sorted(targets, key=lambda one: one.__name__)
            ]
    lines += [f"    {end.__name__} --> [*]" for end in sorted(machine.ends(), key=lambda one: one.__name__)]
    lines += ["```", "", "| state | what is true in it |", "|---|---|"]
    lines += [f"| {name} | {_first(kind)} |" for name, kind in machine.states().items()]
    lines += ["", "| event | what happened |", "|---|---|"]
    events = {event.__name__: event for found in machine.edges.values() for event in found}
    lines += [f"| {name} | {_first(kind)} |" for name, kind in sorted(events.items())]
    return "\n".join(lines) + "\n"


def _first(kind: type[Any]) -> str:
    return " ".join((kind.__doc__ or "").split()).replace("|", "\\|")


def main() -> int:
    """Writes them; `--check` only tells whether they are in step."""
    stale = []
    for machine in FLOWS:
        path = ROOT / "docs" / "flows" / f"{machine.name}.md"
        if "--check" in sys.argv:
            stale += [path.name] if not path.exists() or path.read_text(encoding="utf-8") != page(machine) else []
        else:
            path.write_text(page(machine), encoding="utf-8")
    if stale:
        print(f"not in step with the table: {', '.join(stale)} (python scripts/flows.py)")
    return 1 if stale else 0


if __name__ == "__main__":
    raise SystemExit(main())
