"""Field keys, digests, the outbox's seal and the tickets' signer from one key file (0600); the demo's HSM.

The file holds independent keys: `field-N` wraps data keys (the highest N wraps, older ones still unwrap), `digest`
and `outbox` are roots from which HKDF-SHA256 makes one key per purpose, `ticket` is a seed of Ed25519 (RFC 8032).
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from ingam.adapters.hsm.key_files import KEY_BYTES, KeyFileRefused, read_or_make, refuse_in_production
from ingam.kernel.errors import Defect
from ingam.kernel.secret import Secret

NONCE_BYTES: Final = 12


@dataclass(frozen=True, slots=True)
class CenterKeys:
    """What the center uses of its key file."""

    fields: FileFieldKeys
    digests: FileDigests
    outbox: OutboxSealer
    tickets: FileTicketSigner


def open_keys(path: Path, *, production: bool = False, allowed: bool = False) -> CenterKeys:
    """The keys of the file, made at the first start. Raises KeyFileRefused (production, unless allowed)."""
    refuse_in_production(production, allowed)
    keys = read_or_make(path, ("field-1", "digest", "outbox"), later=("ticket",))
    return CenterKeys(
        FileFieldKeys(_versions(keys)),
        FileDigests(keys["digest"]),
        OutboxSealer(keys["outbox"]),
        FileTicketSigner(keys["ticket"]),
    )


def _versions(keys: Mapping[str, bytes]) -> dict[int, bytes]:
    names = {name.removeprefix("field-"): key for name, key in keys.items() if name.startswith("field-")}
    if not all(name.isdecimal() for name in names):
        raise KeyFileRefused(reason="malformed")
    return {int(name): key for name, key in names.items()}


class FileFieldKeys:
    """`ports.keys.FieldKeys`: AES-256-GCM under the key-encryption key; nonce (12 bytes) ‖ ciphertext ‖ tag."""

    def __init__(self, versions: Mapping[int, bytes]) -> None:
        self.version = max(versions)
        self._ciphers = {version: AESGCM(key) for version, key in versions.items()}

    def wrap(self, data_key: Secret[bytes], context: str) -> bytes:
        if len(data_key) != KEY_BYTES:
            raise Defect("field-key")
        nonce = secrets.token_bytes(NONCE_BYTES)
        return nonce + self._ciphers[self.version].encrypt(nonce, data_key.reveal(), _bound(context, self.version))

    def unwrap(self, wrapped: bytes, context: str, version: int) -> Secret[bytes]:
        cipher = self._ciphers.get(version)
        if cipher is None:
            raise Defect("field-key")
        try:
            return Secret(cipher.decrypt(wrapped[:NONCE_BYTES], wrapped[NONCE_BYTES:], _bound(context, version)))
        except (InvalidTag, ValueError):
            raise Defect("field-key") from None


def _bound(context: str, version: int) -> bytes:
    return f"ingam/field-key/1 {version} {context}".encode()


class FileDigests:
    """`ports.keys.Digests`: HMAC-SHA256 with a key of its own for each purpose."""

    def __init__(self, root: bytes) -> None:
        self._root = root
        self._keys: dict[str, bytes] = {}

    def digest(self, purpose: str, value: str) -> str:
        key = self._keys.get(purpose)
        if key is None:
            key = self._keys[purpose] = derived(self._root, f"ingam/digest/1 {purpose}")
        return hmac.new(key, value.encode(), hashlib.sha256).hexdigest()


class OutboxSealer:
    """`adapters.store.Sealer` for the outbox: AES-256-GCM, random nonce, bound to the message's dedup key."""

    def __init__(self, root: bytes) -> None:
        self._cipher = AESGCM(derived(root, "ingam/outbox/1"))

    def seal(self, clear: bytes, context: str) -> bytes:
        nonce = secrets.token_bytes(NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, clear, context.encode())

    def open(self, sealed: bytes, context: str) -> bytes:
        try:
            return self._cipher.decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], context.encode())
        except (InvalidTag, ValueError):
            raise Defect("sealed-payload") from None


class FileTicketSigner:
    """`ports.keys.TicketSigner`: Ed25519 from a seed of 32 bytes."""

    def __init__(self, seed: bytes) -> None:
        self._key = Ed25519PrivateKey.from_private_bytes(seed)
        self.public: Final[bytes] = self._key.public_key().public_bytes_raw()

    def sign(self, message: bytes) -> bytes:
        return self._key.sign(message)


def publish_ticket_key(path: Path, public: bytes) -> None:
    """Put a public key among the lines of the file that relays read (hex, one key a line); those there stay (C12).

    For whoever prepares a place, while no other one does. Raises OSError.
    """
    kept = path.read_text(encoding="ascii").split() if path.exists() else []
    if public.hex() in kept:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    draft.write_text("".join(f"{line}\n" for line in (*kept, public.hex())), encoding="ascii")
    draft.replace(path)


def derived(root: bytes, info: str) -> bytes:
    """HKDF-SHA256 (RFC 5869), 32 bytes; `info` names the one use."""
    return HKDF(algorithm=SHA256(), length=KEY_BYTES, salt=None, info=info.encode()).derive(root)
