"""PFX files (.pfx, .p12; RFC 7292): certificates and keys under one password, with R and every attribute kept.

Libraries read these files and lose R; here the PKCS#8 bytes come out as they went in. The MAC is verified first.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

from ingam.kernel.errors import Refusal
from ingam.npki import ber, certificate, ciphers, der, kdf, key_file
from ingam.npki.certificate import Certificate, CertificateKeyKind, CertificateMalformed
from ingam.npki.ciphers import BlockCipher
from ingam.npki.der import Element, NotDer
from ingam.npki.kdf import MOST_ITERATIONS
from ingam.npki.key_file import (
    BACKUP_ITERATIONS,
    MOST_BYTES,
    MOST_SALT,
    KeyFile,
    TooLarge,
    TooManyIterations,
    UnknownKeyVariant,
    Variant,
    WrongPassword,
)
from ingam.npki.private_key import DamagedKeyFile, KeyMismatch, PrivateKey, open_pkcs8

MOST_PARTS: Final = 32
"""Bags, and contents of the file; a personal .pfx has two or four bags."""

MOST_WORK: Final = 3 * MOST_ITERATIONS
"""Iterations of all derivations of one file together."""

_DATA: Final = der.oid("1.2.840.113549.1.7.1")
_ENCRYPTED_DATA: Final = der.oid("1.2.840.113549.1.7.6")
_KEY_BAG: Final = der.oid("1.2.840.113549.1.12.10.1.1")
_SHROUDED_BAG: Final = der.oid("1.2.840.113549.1.12.10.1.2")
_CERT_BAG: Final = der.oid("1.2.840.113549.1.12.10.1.3")
_X509: Final = der.oid("1.2.840.113549.1.9.22.1")
_LOCAL_KEY_ID: Final = der.oid("1.2.840.113549.1.9.21")
_TRIPLE_DES: Final = "1.2.840.113549.1.12.1.3"

_HASHES: Final = {
    der.oid("1.3.14.3.2.26"): "sha1",
    der.oid("2.16.840.1.101.3.4.2.1"): "sha256",
    der.oid("2.16.840.1.101.3.4.2.2"): "sha384",
    der.oid("2.16.840.1.101.3.4.2.3"): "sha512",
}
# OID → cipher and bytes of key that are derived (RFC 7292 appendix C); two-key 3DES repeats its first key.
_PBES: Final = {
    der.oid(_TRIPLE_DES): (BlockCipher.TRIPLE_DES, 24),
    der.oid("1.2.840.113549.1.12.1.4"): (BlockCipher.TRIPLE_DES, 16),
    der.oid("1.2.840.113549.1.12.1.5"): (BlockCipher.RC2_128, 16),
    der.oid("1.2.840.113549.1.12.1.6"): (BlockCipher.RC2_40, 5),
}


class DamagedPfx(Refusal):
    """The file is cut, altered or no PFX; `where` says which part."""

    code = "pfx-damaged"


class UnprotectedPfx(Refusal):
    """The file has no MAC, or no password under its MAC: nobody vouches for its certificates."""

    code = "pfx-unprotected"


class EmptyPfx(Refusal):
    """The file holds no private key."""

    code = "pfx-without-key"


@dataclass(frozen=True, slots=True)
class BagKey:
    """An opened key of a PFX and the localKeyId of its bag."""

    key: PrivateKey
    local_key_id: bytes | None


@dataclass(frozen=True, slots=True)
class Pair:
    """A certificate (DER) and its own private key."""

    certificate: bytes = field(repr=False)
    key: PrivateKey


@dataclass(frozen=True, slots=True)
class Pfx:
    """What a PFX holds, in the order of the file: certificates (DER) of the person and perhaps of authorities."""

    certificates: tuple[bytes, ...] = field(repr=False)
    keys: tuple[BagKey, ...]

    @property
    def key(self) -> PrivateKey:
        """The key of the signing pair, else the first one."""
        found = self.pairs()
        return found[0].key if found else self.keys[0].key

    def pairs(self) -> list[Pair]:
        """Every key with its certificate, found by the public key; pairs for signing come first (km after sign)."""
        found = [
            (usage, Pair(one, bag.key))
            for bag in self.keys
            for one in self.certificates
            if (usage := _usage(one, bag.key)) is not None
        ]
        return [pair for _, pair in sorted(found, key=lambda each: each[0])]

    def require_pair(self) -> Pair:
        """The signing pair. Raises KeyMismatch where no certificate belongs to a key."""
        found = self.pairs()
        if not found:
            raise KeyMismatch
        return found[0]


def open_pfx(data: bytes, password: bytes) -> Pfx:
    """Opens a PFX; DER, and BER as Korean and foreign programs write it.

    Raises TooLarge, TooManyIterations, DamagedPfx, UnprotectedPfx, WrongPassword, UnknownKeyVariant, EmptyPfx, and what
    `private_key.open_pkcs8` raises.
    """
    if len(data) > MOST_BYTES:
        raise TooLarge(bytes=len(data), most=MOST_BYTES)
    try:
        return _Opening(password).open(data)
    except NotDer:
        raise DamagedPfx(where="structure") from None


def looks_like_pfx(data: bytes) -> bool:
    """Whether the bytes begin as a PFX does, with version 3; a key file or a certificate does not."""
    return data[:1] == b"\x30" and b"\x02\x01\x03" in data[2:9]


def write_pfx(
    pairs: Sequence[tuple[bytes, bytes]],
    password: bytes,
    *,
    others: Sequence[bytes] = (),
    for_backup: bool = False,
    random: Callable[[int], bytes] = secrets.token_bytes,
) -> bytes:
    """A PFX of (certificate DER, plain PKCS#8) pairs, the signing pair first, and of further certificates.

    The default has the shape that Korean tools write and read: certificates in clear, keys under 3DES with SHA-1 and
    2048 rounds, HMAC-SHA1 (npki.md section 4.1). `for_backup`: keys under PBES2 AES-256 and the MAC under SHA-256, with
    600,000 rounds each, because the weaker of the two is where a password would be searched (security B16).
    """
    bags: list[bytes] = []
    for cert, pkcs8 in pairs:
        identifier = _identifier(cert)
        shrouded = _shroud(pkcs8, password, for_backup=for_backup, random=random)
        bags += [_cert_bag(cert, identifier), _bag(_SHROUDED_BAG, shrouded, identifier)]
    bags += [_cert_bag(cert, None) for cert in others]
    safe = der.seq(_content(der.seq(*bags)))
    name, oid, rounds = ("sha256", "2.16.840.1.101.3.4.2.1", BACKUP_ITERATIONS) if for_backup else _INTEROPERABLE
    salt = random(8)
    mac = _mac(name, password, salt, rounds, safe)
    digest = der.seq(der.algorithm(oid), der.octets(mac))
    return der.seq(der.integer(3), _content(safe), der.seq(digest, der.octets(salt), der.integer(rounds)))


_INTEROPERABLE: Final = ("sha1", "1.3.14.3.2.26", 2048)


class _Opening:
    """One opening of one file: the password in its two encodings, and the work that is left."""

    def __init__(self, password: bytes) -> None:
        self.password = password
        self.wide = kdf.pkcs12_password(password)
        self.left = MOST_WORK
        self.parts = 0

    def open(self, data: bytes) -> Pfx:
        version, content, *mac = _read(data).at_least(2)
        if version.integer() != 3 or len(mac) > 1:
            raise NotDer(expected="version 3")
        if not mac:
            raise UnprotectedPfx
        safe = _data(content)
        if not self.vouched(mac[0], safe):
            raise self.why_not(safe)
        return self.contents(safe)

    def vouched(self, mac: Element, safe: bytes) -> bool:
        """MacData (RFC 7292 section 4): the HMAC over the content octets of authSafe."""
        digest, salt, *rounds = mac.at_least(2)
        algorithm, octets = digest.exactly(2)
        identifier, *_ = algorithm.at_least(1)
        name = _HASHES.get(identifier.expect(der.OID).raw)
        if name is None:
            raise UnknownKeyVariant(oid=identifier.oid())
        count = self.spend(rounds[0]) if rounds else 1
        found = _mac(name, self.password, _salt(salt), count, safe)
        return hmac.compare_digest(found, octets.expect(der.OCTET_STRING).content)

    def why_not(self, safe: bytes) -> Refusal:
        """A wrong password, or a file altered under the right one: then its key still opens."""
        try:
            self.contents(safe)
        except (NotDer, WrongPassword, UnknownKeyVariant, EmptyPfx):
            return WrongPassword()
        except (DamagedKeyFile, DamagedPfx):
            pass
        return DamagedPfx(where="mac")

    def contents(self, safe: bytes) -> Pfx:
        certificates: list[bytes] = []
        keys: list[BagKey] = []
        for info in self.counted(_read(safe).sequence()):
            for bag in self.counted(_read(self.safe_contents(info)).sequence()):
                self.take(bag, certificates, keys)
        if not keys:
            raise EmptyPfx
        return Pfx(tuple(certificates), tuple(keys))

    def counted(self, parts: list[Element]) -> list[Element]:
        self.parts += len(parts)
        if self.parts > MOST_PARTS:
            raise DamagedPfx(where="too-many-parts")
        return parts

    def safe_contents(self, info: Element) -> bytes:
        """The SafeContents of a ContentInfo: plain data, or encrypted under the password."""
        kind, _ = info.exactly(2)
        if kind.raw == _DATA:
            return _data(info)
        if kind.raw != _ENCRYPTED_DATA:
            raise UnknownKeyVariant(oid=kind.oid())
        _, encrypted = info.exactly(2)[1].explicit(0).at_least(2)
        inner, algorithm, sealed = encrypted.exactly(3)
        if inner.raw != _DATA:
            raise NotDer(expected="data")
        return self.decrypt(algorithm, _implicit_octets(sealed))

    def take(self, bag: Element, certificates: list[bytes], keys: list[BagKey]) -> None:
        """A SafeBag; kinds that say nothing to us (CRLs, secrets) are passed over."""
        kind, value, *attributes = bag.at_least(2)
        inside = value.explicit(0)
        if kind.raw == _CERT_BAG:
            form, cert = inside.exactly(2)
            if form.raw == _X509:
                certificates.append(cert.explicit(0).expect(der.OCTET_STRING).content)
        elif kind.raw == _KEY_BAG:
            keys.append(BagKey(open_pkcs8(inside.raw), _local_key_id(attributes)))
        elif kind.raw == _SHROUDED_BAG:
            algorithm, sealed = inside.exactly(2)
            pkcs8 = self.decrypt(algorithm, sealed.expect(der.OCTET_STRING).content)
            keys.append(BagKey(open_pkcs8(pkcs8), _local_key_id(attributes)))

    def decrypt(self, algorithm: Element, sealed: bytes) -> bytes:
        """What an AlgorithmIdentifier of RFC 7292 appendix C or of a key file seals. Raises WrongPassword."""
        identifier, parameters = algorithm.exactly(2)
        if identifier.expect(der.OID).raw not in _PBES:
            return self.decrypt_as_key_file(der.seq(algorithm.raw, der.octets(sealed)))
        cipher, size = _PBES[identifier.raw]
        salt, rounds = parameters.exactly(2)
        block = ciphers.BLOCK_SIZE[cipher]
        if not sealed or len(sealed) % block:
            raise DamagedPfx(where="ciphertext")
        octets, count = _salt(salt), self.spend(rounds)
        key = kdf.pkcs12("sha1", kdf.PKCS12_KEY, self.wide, octets, count, size)
        iv = kdf.pkcs12("sha1", kdf.PKCS12_IV, self.wide, octets, count, block)
        padded = ciphers.decrypt_blocks(cipher, (key + key)[: ciphers.KEY_SIZE[cipher]], iv, sealed)
        return key_file.unwrapped(padded, block)

    def decrypt_as_key_file(self, data: bytes) -> bytes:
        """PBES2 and the SEED forms: the same as in a key file."""
        file: KeyFile = key_file.describe(data)
        self.charge(file.iterations)
        return key_file.decrypt(file, self.password)

    def spend(self, rounds: Element) -> int:
        """An iteration count, bounded by itself and by the work of the whole file."""
        count = key_file.bounded_iterations(rounds)
        self.charge(count)
        return count

    def charge(self, count: int) -> None:
        self.left -= count
        if self.left < 0:
            raise TooManyIterations(most=MOST_WORK)


def _read(data: bytes) -> Element:
    try:
        return der.whole(data)
    except NotDer:
        return der.whole(ber.to_der(data))


def _data(info: Element) -> bytes:
    """The octets of a ContentInfo of type data."""
    kind, content = info.exactly(2)
    if kind.expect(der.OID).raw != _DATA:
        # A signature stands in place of a password (public-key integrity mode): nobody here could verify it.
        raise UnprotectedPfx
    return content.explicit(0).expect(der.OCTET_STRING).content


def _implicit_octets(sealed: Element) -> bytes:
    """`[0] IMPLICIT OCTET STRING`, whole or in pieces."""
    if sealed.tag == 0xA0:
        return b"".join(piece.expect(der.OCTET_STRING).content for piece in sealed.children())
    return sealed.expect(0x80).content


def _salt(salt: Element) -> bytes:
    content = salt.expect(der.OCTET_STRING).content
    if len(content) > MOST_SALT:
        raise NotDer(expected="a salt", found=len(content))
    return content


def _local_key_id(attributes: list[Element]) -> bytes | None:
    for attribute in attributes[0].children() if attributes else ():
        kind, values = attribute.exactly(2)
        if kind.raw == _LOCAL_KEY_ID:
            (value,) = values.exactly(1, der.SET)
            return value.expect(der.OCTET_STRING).content
    return None


def _mac(name: str, password: bytes, salt: bytes, rounds: int, safe: bytes) -> bytes:
    size = hashlib.new(name).digest_size
    key = kdf.pkcs12(name, kdf.PKCS12_MAC, kdf.pkcs12_password(password), salt, rounds, size)
    return hmac.new(key, safe, name).digest()


def _usage(cert: bytes, key: PrivateKey) -> int | None:
    """0 for a signing pair, 1 for another pair, None where they do not belong together or it is no certificate."""
    try:
        parsed: Certificate = certificate.parse(cert)
        public = parsed.public_key
        signs = parsed.key_usage is None or "digitalSignature" in parsed.key_usage
    except (CertificateMalformed, CertificateKeyKind):
        return None
    return (0 if signs else 1) if key.matches(public.n, public.e) else None


def _identifier(cert: bytes) -> bytes:
    """localKeyId as Korean tools choose it: the subject key identifier; else the SHA-1 of the certificate."""
    return certificate.parse(cert).ski or hashlib.sha1(cert, usedforsecurity=False).digest()


def _content(octets: bytes) -> bytes:
    return der.seq(_DATA, der.explicit(0, der.octets(octets)))


def _cert_bag(cert: bytes, identifier: bytes | None) -> bytes:
    return _bag(_CERT_BAG, der.seq(_X509, der.explicit(0, der.octets(cert))), identifier)


def _bag(kind: bytes, value: bytes, identifier: bytes | None) -> bytes:
    if identifier is None:
        return der.seq(kind, der.explicit(0, value))
    attribute = der.seq(_LOCAL_KEY_ID, der.set_of([der.octets(identifier)]))
    return der.seq(kind, der.explicit(0, value), der.set_of([attribute]))


def _shroud(pkcs8: bytes, password: bytes, *, for_backup: bool, random: Callable[[int], bytes]) -> bytes:
    """EncryptedPrivateKeyInfo for the bag."""
    if for_backup:
        backup = Variant.PBES2_AES_256
        return key_file.seal_key(pkcs8, password, backup, iterations=BACKUP_ITERATIONS, random=random)
    rounds, wide, salt = _INTEROPERABLE[2], kdf.pkcs12_password(password), random(8)
    key = kdf.pkcs12("sha1", kdf.PKCS12_KEY, wide, salt, rounds, 24)
    iv = kdf.pkcs12("sha1", kdf.PKCS12_IV, wide, salt, rounds, 8)
    algorithm = der.algorithm(_TRIPLE_DES, der.seq(der.octets(salt), der.integer(rounds)))
    return der.seq(algorithm, der.octets(ciphers.encrypt(BlockCipher.TRIPLE_DES, key, iv, pkcs8)))
