"""Private keys at rest: PKCS#8 EncryptedPrivateKeyInfo (RFC 5958), PBES2 with scrypt (RFC 7914) and AES-256-CBC.

`cryptography` writes PBKDF2 with 2,048 rounds; this is OWASP's scrypt setting of 16 MiB instead, which `openssl pkcs8`
reads too. The keys of one folder share their salt, so that a process pays for the passphrase once; each has an IV of
its own. What a file asks for is bounded before anything is computed.
"""

from __future__ import annotations

import os
import secrets
import threading
import unicodedata
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple

from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from ingam.adapters.hsm.key_files import KeyFileRefused
from ingam.kernel.secret import Secret
from ingam.npki import ciphers, der
from ingam.npki.ciphers import BadPadding, BlockCipher
from ingam.npki.der import Element, NotDer
from ingam.ports.signing import KeysLocked

MOST_BYTES: Final = 16_384
"""Bytes of a file; an RSA-4096 key has 2,500."""

_MOST_MEMORY: Final = 1 << 27
_MOST_PARALLEL: Final = 16
_SALT: Final = 16
_PBES2: Final = "1.2.840.113549.1.5.13"
_SCRYPT: Final = "1.3.6.1.4.1.11591.4.11"
_AES_256_CBC: Final = "2.16.840.1.101.3.4.1.42"


class Cost(NamedTuple):
    """Parameters of scrypt: 128·n·r bytes of memory, p times; as here 16 MiB and about 0.2 s."""

    n: int = 1 << 14
    r: int = 8
    p: int = 5

    @property
    def bearable(self) -> bool:
        """Within what a file may ask for: n a power of two, 128 MiB, p up to 16."""
        n, r, p = self
        return n > 1 and n & (n - 1) == 0 and r > 0 and 128 * n * r <= _MOST_MEMORY and 0 < p <= _MOST_PARALLEL


@dataclass(frozen=True, slots=True)
class _Sealed:
    salt: bytes
    cost: Cost
    iv: bytes
    content: bytes


class Sealer:
    """Seals and opens keys under one passphrase (UTF-8, NFC). Thread-safe."""

    def __init__(self, passphrase: Secret[str], cost: Cost) -> None:
        if not passphrase:
            raise KeyFileRefused(reason="no-passphrase")
        self._passphrase, self._cost = passphrase, cost
        self._derived: dict[tuple[bytes, Cost], Secret[bytes]] = {}
        self._proven: tuple[bytes, Cost] | None = None
        self._lock = threading.Lock()

    @property
    def proven(self) -> bool:
        """Whether a key of the folder was opened with the passphrase, or the first one made with it."""
        return self._proven is not None

    def seal(self, plain: bytes) -> bytes:
        """DER of the EncryptedPrivateKeyInfo of a plain PKCS#8."""
        with self._lock:
            place = self._proven or (secrets.token_bytes(_SALT), self._cost)
        iv = secrets.token_bytes(16)
        content = ciphers.encrypt(BlockCipher.AES_256, self._key(place).reveal(), iv, plain)
        with self._lock:
            self._proven = place
        return _written(_Sealed(*place, iv, content))

    def open(self, data: bytes) -> bytes:
        """The plain PKCS#8. Raises KeysLocked: not the passphrase; KeyFileRefused: no key file, or a damaged one."""
        found = _parsed(data)
        place = (found.salt, found.cost)
        padded = ciphers.decrypt_blocks(BlockCipher.AES_256, self._key(place).reveal(), found.iv, found.content)
        try:
            plain = ciphers.unpad(padded, 16)
            der.whole(plain).expect(der.SEQUENCE)
        except (BadPadding, NotDer):
            # Under a salt that the passphrase has opened before, it is the file that is damaged.
            raise (KeyFileRefused(reason="malformed") if place == self._proven else KeysLocked()) from None
        with self._lock:
            self._proven = place
        return plain

    def forget(self) -> None:
        """Drop what was derived."""
        with self._lock:
            self._derived.clear()
            self._proven = None

    def _key(self, place: tuple[bytes, Cost]) -> Secret[bytes]:
        with self._lock:  # held while deriving: others wait for this result instead of computing it again
            if place not in self._derived:
                salt, cost = place
                clear = unicodedata.normalize("NFC", self._passphrase.reveal()).encode()
                self._derived[place] = Secret(Scrypt(salt=salt, length=32, n=cost.n, r=cost.r, p=cost.p).derive(clear))
            return self._derived[place]


def write_new(path: Path, octets: bytes) -> None:
    """A file for its owner only, whole and durable or not at all. Raises FileExistsError where there is one."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(octets)
            file.flush()
            os.fsync(file.fileno())
        os.link(draft, path)
    finally:
        draft.unlink(missing_ok=True)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _written(sealed: _Sealed) -> bytes:
    n, r, p = sealed.cost
    kdf = der.algorithm(_SCRYPT, der.seq(der.octets(sealed.salt), der.integer(n), der.integer(r), der.integer(p)))
    cipher = der.algorithm(_AES_256_CBC, der.octets(sealed.iv))
    return der.seq(der.algorithm(_PBES2, der.seq(kdf, cipher)), der.octets(sealed.content))


def _parsed(data: bytes) -> _Sealed:
    if len(data) > MOST_BYTES:
        raise KeyFileRefused(reason="malformed")
    try:
        algorithm, content = der.whole(data).exactly(2)
        kdf, cipher = _parameters(algorithm, _PBES2).exactly(2)
        salt, n, r, p, *length = _parameters(kdf, _SCRYPT).at_least(4)
        found = _Sealed(
            salt.expect(der.OCTET_STRING).content,
            Cost(n.integer(), r.integer(), p.integer()),
            _parameters(cipher, _AES_256_CBC).expect(der.OCTET_STRING).content,
            content.expect(der.OCTET_STRING).content,
        )
        whole_key = [one.integer() for one in length] in ([], [32])
    except NotDer:
        raise KeyFileRefused(reason="malformed") from None
    if not (whole_key and _bearable(found)):
        raise KeyFileRefused(reason="malformed")
    return found


def _parameters(algorithm: Element, oid: str) -> Element:
    identifier, parameters = algorithm.exactly(2)
    if identifier.oid() != oid:
        raise NotDer(expected=oid, found=identifier.oid())
    return parameters


def _bearable(found: _Sealed) -> bool:
    blocks = len(found.content)
    return found.cost.bearable and 8 <= len(found.salt) <= 64 and len(found.iv) == 16 and blocks > 0 and not blocks % 16
