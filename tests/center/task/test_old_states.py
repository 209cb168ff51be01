"""States that an older center stored are read as they were meant."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from ingam.center.incident.flow import INCIDENT, RESUME
from ingam.center.task.flow import ChoosingFactor, Confirming, Done, Idle, Locked

AT = datetime(2026, 11, 26, tzinfo=UTC)


@pytest.mark.parametrize(
    ("name", "facts", "meant"),
    [
        ("Idle", {}, Idle()),
        ("ChoosingFactor", {"factor": {"lapsed": False}}, ChoosingFactor(RESUME)),
        ("Confirming", {"proof_id": "p", "proof_expires_at": AT.isoformat()}, Confirming(RESUME, "p", AT)),
        ("Done", {}, Done("resume")),
        ("Locked", {"cause": "sms-daily"}, Locked("sms-daily")),
    ],
)
def test_a_resumption_that_named_no_task_goes_on(name: str, facts: dict[str, object], meant: object) -> None:
    assert INCIDENT.load(json.dumps({"state": name, "version": 1, "facts": facts})) == meant
