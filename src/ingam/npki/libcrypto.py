"""ARIA-CBC by the system's libcrypto, through ctypes: `cryptography` does not expose ARIA.

Only versioned names are tried: an unversioned libcrypto aborts the process on macOS, and a search would start a
compiler. Nothing here is needed: without a library, `ciphers` computes ARIA in plain Python.
"""

from __future__ import annotations

import ctypes
from functools import cache
from typing import Any, Final

_NAMES: Final = ("libcrypto.so.3", "libcrypto.so.1.1", "libcrypto.3.dylib", "libcrypto.so.4")
_NO_PADDING: Final = 0


@cache
def library() -> Any | None:
    """The system libcrypto that knows ARIA, or None."""
    for name in _NAMES:
        try:
            found = ctypes.CDLL(name)
            found.EVP_aria_256_cbc.restype = ctypes.c_void_p
        except (OSError, AttributeError):
            continue
        return _declared(found)
    return None


def _declared(found: Any) -> Any:
    pointer, whole = ctypes.c_void_p, ctypes.c_int
    found.EVP_aria_128_cbc.restype = found.EVP_aria_192_cbc.restype = pointer
    found.EVP_CIPHER_CTX_new.restype = pointer
    found.EVP_CIPHER_CTX_free.argtypes = [pointer]
    found.EVP_CIPHER_CTX_set_padding.argtypes = [pointer, whole]
    found.EVP_CipherInit_ex.argtypes = [pointer, pointer, pointer, ctypes.c_char_p, ctypes.c_char_p, whole]
    found.EVP_CipherUpdate.argtypes = [pointer, pointer, ctypes.POINTER(whole), ctypes.c_char_p, whole]
    return found


def aria_cbc(key: bytes, iv: bytes, blocks: bytes, *, encrypt: bool) -> bytes | None:
    """Whole blocks under ARIA-CBC with a key of 16, 24 or 32 bytes; None where the library will not do it."""
    found = library()
    if found is None:
        return None
    context = found.EVP_CIPHER_CTX_new()
    try:
        cipher = getattr(found, f"EVP_aria_{8 * len(key)}_cbc")()
        if not context or found.EVP_CipherInit_ex(context, cipher, None, key, iv, int(encrypt)) != 1:
            return None
        found.EVP_CIPHER_CTX_set_padding(context, _NO_PADDING)
        out = ctypes.create_string_buffer(len(blocks) + 16)
        size = ctypes.c_int(0)
        if found.EVP_CipherUpdate(context, out, ctypes.byref(size), blocks, len(blocks)) != 1:
            return None
        return out.raw[: size.value]
    finally:
        found.EVP_CIPHER_CTX_free(context)
