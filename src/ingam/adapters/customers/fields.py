"""Field encryption (security H6): AES-256-GCM under a data key per customer, bound to the very place of the field.

A sealed field is key version (2 bytes, big endian) ‖ nonce (12, random) ‖ ciphertext ‖ tag (16). The authenticated
data are table, column, row id and key version, each with its length before it, so that no two places read alike.
"""

from __future__ import annotations

import secrets
from functools import lru_cache
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from ingam.kernel.errors import Defect
from ingam.kernel.secret import Secret
from ingam.ports.keys import FieldKeys
from ingam.ports.store import Row, Store

VERSION_BYTES: Final = 2
NONCE_BYTES: Final = 12
KEY_BYTES: Final = 32


class SealedField(Defect):
    """A field that does not open: other bytes, another place or another customer's (facts: table, column)."""

    code = "sealed-field"


class FieldCipher:
    """Seals and opens the fields of one customer. `version`: of the key that wraps the data key, at sealing."""

    def __init__(self, data_key: Secret[bytes], version: int) -> None:
        self._cipher = AESGCM(data_key.reveal())
        self._version = version

    def seal(self, table: str, column: str, row_id: str, clear: bytes) -> bytes:
        """The sealed bytes of a field."""
        nonce = secrets.token_bytes(NONCE_BYTES)
        place = _place(table, column, row_id, self._version)
        return self._version.to_bytes(VERSION_BYTES, "big") + nonce + self._cipher.encrypt(nonce, clear, place)

    def open(self, table: str, column: str, row_id: str, sealed: bytes) -> bytes:
        """The field. Raises SealedField."""
        version, rest = int.from_bytes(sealed[:VERSION_BYTES], "big"), sealed[VERSION_BYTES:]
        place = _place(table, column, row_id, version)
        try:
            return self._cipher.decrypt(rest[:NONCE_BYTES], rest[NONCE_BYTES:], place)
        except (InvalidTag, ValueError):
            raise SealedField(table=table, column=column) from None


def _place(table: str, column: str, row_id: str, version: int) -> bytes:
    return _told(table) + _told(column) + _counted(row_id) + _told(str(version))


def _counted(part: str) -> bytes:
    octets = part.encode()
    return len(octets).to_bytes(4, "big") + octets


_told = lru_cache(maxsize=512)(_counted)
"""Of tables, columns and versions, which are few."""


def context(customer_id: str) -> str:
    """What a wrapped data key is bound to."""
    return f"customer {customer_id}"


def new_data_key(keys: FieldKeys, customer_id: str) -> tuple[FieldCipher, bytes]:
    """A cipher with a fresh data key, and that key wrapped for the customer's row."""
    data_key = Secret(secrets.token_bytes(KEY_BYTES))
    return FieldCipher(data_key, keys.version), keys.wrap(data_key, context(customer_id))


class CustomerFields:
    """Fields of other tables that belong to a customer (a binding's details), under that customer's data key.

    It lies in the row of `customer`, or of `customer_key` where a core-banking system keeps the customers.
    """

    def __init__(self, store: Store, keys: FieldKeys) -> None:
        self._store = store
        self._keys = keys

    async def seal(self, customer_id: str, table: str, column: str, row_id: str, clear: bytes) -> bytes:
        """The sealed bytes of a field. Raises Defect `sealed-field` for an unknown customer."""
        return (await self._cipher(customer_id, table, column)).seal(table, column, row_id, clear)

    async def open(self, customer_id: str, table: str, column: str, row_id: str, sealed: bytes) -> bytes:
        """The field. Raises SealedField."""
        return (await self._cipher(customer_id, table, column)).open(table, column, row_id, sealed)

    async def _cipher(self, customer_id: str, table: str, column: str) -> FieldCipher:
        whose: Row = {"customer_id": customer_id}
        row = await self._store.one("customer", whose) or await self._store.one("customer_key", whose)
        if row is None:
            raise SealedField(table=table, column=column)
        wrapped, version = row["data_key"], row["key_version"]
        if not isinstance(wrapped, bytes) or not isinstance(version, int):
            raise SealedField(table=table, column=column)
        return FieldCipher(self._keys.unwrap(wrapped, context(customer_id), version), self._keys.version)
