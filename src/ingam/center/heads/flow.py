"""조합장 확인 on the table that all tasks share: additional authentication, always, of the head who is chosen.

The task's target is where the person came from, a word of `BACK`, and the keyed digest of that head's number.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from ingam.center.task import flow
from ingam.center.task.flow import Event, State
from ingam.kernel.flow import Machine

CHOOSE: Final = "choose"
"""The one kind of task."""

BACK: Final[Mapping[str, str]] = {
    "main": "/main",
    "cert_center": "/cert-center",
    "issuance": "/issuance",
    "issuance_new": "/issuance/new",
    "issuance_reissue": "/issuance/reissue",
    "issuance_progress": "/issuance/progress",
    "renewal": "/issuance/renewal",
    "copying": "/copying",
    "management": "/management",
    "mybank": "/mybank",
    "protection": "/protection",
}
"""Where it leads to, by the menu's word."""

HEADS: Final[Machine[State, Event]] = flow.machine("head", flow.PROVED)
