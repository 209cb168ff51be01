"""`ports.signing` in a folder of encrypted key files: the default place of an authority's keys.

One file a key (`issuing-1.p8`, 0600), one passphrase for the folder; a file is made whole or not at all and never
replaced. Inside, the PKCS#8 carries the key's name (friendlyName, RFC 2985 section 5.5.1), so that a file under another
name is refused. Every kind of key; OpenSSL computes, and the interpreter is free meanwhile.
"""

from __future__ import annotations

import os
import secrets
import stat
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Final, TypeAlias, TypeVar

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import (
    ECDSA,
    SECP256R1,
    SECP384R1,
    EllipticCurvePrivateKey,
    generate_private_key,
)
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA65PrivateKey, MLDSAMuHasher
from cryptography.hazmat.primitives.asymmetric.padding import MGF1, OAEP, PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key as generate_rsa
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from cryptography.hazmat.primitives.hashes import SHA256, SHA384
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_der_private_key,
)

from ingam.adapters.hsm import intents
from ingam.adapters.hsm.key_files import KeyFileRefused, refuse_in_production
from ingam.adapters.hsm.key_names import decrypts, is_name, refuse_other_use
from ingam.adapters.hsm.sealed_keys import MOST_BYTES, Cost, Sealer, write_new
from ingam.kernel.secret import Secret
from ingam.npki import der
from ingam.npki.der import NotDer
from ingam.npki.signature import PublicKeyRefused, public_key
from ingam.ports.signing import (
    Intent,
    KeyExists,
    KeyKind,
    KeyKindRefused,
    KeyMissing,
    PublicHalf,
    SigningOutage,
)

PrivateKey: TypeAlias = RSAPrivateKey | EllipticCurvePrivateKey | MLDSA65PrivateKey
KeySource: TypeAlias = Callable[[KeyKind], PrivateKey]

_BITS: Final = {KeyKind.RSA_2048: 2048, KeyKind.RSA_3072: 3072, KeyKind.RSA_4096: 4096}
_OF_BITS: Final = {bits: kind for kind, bits in _BITS.items()}
_FRIENDLY_NAME: Final = der.oid("1.2.840.113549.1.9.20")
_Opened = TypeVar("_Opened", "FileSigner", "FileDecryptor")
_ENDING: Final = ".p8"
_ANY_BYTES: Final = 64
_OAEP: Final = OAEP(MGF1(SHA256()), SHA256(), None)


def generated(kind: KeyKind) -> PrivateKey:
    """A new key: RSA with e = 65537, P-256, P-384, or ML-DSA-65."""
    if kind in _BITS:
        return generate_rsa(65537, _BITS[kind])
    if kind is KeyKind.ML_DSA_65:
        return MLDSA65PrivateKey.generate()
    return generate_private_key(SECP256R1() if kind is KeyKind.P_256 else SECP384R1())


def open_signing_keys(
    folder: Path, passphrase: Secret[str], *, production: bool = False, allowed: bool = False
) -> FileSigningKeys:
    """The keys of a folder. Raises KeyFileRefused: in production, unless the settings allow files (security G7)."""
    refuse_in_production(production, allowed)
    return FileSigningKeys(folder, passphrase)


class FileSigningKeys:
    """`ports.signing.SigningKeys`. `source` makes new keys; `cost` is scrypt's for new files.

    Besides what the port names, its methods raise KeysLocked (not this passphrase) and KeyFileRefused (open to others,
    malformed, no passphrase). A key is validated once, when it is first asked for (RSA-2048 41 ms, RSA-3072 127 ms).
    """

    def __init__(
        self, folder: Path, passphrase: Secret[str], *, cost: Cost | None = None, source: KeySource = generated
    ) -> None:
        self._folder, self._source = folder, source
        self._sealer = Sealer(passphrase, cost or Cost())
        self._signers: dict[str, FileSigner] = {}
        self._decryptors: dict[str, FileDecryptor] = {}
        self._lock = threading.Lock()
        self._closed = False

    def make(self, name: str, kind: KeyKind) -> FileSigner:
        """A new key in a new file; that of `encryption-N` signs nothing."""
        refuse_other_use(name, kind, decrypting=decrypts(name))
        path = self._path(name)
        if path.exists():
            raise KeyExists(name=name)
        self._prove_passphrase()
        key = self._source(kind)
        if _kind(key) is not kind:
            raise KeyKindRefused(kind=kind.value)
        self._keep(name, key)
        made = FileSigner(name, key)
        return made if decrypts(name) else self._remember(self._signers, name, made)

    def signer(self, name: str) -> FileSigner:
        """Raises KeyKindRefused for an encryption key too (security D6)."""
        if decrypts(name):
            raise KeyKindRefused(kind="encryption")
        return self._signers.get(name) or self._remember(self._signers, name, FileSigner(name, self._load(name)))

    def decryptor(self, name: str) -> FileDecryptor:
        """Raises KeyKindRefused for any other key than an RSA one of the name `encryption-N` (security D6)."""
        if not decrypts(name):
            raise KeyKindRefused(kind="signing")
        if (found := self._decryptors.get(name)) is not None:
            return found
        key = self._load(name)
        if not isinstance(key, RSAPrivateKey):
            raise KeyKindRefused(kind=_kind(key).value)
        return self._remember(self._decryptors, name, FileDecryptor(name, key))

    def names(self) -> tuple[str, ...]:
        """Those of the folder, readable or not."""
        self._refuse_closed()
        if not self._folder.is_dir():
            return ()
        found = (path.name.removesuffix(_ENDING) for path in self._folder.glob(f"*{_ENDING}"))
        return tuple(sorted(name for name in found if is_name(name)))

    def close(self) -> None:
        """Every signer and decryptor of this place answers with an outage from now on."""
        with self._lock:
            self._closed = True
            for signer in self._signers.values():
                signer.forget()
            for decryptor in self._decryptors.values():
                decryptor.forget()
            self._signers.clear()
            self._decryptors.clear()
        self._sealer.forget()

    def _refuse_closed(self) -> None:
        if self._closed:
            raise SigningOutage(reason="closed")

    def _remember(self, known: dict[str, _Opened], name: str, opened: _Opened) -> _Opened:
        with self._lock:
            self._refuse_closed()
            return known.setdefault(name, opened)

    def _path(self, name: str) -> Path:
        self._refuse_closed()
        return self._folder / f"{name}{_ENDING}"

    def _prove_passphrase(self) -> None:
        """A folder has one passphrase: a new key is not written under another than those that are there."""
        names = self.names()
        if names and not self._sealer.proven:
            self._sealer.open(_read(self._path(names[0]), names[0]))

    def _keep(self, name: str, key: PrivateKey) -> None:
        plain = key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
        try:
            write_new(self._path(name), self._sealer.seal(_named(plain, name)))
        except FileExistsError:
            raise KeyExists(name=name) from None

    def _load(self, name: str) -> PrivateKey:
        return _private_key(self._sealer.open(_read(self._path(name), name)), name)


class FileSigner:
    """`ports.signing.Signer`."""

    waits = False

    def __init__(self, name: str, key: PrivateKey) -> None:
        self.public = _public_half(name, key)
        self._sign: Callable[[Intent], bytes] | None = _refuse if decrypts(name) else _signing(key)

    def sign(self, intent: Intent) -> bytes:
        """RSASSA-PKCS1-v1_5 with SHA-256, ECDSA with SHA-256 or (P-384) SHA-384, ML-DSA-65 over an external mu."""
        if (sign := self._sign) is None:
            raise SigningOutage(reason="closed")
        return sign(intent)

    def forget(self) -> None:
        """Let the key go."""
        self._sign = None


class FileDecryptor:
    """`ports.signing.Decryptor`. `oaep_hash`: of RSAES-OAEP here; `v15`: whether RSAES-PKCS1-v1_5 is on."""

    oaep_hash: str | None = "sha256"

    def __init__(self, name: str, key: RSAPrivateKey) -> None:
        self.public = _public_half(name, key)
        self._key: RSAPrivateKey | None = key
        self.v15 = rejects_implicitly(key)

    def decrypt(self, ciphertext: bytes, *, oaep: bool) -> Secret[bytes] | None:
        """By OpenSSL, in constant time as far as it goes; implicit rejection since its version 3.2."""
        if (key := self._key) is None:
            raise SigningOutage(reason="closed")
        if not oaep and not self.v15:
            raise KeyKindRefused(kind="rsaes-pkcs1-v1_5")
        try:
            return Secret(key.decrypt(ciphertext, _OAEP if oaep else PKCS1v15()))
        except ValueError:
            # Of another length than the modulus, or not below it: everybody may know that, but v1.5 gives bytes always.
            return None if oaep else Secret(secrets.token_bytes(_ANY_BYTES))

    def forget(self) -> None:
        """Let the key go."""
        self._key = None


def rejects_implicitly(key: RSAPrivateKey) -> bool:
    """Whether this OpenSSL gives the same random bytes each time for a ciphertext whose padding is broken (D6)."""
    public = key.public_key().public_numbers()
    broken = pow(2, public.e, public.n).to_bytes((public.n.bit_length() + 7) // 8, "big")
    try:
        return key.decrypt(broken, PKCS1v15()) == key.decrypt(broken, PKCS1v15())
    except ValueError:
        return False


def _signing(key: PrivateKey) -> Callable[[Intent], bytes]:
    kind = _kind(key)
    if isinstance(key, RSAPrivateKey):
        return lambda intent: key.sign(intents.digest(intent, kind), PKCS1v15(), Prehashed(SHA256()))
    if isinstance(key, EllipticCurvePrivateKey):
        algorithm = ECDSA(Prehashed(SHA384() if kind is KeyKind.P_384 else SHA256()))
        return lambda intent: key.sign(intents.digest(intent, kind), algorithm)
    return lambda intent: key.sign_mu(_mu(key, intent))


def _mu(key: MLDSA65PrivateKey, intent: Intent) -> bytes:
    """The message representative of FIPS 204 section 6.2: a file of any size, read once."""
    hasher = MLDSAMuHasher(key.public_key())
    intents.measured(intent, hasher)
    return hasher.finalize()


def _refuse(_: Intent) -> bytes:
    raise KeyKindRefused(kind="encryption")


def _kind(key: object) -> KeyKind:
    """Raises KeyKindRefused for what never signs here."""
    if isinstance(key, RSAPrivateKey) and key.key_size in _OF_BITS:
        return _OF_BITS[key.key_size]
    if isinstance(key, EllipticCurvePrivateKey) and isinstance(key.curve, SECP256R1 | SECP384R1):
        return KeyKind.P_256 if isinstance(key.curve, SECP256R1) else KeyKind.P_384
    if isinstance(key, MLDSA65PrivateKey):
        return KeyKind.ML_DSA_65
    raise KeyKindRefused(kind="unknown")


def _public_half(name: str, key: PrivateKey) -> PublicHalf:
    kind = _kind(key)
    spki = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return PublicHalf(name, kind, spki, kind.algorithm)


def _named(plain: bytes, name: str) -> bytes:
    """The PKCS#8 with the key's name as its attribute."""
    attribute = der.seq(_FRIENDLY_NAME, der.set_of([der.tlv(der.BMP_STRING, name.encode("utf-16-be"))]))
    return der.seq(der.whole(plain).content, der.tlv(0xA0, attribute))


def _private_key(plain: bytes, name: str) -> PrivateKey:
    """The validated key of a plain PKCS#8. Raises KeyFileRefused where it says that it is another one's."""
    try:
        if any(found.raw != _named_part(name) for found in der.whole(plain).sequence() if found.tag == 0xA0):
            raise KeyFileRefused(reason="another-key")
        key = load_der_private_key(plain, None)
        _kind(key)
        public_key(key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo))
    except (NotDer, ValueError, TypeError, UnsupportedAlgorithm, PublicKeyRefused):
        raise KeyFileRefused(reason="malformed") from None  # the cause could carry what was decrypted
    return key  # type: ignore[return-value]  # _kind has just said so


def _named_part(name: str) -> bytes:
    return der.whole(_named(der.seq(), name)).content


def _read(path: Path, name: str) -> bytes:
    """The file's bytes. Raises KeyMissing, KeyFileRefused (open to others), SigningOutage."""
    try:
        with path.open("rb") as file:
            if stat.S_IMODE(os.fstat(file.fileno()).st_mode) & 0o077:
                raise KeyFileRefused(reason="open-to-others")
            return file.read(MOST_BYTES + 1)
    except FileNotFoundError:
        raise KeyMissing(name=name) from None
    except OSError:
        raise SigningOutage(reason="unreadable") from None
