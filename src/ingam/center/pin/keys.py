"""The stretching keys in the store: one of each record that has a 간편비밀번호, sealed, with its tries (security B8).

A try counts when it is asked, before anything is answered, and is forgiven only by a proof that it opened. `asked`
numbers the tries; `proved` is the last one that was proved, which forgives those before it and none after it, so that
a proof never pays for a try that somebody else asks meanwhile.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from ingam.customer.binding.bindings import SealDetails, Whose
from ingam.ports.store import Change, Delete, Insert, Row, Store, Update

TABLE: Final = "pin_key"
TRIES: Final = 5
"""So many wrong ones in a row delete the key."""
MISSED_MOST: Final = 50
"""So many wrong ones in its whole life do, however many right ones lie between."""
RECORDS_MOST: Final = 10
"""Of one person; a further one is refused until one of them is taken away, or has gone unused for too long."""


@dataclass(frozen=True, slots=True)
class PinKey:
    """A row. `handle`: 32 lower hex; `device`: P-256 point; `proves`: Ed25519 public key; `missed`: of former runs."""

    handle: str
    customer_id: str
    device: bytes
    proves: bytes
    asked: int
    proved: int
    missed: int
    made_at: datetime
    asked_at: datetime
    sealed: bytes = field(repr=False)
    slot: int = 1
    """Which head of a union set it."""

    @property
    def open(self) -> int:
        """Tries that were asked and not proved since the last proof."""
        return self.asked - self.proved

    @property
    def left(self) -> int:
        """Tries that may still be asked; 0 or less: none."""
        return min(TRIES - self.open, MISSED_MOST - self.missed - self.open)

    @property
    def stands(self) -> Row:
        """What a change of it holds to: nobody asked or proved meanwhile."""
        return {"handle": self.handle, "asked": self.asked, "proved": self.proved}


class PinKeys:
    """Reads rows and prepares changes; the caller's transaction saves them."""

    def __init__(self, store: Store, fields: SealDetails) -> None:
        self._store, self._fields = store, fields

    async def of(self, handle: str) -> PinKey | None:
        """The one of a handle."""
        row = await self._store.one(TABLE, {"handle": handle})
        return None if row is None else _read(row)

    async def all_of(self, person: Whose) -> list[PinKey]:
        """A person's, the one that was not used for longest first."""
        return [_read(row) for row in await self._store.many(TABLE, all_of(person), order="asked_at")]

    async def fresh(self, handle: str, person: Whose, device: bytes, proves: bytes, key: bytes, at: datetime) -> Insert:
        """A new one; `key`: the scalar, sealed under the person's own key (H6)."""
        row: Row = {
            "handle": handle, "customer_id": person.customer_id, "device": device, "proves": proves,
            "slot": person.slot,
            "sealed": await self._fields.seal(person.customer_id, TABLE, "sealed", handle, key),
            "asked": 0, "proved": 0, "missed": 0, "made_at": at, "asked_at": at,
        }  # fmt: skip
        return Insert(TABLE, row)

    async def key(self, one: PinKey) -> bytes:
        """The scalar of one, opened."""
        return await self._fields.open(one.customer_id, TABLE, "sealed", one.handle, one.sealed)


def all_of(person: Whose) -> Row:
    """What every row of a person has: of a union with several heads, of this head."""
    return {"customer_id": person.customer_id, "slot": person.slot}


def counted(one: PinKey, at: datetime) -> Update:
    """One more try; Stale where another one was counted meanwhile."""
    return Update(TABLE, one.stands, {"asked": one.asked + 1, "asked_at": at})


def forgiven(one: PinKey, number: int) -> Update:
    """Everything up to the try of this number; what was wrong among it stays counted for life."""
    return Update(TABLE, one.stands, {"proved": number, "missed": one.missed + number - one.proved - 1})


def deleted(one: PinKey) -> list[Change]:
    """The key goes, if it stands as it was read; Stale else: a proof that came first is not overrun."""
    return [Update(TABLE, one.stands, {"asked": one.asked}), Delete(TABLE, {"handle": one.handle})]


def _read(row: Row) -> PinKey:
    device, proves, sealed = row["device"], row["proves"], row["sealed"]
    made_at, asked_at = row["made_at"], row["asked_at"]
    assert isinstance(device, bytes) and isinstance(proves, bytes) and isinstance(sealed, bytes)
    assert isinstance(made_at, datetime) and isinstance(asked_at, datetime)
    numbers = [row[name] for name in ("asked", "proved", "missed")]
    asked, proved, missed = (number if isinstance(number, int) else 0 for number in numbers)
    return PinKey(
        str(row["handle"]), str(row["customer_id"]), device, proves, asked, proved, missed, made_at, asked_at, sealed,
        int(str(row["slot"])),
    )  # fmt: skip
