"""Who co-signs a head only after its log has proven that it forgot and changed nothing (C2SP tlog-witness)."""

from __future__ import annotations

from typing import Protocol

from ingam.kernel.errors import Outage, Refusal
from ingam.protocols.log.keys import WitnessKey


class SeenAnother(Refusal):
    """The witness saw a head of another size last (facts: size); a proof has to begin there."""

    code = "log-witness-size"


class WitnessOutage(Outage):
    """The witness does not answer, or cannot read or write what it remembers; nothing was co-signed."""

    code = "log-witness-outage"


class Witness(Protocol):
    """Who co-signs. Blocks: call it in a thread."""

    @property
    def key(self) -> WitnessKey:
        """What its co-signatures are checked with."""

    def cosign(self, request: str) -> str:
        """Signature lines for a `protocols.log.witnessing` request.

        Raises SeenAnother, Inconsistent, OtherLog, HeadUnsigned, NoteSignatureInvalid, RequestMalformed, NoteMalformed,
        WitnessOutage.
        """
