"""Private keys of an authority, at their place: an encrypted file or a PKCS#11 token. They sign prepared bytes only.

`ca` prepares what is to be signed, records it, and hands out an Intent; the key's place hashes the bytes itself and
releases a signature once for each intent (security D12). A key that decrypts R does nothing else (security D6).
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from ingam.kernel.errors import Defect, Outage, Refusal
from ingam.kernel.secret import Secret
from ingam.npki.signature import KeyKind as KeyKind


class KeyMissing(Refusal):
    """There is no key of this name at this place (facts: name)."""

    code = "signing-key-missing"


class KeyExists(Refusal):
    """A key of this name is there already, and is never replaced (facts: name)."""

    code = "signing-key-exists"


class KeyKindRefused(Refusal):
    """This place cannot hold this kind of key (facts: kind)."""

    code = "signing-key-kind"


class KeysLocked(Refusal):
    """The passphrase or PIN is not the right one; nothing was opened."""

    code = "signing-keys-locked"


class SigningOutage(Outage):
    """The token is away or does not answer; nothing was signed. After recovery the work may be tried anew."""

    code = "signing-outage"


class IntentUsed(Defect):
    """An intent was presented a second time, or its bytes are not the recorded ones (security D12)."""

    code = "signing-intent"


class Intent:
    """One prepared message, to be signed once. `digest`: SHA-256 of the recorded bytes, as the books keep it.

    Either `tbs` (the bytes) or `file` (bytes too many for memory: a revocation list) is there.
    """

    __slots__ = ("_once", "digest", "file", "tbs")

    def __init__(self, tbs: bytes | None, digest: bytes, file: Path | None = None) -> None:
        if (tbs is None) == (file is None):
            raise Defect("signing-intent")
        self.tbs, self.digest, self.file = tbs, digest, file
        self._once = [True]

    @classmethod
    def of(cls, tbs: bytes) -> Intent:
        """For bytes whose record needs no books (an OCSP answer, a message's protection)."""
        return cls(tbs, hashlib.sha256(tbs).digest())

    def take(self) -> bytes | Path:
        """The message for the one who signs. Raises IntentUsed: a second time, or where the bytes changed since."""
        try:
            self._once.pop()  # one step: of two threads one gets it
        except IndexError:
            raise IntentUsed from None
        if self.file is not None:
            return self.file  # whoever signs a file hashes it while reading, and compares
        assert self.tbs is not None
        if not hmac.compare_digest(hashlib.sha256(self.tbs).digest(), self.digest):
            raise IntentUsed
        return self.tbs


@dataclass(frozen=True, slots=True)
class PublicHalf:
    """What everybody may know of a key. `spki`: DER; `algorithm`: DER AlgorithmIdentifier of its signatures."""

    name: str
    kind: KeyKind
    spki: bytes
    algorithm: bytes


class Signer(Protocol):
    """Signs with one key. Thread-safe; blocks."""

    @property
    def waits(self) -> bool:
        """Whether signing waits for something outside: then call it in a thread. A key in a file computes at once and
        holds the interpreter meanwhile (pyca/cryptography does), so that a thread would cost and give nothing.
        """

    @property
    def public(self) -> PublicHalf:
        """Its public half."""

    def sign(self, intent: Intent) -> bytes:
        """The signature (content of the BIT STRING). Raises IntentUsed, SigningOutage."""


class Decryptor(Protocol):
    """The key that R is encrypted to (EncryptedVID, security D6)."""

    @property
    def public(self) -> PublicHalf:
        """Its public half (RSA)."""

    def decrypt(self, ciphertext: bytes, *, oaep: bool) -> Secret[bytes] | None:
        """`oaep`: RSAES-OAEP with SHA-256, and None where it does not open; else RSAES-PKCS1-v1_5, which always gives
        bytes: what is badly padded gives random ones (implicit rejection), so that nobody learns which it was.

        Raises KeyKindRefused where v1.5 is off (a token without implicit rejection), SigningOutage.
        """


class SigningKeys(Protocol):
    """A place of keys. Names: `root-1`, `issuing-1`, `ocsp-1`, `encryption-1`, `cmp-1`, `log-1`: use and generation."""

    def make(self, name: str, kind: KeyKind) -> Signer:
        """A new key. Raises KeyExists, KeyKindRefused, SigningOutage."""

    def signer(self, name: str) -> Signer:
        """The key of a name, ready to sign. Raises KeyMissing, SigningOutage."""

    def decryptor(self, name: str) -> Decryptor:
        """The key of a name, ready to decrypt. Raises KeyMissing, SigningOutage."""

    def names(self) -> tuple[str, ...]:
        """Every name, sorted."""

    def close(self) -> None:
        """Log out and forget."""
