"""The DES-MAC of historic NPKI clients (npki.md §6): a shared code on a raw TCP line. Only by explicit choice.

PBMParameter {salt, SHA-1, iterationCount, desMAC}: K = the first 8 bytes of SHA-1 applied iterationCount times to
salt ‖ code (salt first, unlike RFC 9810), and DES-CBC-MAC (FIPS 113: zero IV, zero padding) of 8 bytes over the
DER of the ProtectedPart. 56 bits protect nothing by themselves: the line is a tunnel (security D8).
"""

from __future__ import annotations

import hashlib
import hmac
from typing import Final

from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.modes import CBC

from ingam.kernel.secret import Secret
from ingam.npki import der, scan
from ingam.protocols.cmp import protection, reading
from ingam.protocols.cmp.message import PKIMessage, UnverifiedMessage
from ingam.protocols.cmp.status import CmpRefused, FailInfo

MOST_ITERATIONS: Final = 100_000
_BLOCK: Final = 8
_PBM: Final = der.oid(protection.PASSWORD_BASED_MAC)
_SHA1: Final = der.oid("1.3.14.3.2.26")
_DES_MAC: Final = der.oid(protection.DES_MAC)
# The length of the MAC in bits may stand behind its identifier; 64 is the whole block.
_WHOLE_BLOCK: Final = (b"", der.null, der.integer(64))


def algorithm(salt: bytes, iterations: int = 2) -> bytes:
    """AlgorithmIdentifier as the historic clients write it."""
    parameter = der.seq(der.octets(salt), der.algorithm("1.3.14.3.2.26"), der.integer(iterations), der.seq(_DES_MAC))
    return der.algorithm(protection.PASSWORD_BASED_MAC, parameter)


class DesMacProtection:
    """Protects messages by the historic rule. Raises CmpRefused for parameters that are not its own (badAlg)."""

    def __init__(self, code: Secret[bytes], algorithm: bytes) -> None:
        self.algorithm = algorithm
        self._key = _derive(code, *parameters(algorithm))

    def protect(self, part: bytes) -> bytes:
        """The 8 bytes over a ProtectedPart."""
        return des_cbc_mac(self._key.reveal(), part)


def verify(message: UnverifiedMessage, code: Secret[bytes]) -> PKIMessage:
    """The message, if its DES-MAC is the code's.

    Raises CmpRefused: cmp-unprotected, cmp-protection-wrong (badMessageCheck), cmp-protection-algorithm and
    cmp-protection-cost (badAlg).
    """
    proof = DesMacProtection(code, protection.protection_alg(message))
    if not hmac.compare_digest(proof.protect(message.protected), message.protection or b""):
        raise CmpRefused("cmp-protection-wrong", FailInfo.BAD_MESSAGE_CHECK)
    return protection.verified(message)


def des_cbc_mac(key: bytes, message: bytes) -> bytes:
    """FIPS 113: the last block of DES-CBC with a zero IV over the message, padded with zeros; key of 8 bytes."""
    encryptor = Cipher(TripleDES(3 * key), CBC(bytes(_BLOCK))).encryptor()
    return encryptor.update(message + bytes(-len(message) % _BLOCK))[-_BLOCK:]


def _derive(code: Secret[bytes], salt: bytes, iterations: int) -> Secret[bytes]:
    key = salt + code.reveal()
    for _ in range(iterations):
        key = hashlib.sha1(key, usedforsecurity=False).digest()
    return Secret(key[:_BLOCK])


def is_des_mac(algorithm: bytes) -> bool:
    """Whether a protectionAlg may be the historic one; `parameters` says whether it is."""
    return protection.is_mac(algorithm) and _DES_MAC in algorithm


@reading.strict
def parameters(data: bytes) -> tuple[bytes, int]:
    """Salt and iterations of an AlgorithmIdentifier of exactly this form, within their bounds (security D8).

    Raises CmpRefused: cmp-protection-algorithm, cmp-protection-cost (badAlg), cmp-malformed.
    """
    at, limit = scan.whole(data, der.SEQUENCE)
    _, oid_end = scan.inside(data, at, limit, der.OID)
    if data[at:oid_end] != _PBM:
        raise CmpRefused("cmp-protection-algorithm", FailInfo.BAD_ALG)
    at, limit = reading.only(data, oid_end, limit, der.SEQUENCE)
    salt, salt_end = scan.inside(data, at, limit, der.OCTET_STRING)
    owf, owf_end = scan.inside(data, salt_end, limit, der.SEQUENCE)
    iterations, at = scan.integer(data, owf_end, limit)
    mac, mac_end = reading.only(data, at, limit, der.SEQUENCE)
    if data[owf:owf_end] not in (_SHA1, _SHA1 + der.null) or not _is_des_mac(data[mac:mac_end]):
        raise CmpRefused("cmp-protection-algorithm", FailInfo.BAD_ALG)
    if not 1 <= salt_end - salt <= protection.MOST_SALT or not 1 <= iterations <= MOST_ITERATIONS:
        raise CmpRefused("cmp-protection-cost", FailInfo.BAD_ALG, found="salt or iterations")
    return data[salt:salt_end], iterations


def _is_des_mac(content: bytes) -> bool:
    return content.startswith(_DES_MAC) and content[len(_DES_MAC) :] in _WHOLE_BLOCK
