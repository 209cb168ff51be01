"""Two places of keys for tests: a folder of key files, and a SoftHSM token in a folder of its own.

Each is made once a session with the same names and kinds, and copied for a test. RSA keys of files come from
vectors/keys; a token's are made in it, because no key enters it.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_der_private_key

from ingam.adapters.hsm.pkcs11 import TokenKeys
from ingam.adapters.hsm.sealed_keys import Cost
from ingam.adapters.hsm.signing_file import FileSigningKeys, PrivateKey, generated
from ingam.kernel.secret import Secret
from ingam.ports.signing import KeyKind, SigningKeys

VECTORS: Final = Path(__file__).parents[3] / "vectors" / "keys"
CHEAP: Final = Cost(n=2, r=1, p=1)
PASSPHRASE: Final = Secret("canary 도장 phrase")
PIN: Final = Secret("canary-4321")
LABEL: Final = "ingam tests"
MODULES: Final = (
    "/usr/lib/softhsm/libsofthsm2.so",
    "/usr/lib64/pkcs11/libsofthsm2.so",
    "/usr/lib/pkcs11/libsofthsm2.so",
)
KINDS: Final = {
    "encryption-1": KeyKind.RSA_2048,
    "issuing-1": KeyKind.RSA_2048,
    "ocsp-1": KeyKind.P_256,
    "root-1": KeyKind.P_384,
}


def rsa(number: int, bits: int = 2048) -> RSAPrivateKey:
    """A key of vectors/keys."""
    data = (VECTORS / f"rsa{bits}-{number:02}.p8").read_bytes()
    key = load_der_private_key(data, None, unsafe_skip_rsa_key_validation=True)
    assert isinstance(key, RSAPrivateKey)
    return key


def source(first: int = 0) -> Callable[[KeyKind], PrivateKey]:
    """Gives the RSA keys of vectors/keys in turn, and makes all others."""
    given = {KeyKind.RSA_2048: first, KeyKind.RSA_3072: first}

    def key(kind: KeyKind) -> PrivateKey:
        if kind not in given:
            return generated(kind)
        given[kind] += 1
        return rsa(given[kind] - 1, 2048 if kind is KeyKind.RSA_2048 else 3072)

    return key


def module() -> Path:
    """SoftHSM's library. Debian: softhsm2."""
    found = [Path(one) for one in MODULES if Path(one).exists()]
    assert found, "the tests need Debian's package softhsm2"
    return found[0]


@dataclass(frozen=True)
class Files:
    """A folder of key files."""

    folder: Path

    def open(self, passphrase: Secret[str] = PASSPHRASE) -> FileSigningKeys:
        """Its keys, as a process that starts finds them."""
        return FileSigningKeys(self.folder, passphrase, cost=CHEAP, source=source(8))

    @classmethod
    def made(cls, folder: Path) -> Files:
        """With the keys of KINDS."""
        keys = FileSigningKeys(folder, PASSPHRASE, cost=CHEAP, source=source())
        _make_all(keys)
        return cls(folder)

    def copy(self, to: Path) -> Files:
        """The same keys in another folder."""
        shutil.copytree(self.folder, to / "keys")
        return Files(to / "keys")


@dataclass(frozen=True)
class Token:
    """A SoftHSM token: its configuration and its objects are files of this folder."""

    folder: Path
    opened: list[TokenKeys] = field(default_factory=list)

    @property
    def objects(self) -> Path:
        """Where the token's files lie."""
        return self.folder / "tokens"

    def open(self, pin: Secret[str] = PIN, **options: object) -> TokenKeys:
        """Its keys, as a process that starts finds them; a failed opening stands for no time."""
        os.environ["SOFTHSM2_CONF"] = str(self.folder / "softhsm2.conf")
        keys = TokenKeys(module(), LABEL, pin, **{"retry_s": 0.0, **options})  # type: ignore[arg-type]  # by keyword
        self.opened.append(keys)
        return keys

    def close(self) -> None:
        """Close what was opened and is still open."""
        for keys in self.opened:
            keys.close()

    @classmethod
    def empty(cls, folder: Path) -> Token:
        """A token without keys."""
        token = cls(folder)
        token.objects.mkdir(parents=True)
        token._configure()
        words = ["--init-token", "--free", "--label", LABEL, "--pin", PIN.reveal(), "--so-pin", "canary-8765"]
        env = {**os.environ, "SOFTHSM2_CONF": str(folder / "softhsm2.conf")}
        subprocess.run(["softhsm2-util", *words], env=env, check=True, capture_output=True)
        return token

    @classmethod
    def made(cls, folder: Path) -> Token:
        """With the keys of KINDS."""
        token = cls.empty(folder)
        keys = token.open()
        _make_all(keys)
        keys.close()
        return token

    def copy(self, to: Path) -> Token:
        """The same token in another folder."""
        other = Token(to / "softhsm")
        shutil.copytree(self.folder, other.folder)
        other._configure()
        return other

    def _configure(self) -> None:
        text = f"directories.tokendir = {self.objects}\nobjectstore.backend = file\nlog.level = ERROR\n"
        (self.folder / "softhsm2.conf").write_text(text)


@cache
def files_template(base: Path) -> Files:
    """Made once for a session, whose folder is `base`."""
    return Files.made(base / "signing-files" / "keys")


@cache
def token_template(base: Path) -> Token:
    """Made once for a session, whose folder is `base`."""
    return Token.made(base / "signing-token")


def _make_all(keys: SigningKeys) -> None:
    for name, kind in KINDS.items():
        keys.make(name, kind)
