"""PKIProtection (RFC 9810 §5.1.3, RFC 9481 §6): PasswordBasedMac, PBMAC1, signatures; made and verified.

A MAC's parameters come in an unprotected header: they are bounded before anything is computed (security D8), and
everything is compared in constant time. The DES-MAC of the NPKI profile is a twin of its own in `des_mac`.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable
from enum import StrEnum
from typing import Final, NamedTuple

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.pbkdf2 import PBKDF2HMAC

from ingam.kernel.secret import Secret
from ingam.npki import der, libcrypto, scan, signature
from ingam.npki.signature import PublicKey
from ingam.protocols.cmp import reading
from ingam.protocols.cmp.message import PKIMessage, UnverifiedMessage
from ingam.protocols.cmp.status import CmpRefused, FailInfo

MOST_PBM_ITERATIONS: Final = 100_000
MOST_PBKDF2_ITERATIONS: Final = 1_000_000
MOST_SALT: Final = 64
KEY_LENGTHS: Final = range(16, 129)
"""Octets of a key that PBMAC1 derives."""

PASSWORD_BASED_MAC: Final = "1.2.840.113533.7.66.13"
PBMAC1: Final = "1.2.840.113549.1.5.14"
PBKDF2: Final = "1.2.840.113549.1.5.12"
DES_MAC: Final = "1.3.14.3.2.10"

_PASSWORD_BASED_MAC: Final = der.oid(PASSWORD_BASED_MAC)
_PBMAC1: Final = der.oid(PBMAC1)
# BouncyCastle (1.72) writes PBES2 where PBKDF2 belongs; the parameters behind it are PBKDF2's, and read as such.
_PBKDF2: Final = (der.oid(PBKDF2), der.oid("1.2.840.113549.1.5.13"))
_HASH_OIDS: Final = {
    "sha1": "1.3.14.3.2.26",
    "sha224": "2.16.840.1.101.3.4.2.4",
    "sha256": "2.16.840.1.101.3.4.2.1",
    "sha384": "2.16.840.1.101.3.4.2.2",
    "sha512": "2.16.840.1.101.3.4.2.3",
}
_PRFS: Final = {
    "sha1": hashes.SHA1(),  # noqa: S303  (HMAC-SHA1 is the default of RFC 8018, and not broken)
    "sha224": hashes.SHA224(),
    "sha256": hashes.SHA256(),
    "sha384": hashes.SHA384(),
    "sha512": hashes.SHA512(),
}
_HMAC_OIDS: Final = {
    "sha1": "1.2.840.113549.2.7",
    "sha224": "1.2.840.113549.2.8",
    "sha256": "1.2.840.113549.2.9",
    "sha384": "1.2.840.113549.2.10",
    "sha512": "1.2.840.113549.2.11",
}


def _identifiers(oids: dict[str, str]) -> dict[bytes, str]:
    """Contents of AlgorithmIdentifiers without and with NULL: senders do either (RFC 9481 §2)."""
    return {der.oid(oid) + end: name for name, oid in oids.items() for end in (b"", der.null)}


_HASHES: Final = _identifiers(_HASH_OIDS)
# RFC 4210 names HMAC-SHA1 by an identifier of its own besides PKCS #5's.
_HMACS: Final = _identifiers(_HMAC_OIDS) | _identifiers({"sha1": "1.3.6.1.5.5.8.1.2"})


# RSA's identifiers without their NULL, which readers must take (RFC 8017 appendix A.2.4) and openssl cmp writes.
_WITHOUT_NULL: Final = {
    der.algorithm(oid, b""): der.algorithm(oid)
    for oid in ("1.2.840.113549.1.1.11", "1.2.840.113549.1.1.12", "1.2.840.113549.1.1.13")
}


class MacKind(StrEnum):
    """How a shared secret becomes a key."""

    PASSWORD_BASED_MAC = "password-based-mac"
    PBMAC1 = "pbmac1"


class MacParameters(NamedTuple):
    """A MAC's parameters, within their bounds. `algorithm`: the DER AlgorithmIdentifier that says them.

    `hash` derives the key (owf, or PBKDF2's prf), `mac` is the HMAC's; names of hashlib. `key_length`: octets.
    """

    kind: MacKind
    salt: bytes
    iterations: int
    hash: str
    mac: str
    key_length: int
    algorithm: bytes


def password_based_mac(salt: bytes, *, iterations: int = 1000, hash: str = "sha256", mac: str = "sha256") -> bytes:
    """AlgorithmIdentifier of a PasswordBasedMac (RFC 9810 §5.1.3.1); `salt` 16 random bytes."""
    parameter = der.seq(
        der.octets(salt),
        der.algorithm(_HASH_OIDS[hash]),
        der.integer(iterations),
        der.algorithm(_HMAC_OIDS[mac]),
    )
    return der.algorithm(PASSWORD_BASED_MAC, parameter)


def pbmac1(salt: bytes, *, iterations: int = 10_000, hash: str = "sha256", mac: str = "sha256") -> bytes:
    """AlgorithmIdentifier of a PBMAC1 over PBKDF2 and HMAC (RFC 9481 §6.1.2, RFC 8018); `salt` 16 random bytes."""
    size = hashlib.new(mac).digest_size
    parameters = der.seq(der.octets(salt), der.integer(iterations), der.integer(size), der.algorithm(_HMAC_OIDS[hash]))
    return der.algorithm(PBMAC1, der.seq(der.algorithm(PBKDF2, parameters), der.algorithm(_HMAC_OIDS[mac])))


def is_mac(algorithm: bytes) -> bool:
    """Whether a protectionAlg is a password-based MAC; another is a signature, or nothing known here."""
    return _PASSWORD_BASED_MAC in algorithm[:16] or _PBMAC1 in algorithm[:16]


def mac_parameters(algorithm: bytes) -> MacParameters:
    """The parameters in a protectionAlg. Nothing is computed here (security D8).

    Raises CmpRefused: cmp-protection-algorithm (badAlg: not such a MAC, unknown hashes), cmp-protection-cost (badAlg:
    over the bounds of iterations, salt and key length), cmp-malformed.
    """
    return _mac_parameters(algorithm)


@reading.strict
def _mac_parameters(algorithm: bytes) -> MacParameters:
    at, limit = scan.whole(algorithm, der.SEQUENCE)
    _, oid_end = scan.inside(algorithm, at, limit, der.OID)
    oid = algorithm[at:oid_end]
    if oid not in (_PASSWORD_BASED_MAC, _PBMAC1):
        raise _unknown()
    body, end = reading.only(algorithm, oid_end, limit, der.SEQUENCE)
    read = _pbm if oid == _PASSWORD_BASED_MAC else _pbmac1
    return read(algorithm, body, end)


def _pbm(data: bytes, at: int, limit: int) -> MacParameters:
    salt, at = scan.inside(data, at, limit, der.OCTET_STRING)
    owf, owf_end = scan.inside(data, at, limit, der.SEQUENCE)
    iterations, mac_start = scan.integer(data, owf_end, limit)
    mac, mac_end = reading.only(data, mac_start, limit, der.SEQUENCE)
    hash_name, mac_name = _HASHES.get(data[owf:owf_end]), _HMACS.get(data[mac:mac_end])
    if hash_name is None or mac_name is None:
        raise _unknown()
    _within(at - salt, iterations, MOST_PBM_ITERATIONS)
    size = hashlib.new(hash_name).digest_size
    return MacParameters(MacKind.PASSWORD_BASED_MAC, data[salt:at], iterations, hash_name, mac_name, size, data)


def _pbmac1(data: bytes, at: int, limit: int) -> MacParameters:
    function, function_end = scan.inside(data, at, limit, der.SEQUENCE)
    mac, mac_end = reading.only(data, function_end, limit, der.SEQUENCE)
    mac_name = _HMACS.get(data[mac:mac_end])
    _, oid_end = scan.inside(data, function, function_end, der.OID)
    if mac_name is None or data[function:oid_end] not in _PBKDF2:
        raise _unknown()
    at, limit = reading.only(data, oid_end, function_end, der.SEQUENCE)
    salt, at = scan.inside(data, at, limit, der.OCTET_STRING)
    salt_end = at
    iterations, at = scan.integer(data, at, limit)
    key_length, prf = hashlib.new(mac_name).digest_size, "sha1"  # the default prf of RFC 8018 appendix A.2
    if at < limit and data[at] == der.INTEGER:
        key_length, at = scan.integer(data, at, limit)
    if at < limit:
        body, end = reading.only(data, at, limit, der.SEQUENCE)
        prf = _HMACS.get(data[body:end], "")
        if not prf:
            raise _unknown()
    _within(salt_end - salt, iterations, MOST_PBKDF2_ITERATIONS)
    if key_length not in KEY_LENGTHS:
        raise CmpRefused("cmp-protection-cost", FailInfo.BAD_ALG, found="key length")
    return MacParameters(MacKind.PBMAC1, data[salt:salt_end], iterations, prf, mac_name, key_length, data)


def _unknown() -> CmpRefused:
    return CmpRefused("cmp-protection-algorithm", FailInfo.BAD_ALG)


def _within(salt: int, iterations: int, most: int) -> None:
    if not 1 <= salt <= MOST_SALT:
        raise CmpRefused("cmp-protection-cost", FailInfo.BAD_ALG, found="salt")
    if not 1 <= iterations <= most:
        raise CmpRefused("cmp-protection-cost", FailInfo.BAD_ALG, found="iterations")


def derive(secret: Secret[bytes], parameters: MacParameters) -> Secret[bytes]:
    """The MAC key: RFC 9810 §5.1.3.1 step by step, or PBKDF2. Costs `parameters.iterations` hashes."""
    if parameters.kind is MacKind.PBMAC1:
        # pyca/cryptography's OpenSSL is newer than the system's, and takes half of hashlib's time.
        function = PBKDF2HMAC(_PRFS[parameters.hash], parameters.key_length, parameters.salt, parameters.iterations)
        return Secret(function.derive(secret.reveal()))
    # The iteration of RFC 9810 is PBKDF1 at the full length of the hash.
    quick = libcrypto.pbkdf1(secret.reveal(), parameters.salt, parameters.iterations, parameters.hash)
    if quick is not None:
        return Secret(quick)
    make = getattr(hashlib, parameters.hash)
    key: bytes = secret.reveal() + parameters.salt
    for _ in range(parameters.iterations):
        key = make(key).digest()
    return Secret(key)


def signature_algorithm(algorithm: bytes) -> bytes:
    """A DER AlgorithmIdentifier of a signature in the one spelling that `npki.signature` knows."""
    return _WITHOUT_NULL.get(algorithm, algorithm)


def is_signature(algorithm: bytes) -> bool:
    """Whether a protectionAlg is a signature that is verified here."""
    return signature.known(signature_algorithm(algorithm), pss=True)


class KeyCache:
    """Keys derived lately, so that a transaction derives once: the answer and the next request reuse the parameters.

    Keyed by a digest of secret and parameters; the oldest goes first. One process's memory, never stored.
    """

    def __init__(self, most: int = 256) -> None:
        self._most = most
        self._keys: dict[bytes, Secret[bytes]] = {}

    def __len__(self) -> int:
        return len(self._keys)

    def derive(self, secret: Secret[bytes], parameters: MacParameters) -> Secret[bytes]:
        """`derive`, or what it gave before."""
        name = hashlib.sha256(hashlib.sha256(secret.reveal()).digest() + parameters.algorithm).digest()
        key = self._keys.get(name)
        if key is None:
            key = derive(secret, parameters)
            while len(self._keys) >= self._most:
                self._keys.pop(next(iter(self._keys)), None)
            self._keys[name] = key
        return key


class MacProtection:
    """Protects messages with a shared secret (RFC 9810 §5.1.3.1). The key is derived at the first use, and kept.

    `algorithm`: what `password_based_mac` or `pbmac1` gave, or a request's own protectionAlg for its answer; or the
    parameters that were read from it.
    Raises CmpRefused as `mac_parameters` does.
    """

    def __init__(self, secret: Secret[bytes], algorithm: bytes | MacParameters, cache: KeyCache | None = None) -> None:
        self.parameters = algorithm if isinstance(algorithm, MacParameters) else mac_parameters(algorithm)
        self._secret, self._cache = secret, cache
        self._key: Secret[bytes] | None = None

    @property
    def algorithm(self) -> bytes:
        """DER AlgorithmIdentifier."""
        return self.parameters.algorithm

    def protect(self, part: bytes) -> bytes:
        """The MAC over a ProtectedPart."""
        if self._key is None:
            make = derive if self._cache is None else self._cache.derive
            self._key = make(self._secret, self.parameters)
        return hmac.digest(self._key.reveal(), part, self.parameters.mac)

    def matches(self, part: bytes, mac: bytes) -> bool:
        """Whether `mac` is the secret's over `part`, in constant time."""
        return hmac.compare_digest(self.protect(part), mac)


class SignatureProtection:
    """Protects messages with a signing key. `algorithm`: DER AlgorithmIdentifier; `sign`: message → signature."""

    def __init__(self, algorithm: bytes, sign: Callable[[bytes], bytes]) -> None:
        self.algorithm = algorithm
        self.protect = sign


def protection_alg(message: UnverifiedMessage) -> bytes:
    """The DER AlgorithmIdentifier of a protected message.

    Raises CmpRefused (cmp-unprotected, badMessageCheck) where protection or protectionAlg is missing.
    """
    algorithm = message.header.protection_alg
    if algorithm is None or message.protection is None:
        raise CmpRefused("cmp-unprotected", FailInfo.BAD_MESSAGE_CHECK)
    return algorithm


def verify_mac(
    message: UnverifiedMessage, secret: Secret[bytes], cache: KeyCache | None = None,
    parameters: MacParameters | None = None,
) -> PKIMessage:  # fmt: skip
    """The message, if its MAC is the secret's. `parameters`: of its protectionAlg, where they were read already.

    Raises CmpRefused: cmp-unprotected, cmp-protection-wrong (badMessageCheck), and as `mac_parameters` does.
    """
    proof = MacProtection(secret, parameters or protection_alg(message), cache)
    if not proof.matches(message.protected, message.protection or b""):
        raise CmpRefused("cmp-protection-wrong", FailInfo.BAD_MESSAGE_CHECK)
    return verified(message)


def verify_signature(message: UnverifiedMessage, key: PublicKey) -> PKIMessage:
    """The message, if its signature is the key's; whose key it is and who may sign is the caller's to know.

    Raises CmpRefused: cmp-unprotected, cmp-protection-wrong (badMessageCheck), cmp-protection-algorithm (badAlg).
    """
    algorithm = protection_alg(message)
    try:
        signature.verify(key, signature_algorithm(algorithm), message.protection or b"", message.protected, pss=True)
    except signature.SignatureAlgorithmRefused:
        if not is_signature(algorithm):
            raise _unknown() from None
        raise CmpRefused("cmp-protection-wrong", FailInfo.BAD_MESSAGE_CHECK) from None  # of another kind of key
    except signature.SignatureInvalid:
        raise CmpRefused("cmp-protection-wrong", FailInfo.BAD_MESSAGE_CHECK) from None
    return verified(message)


def verified(message: UnverifiedMessage) -> PKIMessage:
    """The message as one that was verified: only for what has just verified it."""
    return PKIMessage(message.header, message.body, message.extra_certs)


def salted(parameters: MacParameters, salt: bytes) -> MacParameters:
    """The same algorithm with another salt: an answer's, which is never the request's (RFC 9810 §5.1.3.1)."""
    algorithm = _resalted(parameters.algorithm, salt, parameters.kind is MacKind.PBMAC1)
    return parameters._replace(salt=salt, algorithm=algorithm)


def _resalted(data: bytes, salt: bytes, nested: bool) -> bytes:
    """Everything but the salt stays the received slice, down to a NULL that somebody writes and another leaves out."""
    at, limit = scan.whole(data, der.SEQUENCE)
    _, oid_end = scan.inside(data, at, limit, der.OID)
    body, end = scan.inside(data, oid_end, limit, der.SEQUENCE)
    if nested:  # PBMAC1-params begins with the AlgorithmIdentifier of PBKDF2, whose parameters begin with the salt
        _, function_end = scan.inside(data, body, end, der.SEQUENCE)
        inner = _resalted(data[body:function_end], salt, nested=False)
        return der.seq(data[at:oid_end], der.seq(inner, data[function_end:end]))
    _, salt_end = scan.inside(data, body, end, der.OCTET_STRING)
    return der.seq(data[at:oid_end], der.seq(der.octets(salt), data[salt_end:end]))
