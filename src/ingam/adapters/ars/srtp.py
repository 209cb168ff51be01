"""SRTP of one call (RFC 3711) by libsrtp, AES_CM_128_HMAC_SHA1_80 with keys out of the SDP (RFC 4568)."""

from __future__ import annotations

from pylibsrtp import Error, Policy, Session

from ingam.kernel.secret import Secret
from ingam.protocols.sip import rtp


class Srtp:
    """`sip_speech.Guard`. `ours`, `theirs`: master key and salt, 30 bytes each. Replays are refused by libsrtp."""

    def __init__(self, ours: Secret[bytes], theirs: Secret[bytes]) -> None:
        self._out = Session(_policy(ours, Policy.SSRC_ANY_OUTBOUND))
        self._in = Session(_policy(theirs, Policy.SSRC_ANY_INBOUND))

    def seal(self, packet: bytes) -> bytes:
        """Of an RTP packet."""
        sealed: bytes = self._out.protect(packet)
        return sealed

    def open(self, packet: bytes) -> bytes | None:
        """Of an SRTP packet; None where it is not authentic, or came before."""
        if len(packet) > rtp.LONGEST:
            return None
        try:
            opened: bytes = self._in.unprotect(packet)
        except Error:
            return None
        return opened


def _policy(key: Secret[bytes], kind: int) -> Policy:
    return Policy(key=key.reveal(), ssrc_type=kind, srtp_profile=Policy.SRTP_PROFILE_AES128_CM_SHA1_80)
