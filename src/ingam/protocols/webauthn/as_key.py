"""An operator's passkey as a key of `operators.toml`: 01, two bytes of length, the credential id, the COSE key."""

from __future__ import annotations

import re
from typing import Final

from ingam.protocols.webauthn import CREDENTIAL_ID_MOST, Credential

MARK: Final = 1
ED25519_BYTES: Final = 32
KEY: Final = re.compile(r"[0-9a-f]{64}|01(?:[0-9a-f]{2}){40,1200}")
"""In lower hexadecimal digits: an Ed25519 key, or a passkey."""


def pack(credential: Credential) -> bytes:
    """The key that an authority is told. Its length is never that of an Ed25519 key."""
    named = credential.credential_id
    return bytes([MARK]) + len(named).to_bytes(2, "big") + named + credential.public_key


def unpack(key: bytes) -> Credential | None:
    """The passkey of a key; None of an Ed25519 key, and of what is neither."""
    if len(key) == ED25519_BYTES or key[:1] != bytes([MARK]):
        return None
    length = int.from_bytes(key[1:3], "big")
    named, public = key[3 : 3 + length], key[3 + length :]
    if not 0 < length <= CREDENTIAL_ID_MOST or len(named) != length or not public:
        return None
    return Credential(named, public, 0)


def is_key(key: bytes) -> bool:
    """Whether operators may have such a key."""
    return len(key) == ED25519_BYTES or unpack(key) is not None
