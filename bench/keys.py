"""Opening a private key, each variant: beside pypinksign, and beside the bare iterations of its own derivation.

`python -m bench.keys`. "Open": decrypted and proven consistent; "usable": loaded for signing too, as pypinksign
does. The floor is the same fastest primitive in a bare loop (hashlib's SHA-1, one local name, no counter), or the one
PBKDF2 call, with nothing else.
"""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Callable
from itertools import repeat
from pathlib import Path
from typing import Any

from pypinksign import PinkSign

from bench.figures import Figure, at_least, at_most, measure, ratio, report, timing
from ingam.npki import ciphers, kdf, key_file, libcrypto
from ingam.npki.key_file import KeyFile
from ingam.npki.private_key import PrivateKey

VECTORS = Path(__file__).parent.parent / "vectors"
SAMPLES = VECTORS / "npki-samples"
ROUNDS = 61


def bare_sha1(start: bytes, iterations: int) -> bytes:
    """The iterations of PBKDF1 alone."""
    sha1 = hashlib.sha1
    digest = start
    for _ in repeat(None, iterations):
        digest = sha1(digest).digest()
    return digest


def floor(file: KeyFile, password: bytes) -> Callable[[], bytes]:
    """The derivation of this file's key and nothing else."""
    if file.prf is None:
        start, iterations = password + file.salt, file.iterations
        return lambda: bare_sha1(start, iterations)
    name, size = file.prf.removeprefix("hmac-"), ciphers.KEY_SIZE[file.cipher]
    salt, iterations = file.salt, file.iterations
    return lambda: hashlib.pbkdf2_hmac(name, password, salt, iterations, size)


def opened(data: bytes, password: bytes) -> PrivateKey:
    """Ours, to the point where it could sign."""
    key = key_file.open_key(data, password)
    key.signing_key()
    return key


def in_plain_python(call: Callable[[], Any]) -> Callable[[], Any]:
    """The same on a machine whose system has no libcrypto: PBKDF1 by hashlib."""

    def run() -> None:
        kept = libcrypto.pbkdf1_sha1
        libcrypto.pbkdf1_sha1 = lambda password, salt, iterations: None
        try:
            call()
        finally:
            libcrypto.pbkdf1_sha1 = kept

    return run


def by_pypinksign(certificate: bytes, data: bytes, password: bytes) -> Callable[[], Any]:
    """Theirs, to the same point; the certificate is loaded beforehand."""
    pink = PinkSign(pubkey_data=certificate)
    return lambda: pink.load_prikey(prikey_data=data, prikey_password=password)


def compared(name: str, folder: str, password: str) -> list[Figure]:
    """A public sample: ours, theirs, and the floor in one interleaved run."""
    data = (SAMPLES / folder / "signPri.key").read_bytes()
    certificate = (SAMPLES / folder / "signCert.der").read_bytes()
    octets, file = password.encode(), key_file.describe(data)
    candidates: dict[str, Callable[[], Any]] = {
        "open": lambda: key_file.open_key(data, octets),
        "usable": lambda: opened(data, octets),
        "pypinksign": by_pypinksign(certificate, data, octets),
        "floor": floor(file, octets),
    }
    if file.prf is None:
        candidates["open by hashlib"] = in_plain_python(candidates["open"])
        candidates["libcrypto's PBKDF1 alone"] = lambda: kdf.pbkdf1_sha1(octets, file.salt, file.iterations)
    seconds = measure(candidates, ROUNDS)
    told = [figure for each in candidates for figure in timing(f"{name} {each}", seconds[each])]
    faster = ratio(seconds["pypinksign"], seconds["usable"])
    over = ratio(seconds["open"], seconds["floor"])
    if file.prf is not None:
        return [*told, Figure(f"{name} pypinksign / usable", faster, "x"), Figure(f"{name} open / floor", over, "x")]
    plain, alone = seconds["open by hashlib"], seconds["libcrypto's PBKDF1 alone"]
    return [
        *told,
        at_least(f"{name} pypinksign / usable", faster, "x", 40),
        at_most(f"{name} open / floor", over, "x", 1.15),
        Figure(f"{name} open by hashlib / floor", ratio(plain, seconds["floor"]), "x"),
        Figure(f"{name} open / libcrypto's PBKDF1 alone", ratio(seconds["open"], alone), "x"),
    ]


def variants() -> list[Figure]:
    """Every variant of the vectors: ours and the floor."""
    manifest = json.loads((VECTORS / "key-files" / "manifest.json").read_text(encoding="utf-8"))
    told: list[Figure] = []
    for entry in manifest["files"]:
        if not entry["file"].endswith(("-2048.key", "-1024.key")):
            continue
        data, password = (VECTORS / "key-files" / entry["file"]).read_bytes(), entry["password"].encode()
        name = entry["file"].removesuffix(".key")
        candidates: dict[str, Callable[[], Any]] = {
            "open": lambda data=data, password=password: key_file.open_key(data, password),  # type: ignore[misc]
            "floor": floor(key_file.describe(data), password),
        }
        seconds = measure(candidates, ROUNDS)
        told += timing(f"{name} open", seconds["open"])[:1]
        told.append(Figure(f"{name} open / floor", ratio(seconds["open"], seconds["floor"]), "x"))
    return told


def main() -> int:
    told = compared(".1.15 (2048 rounds)", "pypinksign", "WTuA8Ev0lWXVFSiI!")
    told += compared("PBES2-SEED (1024 rounds)", "kiea-mydata", "11223344")
    told += variants()
    return 0 if report("keys", told) else 1


if __name__ == "__main__":
    sys.exit(main())
