"""Telephone events (RFC 4733): which keys were pressed, each once, however many packets tell of it."""

from __future__ import annotations

import struct
from typing import Final, NamedTuple

from ingam.protocols.sip.rtp import Packet

KEYS: Final = "0123456789*#"
"""Events 0–11 (section 3.2)."""

VOLUME: Final = 10
"""-dBm0 of the keys that we send."""


class KeyEvent(NamedTuple):
    """`end`: the key was let go; `duration`: in timestamp units since it was pressed."""

    event: int
    end: bool
    volume: int
    duration: int


def read(payload: bytes) -> KeyEvent | None:
    """None for anything that is no event."""
    if len(payload) < 4:
        return None
    event, flags, duration = struct.unpack_from("!BBH", payload)
    return KeyEvent(event, bool(flags & 0x80), flags & 0x3F, duration)


def write(one: KeyEvent) -> bytes:
    """The four bytes of section 2.3."""
    return struct.pack("!BBH", one.event, (0x80 if one.end else 0) | one.volume, one.duration)


class Keys:
    """Keys out of a call's packets: a packet of the same timestamp tells of the same key (section 2.5.1)."""

    def __init__(self) -> None:
        self._last: tuple[int, int] | None = None  # timestamp and event
        self._next: int | None = None  # where a key that is still held would go on (section 2.5.1.3)

    def feed(self, packet: Packet) -> str | None:
        """The key, at the first packet of its event; None for any other packet."""
        one = read(packet.payload)
        if one is None or one.event >= len(KEYS):
            return None
        this = (packet.timestamp, one.event)
        new = this != self._last and not (self._held(one.event) and packet.timestamp == self._next)
        if new and self._old(packet.timestamp):
            return None
        self._last = this
        self._next = None if one.end else (packet.timestamp + one.duration) & 0xFFFFFFFF
        return KEYS[one.event] if new else None

    def _held(self, event: int) -> bool:
        return self._last is not None and self._last[1] == event

    def _old(self, timestamp: int) -> bool:
        """A packet that was overtaken by those of a later key."""
        return self._last is not None and (timestamp - self._last[0]) & 0xFFFFFFFF >= 0x80000000
