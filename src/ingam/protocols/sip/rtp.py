"""RTP packets (RFC 3550 section 5.1) of a voice call: a header of twelve bytes, extensions and padding left out."""

from __future__ import annotations

import struct
from typing import Final, NamedTuple

HEADER: Final = 12
LONGEST: Final = 1500


class Packet(NamedTuple):
    """`sequence`: 16 bits; `timestamp`, `ssrc`: 32 bits."""

    payload_type: int
    marker: bool
    sequence: int
    timestamp: int
    ssrc: int
    payload: bytes


def read(data: bytes) -> Packet | None:
    """None for anything that is no RTP of version 2."""
    if not HEADER <= len(data) <= LONGEST or data[0] >> 6 != 2:
        return None
    first, second, sequence, timestamp, ssrc = struct.unpack_from("!BBHII", data)
    at = HEADER + 4 * (first & 0x0F)
    if first & 0x10:
        if len(data) < at + 4:
            return None
        at += 4 + 4 * int(struct.unpack_from("!H", data, at + 2)[0])
    padding = data[-1] if first & 0x20 else 0
    if (first & 0x20 and padding == 0) or at + padding > len(data):
        return None
    return Packet(second & 0x7F, bool(second & 0x80), sequence, timestamp, ssrc, data[at : len(data) - padding])


def write(packet: Packet) -> bytes:
    """Without contributing sources, extension or padding."""
    second = packet.payload_type | (0x80 if packet.marker else 0)
    head = struct.pack(
        "!BBHII", 0x80, second, packet.sequence & 0xFFFF, packet.timestamp & 0xFFFFFFFF, packet.ssrc & 0xFFFFFFFF
    )
    return head + packet.payload
