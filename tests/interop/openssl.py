"""Debian's `openssl` in a folder of its own: what it did, all that it said, and the files that it reads and writes."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePrivateKey, generate_private_key
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from tests.interop.running import Code, Running

from ingam.npki import certificate
from ingam.npki.certificate import Certificate


@dataclass(frozen=True)
class Said:
    """What a tool did. `text`: stdout and stderr together."""

    words: tuple[str, ...]
    code: int
    text: str

    def well(self) -> str:
        """The text of a tool that succeeded; a test that wants it and has none shows all of it."""
        assert self.code == 0, f"{' '.join(self.words)}\n{self.text}"
        return self.text

    def badly(self) -> str:
        """The text of a tool that refused."""
        assert self.code != 0, f"{' '.join(self.words)}\n{self.text}"
        return self.text


@dataclass(frozen=True)
class OpenSsl:
    """A folder, in which `openssl` runs."""

    folder: Path

    def run(self, *words: str) -> Said:
        """`openssl …`"""
        done = subprocess.run(["openssl", *words], cwd=self.folder, capture_output=True, timeout=60)
        return Said(("openssl", *words), done.returncode, (done.stdout + done.stderr).decode("utf-8", "replace"))

    def __call__(self, *words: str) -> str:
        """The text of `openssl …`, which is to succeed."""
        return self.run(*words).well()

    def cmp(self, authority: Running, command: str, *words: str) -> Said:
        """`openssl cmp -cmd …` with the authority's process."""
        usual = ["-config", "", "-batch", "-total_timeout", "30", "-server", authority.cmp, "-cmd", command]
        return self.run("cmp", *usual, *words)

    def pem(self, name: str, *certificates: Certificate) -> str:
        """A file of certificates."""
        path = self.folder / f"{name}.pem"
        found = [x509.load_der_x509_certificate(one.der).public_bytes(Encoding.PEM) for one in certificates]
        path.write_bytes(b"".join(found))
        return path.name

    def key(self, name: str, key: RSAPrivateKey | EllipticCurvePrivateKey) -> str:
        """A file of a private key."""
        path = self.folder / f"{name}.key"
        path.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        return path.name

    def read(self, name: str) -> Certificate:
        """The (first) certificate of a file."""
        found = x509.load_pem_x509_certificates((self.folder / name).read_bytes())
        return certificate.parse(found[0].public_bytes(Encoding.DER))

    def read_all(self, name: str) -> list[Certificate]:
        """All certificates of a file."""
        found = x509.load_pem_x509_certificates((self.folder / name).read_bytes())
        return [certificate.parse(one.public_bytes(Encoding.DER)) for one in found]


def by(code: Code) -> tuple[str, ...]:
    """The options of a client with a reference number and its code."""
    return ("-ref", code.reference, "-secret", f"pass:{code.code}")


def server(authority: Running, name: str) -> Certificate:
    """A server's certificate, which `ingam ca issue` makes at once: the authority needs no process for it."""
    made = OpenSsl(authority.data)
    made.key(name, generate_private_key(SECP256R1()))
    made("req", "-new", "-key", f"{name}.key", "-subj", "/CN=whatever", "-out", f"{name}.csr")
    files = ("--csr", f"{authority.data}/{name}.csr", "--out", f"{authority.data}/{name}.pem")
    authority.cli("issue", "--profile", "server", "--host", f"{name}.ingam.test", *files)
    return made.read(f"{name}.pem")
