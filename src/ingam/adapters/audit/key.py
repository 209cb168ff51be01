"""The auditor's key: Ed25519, in a file of its own (0600), made at the first start (security G6)."""

from __future__ import annotations

from pathlib import Path
from typing import Final, NamedTuple

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from ingam.adapters.hsm.key_files import read_or_make, refuse_in_production
from ingam.kernel.errors import Defect
from ingam.ports.signing import Intent
from ingam.protocols.log import keys
from ingam.protocols.log.keys import ED25519_SPKI, LogKey

NAME: Final = "checkpoint"


class PublicKey(NamedTuple):
    """`spki`: DER SubjectPublicKeyInfo."""

    spki: bytes


class CheckpointKey:
    """Signs heads of the audit and nothing else."""

    def __init__(self, seed: bytes) -> None:
        self._key = Ed25519PrivateKey.from_private_bytes(seed)
        self.public = PublicKey(ED25519_SPKI + self._key.public_key().public_bytes_raw())

    def sign(self, intent: Intent) -> bytes:
        body = intent.take()
        if not isinstance(body, bytes):
            raise Defect("signing-intent")
        return self._key.sign(body)

    def log_key(self, origin: str) -> LogKey:
        """Its public half under the audit's name."""
        return keys.log_key(origin, self.public.spki)


def open_key(path: Path, *, production: bool = False, allowed: bool = False) -> CheckpointKey:
    """The key of the file, made where there is none. Raises KeyFileRefused (production, unless allowed)."""
    refuse_in_production(production, allowed)
    return CheckpointKey(read_or_make(path, (NAME,))[NAME])
