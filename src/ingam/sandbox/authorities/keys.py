"""Where the sandbox's RSA keys come from: made fresh, or read from a folder of test keys."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Lock
from typing import Protocol

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.serialization import load_der_private_key

from ingam.kernel.errors import Defect

Progress = Callable[[int, int], None]
"""Told (made, of how many)."""


class KeySource(Protocol):
    """Gives RSA keys of a size in bits; called from several threads."""

    def make(self, bits: int) -> RSAPrivateKey:
        """A key with e = 65537."""


class FreshKeys:
    """New keys of this machine's randomness: 2048 bits take about 50 ms, 3072 about 300."""

    def make(self, bits: int) -> RSAPrivateKey:
        """A key that nobody had before."""
        return generate_private_key(public_exponent=65537, key_size=bits)


class FolderKeys:
    """`rsa2048-*.p8` and `rsa3072-*.p8` of a folder, each once, as no two people may have one: for tests only."""

    def __init__(self, folder: Path) -> None:
        self._turns = {bits: iter(sorted(folder.glob(f"rsa{bits}-*.p8"))) for bits in (2048, 3072)}
        self._lock = Lock()

    def make(self, bits: int) -> RSAPrivateKey:
        """The next key of the size; Defect `sandbox-no-test-keys` where the folder has no other."""
        with self._lock:
            path = next(self._turns[bits], None)
        if path is None:
            raise Defect("sandbox-no-test-keys", bits=bits)
        return load(path.read_bytes())


def load(pkcs8: bytes) -> RSAPrivateKey:
    """A key that this program wrote itself: not validated again, which would take 42 ms each."""
    key = load_der_private_key(pkcs8, None, unsafe_skip_rsa_key_validation=True)
    if not isinstance(key, RSAPrivateKey):
        raise Defect("sandbox-key-kind")
    return key


def _silent(_made: int, _of: int) -> None:
    """For whoever does not want to be told."""


def gather(source: KeySource, sizes: Sequence[int], told: Progress = _silent) -> list[RSAPrivateKey]:
    """Keys of these sizes in this order; made on every core at once, because OpenSSL leaves the interpreter alone."""
    made: list[RSAPrivateKey] = []
    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        for key in pool.map(source.make, sizes):
            made.append(key)
            told(len(made), len(sizes))
    return made
