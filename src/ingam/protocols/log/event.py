"""What the log says happened: canonical texts, ASCII, LF, fixed lines, in the way of the challenge text (security A1).

A reader takes a text apart and accepts it only where it is, to the byte, what the writer makes of those values.
Nothing of a person is in it: generation, serial, hashes, a state, an instant of whole seconds.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime
from enum import StrEnum
from typing import Final, NamedTuple, TypeAlias

from ingam.kernel.errors import Refusal
from ingam.kernel.instants import rfc3339
from ingam.protocols.log import notation

FIRST_LINE: Final = "INGAM-LOG/1"
MOST_EVENT: Final = 1024


class EventMalformed(Refusal):
    """The text is no event of this log."""

    code = "log-event-malformed"


class LoggedState(StrEnum):
    """What a certificate became; the words of the books."""

    VALID = "valid"
    HELD = "held"
    REVOKED = "revoked"


class ListKind(StrEnum):
    """Kinds of revocation lists."""

    FULL = "full"
    PARTITION = "partition"
    DELTA = "delta"


class Issue(NamedTuple):
    """A certificate was issued. `ca`: generation from 1; `serial`: positive; `certificate`: SHA-256 of its DER."""

    ca: int
    serial: int
    certificate: bytes
    at: datetime


class Status(NamedTuple):
    """A certificate was held, released or revoked. `reason`: a CRLReason number, or None."""

    ca: int
    serial: int
    state: LoggedState
    reason: int | None
    at: datetime


class List(NamedTuple):
    """A revocation list was published. `partition`: None for the whole; `digest`: SHA-256 of its DER."""

    ca: int
    kind: ListKind
    partition: int | None
    number: int
    digest: bytes
    at: datetime


class Bundle(NamedTuple):
    """A vault bundle was released. `digest`: its name, SHA-256 of its listing (security B4)."""

    digest: bytes
    at: datetime


Event: TypeAlias = Issue | Status | List | Bundle


def text(event: Event) -> bytes:
    """The exact bytes that are committed to."""
    match event:
        case Issue(ca, serial, certificate, at):
            lines = f"kind: issue\nca: {ca}\nserial: {serial_hex(serial)}\ncertificate: {certificate.hex()}\n"
        case Status(ca, serial, state, reason, at):
            said = f"state: {state.value}\nreason: {'-' if reason is None else reason}\n"
            lines = f"kind: status\nca: {ca}\nserial: {serial_hex(serial)}\n{said}"
        case List(ca, kind, partition, number, digest, at):
            which = f"list: {kind.value}\npartition: {'-' if partition is None else partition}\nnumber: {number}\n"
            lines = f"kind: list\nca: {ca}\n{which}digest: {digest.hex()}\n"
        case Bundle(digest, at):
            lines = f"kind: bundle\ndigest: {digest.hex()}\n"
    return f"{FIRST_LINE}\n{lines}at: {rfc3339(at)}\n".encode("ascii")


def serial_hex(serial: int) -> str:
    """A serial number in lower-case hexadecimal: whole octets, no more of them than it needs."""
    return serial.to_bytes((serial.bit_length() + 7) // 8, "big").hex()


def parse(data: bytes) -> Event:
    """The event of a text. Raises EventMalformed."""
    if len(data) > MOST_EVENT:
        raise EventMalformed
    try:
        lines = data.decode("ascii").split("\n")
        values = dict(line.split(": ", 1) for line in lines[1:-1])
        event = _READERS[values["kind"]](values)
        canonical = text(event)
    except (ValueError, KeyError, OverflowError):
        raise EventMalformed from None
    if canonical != data:
        raise EventMalformed
    return event


def _issue(values: dict[str, str]) -> Event:
    return Issue(_number(values["ca"]), _serial(values["serial"]), _hash(values["certificate"]), _at(values))


def _status(values: dict[str, str]) -> Event:
    state, reason = LoggedState(values["state"]), None if values["reason"] == "-" else _reason(values["reason"])
    return Status(_number(values["ca"]), _serial(values["serial"]), state, reason, _at(values))


def _list(values: dict[str, str]) -> Event:
    partition = None if values["partition"] == "-" else _number(values["partition"])
    number, digest = _number(values["number"]), _hash(values["digest"])
    return List(_number(values["ca"]), ListKind(values["list"]), partition, number, digest, _at(values))


def _bundle(values: dict[str, str]) -> Event:
    return Bundle(_hash(values["digest"]), _at(values))


_READERS: Final[dict[str, Callable[[dict[str, str]], Event]]] = {
    "issue": _issue, "status": _status, "list": _list, "bundle": _bundle,
}  # fmt: skip
_NUMBER: Final = re.compile(r"0|[1-9][0-9]{0,48}")  # a CRLNumber has up to 20 octets: 49 digits
_REASON: Final = re.compile(r"[0-689]|10")
_SERIAL: Final = re.compile(r"(?!00)(?:[0-9a-f]{2}){1,20}")
_HASH: Final = re.compile(r"[0-9a-f]{64}")


def _number(word: str) -> int:
    return int(_whole(_NUMBER, word))


def _reason(word: str) -> int:
    return int(_whole(_REASON, word))


def _serial(word: str) -> int:
    return int(_whole(_SERIAL, word), 16)


def _hash(word: str) -> bytes:
    return bytes.fromhex(_whole(_HASH, word))


def _at(values: dict[str, str]) -> datetime:
    return notation.instant(values["at"])


def _whole(pattern: re.Pattern[str], word: str) -> str:
    if pattern.fullmatch(word) is None:
        raise ValueError(word)
    return word
