"""Keys of the center's own: field encryption (security H6), keyed digests (F8, H7, H9), behind an HSM or a file."""

from __future__ import annotations

from typing import Protocol

from ingam.kernel.errors import Outage
from ingam.kernel.secret import Secret


class BlindIndexOutage(Outage):
    """The blind index is away or past its ceiling; nothing was stored."""

    code = "blind-index-outage"


class FieldKeys(Protocol):
    """Wraps the data key of a customer with the key-encryption key; the latter never leaves its place."""

    version: int

    def wrap(self, data_key: Secret[bytes], context: str) -> bytes:
        """AES-256-GCM of a 32-byte data key; context (table and row id) is authenticated."""

    def unwrap(self, wrapped: bytes, context: str, version: int) -> Secret[bytes]:
        """The data key; raises Defect `field-key` when the context or the bytes are not the wrapped ones."""


class Digests(Protocol):
    """HMAC-SHA256 keyed per purpose, for pseudonyms, code hashes and counters; 64 lower hex characters."""

    def digest(self, purpose: str, value: str) -> str:
        """E.g. digest("banking-id", id); purposes have separate keys."""


class BlindIndex(Protocol):
    """HMAC-SHA256 of a personal number with a key in a process of its own, under a rate ceiling (H7)."""

    async def index(self, field: str, value: Secret[str]) -> bytes:
        """32 bytes; raises BlindIndexOutage past the ceiling or when the process is away, Defect for another field."""


class Sealer(Protocol):
    """Authenticated encryption at rest, bound to a context that names the row (security H6)."""

    def seal(self, clear: bytes, context: str) -> bytes:
        """Sealed bytes that open only with the same context."""

    def open(self, sealed: bytes, context: str) -> bytes:
        """The clear bytes; raises Defect `sealed-payload` for other bytes or another context."""


class TicketSigner(Protocol):
    """Signs the tickets that the relay takes; what may be signed is built by `protocols.mailbox.ticket` (C12)."""

    @property
    def public(self) -> bytes:
        """The Ed25519 public key, 32 bytes (RFC 8032)."""

    def sign(self, message: bytes) -> bytes:
        """The Ed25519 signature, 64 bytes."""
