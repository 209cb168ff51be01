"""One row of a file of registrations: whose it is, and the certificate, its fingerprint, or its names and number."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from typing import Final

from ingam.customer.importing import names
from ingam.kernel.errors import Refusal
from ingam.kernel.instants import KST
from ingam.npki.subject import Name
from ingam.ports.importing import LONGEST, Cell, Line

_BANKING_ID: Final = re.compile(r"[0-9A-Za-z_.@-]{1,64}")
_FINGERPRINT: Final = re.compile(r"[0-9a-f]{64}")
_HEX: Final = re.compile(r"[0-9a-f]{1,40}")
_OID: Final = re.compile(r"[0-2](?:\.[0-9]{1,10}){2,20}")
_PEM: Final = re.compile(r"-----(?:BEGIN|END) CERTIFICATE-----|\s")


class RowRefused(Refusal):
    """This row is not taken; `column` says where it is wrong."""

    code = "import-form"


@dataclass(frozen=True, slots=True)
class Given:
    """The certificate itself, DER."""

    certificate: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Fingerprinted:
    """Its SHA-256 (64 hex), policy (dotted) and end."""

    fingerprint: str
    policy: str
    not_after: datetime


@dataclass(frozen=True, slots=True)
class Named:
    """Issuer, subject and serial number, as older systems keep them."""

    issuer: Name
    subject: Name
    serial: int


@dataclass(frozen=True, slots=True)
class Registration:
    """A row that reads well. `registered_at`: when the institution registered it."""

    banking_id: str = field(repr=False)
    what: Given | Fingerprinted | Named
    registered_at: datetime | None = None


def read(line: Line) -> Registration:
    """The registration of a row; the most that is known of its certificate counts. Raises RowRefused."""
    if line.cells is None:
        raise RowRefused("import-columns")
    cells = {name: cell for name, cell in line.cells.items() if cell}
    banking_id = _text(cells, "banking_id")
    if _BANKING_ID.fullmatch(banking_id) is None:
        raise RowRefused(column="banking_id")
    at = cells.get("registered_at")
    return Registration(banking_id, _what(cells), None if at is None else _instant(cells, "registered_at", time.min))


def _what(cells: Mapping[str, Cell]) -> Given | Fingerprinted | Named:
    if "certificate" in cells:
        return Given(_certificate(cells["certificate"]))
    if "fingerprint" in cells:
        policy = _text(cells, "policy")
        if _OID.fullmatch(policy) is None:
            raise RowRefused(column="policy")
        return Fingerprinted(_fingerprint(cells["fingerprint"]), policy, _instant(cells, "not_after", time(23, 59, 59)))
    if "subject" in cells:
        return Named(_name(cells, "issuer"), _name(cells, "subject"), _serial(cells))
    raise RowRefused("import-nothing-known")


def _text(cells: Mapping[str, Cell], column: str) -> str:
    cell = cells.get(column, "")
    if not isinstance(cell, str) or len(cell) > LONGEST:
        raise RowRefused(column=column)
    return cell.strip()


def _certificate(cell: Cell) -> bytes:
    if isinstance(cell, bytes):
        return cell
    try:
        return base64.b64decode(_PEM.sub("", cell[:LONGEST]), validate=True)
    except (binascii.Error, ValueError):
        raise RowRefused(column="certificate") from None


def _fingerprint(cell: Cell) -> str:
    found = cell.hex() if isinstance(cell, bytes) else cell.strip().lower().replace(":", "")
    if _FINGERPRINT.fullmatch(found) is None:
        raise RowRefused(column="fingerprint")
    return found


def _name(cells: Mapping[str, Cell], column: str) -> Name:
    parse = names.parse_issuer if column == "issuer" else names.parse
    try:
        return parse(_text(cells, column))
    except names.NameTextMalformed:
        raise RowRefused(column=column) from None


def _serial(cells: Mapping[str, Cell]) -> int:
    """Hexadecimal, or decimal in a column of its own: digits alone do not say which they are."""
    if decimal := _text(cells, "serial_decimal"):
        if not (decimal.isascii() and decimal.isdigit() and len(decimal) <= 49):
            raise RowRefused(column="serial_decimal")
        return int(decimal)
    found = _text(cells, "serial").lower().replace(":", "").removeprefix("0x")
    if _HEX.fullmatch(found) is None:
        raise RowRefused(column="serial")
    return int(found, 16)


def _instant(cells: Mapping[str, Cell], column: str, of_day: time) -> datetime:
    """RFC 3339 with its offset, or a day in Korea, which means `of_day` of it."""
    text = _text(cells, column)
    try:
        if len(text) == 10:
            return datetime.combine(date.fromisoformat(text), of_day, KST).astimezone(UTC)
        at = datetime.fromisoformat(text)
    except ValueError:
        raise RowRefused(column=column) from None
    if at.tzinfo is None or not 1990 <= at.year <= 2200:
        raise RowRefused(column=column)
    return at.astimezone(UTC)
