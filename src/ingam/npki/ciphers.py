"""CBC with PKCS#7 padding under the block ciphers of key files and .pfx files.

OpenSSL does the work where it can (through `cryptography`, ARIA through the system's libcrypto); SEED, ARIA and RC2
have plain-Python fallbacks that give the same bytes.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from functools import cache
from typing import Final

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.decrepit.ciphers.algorithms import SEED, TripleDES
from cryptography.hazmat.primitives.ciphers import Cipher, modes
from cryptography.hazmat.primitives.ciphers.algorithms import AES

from ingam.kernel.errors import Refusal
from ingam.npki import aria, libcrypto, rc2, seed


class BlockCipher(StrEnum):
    """A cipher in CBC mode, by the name that manifests and reports use."""

    SEED = "seed"
    ARIA_128 = "aria-128"
    ARIA_192 = "aria-192"
    ARIA_256 = "aria-256"
    AES_128 = "aes-128"
    AES_192 = "aes-192"
    AES_256 = "aes-256"
    TRIPLE_DES = "3des"
    RC2_40 = "rc2-40"
    RC2_128 = "rc2-128"


KEY_SIZE: Final = {
    BlockCipher.SEED: 16,
    BlockCipher.ARIA_128: 16,
    BlockCipher.ARIA_192: 24,
    BlockCipher.ARIA_256: 32,
    BlockCipher.AES_128: 16,
    BlockCipher.AES_192: 24,
    BlockCipher.AES_256: 32,
    BlockCipher.TRIPLE_DES: 24,
    BlockCipher.RC2_40: 5,
    BlockCipher.RC2_128: 16,
}
"""Bytes of a key."""

_EIGHT: Final = (BlockCipher.TRIPLE_DES, BlockCipher.RC2_40, BlockCipher.RC2_128)
BLOCK_SIZE: Final = dict.fromkeys(BlockCipher, 16) | dict.fromkeys(_EIGHT, 8)
"""Bytes of a block and of an IV."""


class BadPadding(Refusal):
    """What was decrypted does not end in PKCS#7 padding: nearly always another key."""

    code = "bad-padding"


def encrypt(cipher: BlockCipher, key: bytes, iv: bytes, plain: bytes) -> bytes:
    """CBC over `plain` with PKCS#7 padding (RFC 5652 section 6.3); RC2 is for reading only."""
    block = BLOCK_SIZE[cipher]
    short = block - len(plain) % block
    return _cbc(cipher, key, iv, plain + bytes((short,)) * short, encrypt=True)


def decrypt(cipher: BlockCipher, key: bytes, iv: bytes, sealed: bytes) -> bytes:
    """The plaintext without its padding; `sealed` is one or more whole blocks. Raises BadPadding."""
    return unpad(decrypt_blocks(cipher, key, iv, sealed), BLOCK_SIZE[cipher])


def decrypt_blocks(cipher: BlockCipher, key: bytes, iv: bytes, sealed: bytes) -> bytes:
    """The plaintext with whatever stands in place of its padding."""
    if not sealed or len(sealed) % BLOCK_SIZE[cipher]:
        raise ValueError("not whole blocks")
    return _cbc(cipher, key, iv, sealed, encrypt=False)


def unpad(padded: bytes, block: int) -> bytes:
    """Without the PKCS#7 padding. Raises BadPadding."""
    count = padded[-1]
    if not 0 < count <= block or padded[-count:] != bytes((count,)) * count:
        raise BadPadding
    return padded[:-count]


def _cbc(cipher: BlockCipher, key: bytes, iv: bytes, blocks: bytes, *, encrypt: bool) -> bytes:
    if len(key) != KEY_SIZE[cipher] or len(iv) != BLOCK_SIZE[cipher]:
        raise ValueError("a key or an IV of another size")
    match cipher:
        case BlockCipher.RC2_40 | BlockCipher.RC2_128:
            if encrypt:
                raise ValueError("RC2 is for reading only")
            words = rc2.schedule(key, 8 * len(key))
            return _chain(lambda block: rc2.decrypt_block(block, words), iv, blocks, encrypt=encrypt)
        case BlockCipher.ARIA_128 | BlockCipher.ARIA_192 | BlockCipher.ARIA_256:
            found = libcrypto.aria_cbc(key, iv, blocks, encrypt=encrypt)
            return plain_aria(key, iv, blocks, encrypt=encrypt) if found is None else found
        case BlockCipher.SEED if not openssl_has_seed():
            return plain_seed(key, iv, blocks, encrypt=encrypt)
        case BlockCipher.SEED:
            return _openssl(SEED(key), iv, blocks, encrypt=encrypt)
        case BlockCipher.TRIPLE_DES:
            return _openssl(TripleDES(key), iv, blocks, encrypt=encrypt)
        case _:
            return _openssl(AES(key), iv, blocks, encrypt=encrypt)


def _openssl(algorithm: SEED | TripleDES | AES, iv: bytes, blocks: bytes, *, encrypt: bool) -> bytes:
    both = Cipher(algorithm, modes.CBC(iv))
    context = both.encryptor() if encrypt else both.decryptor()
    return context.update(blocks) + context.finalize()


@cache
def openssl_has_seed() -> bool:
    """Whether this build of OpenSSL computes SEED: FIPS builds and those without a legacy provider do not."""
    try:
        _openssl(SEED(bytes(16)), bytes(16), bytes(16), encrypt=True)
    except UnsupportedAlgorithm:
        return False
    return True


def plain_seed(key: bytes, iv: bytes, blocks: bytes, *, encrypt: bool) -> bytes:
    """SEED-CBC in plain Python, whole blocks."""
    pairs = seed.schedule(key)[:: 1 if encrypt else -1]
    return _chain(lambda block: seed.crypt_block(block, pairs), iv, blocks, encrypt=encrypt)


def plain_aria(key: bytes, iv: bytes, blocks: bytes, *, encrypt: bool) -> bytes:
    """ARIA-CBC in plain Python, whole blocks."""
    keys = aria.encryption_keys(key) if encrypt else aria.decryption_keys(key)
    return _chain(lambda block: aria.crypt_block(block, keys), iv, blocks, encrypt=encrypt)


def _chain(crypt: Callable[[bytes], bytes], iv: bytes, blocks: bytes, *, encrypt: bool) -> bytes:
    size, before, out = len(iv), iv, bytearray()
    for at in range(0, len(blocks), size):
        block = blocks[at : at + size]
        crypted = crypt(_xor(block, before)) if encrypt else _xor(crypt(block), before)
        before = crypted if encrypt else block
        out += crypted
    return bytes(out)


def _xor(a: bytes, b: bytes) -> bytes:
    return (int.from_bytes(a, "big") ^ int.from_bytes(b, "big")).to_bytes(len(a), "big")
