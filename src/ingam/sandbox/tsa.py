"""A time-stamp authority (RFC 3161) of the sandbox: `openssl ts` signs, under a root made at the first start."""

from __future__ import annotations

import subprocess
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

MOST: Final = 4_096
SECONDS: Final = 10

_CONFIG: Final = """\
[tsa]
default_tsa = ours
[ours]
serial = {folder}/serial
signer_cert = {folder}/tsa.pem
certs = {folder}/tsa.pem
signer_key = {folder}/tsa.key
signer_digest = sha256
default_policy = 1.3.6.1.4.1.99999.3161.1
digests = sha256
accuracy = secs:1
ess_cert_id_chain = no
ess_cert_id_alg = sha256
"""


def prepare(folder: Path) -> Path:
    """Root, certificate and key, once; the root's file in PEM."""
    root = folder / "root.pem"
    if not root.exists():
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        _found(folder)
    return root


def reply(folder: Path, query: bytes) -> bytes | None:
    """The TimeStampResp of a TimeStampReq; None where openssl is not there or takes none of it."""
    with tempfile.TemporaryDirectory() as apart:
        asked, answer = Path(apart) / "query.tsq", Path(apart) / "answer.tsr"
        asked.write_bytes(query)
        command = ["openssl", "ts", "-reply", "-config", str(folder / "openssl.cnf"), "-queryfile", str(asked), "-out",
                   str(answer)]  # fmt: skip
        try:
            done = subprocess.run(command, capture_output=True, timeout=SECONDS, check=False)  # noqa: S603
        except (OSError, subprocess.TimeoutExpired):
            return None
        return answer.read_bytes() if done.returncode == 0 and answer.exists() else None


def _found(folder: Path) -> None:
    root_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    root = _certificate("Sandbox TSA root", root_key, "Sandbox TSA root", root_key)
    ours = _certificate("Sandbox TSA", key, "Sandbox TSA root", root_key)
    (folder / "openssl.cnf").write_text(_CONFIG.format(folder=folder), encoding="utf-8")
    (folder / "serial").write_text("01\n", encoding="ascii")
    (folder / "tsa.pem").write_bytes(ours.public_bytes(Encoding.PEM))
    path = folder / "tsa.key"
    path.touch(0o600)
    path.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    draft = folder / ".root.pem"
    draft.write_bytes(root.public_bytes(Encoding.PEM))
    draft.replace(folder / "root.pem")  # last: it says that all is there


def _certificate(
    name: str, key: ec.EllipticCurvePrivateKey, issuer: str, signer: ec.EllipticCurvePrivateKey
) -> x509.Certificate:
    now = datetime.now(UTC)
    is_root = key is signer
    builder = (
        x509.CertificateBuilder()
        .subject_name(_name(name))
        .issuer_name(_name(issuer))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=3650))
        .add_extension(x509.BasicConstraints(ca=is_root, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False)
    )
    if not is_root:
        builder = builder.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.TIME_STAMPING]), critical=True)
    return builder.sign(signer, SHA256())


def _name(common: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])
