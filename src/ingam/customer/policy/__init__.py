"""What two operators have approved, as the center reads it live: limits, accepted policies, trusted authorities (G2).

Settings are the ground; an approved value takes the place of one within the bounds of `limits.BOUNDS`, and may only
narrow whom and what the tables accept. A store that is down leaves what was read last: nothing is widened by silence.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from ingam.kernel.errors import Failure
from ingam.ports.store import Insert, Row, Store, Update

LIMITS: Final = "limits"
OIDS: Final = "policy-oids"
ANCHORS: Final = "trust-anchors"
TERMS: Final = "terms"
EVERY_S: Final = 5.0
"""How old what the center goes by may be."""


@dataclass(frozen=True, slots=True)
class Approved:
    """A policy as approved: its value (JSON object), and the change that says who signed it. Version 0: none yet."""

    name: str
    value: Mapping[str, Any]
    version: int
    change_id: str = ""


async def approved(store: Store, name: str) -> Approved:
    """The policy of this name as it stands."""
    row = await store.one("policy", {"name": name})
    return Approved(name, {}, 0) if row is None else _approved(row)


def approving(now: Approved, value: Mapping[str, Any], change_id: str, at: Any) -> Insert | Update:
    """The row that makes another value the approved one; Conflict or Stale when saved if somebody was first."""
    text = msgspec.json.encode(value, order="sorted").decode()
    values: Row = {"value": text, "version": now.version + 1, "change_id": change_id, "at": at}
    if now.version == 0:
        return Insert("policy", {"name": now.name, **values})
    return Update("policy", {"name": now.name, "version": now.version}, values)


class Policy:
    """Everything approved, read at start and then every five seconds."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._values: Mapping[str, Mapping[str, Any]] = {}

    def value(self, name: str) -> Mapping[str, Any]:
        """The approved value; empty where nothing was approved."""
        return self._values.get(name, {})

    async def read(self) -> None:
        """Read it now. Raises StoreOutage."""
        rows = await self._store.many("policy", {}, limit=100)
        self._values = {str(row["name"]): _approved(row).value for row in rows}

    async def follow(self, stop: asyncio.Event, *, every_s: float = EVERY_S) -> None:
        """Read it again and again, until `stop`; one reading that fails leaves what was read before."""
        while not stop.is_set():
            with suppress(Failure):
                await self.read()
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), every_s)

    def takes(self, authority: str, oid: str | None) -> bool:
        """Whether this policy under this authority (its key in npki/policies.toml) was not withdrawn (A9)."""
        return f"{authority} {oid}" not in self.value(OIDS).get("withdrawn", ())

    def approves(self, code: str, version: str, sha256: str) -> bool:
        """Whether this version of a consent document was approved, with this very text (SHA-256 of the Korean)."""
        return bool(self.value(TERMS).get(f"{code} {version}") == sha256)

    def trusts(self, fingerprint: bytes) -> bool:
        """Whether the issuing CA of this SHA-256 was not withdrawn."""
        return fingerprint.hex() not in self.value(ANCHORS).get("withdrawn", ())


def _approved(row: Row) -> Approved:
    version = row["version"]
    assert isinstance(version, int)
    value: dict[str, Any] = msgspec.json.decode(str(row["value"]), type=dict[str, Any])
    return Approved(str(row["name"]), value, version, str(row["change_id"]))
