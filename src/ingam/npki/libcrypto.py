"""What the system's libcrypto can and `cryptography` does not offer, through ctypes: ARIA-CBC, and PBKDF1 in one call.

Only versioned names are tried: an unversioned libcrypto aborts the process on macOS, and a search would start a
compiler. Nothing here is needed: every function answers None where the library cannot, and plain Python takes over.
"""

from __future__ import annotations

import ctypes
import hashlib
from functools import cache
from typing import Any, ClassVar, Final

_NAMES: Final = ("libcrypto.so.3", "libcrypto.so.4", "libcrypto.so.1.1", "libcrypto.3.dylib")
_POINTER: Final = ctypes.c_void_p
_TEXT: Final = ctypes.c_char_p


class _Parameter(ctypes.Structure):
    """OSSL_PARAM of OpenSSL 3."""

    _fields_: ClassVar = [
        ("key", _TEXT),
        ("kind", ctypes.c_uint),
        ("value", _POINTER),
        ("size", ctypes.c_size_t),
        ("returned", ctypes.c_size_t),
    ]


_UNSIGNED, _UTF8, _OCTETS = 2, 4, 5


def _address(octets: bytes) -> Any:
    """Where the bytes lie; they must outlive the call."""
    return ctypes.cast(ctypes.c_char_p(octets), _POINTER)


@cache
def _library() -> Any | None:
    for name in _NAMES:
        try:
            return ctypes.CDLL(name)
        except OSError:
            continue
    return None


def _declare(found: Any, **functions: tuple[Any, list[Any]]) -> None:
    """Result and argument types of C functions. Raises AttributeError where the library lacks one."""
    for name, (result, arguments) in functions.items():
        function = getattr(found, name)
        function.restype, function.argtypes = result, arguments


@cache
def _with_aria() -> Any | None:
    """The library, if it knows ARIA."""
    whole = ctypes.c_int
    try:
        found = _library()
        for bits in (128, 192, 256):
            _declare(found, **{f"EVP_aria_{bits}_cbc": (_POINTER, [])})
        _declare(
            found,
            EVP_CIPHER_CTX_new=(_POINTER, []),
            EVP_CIPHER_CTX_free=(None, [_POINTER]),
            EVP_CIPHER_CTX_set_padding=(whole, [_POINTER, whole]),
            EVP_CipherInit_ex=(whole, [_POINTER, _POINTER, _POINTER, _TEXT, _TEXT, whole]),
            EVP_CipherUpdate=(whole, [_POINTER, _POINTER, ctypes.POINTER(whole), _TEXT, whole]),
        )
    except AttributeError:
        return None
    return found


def aria_cbc(key: bytes, iv: bytes, blocks: bytes, *, encrypt: bool) -> bytes | None:
    """Whole blocks under ARIA-CBC with a key of 16, 24 or 32 bytes; None where the library will not do it."""
    found = _with_aria()
    if found is None:
        return None
    context = found.EVP_CIPHER_CTX_new()
    try:
        cipher = getattr(found, f"EVP_aria_{8 * len(key)}_cbc")()
        if not context or found.EVP_CipherInit_ex(context, cipher, None, key, iv, int(encrypt)) != 1:
            return None
        found.EVP_CIPHER_CTX_set_padding(context, 0)
        out = ctypes.create_string_buffer(len(blocks) + 16)
        size = ctypes.c_int(0)
        if found.EVP_CipherUpdate(context, out, ctypes.byref(size), blocks, len(blocks)) != 1:
            return None
        return out.raw[: size.value]
    finally:
        found.EVP_CIPHER_CTX_free(context)


@cache
def _with_pbkdf1() -> tuple[Any, int] | None:
    """The library and its PBKDF1, if it has it (OpenSSL 3, legacy provider).

    The provider is loaded into a context of our own: the process's default context, which hashlib uses, stays as it is.
    """
    whole = ctypes.c_int
    try:
        found: Any = _library()
        _declare(
            found,
            OSSL_LIB_CTX_new=(_POINTER, []),
            OSSL_PROVIDER_load=(_POINTER, [_POINTER, _TEXT]),
            EVP_KDF_fetch=(_POINTER, [_POINTER, _TEXT, _TEXT]),
            EVP_KDF_CTX_new=(_POINTER, [_POINTER]),
            EVP_KDF_CTX_free=(None, [_POINTER]),
            EVP_KDF_derive=(whole, [_POINTER, _POINTER, ctypes.c_size_t, _POINTER]),
        )
    except AttributeError:
        return None
    own = found.OSSL_LIB_CTX_new()
    if not (own and found.OSSL_PROVIDER_load(own, b"default") and found.OSSL_PROVIDER_load(own, b"legacy")):
        return None
    function = found.EVP_KDF_fetch(own, b"PBKDF1", None)
    return (found, function) if function else None


def pbkdf1_sha1(password: bytes, salt: bytes, iterations: int) -> bytes | None:
    """The whole 20 bytes of PBKDF1 with SHA-1; None where the library will not do it."""
    return pbkdf1(password, salt, iterations, "sha1")


def pbkdf1(password: bytes, salt: bytes, iterations: int, digest: str) -> bytes | None:
    """PBKDF1 at the full length of a hash (`sha1` … `sha512`); None where the library will not do it.

    A third of the time of a hashlib loop: no Python object is made for an iteration.
    """
    ready = _with_pbkdf1()
    if ready is None:
        return None
    found, function = ready
    count, name, size = ctypes.c_uint64(iterations), digest.upper().encode("ascii"), hashlib.new(digest).digest_size
    parameters = (_Parameter * 5)(
        _Parameter(b"pass", _OCTETS, _address(password), len(password), 0),
        _Parameter(b"salt", _OCTETS, _address(salt), len(salt), 0),
        _Parameter(b"iter", _UNSIGNED, ctypes.addressof(count), ctypes.sizeof(count), 0),
        _Parameter(b"digest", _UTF8, _address(name), len(name), 0),
        _Parameter(None, 0, None, 0, 0),
    )
    context = found.EVP_KDF_CTX_new(function)
    out = ctypes.create_string_buffer(size)
    try:
        done = bool(context) and found.EVP_KDF_derive(context, out, size, parameters) == 1
    finally:
        found.EVP_KDF_CTX_free(context)
    return out.raw if done else None
