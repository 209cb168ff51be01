"""Private-key files (signPri.key, kmPri.key): DER EncryptedPrivateKeyInfo in every variant of npki.md section 1.

What is opened, copied or gets a new password are the plain PKCS#8 *bytes*; nothing is taken apart and written again,
so that R and every other attribute survive.

    describe   what the file says of itself, without a password
    open_key   the key, or the one reason why not
    seal_key   bytes of a new file
    change_password   the same bytes under another password
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from ingam.kernel.errors import Refusal
from ingam.npki import ciphers, der, kdf
from ingam.npki.ciphers import BadPadding, BlockCipher
from ingam.npki.der import Element, NotDer
from ingam.npki.kdf import MOST_ITERATIONS, Prf
from ingam.npki.private_key import RANDOM_NUMBER, DamagedKeyFile, PrivateKey, open_pkcs8

MOST_BYTES: Final = 64 * 1024
"""Bytes of a key file; real ones have about 1,300 (security B14)."""

MOST_SALT: Final = 64
BACKUP_ITERATIONS: Final = 600_000
"""Of the form "for backup" (security B16)."""

_PBE_SEED: Final = der.oid("1.2.410.200004.1.15")
_SEED_CBC: Final = der.oid("1.2.410.200004.1.4")
_PBES2: Final = der.oid("1.2.840.113549.1.5.13")
_PBKDF2: Final = der.oid("1.2.840.113549.1.5.12")
_FIXED_IV: Final = b"0123456789012345"

_PRFS: Final = {der.oid("1.2.840.113549.2.7"): Prf.SHA1, der.oid("1.2.840.113549.2.9"): Prf.SHA256}


class WrongPassword(Refusal):
    """The file is whole, and this password does not open it."""

    code = "wrong-password"


class UnknownKeyVariant(Refusal):
    """A well-formed key file under an algorithm that this house does not know; `oid` names it."""

    code = "key-variant-unknown"


class TooManyIterations(Refusal):
    """The file asks for more rounds than the bound; nothing was computed."""

    code = "key-iterations"


class TooLarge(Refusal):
    """More bytes than any key file has; nothing was parsed."""

    code = "key-too-large"


class Variant(StrEnum):
    """How a key file is encrypted (npki.md section 1, in the order of its table)."""

    PBE_SHA1_SEED = "pbe-sha1-seed"
    SEED_CBC_SHA1 = "seed-cbc-sha1"
    PBES2_SEED = "pbes2-seed"
    PBES2_AES_256 = "pbes2-aes-256"
    PBES2_ARIA_128 = "pbes2-aria-128"
    PBES2_ARIA_192 = "pbes2-aria-192"
    PBES2_ARIA_256 = "pbes2-aria-256"


_SCHEMES: Final = {
    Variant.PBES2_SEED: (_SEED_CBC, BlockCipher.SEED),
    Variant.PBES2_AES_256: (der.oid("2.16.840.1.101.3.4.1.42"), BlockCipher.AES_256),
    Variant.PBES2_ARIA_128: (der.oid("1.2.410.200046.1.1.2"), BlockCipher.ARIA_128),
    Variant.PBES2_ARIA_192: (der.oid("1.2.410.200046.1.1.7"), BlockCipher.ARIA_192),
    Variant.PBES2_ARIA_256: (der.oid("1.2.410.200046.1.1.12"), BlockCipher.ARIA_256),
}
_BY_OID: Final = {oid: (variant, cipher) for variant, (oid, cipher) in _SCHEMES.items()}


@dataclass(frozen=True, slots=True)
class KeyFile:
    """What a key file says without its password. `prf` is None where PBKDF1 makes the key; `iv` where it is derived."""

    variant: Variant
    prf: Prf | None
    iterations: int
    salt: bytes
    iv: bytes | None
    sealed: bytes = field(repr=False)

    @property
    def cipher(self) -> BlockCipher:
        """The block cipher; all of them have blocks of 16 bytes."""
        return _SCHEMES[self.variant][1] if self.variant in _SCHEMES else BlockCipher.SEED


def describe(data: bytes) -> KeyFile:
    """The parameters of an EncryptedPrivateKeyInfo (RFC 5958 section 3).

    Raises TooLarge, DamagedKeyFile, UnknownKeyVariant, TooManyIterations; nothing is computed.
    """
    if len(data) > MOST_BYTES:
        raise TooLarge(bytes=len(data), most=MOST_BYTES)
    try:
        algorithm, sealed = der.whole(data).exactly(2)
        content = sealed.expect(der.OCTET_STRING).content
        found = _scheme(algorithm, content)
    except NotDer:
        raise DamagedKeyFile(where="structure") from None
    if not content or len(content) % 16:
        raise DamagedKeyFile(where="ciphertext")
    return found


def open_key(data: bytes, password: bytes) -> PrivateKey:
    """The opened key of a file.

    Raises what `describe` raises, WrongPassword, DamagedKeyFile, or UnsuitableKey. A password is tried as it is: old
    certificates have short ones, and no byte of it is trimmed or normalised.
    """
    return open_pkcs8(decrypt(describe(data), password))


def decrypt(file: KeyFile, password: bytes) -> bytes:
    """The plain PKCS#8 bytes. Raises WrongPassword or DamagedKeyFile; what is inside is not looked at further."""
    key, iv = _key_and_iv(file, password)
    return unwrapped(ciphers.decrypt_blocks(file.cipher, key, iv, file.sealed), 16)


def unwrapped(padded: bytes, block: int) -> bytes:
    """The one DER SEQUENCE that decrypted blocks hold, without padding. Raises WrongPassword or DamagedKeyFile."""
    try:
        plain = ciphers.unpad(padded, block)
        der.whole(plain).expect(der.SEQUENCE)
    except (BadPadding, NotDer):
        raise _why_unreadable(padded) from None
    return plain


def seal_key(
    pkcs8: bytes,
    password: bytes,
    variant: Variant = Variant.PBES2_SEED,
    *,
    iterations: int = 2048,
    prf: Prf | None = None,
    random: Callable[[int], bytes] = secrets.token_bytes,
) -> bytes:
    """A key file of these very bytes; the default is what every agent in Korea reads (security B16).

    `prf` is for PBES2 only: HMAC-SHA1 with SEED unless told otherwise, HMAC-SHA256 with the others. `random(n)` gives
    n bytes: 8 of salt (16 with AES and ARIA), then 16 of IV for PBES2. The key inside is not looked at; the password
    is not judged (`cert_password` does that).
    """
    if not 1 <= iterations <= MOST_ITERATIONS:
        raise TooManyIterations(most=MOST_ITERATIONS)
    if variant not in _SCHEMES:
        salt, used, iv = random(8), None, _FIXED_IV if variant is Variant.SEED_CBC_SHA1 else None
    else:
        seed = variant is Variant.PBES2_SEED
        salt, used, iv = random(8 if seed else 16), prf or (Prf.SHA1 if seed else Prf.SHA256), random(16)
    file = KeyFile(variant, used, iterations, salt, iv, b"")
    key, iv = _key_and_iv(file, password)
    sealed = ciphers.encrypt(file.cipher, key, iv, pkcs8)
    return der.seq(_algorithm(file), der.octets(sealed))


def change_password(
    data: bytes,
    old: bytes,
    new: bytes,
    *,
    variant: Variant | None = None,
    iterations: int | None = None,
    prf: Prf | None = None,
    random: Callable[[int], bytes] = secrets.token_bytes,
) -> bytes:
    """The same PKCS#8 bytes under a new password, in the same variant with at least 2048 rounds unless told otherwise.

    The certificate stays as it is and no authority is asked. Raises what `open_key` raises.
    """
    file = describe(data)
    pkcs8 = decrypt(file, old)
    open_pkcs8(pkcs8)
    kept = variant in (None, file.variant)
    return seal_key(
        pkcs8,
        new,
        variant or file.variant,
        iterations=iterations or max(file.iterations, 2048),
        prf=prf or (file.prf if kept else None),
        random=random,
    )


def _scheme(algorithm: Element, sealed: bytes) -> KeyFile:
    identifier, parameters = algorithm.exactly(2)
    oid = identifier.expect(der.OID).raw
    if oid == _PBES2:
        return _pbes2(parameters, sealed)
    if oid == _PBE_SEED:
        return KeyFile(Variant.PBE_SHA1_SEED, None, *_salt_and_rounds(parameters), None, sealed)
    # The same OID means PBES1-style encryption here, and the bare cipher inside PBES2: the parameters tell (npki.md 1).
    if oid == _SEED_CBC and parameters.tag == der.SEQUENCE:
        return KeyFile(Variant.SEED_CBC_SHA1, None, *_salt_and_rounds(parameters), _FIXED_IV, sealed)
    raise UnknownKeyVariant(oid=identifier.oid())


def _salt_and_rounds(parameters: Element) -> tuple[int, bytes]:
    salt, iterations = parameters.exactly(2)
    return bounded_iterations(iterations), _salt(salt)


def _pbes2(parameters: Element, sealed: bytes) -> KeyFile:
    """PBES2-params with PBKDF2 (RFC 8018 appendix A.2 and A.4)."""
    derivation, encryption = parameters.exactly(2)
    function, settings = derivation.exactly(2)
    scheme, iv = encryption.exactly(2)
    if function.expect(der.OID).raw != _PBKDF2:
        raise UnknownKeyVariant(oid=function.oid())
    if scheme.expect(der.OID).raw not in _BY_OID:
        raise UnknownKeyVariant(oid=scheme.oid())
    variant, cipher = _BY_OID[scheme.raw]
    salt, iterations, *optional = settings.at_least(2)
    prf = _prf(optional, ciphers.KEY_SIZE[cipher])
    if len(iv.expect(der.OCTET_STRING).content) != 16:
        raise NotDer(expected="an IV of 16 bytes")
    return KeyFile(variant, prf, bounded_iterations(iterations), _salt(salt), iv.content, sealed)


def _prf(optional: list[Element], key_size: int) -> Prf:
    """The optional keyLength and prf of PBKDF2-params; prf absent means HMAC-SHA1."""
    if optional and optional[0].tag == der.INTEGER:
        if optional[0].integer() != key_size:
            raise NotDer(expected=f"keyLength {key_size}")
        optional = optional[1:]
    if not optional:
        return Prf.SHA1
    if len(optional) > 1:
        raise NotDer(expected="nothing behind prf")
    identifier, *_ = optional[0].at_least(1)
    if identifier.expect(der.OID).raw not in _PRFS:
        raise UnknownKeyVariant(oid=identifier.oid())
    return _PRFS[identifier.raw]


def _salt(salt: Element) -> bytes:
    content = salt.expect(der.OCTET_STRING).content
    if not 1 <= len(content) <= MOST_SALT:
        raise NotDer(expected="a salt", found=len(content))
    return content


def bounded_iterations(iterations: Element) -> int:
    """An iteration count within 1 to MOST_ITERATIONS. Raises TooManyIterations, or NotDer where it is not positive."""
    # Five octets already exceed the bound: refused by length, before a number of 60 KB is made.
    if len(iterations.expect(der.INTEGER).content) > 4:
        raise TooManyIterations(most=MOST_ITERATIONS)
    count = iterations.integer()
    if count < 1:
        raise NotDer(expected="a positive count", found=count)
    if count > MOST_ITERATIONS:
        raise TooManyIterations(most=MOST_ITERATIONS)
    return count


def _key_and_iv(file: KeyFile, password: bytes) -> tuple[bytes, bytes]:
    if file.prf is not None:
        size = ciphers.KEY_SIZE[file.cipher]
        return kdf.pbkdf2(file.prf, password, file.salt, file.iterations, size), file.iv or b""
    derived = kdf.pbkdf1_sha1(password, file.salt, file.iterations)
    return derived[:16], file.iv or hashlib.sha1(derived[16:], usedforsecurity=False).digest()[:16]


def _algorithm(file: KeyFile) -> bytes:
    if file.prf is None:
        oid = _SEED_CBC if file.variant is Variant.SEED_CBC_SHA1 else _PBE_SEED
        return der.seq(oid, der.seq(der.octets(file.salt), der.integer(file.iterations)))
    # A default is left out in DER, and agents of the SHA-1 age know no prf at all (X.690 section 11.5).
    prf = b"" if file.prf is Prf.SHA1 else der.algorithm("1.2.840.113549.2.9")
    derivation = der.seq(_PBKDF2, der.seq(der.octets(file.salt), der.integer(file.iterations), prf))
    return der.seq(_PBES2, der.seq(derivation, der.seq(_SCHEMES[file.variant][0], der.octets(file.iv or b""))))


# Seven and more bytes that another key gives by chance once in 2^50 tries or less.
_SIGNS: Final = (
    RANDOM_NUMBER,
    bytes.fromhex("2a864886f70d010101") + der.null,
    der.integer(65537) + bytes.fromhex("0282"),
)


def _why_unreadable(padded: bytes) -> Refusal:
    """Wrong password, or a damaged file under the right one: then what CBC leaves intact still reads like a key.

    A flipped byte spoils one block and a byte of the next; with the right key the rest is the person's PKCS#8.
    """
    header = padded[:2] == b"\x30\x82" and padded[4:8] == b"\x02\x01\x00\x30"
    if header or any(sign in padded for sign in _SIGNS):
        return DamagedKeyFile(where="content")
    return WrongPassword()
