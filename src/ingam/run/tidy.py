"""Deletes what is long over: ended sessions with their flows, spent single-use things, delivered messages, old devices,
masked identity cards on their date, keys of PINs that nobody used for longer than a device is remembered.

Everything it deletes means the same when it is missing: no session, not issued (security F1), not recognised. The audit
stays, and so do locks of a banking ID, which have no end of their own (F7).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Final, Protocol

import structlog

from ingam.kernel.errors import Failure
from ingam.ports.clock import Clock
from ingam.ports.store import Delete, Row, Save, Store

log = structlog.get_logger()

AT_ONCE: Final = 200
"""Rows a transaction: short enough to let others write between."""

EVERY_S: Final = 600.0


class Retention(Protocol):
    """How long things are kept after they are over; seconds."""

    @property
    def keep_ended_s(self) -> int: ...
    @property
    def keep_visits_s(self) -> int: ...
    @property
    def keep_devices_s(self) -> int: ...


async def tidy(store: Store, clock: Clock, keep: Retention, stop: asyncio.Event, *, every_s: float = EVERY_S) -> None:
    """A round now and then, until `stop` is set; one that fails is told and tried again."""
    while not stop.is_set():
        try:
            log.info("tidy", deleted=await once(store, clock.now(), keep))
        except Failure as failure:
            log.warning("tidy.failed", code=failure.code)
        with suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), every_s)


async def once(store: Store, now: datetime, keep: Retention) -> int:
    """One round; the number of rows found over. Raises StoreOutage."""
    ended, visits, devices = (
        now - timedelta(seconds=seconds) for seconds in (keep.keep_ended_s, keep.keep_visits_s, keep.keep_devices_s)
    )
    found = await _sweep(store, "session", {"level": "pre"}, "expires_at", visits, _session)
    found += await _sweep(store, "session", {}, "expires_at", ended, _session)
    found += await _sweep(store, "flow", {}, "expires_at", ended, _flow)
    found += await _sweep(store, "ledger_issued", {}, "expires_at", ended, _single_use)
    found += await _sweep(store, "oidc_grant", {}, "expires_at", ended, _grant)
    found += await _sweep(store, "outbox", {}, "due_at", ended, _message)
    found += await _sweep(store, "ars_call", {}, "expires_at", ended, _call)
    found += await _sweep(store, "branch_number", {}, "expires_at", ended, _number)
    found += await _sweep(store, "former_mobile", {}, "until", now, _former)
    found += await _sweep(store, "id_card_image", {}, "delete_at", now, _image)
    found += await _sweep(store, "pin_key", {}, "asked_at", devices, _pin)
    return found + await _sweep(store, "device_seen", {}, "last_at", devices, _device)


async def _sweep(
    store: Store, table: str, where: Row, column: str, before: datetime, deleting: Callable[[Row], Sequence[Delete]]
) -> int:
    """Oldest first, a transaction at a time, until what is left is young."""
    found = 0
    while True:
        rows = await store.many(table, where, order=column, limit=AT_ONCE)
        over = [row for row in rows if isinstance(at := row[column], datetime) and at < before]
        deletes = [delete for row in over for delete in deleting(row)]
        if deletes:
            await store.save(Save(rows=deletes))
        found += len(over)
        if len(over) < AT_ONCE or not deletes:
            return found


def _session(row: Row) -> list[Delete]:
    """With the count of its challenges."""
    return [Delete("session", {"session": row["session"]}), Delete("counter", {"key": f"nonces:{row['session']!s}"})]


def _flow(row: Row) -> list[Delete]:
    return [Delete("flow", {"flow_id": row["flow_id"]})]


def _single_use(row: Row) -> list[Delete]:
    """Issued and used go together; an SMS code takes the count of its tries along."""
    where = {"kind": row["kind"], "id": row["id"]}
    tries = Delete("counter", {"key": f"sms-try:{row['id']!s}"})
    return [Delete("ledger_issued", where), Delete("ledger_used", where), tries]


def _grant(row: Row) -> list[Delete]:
    """Which access token an OpenID Connect code gave."""
    return [Delete("oidc_grant", {"code": row["code"]})]


def _message(row: Row) -> list[Delete]:
    """What was not delivered is still being tried."""
    return [] if row["delivered_at"] is None else [Delete("outbox", {"id": row["id"]})]


def _call(row: Row) -> list[Delete]:
    return [Delete("ars_call", {"call_id": row["call_id"]})]


def _number(row: Row) -> list[Delete]:
    """A branch's number; that it was issued stays in the audit."""
    return [Delete("branch_number", {"number_id": row["number_id"]})]


def _former(row: Row) -> list[Delete]:
    """The mobile number before; one that was kept anew meanwhile stays."""
    return [Delete("former_mobile", {"customer_id": row["customer_id"], "until": row["until"]})]


def _image(row: Row) -> list[Delete]:
    """A masked identity card on its retention date (H8)."""
    return [Delete("id_card_image", {"image_id": row["image_id"]})]


def _pin(row: Row) -> list[Delete]:
    """Of a record that is gone from its browser, as far as anybody can tell; its password opens it all the same."""
    return [Delete("pin_key", {"handle": row["handle"], "asked_at": row["asked_at"]})]


def _device(row: Row) -> list[Delete]:
    """With the count of its failures: an unrecognised device counts with all new ones."""
    counter = f"login-fail:{row['banking_key']!s}:{row['device']!s}"
    where = {"banking_key": row["banking_key"], "device": row["device"]}
    return [Delete("device_seen", where), Delete("counter", {"key": counter})]
