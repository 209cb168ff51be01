"""Keys that are opened when they are first used: opening an RSA key costs 41 to 127 ms, and most are not used today.

What everybody may know of a key stands in its certificate, so a process that answers for several authorities is ready
at once.
"""

from __future__ import annotations

from functools import cached_property

from ingam.ca.ceremony import Holdings
from ingam.kernel.secret import Secret
from ingam.ports.signing import Decryptor, Intent, KeyKind, KeyMissing, PublicHalf, Signer, SigningKeys
from ingam.wiring.keys_away import KeysAway


class LateKey:
    """`ports.signing.Signer` and `Decryptor` of one name. `public`: as its certificate says."""

    def __init__(self, public: PublicHalf, keys: SigningKeys) -> None:
        self.public, self._keys = public, keys
        self.waits = True

    def sign(self, intent: Intent) -> bytes:
        """Raises besides the port's what opening raises; KeyMissing where the key is not the certificate's."""
        return self._signer.sign(intent)

    def decrypt(self, ciphertext: bytes, *, oaep: bool) -> Secret[bytes] | None:
        """Raises as `sign`."""
        return self._decryptor.decrypt(ciphertext, oaep=oaep)

    @cached_property
    def _signer(self) -> Signer:
        found = self._keys.signer(self.public.name)
        self._check(found.public)
        self.waits = found.waits
        return found

    @cached_property
    def _decryptor(self) -> Decryptor:
        found = self._keys.decryptor(self.public.name)
        self._check(found.public)
        return found

    def _check(self, found: PublicHalf) -> None:
        if found.spki != self.public.spki:
            raise KeyMissing(name=self.public.name)


class KeysLate:
    """`ports.signing.SigningKeys` of an authority over the place where they lie."""

    def __init__(self, holdings: Holdings, keys: SigningKeys) -> None:
        self._known, self._keys = KeysAway(holdings), keys

    def make(self, name: str, kind: KeyKind) -> Signer:
        """A new key, at once."""
        return self._keys.make(name, kind)

    def signer(self, name: str) -> LateKey:
        """Raises KeyMissing for a name without a certificate."""
        return LateKey(self._known.signer(name).public, self._keys)

    decryptor = signer

    def names(self) -> tuple[str, ...]:
        """Of the place."""
        return self._keys.names()

    def close(self) -> None:
        """The place is closed, and with it every key that was opened."""
        self._keys.close()
