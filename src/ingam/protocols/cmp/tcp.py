"""CMP over raw TCP: messages in frames, without a socket (RFC 2510 §5.2; draft-ietf-pkix-cmp-transport-protocols §4).

RFC 2510 writes length (4 bytes, of what follows), type (1 byte), value. The later draft writes length, version 10,
flags, type, value: the version is no type of the older form, so the fifth byte tells which of the two a peer speaks.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Final, NamedTuple

from ingam.protocols.cmp.message import MOST_MESSAGE
from ingam.protocols.cmp.status import CmpRefused

VERSION: Final = 10
CLOSE: Final = 1
"""The flag that says: this connection ends behind the message."""

MOST_TEXT: Final = 1024
_LENGTH: Final = 4
_POLLING: Final = 8


class FrameKind(IntEnum):
    """Message types; 3 is negPollRep in RFC 2510 and finRep in the draft."""

    PKI_REQ = 0
    POLL_REP = 1
    POLL_REQ = 2
    NEG_POLL_REP = 3
    PARTIAL_MSG_REP = 4
    FINAL_MSG_REP = 5
    ERROR_MSG_REP = 6


class Frame(NamedTuple):
    """One frame. `value`: what stands behind the type; `version`: 0 for RFC 2510's form, 10 for the draft's."""

    kind: FrameKind
    value: bytes
    version: int = 0
    close: bool = False


_SIZES: Final = {
    FrameKind.POLL_REP: range(_POLLING, _POLLING + 1),
    FrameKind.POLL_REQ: range(4, 5),
    FrameKind.NEG_POLL_REP: range(0, 2),
    FrameKind.PARTIAL_MSG_REP: range(_POLLING + 1, _POLLING + MOST_MESSAGE + 1),
    FrameKind.ERROR_MSG_REP: range(0, MOST_TEXT + 1),
}
_MESSAGE: Final = range(1, MOST_MESSAGE + 1)


class Frames:
    """Takes bytes as they come and gives whole frames; never holds more than one frame over what it was given."""

    def __init__(self) -> None:
        self._held = bytearray()

    def feed(self, data: bytes) -> list[Frame]:
        """The frames that are whole now. Raises CmpRefused (cmp-frame, badDataFormat): close the connection."""
        self._held += data
        found = []
        while (frame := self._next()) is not None:
            found.append(frame)
        return found

    @property
    def whole(self) -> bool:
        """Whether nothing of a next frame has come: a connection may end here."""
        return not self._held

    def _next(self) -> Frame | None:
        held = self._held
        if len(held) < _LENGTH + 1:
            return None
        size = int.from_bytes(held[:_LENGTH], "big")
        # Asked before the rest is waited for, so that nobody makes this process hold more.
        if not 1 <= size <= 3 + _POLLING + MOST_MESSAGE:
            raise CmpRefused("cmp-frame", found=size)
        if len(held) < _LENGTH + size:
            return None
        frame = _frame(bytes(held[_LENGTH : _LENGTH + size]))
        del held[: _LENGTH + size]
        return frame


def _frame(data: bytes) -> Frame:
    version = VERSION if data[0] == VERSION else 0
    flags, at = (data[1], 2) if version and len(data) >= 3 else (0, 0)
    if data[at] >= len(FrameKind) or flags > CLOSE or (version and not at):
        raise CmpRefused("cmp-frame", found=data[:3].hex())
    kind, value = FrameKind(data[at]), data[at + 1 :]
    if len(value) not in _SIZES.get(kind, _MESSAGE):
        raise CmpRefused("cmp-frame", found=len(value))
    return Frame(kind, value, version, flags == CLOSE)


def write(frame: Frame) -> bytes:
    """The bytes of a frame, in the form that its version says."""
    mark = bytes((VERSION, CLOSE if frame.close else 0)) if frame.version else b""
    inner = mark + bytes((frame.kind,)) + frame.value
    return len(inner).to_bytes(_LENGTH, "big") + inner


def request(message: bytes, version: int = 0) -> bytes:
    """The frame of a client's PKIMessage."""
    return write(Frame(FrameKind.PKI_REQ, message, version))


def answer(message: bytes, to: Frame) -> bytes:
    """The frame of the answer, in the form in which the request came."""
    return write(Frame(FrameKind.FINAL_MSG_REP, message, to.version))


def later(reference: int, check_back: int, version: int = 0) -> bytes:
    """pollRep: the answer is not there yet. `reference` and `check_back` (seconds): 32 bits each."""
    value = reference.to_bytes(4, "big") + check_back.to_bytes(4, "big")
    return write(Frame(FrameKind.POLL_REP, value, version))


def poll(reference: int, version: int = 0) -> bytes:
    """pollReq under the reference that a pollRep gave."""
    return write(Frame(FrameKind.POLL_REQ, reference.to_bytes(4, "big"), version))


def polling(frame: Frame) -> tuple[int, int]:
    """Reference and seconds of a pollRep or partialMsgRep; of a pollReq the reference and 0."""
    return int.from_bytes(frame.value[:4], "big"), int.from_bytes(frame.value[4:_POLLING], "big")


def message_in(frame: Frame) -> bytes:
    """The PKIMessage in a pkiReq, partialMsgRep or finalMsgRep; empty for the others."""
    if frame.kind is FrameKind.PARTIAL_MSG_REP:
        return frame.value[_POLLING:]
    return frame.value if frame.kind in (FrameKind.PKI_REQ, FrameKind.FINAL_MSG_REP) else b""


def error(text: str, to: Frame) -> bytes:
    """errorMsgRep with a text for people, at most 1,024 bytes."""
    return write(Frame(FrameKind.ERROR_MSG_REP, text.encode()[:MOST_TEXT], to.version))
