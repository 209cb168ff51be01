"""SIP messages (RFC 3261 section 7): requests and responses, read strictly from a datagram or cut out of a stream.

A message is bounded before it is parsed. Compact names are written out; a folded header (section 7.3.1) is joined.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, TypeAlias

from ingam.kernel.errors import Refusal

LONGEST: Final = 32_768
"""Bytes of a message, its body included."""

MOST_HEADERS: Final = 128
COMPACT: Final = {
    "v": "via", "f": "from", "t": "to", "i": "call-id", "m": "contact", "c": "content-type", "l": "content-length",
    "k": "supported", "s": "subject", "e": "content-encoding",
}  # fmt: skip
_TOKEN: Final = re.compile(r"[A-Za-z0-9\-.!%*_+`'~]{1,64}")
_REQUEST: Final = re.compile(r"([A-Z]{1,32}) (\S{1,2048}) SIP/2\.0")
_STATUS: Final = re.compile(r"SIP/2\.0 ([1-6][0-9]{2}) ?([^\r\n]{0,256})")
_QUOTED: Final = re.compile(r'"(?:[^"\\]|\\.)*"')
_CSEQ: Final = re.compile(r"([0-9]{1,10})[ \t]+([A-Z]{1,32})")
_PARAMETER: Final = re.compile(r';\s*([A-Za-z0-9\-.!%*_+`\'~]{1,64})(?:\s*=\s*("[^"]*"|[^;,\s<>]*))?')

Headers: TypeAlias = tuple[tuple[str, str], ...]


class SipMalformed(Refusal):
    """Bytes that are no SIP message, or one without what every message has."""

    code = "sip-malformed"


@dataclass(frozen=True, slots=True)
class Request:
    """`uri`: the Request-URI. `headers`: names as they are written, values without line ends."""

    method: str
    uri: str
    headers: Headers
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class Response:
    """`status`: 100–699."""

    status: int
    reason: str
    headers: Headers
    body: bytes = b""


Message: TypeAlias = Request | Response


def read(data: bytes) -> Message:
    """One whole message. Raises SipMalformed."""
    if len(data) > LONGEST:
        raise SipMalformed
    head, found, body = data.partition(b"\r\n\r\n")
    if not found:
        raise SipMalformed
    try:
        start, *lines = re.sub(r"\r\n[ \t]+", " ", head.decode("utf-8")).split("\r\n")
    except UnicodeDecodeError:
        raise SipMalformed from None
    if len(lines) > MOST_HEADERS:
        raise SipMalformed
    headers = tuple(_header(line) for line in lines)
    return _started(start, headers, _body(headers, body))


def write(message: Message) -> bytes:
    """With the Content-Length of its body."""
    if isinstance(message, Request):
        start = f"{message.method} {message.uri} SIP/2.0"
    else:
        start = f"SIP/2.0 {message.status} {message.reason}"
    lines = [start, *(f"{name}: {value}" for name, value in message.headers), f"Content-Length: {len(message.body)}"]
    if any("\r" in line or "\n" in line for line in lines):
        raise SipMalformed  # what we write says nothing that we did not mean
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + message.body


def first(message: Message, name: str) -> str | None:
    """The first value of a header, by its full name in any case."""
    return next(every(message, name), None)


def every(message: Message, name: str) -> Iterator[str]:
    """All values of a header, one a line as they came."""
    wanted = name.lower()
    return (value for given, value in message.headers if given.lower() == wanted)


def listed(message: Message, name: str) -> list[str]:
    """All values of a header whose lines may hold several with commas between: Via, Route, Record-Route, Contact."""
    return [part for value in every(message, name) for part in _parts(value)]


def parameter(value: str, name: str) -> str | None:
    """A parameter of a header's value, outside of its `<…>`; "" where it has no value of its own."""
    rest = value.rpartition(">")[2] if ">" in value else value
    for found in _PARAMETER.finditer(rest):
        if found[1].lower() == name.lower():
            return (found[2] or "").strip('"')
    return None


def address(value: str) -> str:
    """The URI of a name-addr or addr-spec (section 20.10)."""
    inside = re.search(r"<([^<>\s]{1,2048})>", _QUOTED.sub("", value))
    return inside[1] if inside else value.split(";")[0].strip()


def cseq(message: Message) -> tuple[int, str]:
    """Number and method. Raises SipMalformed."""
    found = _CSEQ.fullmatch(first(message, "cseq") or "")
    if found is None or int(found[1]) >= 2**31:
        raise SipMalformed
    return int(found[1]), found[2]


def branch(message: Message) -> str:
    """Of the topmost Via (section 8.1.1.7). Raises SipMalformed."""
    ways = listed(message, "via")
    found = parameter(ways[0], "branch") if ways else None
    if not found:
        raise SipMalformed
    return found


class Framing:
    """Cuts messages out of a stream (section 18.3): every one says its length; empty lines between are keep-alives."""

    def __init__(self) -> None:
        self._kept = bytearray()

    def feed(self, data: bytes) -> list[bytes]:
        """The messages that are whole now. Raises SipMalformed, after which the stream is of no use."""
        self._kept += data
        found = []
        while (one := self._next()) is not None:
            found.append(one)
        return found

    def _next(self) -> bytes | None:
        while self._kept.startswith(b"\r\n"):
            del self._kept[:2]
        end = self._kept.find(b"\r\n\r\n")
        if end < 0:
            if len(self._kept) > LONGEST:
                raise SipMalformed
            return None
        lengths = re.findall(rb"(?im)^(?:content-length|l)[ \t]*:[ \t]*([0-9]{1,6})[ \t]*\r?$", self._kept[:end])
        if len(lengths) != 1 or (whole := end + 4 + int(lengths[0])) > LONGEST:
            raise SipMalformed
        if len(self._kept) < whole:
            return None
        one = bytes(self._kept[:whole])
        del self._kept[:whole]
        return one


def _header(line: str) -> tuple[str, str]:
    name, found, value = line.partition(":")
    name = name.rstrip(" \t")
    if not found or not _TOKEN.fullmatch(name) or any(ord(letter) < 32 and letter != "\t" for letter in value):
        raise SipMalformed
    return COMPACT.get(name.lower(), name), value.strip(" \t")


def _started(start: str, headers: Headers, body: bytes) -> Message:
    asked, told = _REQUEST.fullmatch(start), _STATUS.fullmatch(start)
    message: Message
    if asked:
        message = Request(asked[1], asked[2], headers, body)
    elif told:
        message = Response(int(told[1]), told[2], headers, body)
    else:
        raise SipMalformed
    if any(first(message, name) is None for name in ("via", "from", "to", "call-id", "cseq")):
        raise SipMalformed
    if isinstance(message, Request) and cseq(message)[1] != message.method:
        raise SipMalformed
    return message


def _body(headers: Headers, body: bytes) -> bytes:
    """Content-Length cuts; one that promises more than there is makes the message malformed."""
    said = {value for name, value in headers if name.lower() == "content-length"}
    if not said:
        return body
    length = said.pop()
    if said or not (length.isascii() and length.isdigit() and len(length) < 7) or int(length) > len(body):
        raise SipMalformed
    return body[: int(length)]


def _parts(value: str) -> list[str]:
    """At commas that are outside of quotes and of `<…>`."""
    parts, depth, quoted, last = [], 0, False, ""
    kept = ""
    for letter in value:
        if letter == '"' and last != "\\":
            quoted = not quoted
        elif not quoted and letter in "<>":
            depth += 1 if letter == "<" else -1
        if letter == "," and not quoted and depth <= 0:
            parts.append(kept.strip())
            kept = ""
        else:
            kept += letter
        last = letter
    return [part for part in [*parts, kept.strip()] if part]
