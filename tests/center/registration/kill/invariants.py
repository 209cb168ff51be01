"""Nothing lost, nothing double: what has to be true of the database and the phone at every instant, and at the end."""

from __future__ import annotations

import json
from collections import Counter
from datetime import UTC, datetime
from typing import Any

from tests.center.registration.kill.database import Row, Tables
from tests.center.registration.kill.ground import Case
from tests.center.registration.kill.person import CODE, HONG

from ingam.sandbox.people import BANKING_PASSWORD

LOCKS = ("login-locked", "registration-locked", "no-medium-locked", "sms-budget-spent")
NO_MOVE = ("registration.challenge",)


def at_every_instant(tables: Tables) -> None:
    """True between any two statements of anybody."""
    _bindings(tables)
    _moves_and_their_lines(tables)
    _single_use_things(tables)
    _messages(tables)
    _nothing_in_clear(tables)


def at_the_end(case: Case) -> None:
    """All of that; every message left, and is on the phone once."""
    case.delivered()
    tables = case.now()
    at_every_instant(tables)
    assert all(row["payload"] is None for row in tables.outbox)
    shown = Counter(case.ground.references(case.since))
    earlier = {row["dedup"] for row in tables.texts} - shown.keys()
    left = Counter(row["dedup"] for row in tables.texts if row["dedup"] not in earlier)
    assert shown == left, (shown - left, left - shown)
    told = [text for text in case.texts() if CODE.search(text) is None]
    assert len(told) == sum(not name.startswith("sms-code:") for name in shown), told


def _bindings(tables: Tables) -> None:
    active = [row for row in tables.binding if row["status"] == "ACTIVE"]
    assert len({row["customer_id"] for row in active}) == len(active)
    assert all(row["ended_at"] is None for row in active)
    assert all(row["status"] == "REPLACED" and row["ended_at"] for row in tables.binding if row not in active)
    ends = [_state(row) for row in tables.flow]
    bound = [state["facts"]["fingerprint"] for state in ends if _binds(state)]
    assert Counter(bound) == Counter(row["fingerprint"] for row in tables.binding)
    assert sum(bool(state["facts"]["replaced"]) for state in ends if _binds(state)) == len(tables.binding) - len(active)


def _moves_and_their_lines(tables: Tables) -> None:
    """The flow's versions count its saves, and each save has one audit line in its own transaction."""
    moves: Counter[str] = Counter()
    for row in tables.flow:
        moves[row["session"]] += int(row["version"])
    lines = [row for row in tables.audit if row["action"].startswith("registration.")]
    assert Counter(row["session"] for row in lines if _tells_of_a_move(row)) == moves
    issued = Counter(str(row["kind"]).partition(":")[0] for row in tables.ledger_issued)
    told = Counter(row["action"] for row in lines if row["result"] == "ok")
    assert issued["proof"] == told["registration.factor"]
    assert issued["sms-code"] == told["registration.sms"]
    assert issued["ars-call"] == told["registration.ars"] == len(tables.calls)
    assert len(tables.binding) == told["registration.certificate"]


def _single_use_things(tables: Tables) -> None:
    used = {(row["kind"], row["id"]): row for row in tables.ledger_used}
    assert len(used) == len(tables.ledger_used)
    assert used.keys() <= {(row["kind"], row["id"]) for row in tables.ledger_issued}
    taken = Counter(str(kind).partition(":")[0] for (kind, _), row in used.items() if not row["voided"])
    ends = Counter(_state(row)["state"] for row in tables.flow)
    assert taken["proof"] == ends["Registered"]
    proofs = Counter(str(row["kind"]) for row in tables.ledger_issued)["proof"]
    assert taken["sms-code"] + taken["ars-call"] == proofs
    now = int(datetime.now(UTC).timestamp() * 1_000_000)
    live = [row for row in tables.ledger_issued
            if (row["kind"], row["id"]) not in used and row["expires_at"] > now]  # fmt: skip
    assert sum(str(row["kind"]).startswith("sms-code:") for row in live) <= 1
    held = {_state(row)["facts"]["proof_id"] for row in tables.flow if _state(row)["state"] == "AwaitingCertificate"}
    locked = ends["Locked"]  # a lock leaves the proof of its own run behind, which no other run can use
    loose = {row["id"] for row in live if row["kind"] == "proof"} - held
    assert len(loose) <= locked, loose


def _messages(tables: Tables) -> None:
    """Each transaction that has something to say put its one message down, and nobody else did."""
    dedups = [str(row["dedup"]) for row in tables.texts if not str(row["dedup"]).startswith("lock:")]
    of_locks = [dedup for dedup in dedups if dedup.startswith("registration-lock:")]
    locked = [(row["customer_id"], _state(row)["facts"]["cause"]) for row in tables.flow
              if _state(row)["state"] == "Locked"]  # fmt: skip
    assert len(set(locked)) <= len(of_locks) <= len(locked)  # one a person, cause and day
    said = [f"registered:{row['binding_id']}" for row in tables.binding]
    said += [f"sms-code:{row['id']}" for row in tables.ledger_issued if str(row["kind"]).startswith("sms-code:")]
    assert sorted(set(dedups) - set(of_locks)) == sorted(said)
    assert len(set(dedups)) == len(dedups)
    mails = {str(row["dedup"]) for row in tables.outbox if row["kind"] == "email"}
    assert {mail.removesuffix(":email") for mail in mails} == {
        str(row["dedup"]) for row in tables.texts if not str(row["dedup"]).startswith("sms-code:")
    }
    assert all((row["payload"] is None) == (row["delivered_at"] is not None) for row in tables.outbox)


def _nothing_in_clear(tables: Tables) -> None:
    text = tables.text()
    for secret in (HONG.idn, HONG.idn[6:], HONG.mobile, BANKING_PASSWORD, HONG.name):
        assert secret not in text
    assert all(b'"to"' not in bytes(row["payload"]) for row in tables.outbox if row["payload"] is not None)


def _tells_of_a_move(line: Row) -> bool:
    return line["action"] not in NO_MOVE and line["result"] in ("ok", "already-bound", *LOCKS)


def _binds(state: dict[str, Any]) -> bool:
    return state["state"] == "Registered" and not state["facts"]["already"]


def _state(row: Row) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(row["state"])
    return found
