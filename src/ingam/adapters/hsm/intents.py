"""What a signer does with an intent before it computes: takes it once, and proves that its bytes are the recorded ones.

A file is read once, in chunks: the digest that is compared and the one that is signed come from the same reading, so
that nobody can change it in between (security D12).
"""

from __future__ import annotations

import hashlib
import hmac
import threading
from pathlib import Path
from typing import Final, Protocol

from ingam.ports.signing import Intent, IntentUsed, KeyKind

_CHUNK: Final = 1 << 20
# Two threads that present one intent at the same instant: one of them is the second.
_taking: Final = threading.Lock()


class Sink(Protocol):
    """Takes the message piece by piece: a hash."""

    def update(self, data: bytes, /) -> object:
        """The next piece."""


def measured(intent: Intent, *sinks: Sink) -> bytes:
    """SHA-256 of the intent's message, which is the recorded one; the sinks have seen the very same bytes.

    Raises IntentUsed: presented before, changed since, or a file that cannot be read.
    """
    with _taking:
        taken = intent.take()
    if isinstance(taken, Path):
        return _read(taken, intent.digest, sinks)
    for sink in sinks:
        sink.update(taken)
    return intent.digest  # take() has compared it with the bytes


def digest(intent: Intent, kind: KeyKind) -> bytes:
    """The hash of the message that a key of this kind signs: SHA-384 for P-384, else SHA-256. Raises IntentUsed."""
    if kind is not KeyKind.P_384:
        return measured(intent)
    sink = hashlib.sha384()
    measured(intent, sink)
    return sink.digest()


def _read(path: Path, recorded: bytes, sinks: tuple[Sink, ...]) -> bytes:
    found = hashlib.sha256()
    try:
        with path.open("rb", buffering=0) as file:
            while chunk := file.read(_CHUNK):
                for sink in (found, *sinks):
                    sink.update(chunk)
    except OSError:
        raise IntentUsed(reason="unreadable") from None
    if not hmac.compare_digest(found.digest(), recorded):
        raise IntentUsed(reason="changed")
    return recorded
