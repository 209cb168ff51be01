"""Which packets belong to a call (security E6): from the answered address and port, of the negotiated payload types,
of the one source that spoke first. Everything else changes nothing."""

from __future__ import annotations

from ingam.protocols.sip import rtp
from ingam.protocols.sip.rtp import Packet
from ingam.protocols.sip.sdp import PCMU, Answer


class Gate:
    """Of one call. Where packets are authenticated (SRTP), that is done before this."""

    def __init__(self, answer: Answer) -> None:
        self._from = (answer.address, answer.port)
        self._types = answer.events | {PCMU}
        self._ssrc: int | None = None

    def from_there(self, source: tuple[str, int]) -> bool:
        """Whether a datagram comes from where the answer says."""
        return source == self._from

    def let(self, data: bytes, source: tuple[str, int]) -> Packet | None:
        """The packet, if it belongs to the call."""
        packet = rtp.read(data) if self.from_there(source) else None
        if packet is None or packet.payload_type not in self._types:
            return None
        if self._ssrc is None:
            self._ssrc = packet.ssrc
        return packet if packet.ssrc == self._ssrc else None
