"""What is signed around 간편비밀번호 (security B8): by the record's device key to ask, by the slot's own key as proof.

The device key (WebCrypto, P-256) signs every request to the center. The proof is signed by an Ed25519 key that lies
sealed in the slot: only a PIN that opened it can make one, and nobody can test PINs with what the center keeps of it.
The browser's twin is `browser/src/pure/pin.ts`; both build the bytes themselves.
"""

from __future__ import annotations

from enum import StrEnum
from hashlib import sha256
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from ingam.kernel.errors import Refusal

ASKS: Final = "INGAM-PIN/1"
PROVES: Final = "INGAM-PIN-PROOF/1"
PROOF_KEY: Final = 32
PROOF: Final = 64


class ProofRefused(Refusal):
    """Not signed by the slot's key, or of another try."""

    code = "pin-gone"


class Act(StrEnum):
    """What the device key asks for."""

    SET = "set"
    ASK = "ask"
    REMOVE = "remove"


def text(act: Act, origin: str, nonce: str, handle: str | None, body: bytes) -> bytes:
    """The exact bytes: ASCII, six lines, each ending in LF. `handle`: None: not given yet; `body`: what is sent."""
    return (
        f"{ASKS}\nact: {act}\norigin: {origin}\nnonce: {nonce}\nhandle: {handle or '-'}\n"
        f"body: {sha256(body).hexdigest()}\n"
    ).encode("ascii")


def proof_text(origin: str, handle: str, number: int) -> bytes:
    """The same of a proof: four lines. `number`: of the try that opened."""
    return f"{PROVES}\norigin: {origin}\nhandle: {handle}\ntry: {number}\n".encode("ascii")


def check_proof_key(key: bytes) -> bytes:
    """The key itself, if it is one. Raises ProofRefused."""
    try:
        Ed25519PublicKey.from_public_bytes(key)
    except ValueError:
        raise ProofRefused from None
    return key


def check_proof(key: bytes, signature: bytes, signed: bytes) -> None:
    """Ed25519. Raises ProofRefused."""
    try:
        Ed25519PublicKey.from_public_bytes(key).verify(signature, signed)
    except (InvalidSignature, ValueError):
        raise ProofRefused from None
