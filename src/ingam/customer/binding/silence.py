"""Authorities that say nothing of the certificates registered here: since when, and the alarm that is raised once.

One row of `party_health` for each that was ever silent, shared by all processes: `failing` from its first silence on,
`away` once that has lasted, `well` again with its first answer. Alarm and all-clear are a line of the audit each.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from ingam.ports.store import Audit, Conflict, Insert, Row, Save, Stale, Store, Update

NODE: Final = "night"
"""`party_health.node` of these rows: they are of no one process."""

PARTY: Final = "authority:"
"""`party_health.party` begins so; then the authority's name in the trust configuration."""

FAILING: Final = "failing"
AWAY: Final = "away"
WELL: Final = "well"
ALARM: Final = "recheck.silent"
CLEAR: Final = "recheck.answers"


@dataclass(frozen=True, slots=True)
class Silence:
    """An authority without an answer. `since`: its first silence; `asked_at`: when it was asked last; `cause`: a code.

    `alarm`: it has lasted longer than is allowed.
    """

    authority: str
    since: datetime
    asked_at: datetime
    cause: str
    alarm: bool


async def silences(store: Store) -> list[Silence]:
    """Those that say nothing now, the longest first. Raises StoreOutage."""
    rows = [row for state in (AWAY, FAILING) for row in await store.many("party_health", _rows(state))]
    found = [_silence(row) for row in rows if str(row["party"]).startswith(PARTY)]
    return sorted(found, key=lambda one: (one.since, one.authority))


class Listening:
    """What the night hears of authorities. `allowed`: how long one may say nothing before it is an alarm."""

    def __init__(self, store: Store, allowed: timedelta) -> None:
        self._store = store
        self._allowed = allowed

    async def silent(self, authority: str, code: str, at: datetime) -> None:
        """It gave no answer that counts."""
        row = await self._store.one("party_health", _key(authority))
        if row is None:
            values: Row = {"state": FAILING, "well_at": None, "failed_at": at, "cause": code, "told_at": at}
            await self._saved(Save(rows=[Insert("party_health", {**_key(authority), **values})]))
            return
        if row["state"] == WELL:
            await self._move(row, {"state": FAILING, "failed_at": at, "cause": code, "told_at": at})
            return
        lasted = at - _silence(row).since
        if row["state"] == FAILING and lasted >= self._allowed:
            facts: dict[str, str | int] = {"authority": authority, "hours": int(lasted.total_seconds() // 3600)}
            line = Audit(at, ALARM, code, None, None, None, facts)
            await self._move(row, {"state": AWAY, "cause": code, "told_at": at}, line)
        else:
            await self._move(row, {"cause": code, "told_at": at})

    async def heard(self, authority: str, at: datetime) -> None:
        """It answers."""
        row = await self._store.one("party_health", _key(authority))
        if row is None or row["state"] == WELL:
            return
        line = Audit(at, CLEAR, "ok", None, None, None, {"authority": authority}) if row["state"] == AWAY else None
        await self._move(row, {"state": WELL, "well_at": at, "told_at": at}, line)

    async def _move(self, row: Row, values: Row, line: Audit | None = None) -> None:
        """Whoever comes second of two processes finds it moved, and writes no second line."""
        where: Row = {name: row[name] for name in ("party", "node", "state", "failed_at", "told_at")}
        await self._saved(Save(rows=[Update("party_health", where, values)], audit=[line] if line else []))

    async def _saved(self, save: Save) -> None:
        with suppress(Stale, Conflict):
            await self._store.save(save)


def _rows(state: str) -> Row:
    return {"node": NODE, "state": state}


def _key(authority: str) -> Row:
    return {"party": f"{PARTY}{authority}"[:200], "node": NODE}


def _silence(row: Row) -> Silence:
    since, asked = row["failed_at"], row["told_at"]
    assert isinstance(since, datetime) and isinstance(asked, datetime)
    party, cause = str(row["party"]), str(row["cause"] or "")
    return Silence(party.removeprefix(PARTY), since, asked, cause, row["state"] == AWAY)
