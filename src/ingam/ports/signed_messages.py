"""Somebody else's program that verifies messages which other systems signed: a verifying daemon beside a center."""

from __future__ import annotations

from typing import Protocol

from ingam.npki.certificate import Certificate
from ingam.protocols.skverify import Told


class SignedMessages(Protocol):
    """Verifies signature and status. Blocks: call it in a thread."""

    def verify(self, signed: bytes, certificate: Certificate) -> Told:
        """`certificate`: the signer's by our own parse, which the answer has to be about (security A18).

        Raises DaemonUnusable, DaemonRefused.
        """
