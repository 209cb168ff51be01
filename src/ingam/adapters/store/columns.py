"""Values of the port ⇄ values of the drivers, column by column; no name outside the schema passes."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from datetime import datetime
from typing import Any, Final, TypeAlias

from sqlalchemy import BigInteger, Boolean, Column, Integer, LargeBinary, Table, Text

from ingam.adapters.store.schema import Instant, metadata
from ingam.kernel.errors import Defect
from ingam.kernel.instants import from_micros, to_micros
from ingam.ports.store import Row, Value

Encoded: TypeAlias = str | int | bytes | bool | None

TABLES: Final[Mapping[str, Table]] = {table.name: table for table in metadata.sorted_tables}
"""Every table of the center by its name."""


class WrongValue(Defect):
    """A table, column or value that the schema does not have (facts: table, column)."""

    code = "store-value"


def _instant(value: Value) -> int:
    if not isinstance(value, datetime):
        raise TypeError
    return to_micros(value)


def _truth(value: Value) -> bool:
    if not isinstance(value, bool):
        raise TypeError
    return value


def _number(bits: int) -> Callable[[Value], int]:
    def encode(value: Value) -> int:
        if not isinstance(value, int) or isinstance(value, bool) or not -(1 << bits - 1) <= value < 1 << bits - 1:
            raise TypeError
        return value

    return encode


def _string(value: Value) -> str:
    # PostgreSQL has no U+0000 in text, and neither database has lone surrogates.
    if not isinstance(value, str) or "\x00" in value:
        raise TypeError
    value.encode()
    return value


def _octets(value: Value) -> bytes:
    if not isinstance(value, bytes):
        raise TypeError
    return value


def _encoder(column: Column[Any]) -> Callable[[Value], Encoded]:
    kinds: tuple[tuple[type, Callable[[Value], Encoded]], ...] = (
        (Instant, _instant),
        (Boolean, _truth),
        (BigInteger, _number(64)),
        (Integer, _number(32)),
        (Text, _string),
        (LargeBinary, _octets),
    )
    return next(encode for kind, encode in kinds if isinstance(column.type, kind))


def _decoder(column: Column[Any]) -> Callable[[Any], Value] | None:
    if isinstance(column.type, Instant):
        return from_micros
    return bool if isinstance(column.type, Boolean) else None


_ENCODERS = {name: {c.name: _encoder(c) for c in table.columns} for name, table in TABLES.items()}
_NULLABLE = {name: {c.name for c in table.columns if c.nullable} for name, table in TABLES.items()}
_DECODERS = {
    name: {c.name: decoder for c in table.columns if (decoder := _decoder(c)) is not None}
    for name, table in TABLES.items()
}


def encode(table: str, column: str, value: Value) -> Encoded:
    """What the driver binds for a value. Raises WrongValue."""
    if value is None and column in _NULLABLE.get(table, ()):
        return None
    try:
        return _ENCODERS[table][column](value)
    except (KeyError, TypeError, ValueError) as wrong:
        raise WrongValue(table=table, column=column) from wrong


def encode_row(table: str, row: Row) -> list[Encoded]:
    """`encode` of each value of a row, in its order. Raises WrongValue."""
    encoders = _ENCODERS.get(table, {})
    nullable: Collection[str] = _NULLABLE.get(table, ())
    found: list[Encoded] = []
    for name, value in row.items():
        if value is None and name in nullable:
            found.append(None)
            continue
        try:
            found.append(encoders[name](value))
        except (KeyError, TypeError, ValueError) as wrong:
            raise WrongValue(table=table, column=name) from wrong
    return found


def check(table: str, *names: str) -> None:
    """Refuse a table or column that is not in the schema. Raises WrongValue."""
    for name in names or ("",):
        if table not in TABLES or (name and name not in _ENCODERS[table]):
            raise WrongValue(table=table, column=name)


def decode(table: str, row: Mapping[str, Any]) -> dict[str, Value]:
    """A driver's row as the port's values."""
    decoders = _DECODERS[table]
    return {
        name: value if value is None or name not in decoders else decoders[name](value) for name, value in row.items()
    }
