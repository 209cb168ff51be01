"""What designated devices and passkeys share: rows of a person's keys, each with a slot, and what signed with them.

Slots make "at most n" a matter of the database: two additions at one moment cannot take the same one. Names of devices
lie encrypted under the person's own data key (security H6).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

import msgspec

from ingam.customer.binding.bindings import SealDetails
from ingam.customer.heads import head_key
from ingam.kernel.errors import Refusal
from ingam.ports.customers import Customer
from ingam.ports.keys import Digests
from ingam.ports.store import Change, Insert, Row, Store, Update
from ingam.protocols.webauthn import Credential, decode, encode

ACTIVE: Final = "ACTIVE"
REMOVED: Final = "REMOVED"
ANSWER_MOST: Final = 48 * 1024
"""Characters of an answer that are looked at."""


class KeyLimit(Refusal):
    """The person has as many as they may have; fact n (M-DEV-02)."""

    code = "device-limit"


class KeyUnknown(Refusal):
    """No such key of this person, or one that was removed, or one of another browser."""

    code = "device-unknown"


class KeyTaken(Refusal):
    """Another one was added at the same moment, or this key is registered already; nothing was stored."""

    code = "device-taken"


class Answer(msgspec.Struct, frozen=True):
    """What a page brings of a key: the nonce it answers, and a WebAuthn answer or a software key's signature."""

    nonce: str
    key: str = ""  # credential or key id, base64url
    webauthn: dict[str, object] | None = None
    point: str = ""  # a new software key's point, base64url
    signature: str = ""  # base64url


@dataclass(frozen=True, slots=True)
class Key:
    """A key of a person as it stands. `mark`: the browser that it was made in; None of a passkey."""

    key_id: str
    customer_id: str
    credential: Credential = field(repr=False)
    alias: str = field(repr=False)
    browser: str
    slot: int
    added_at: datetime
    used_at: datetime | None
    kind: str = "hardware"
    mark: str | None = None
    head_slot: int = 1
    """Which head of a union made it, and the keyed digest of their number (customer/heads.py)."""
    head: str = field(repr=False, default="")


@dataclass(frozen=True, slots=True)
class Used:
    """A key that signed: `changes` go into the transaction of what it is for."""

    key: Key
    changes: tuple[Change, ...]


def read_answer(text: str) -> Answer:
    """The answer of a form's field. Raises KeyUnknown for anything else, which nobody sends by hand."""
    if not text or len(text) > ANSWER_MOST:
        raise KeyUnknown
    try:
        return msgspec.json.decode(text, type=Answer)
    except (msgspec.DecodeError, msgspec.ValidationError, UnicodeEncodeError, RecursionError):
        raise KeyUnknown from None


class Keys:
    """The rows of one table of keys; `column`: its primary key, `most`: how many a person may have.

    A person is a customer, and at a union's account the head whose key it is: `customer` is as that head sees it.
    """

    def __init__(
        self, store: Store, fields: SealDetails, digests: Digests, table: str, column: str, most: int
    ) -> None:  # fmt: skip
        self._store = store
        self._fields = fields
        self._digests = digests
        self.table = table
        self.column = column
        self.most = most

    async def active(self, customer: Customer) -> list[Key]:
        """Those that stand, the oldest first."""
        where: Row = {**self._whose(customer), "status": ACTIVE}
        rows = await self._store.many(self.table, where, order="added_at", limit=self.most)
        return [await self._key(row) for row in rows]

    async def by_id(self, customer: Customer, key_id: str) -> Key | None:
        """One of this person that stands."""
        row = await self._store.one(self.table, {self.column: key_id, **self._whose(customer), "status": ACTIVE})
        return None if row is None else await self._key(row)

    async def by_credential(self, credential_id: bytes) -> Key | None:
        """The one that stands of a credential, whosever it is."""
        row = await self._store.one(self.table, {"credential": encode(credential_id), "status": ACTIVE})
        return None if row is None else await self._key(row)

    def of(self, key: Key, customer: Customer) -> bool:
        """Whether a key is this person's."""
        whose: Row = {"customer_id": key.customer_id, "head_slot": key.head_slot, "head": key.head}
        return whose == self._whose(customer)

    def _whose(self, customer: Customer) -> Row:
        head = head_key(self._digests, customer)
        return {"customer_id": customer.customer_id, "head_slot": customer.slot, "head": head}

    async def room(self, customer: Customer) -> int:
        """The lowest free slot. Raises KeyLimit {n}."""
        taken = {key.slot for key in await self.active(customer)}
        free = next((slot for slot in range(1, self.most + 1) if slot not in taken), None)
        if free is None:
            raise KeyLimit(n=self.most)
        return free

    async def added(
        self, customer: Customer, key_id: str, credential: Credential, alias: str, browser: str, at: datetime, own: Row
    ) -> Insert:
        """The row of a new key. Raises KeyLimit. A credential that is there already ends in Conflict."""
        slot, customer_id = await self.room(customer), customer.customer_id
        told = msgspec.json.encode({"alias": alias, "browser": browser})
        return Insert(
            self.table,
            {
                self.column: key_id,
                **self._whose(customer),
                "credential": encode(credential.credential_id),
                "public_key": credential.public_key,
                "counter": credential.counter,
                **own,
                "details": await self._fields.seal(customer_id, self.table, "details", key_id, told),
                "slot": slot,
                "status": ACTIVE,
                "added_at": at,
                "used_at": None,
                "ended_at": None,
            },
        )

    def used(self, key: Key, counter: int, at: datetime) -> Update:
        """It signed; one that was used or removed meanwhile ends in Stale."""
        where: Row = {self.column: key.key_id, "status": ACTIVE, "counter": key.credential.counter}
        return Update(self.table, where, {"counter": counter, "used_at": at})

    def removed(self, key: Key, at: datetime) -> Update:
        """It counts no more. Its slot is free again."""
        where: Row = {self.column: key.key_id, "status": ACTIVE}
        return Update(self.table, where, {"status": REMOVED, "ended_at": at})

    async def _key(self, row: Row) -> Key:
        key_id, customer_id, details = str(row[self.column]), str(row["customer_id"]), row["details"]
        added, used, public, counter, slot = (
            row[name] for name in ("added_at", "used_at", "public_key", "counter", "slot")
        )
        assert isinstance(details, bytes) and isinstance(public, bytes) and isinstance(added, datetime)
        assert isinstance(counter, int) and isinstance(slot, int) and not isinstance(used, str | int | bytes)
        told = await self._fields.open(customer_id, self.table, "details", key_id, details)
        names = msgspec.json.decode(told, type=dict[str, str])
        return Key(
            key_id=key_id,
            customer_id=customer_id,
            credential=Credential(decode(str(row["credential"])), public, counter),
            alias=names["alias"],
            browser=names["browser"],
            slot=slot,
            added_at=added,
            used_at=used,
            kind=str(row.get("kind", "hardware")),
            mark=None if row.get("mark") is None else str(row["mark"]),
            head_slot=int(str(row["head_slot"])),
            head=str(row["head"]),
        )
