"""`ports.otp.OtpTokens` over our own tables: a token's key is encrypted under its customer's data key (security H6)."""

from __future__ import annotations

from enum import StrEnum
from typing import Final, Protocol

from ingam.kernel.secret import Secret
from ingam.ports.clock import Clock
from ingam.ports.otp import OtpAccepted
from ingam.ports.store import Change, Delete, Insert, Row, Save, Store, Update
from ingam.protocols import oath

TABLE: Final = "otp_token"


class Kind(StrEnum):
    """How a token counts."""

    TOTP = "totp"
    HOTP = "hotp"


class Fields(Protocol):
    """`adapters.customers.fields.CustomerFields`."""

    async def seal(self, customer_id: str, table: str, column: str, row_id: str, clear: bytes) -> bytes: ...
    async def open(self, customer_id: str, table: str, column: str, row_id: str, sealed: bytes) -> bytes: ...


class TableOtp:
    """Tokens on the store; one a customer."""

    def __init__(self, store: Store, clock: Clock, fields: Fields) -> None:
        self._store = store
        self._clock = clock
        self._fields = fields

    async def holds(self, customer_id: str) -> bool:
        """Whether this customer holds a token."""
        return await self._row(customer_id) is not None

    async def verify(self, customer_id: str, code: Secret[str]) -> OtpAccepted | None:
        """None for a wrong code or one that was used. `rows` move the token on, and are saved with what it proves."""
        row = await self._row(customer_id)
        if row is None:
            return None
        moving, key = row["moving"], row["key"]
        assert isinstance(moving, int) and isinstance(key, bytes)
        opened = Secret(await self._fields.open(customer_id, TABLE, "key", customer_id, key))
        timed = row["kind"] == Kind.TOTP
        counters = oath.by_time(self._clock.now(), moving) if timed else oath.by_counter(moving)
        hit = oath.found(opened, code, counters)
        if hit is None:
            return None
        where: Row = {"customer_id": customer_id, "moving": moving}
        return OtpAccepted([Update(TABLE, where, {"moving": hit if timed else hit + 1})])

    async def enrol(self, customer_id: str, kind: Kind, key: Secret[bytes]) -> None:
        """The token that a customer holds from now on; an earlier medium is worth nothing. `key`: 16 or more bytes."""
        sealed = await self._fields.seal(customer_id, TABLE, "key", customer_id, key.reveal())
        row: Row = {
            "customer_id": customer_id,
            "kind": str(kind),
            "key": sealed,
            "moving": 0,
            "enrolled_at": self._clock.now(),
        }
        who: Row = {"customer_id": customer_id}
        others = (TABLE, "security_card", "security_card_numbers", "customer_medium")
        medium: Row = {**who, "kind": str(kind), "since_at": row["enrolled_at"]}
        rows: list[Change] = [
            *(Delete(table, who) for table in others),
            Insert(TABLE, row),
            Insert("customer_medium", medium),
        ]
        await self._store.save(Save(rows=rows))

    async def _row(self, customer_id: str) -> Row | None:
        return await self._store.one(TABLE, {"customer_id": customer_id})
