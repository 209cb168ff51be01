"""Session descriptions of one voice call (RFC 4566, RFC 3264): our offer, and the answer read strictly.

One audio stream of PCMU with telephone events (RFC 4733); over SRTP with keys in SDES lines (RFC 4568) where asked.
"""

from __future__ import annotations

import base64
import binascii
import ipaddress
import re
from dataclasses import dataclass, field
from typing import Final

from ingam.kernel.errors import Refusal
from ingam.kernel.secret import Secret

PCMU: Final = 0
EVENTS: Final = 101
"""The payload type that we offer for telephone events."""

SUITE: Final = "AES_CM_128_HMAC_SHA1_80"
KEY_BYTES: Final = 30
"""Master key (16) and salt (14) of the suite."""

LONGEST: Final = 8192
_MEDIA: Final = re.compile(r"audio ([0-9]{1,5}) (RTP/AVP|RTP/SAVP) ([0-9 ]{1,256})")
_MAP: Final = re.compile(r"rtpmap:([0-9]{1,3}) ([A-Za-z0-9.-]+)/([0-9]+)(?:/1)?")
_CRYPTO: Final = re.compile(
    rf"crypto:[0-9]{{1,9}} {SUITE} inline:([A-Za-z0-9+/]{{40}}={{0,2}})(?:\|2\^[0-9]{{1,2}}|\|[0-9]{{1,20}})?"
)


class SdpUnusable(Refusal):
    """An answer that a call of ours cannot be held under: no PCMU, no events, no keys where they were asked for."""

    code = "sdp-unusable"


@dataclass(frozen=True, slots=True)
class Answer:
    """Where speech goes and comes from (E6). `events`: payload types of telephone events that are expected from there.

    `key`: the other side's SRTP master key and salt, None without SRTP.
    """

    address: str
    port: int
    events: frozenset[int]
    key: Secret[bytes] | None = field(repr=False, default=None)


def offer(address: str, port: int, session: int, key: Secret[bytes] | None) -> bytes:
    """`address`: ours, a literal; `port`: of RTP; `session`: a number for `o=`; `key`: 30 random bytes for SRTP."""
    family = f"IP{ipaddress.ip_address(address).version}"
    lines = [
        "v=0", f"o=- {session} {session} IN {family} {address}", "s=-", f"c=IN {family} {address}", "t=0 0",
        f"m=audio {port} {'RTP/AVP' if key is None else 'RTP/SAVP'} {PCMU} {EVENTS}",
        f"a=rtpmap:{PCMU} PCMU/8000", f"a=rtpmap:{EVENTS} telephone-event/8000", f"a=fmtp:{EVENTS} 0-11",
        "a=ptime:20", "a=sendrecv",
    ]  # fmt: skip
    if key is not None:
        lines.append(f"a=crypto:1 {SUITE} inline:{base64.b64encode(key.reveal()).decode()}")
    return "\r\n".join(lines).encode() + b"\r\n"


def answer(body: bytes, *, secured: bool) -> Answer:
    """Reads the answer to `offer`. `secured`: SRTP was offered, and nothing else is taken. Raises SdpUnusable."""
    if len(body) > LONGEST:
        raise SdpUnusable
    session, streams = _split(body)
    if not streams:
        raise SdpUnusable
    stream = streams[0]  # the only one that was offered
    media = _MEDIA.fullmatch(stream[0][1])
    if media is None or media[2] != ("RTP/SAVP" if secured else "RTP/AVP"):
        raise SdpUnusable
    port, types = int(media[1]), frozenset(int(one) for one in media[3].split())
    attributes = [value for letter, value in stream[1:] if letter == "a"]
    events = _events(attributes) & types
    if (
        not 0 < port < 65536
        or PCMU not in types
        or not events
        or {"inactive", "sendonly", "recvonly"} & set(attributes)
    ):
        raise SdpUnusable
    return Answer(_address(stream, session), port, events | {EVENTS}, _key(attributes) if secured else None)


def _split(body: bytes) -> tuple[list[tuple[str, str]], list[list[tuple[str, str]]]]:
    """The session's lines, then each stream's, which begin at `m=`."""
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError:
        raise SdpUnusable from None
    session: list[tuple[str, str]] = []
    streams: list[list[tuple[str, str]]] = []
    for line in text.replace("\r\n", "\n").split("\n"):
        letter, found, value = line.partition("=")
        if not line:
            continue
        if not found or len(letter) != 1:
            raise SdpUnusable
        if letter == "m":
            streams.append([])
        (streams[-1] if streams else session).append((letter, value))
    return session, streams


def _address(stream: list[tuple[str, str]], session: list[tuple[str, str]]) -> str:
    """The stream's own `c=`, else the session's: a literal, so that no name decides where speech may come from."""
    for lines in (stream, session):
        for letter, value in lines:
            if letter == "c":
                return _literal(value)
    raise SdpUnusable


def _literal(value: str) -> str:
    parts = value.split(" ")
    try:
        found = ipaddress.ip_address(parts[2].split("/")[0])
    except (IndexError, ValueError):
        raise SdpUnusable from None
    if parts[:2] != ["IN", f"IP{found.version}"] or found.is_multicast or found.is_unspecified:
        raise SdpUnusable
    return str(found)


def _events(attributes: list[str]) -> frozenset[int]:
    found = (_MAP.fullmatch(one) for one in attributes)
    return frozenset(
        int(one[1])
        for one in found
        if one and one[2].lower() == "telephone-event" and one[3] == "8000" and int(one[1]) < 128
    )


def _key(attributes: list[str]) -> Secret[bytes]:
    for one in attributes:
        found = _CRYPTO.fullmatch(one)
        if found is None:
            continue
        try:
            key = base64.b64decode(found[1] + "=" * (-len(found[1]) % 4), validate=True)
        except binascii.Error:
            raise SdpUnusable from None
        if len(key) == KEY_BYTES:
            return Secret(key)
    raise SdpUnusable
