"""The local authority of a trial over TLS: made for one host name, good for no other, kept in DATA/tls.

`ca.key` and `ca.crt` sign one server certificate of 30 days (`server.key`, `server.pem`). Whoever installs `ca.crt`
trusts it for that name alone: its name constraints (RFC 5280 section 4.2.1.10) exclude every other name and address.
"""

from __future__ import annotations

import ipaddress
import os
import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from ingam.kernel.errors import Refusal

LEAF: Final = timedelta(days=30)
AUTHORITY: Final = timedelta(days=180)
ENOUGH: Final = timedelta(days=7)
"""Of a certificate's life, to be left at a start."""
_EARLY: Final = timedelta(hours=1)  # a phone's clock may be behind
_HOST: Final = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)*")


class HostMalformed(Refusal):
    """HOST is neither a host name nor an IPv4 address."""

    code = "host-malformed"


@dataclass(frozen=True, slots=True)
class Tls:
    """What a server needs, as files in PEM, and what a phone installs: the authority's certificate in DER."""

    certificate: Path
    key: Path
    authority: bytes
    ends: datetime

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the authority's certificate, as phones and browsers show it: `AB:CD:…`."""
        digest = hashes.Hash(hashes.SHA256())
        digest.update(self.authority)
        return digest.finalize().hex(":").upper()


def host_name(text: str) -> str:
    """The name as browsers write it into an origin. Raises HostMalformed."""
    host = text.strip().lower()
    if len(host) > 253 or not _HOST.fullmatch(host):
        raise HostMalformed
    return host


def prepare(folder: Path, host: str, now: datetime) -> Tls:
    """The certificates of `host` in `folder`; made where they are missing, for another name, or end soon."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    authority, key = _authority(folder, host, now)
    leaf = _read(folder / "server.pem")
    if leaf is None or not _serves(leaf, authority, host, now):
        leaf = _certify(folder, authority, key, host, now)
    der = authority.public_bytes(serialization.Encoding.DER)
    return Tls(folder / "server.pem", folder / "server.key", der, authority.not_valid_after_utc)


def _authority(folder: Path, host: str, now: datetime) -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey]:
    found, path = _read(folder / "ca.crt"), folder / "ca.key"
    if found is not None and path.exists() and found.not_valid_after_utc - now > LEAF + ENOUGH:
        key = serialization.load_pem_private_key(path.read_bytes(), None)
        same = _constraints(host) == found.extensions.get_extension_for_class(x509.NameConstraints).value
        if same and isinstance(key, ec.EllipticCurvePrivateKey) and key.public_key() == found.public_key():
            return found, key
    key = ec.generate_private_key(ec.SECP256R1())
    name = _named(f"Ingam trial of {host}"[:64])
    built = (
        _begun(name, name, key, now, AUTHORITY)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(signs_certificates=True), critical=True)
        .add_extension(_constraints(host), critical=True)
        .sign(key, hashes.SHA256())
    )
    _write(folder / "ca.key", _pem(key))
    _write(folder / "ca.crt", built.public_bytes(serialization.Encoding.PEM))
    return built, key


def _certify(
    folder: Path, authority: x509.Certificate, by: ec.EllipticCurvePrivateKey, host: str, now: datetime
) -> x509.Certificate:
    key = ec.generate_private_key(ec.SECP256R1())
    built = (
        _begun(_named(host[:64]), authority.subject, key, now, LEAF)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(signs_certificates=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectAlternativeName([_general(host)]), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(by.public_key()), critical=False)
        .sign(by, hashes.SHA256())
    )
    _write(folder / "server.key", _pem(key))
    _write(folder / "server.pem", built.public_bytes(serialization.Encoding.PEM))
    return built


def _serves(leaf: x509.Certificate, authority: x509.Certificate, host: str, now: datetime) -> bool:
    try:
        leaf.verify_directly_issued_by(authority)
    except (InvalidSignature, ValueError):
        return False
    names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    return list(names) == [_general(host)] and leaf.not_valid_after_utc - now > ENOUGH


def _begun(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey, now: datetime, life: timedelta
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _EARLY)
        .not_valid_after(now + life)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )


def _constraints(host: str) -> x509.NameConstraints:
    """This name, and no other of any kind that a server has."""
    own = _general(host)
    if isinstance(own, x509.IPAddress):
        only = x509.IPAddress(ipaddress.ip_network(host))
        return x509.NameConstraints([only, x509.DNSName("trial.invalid")], None)
    everywhere = [x509.IPAddress(ipaddress.ip_network(whole)) for whole in ("0.0.0.0/0", "::/0")]
    return x509.NameConstraints([own], everywhere)


def _general(host: str) -> x509.DNSName | x509.IPAddress:
    try:
        return x509.IPAddress(ipaddress.IPv4Address(host))
    except ValueError:
        return x509.DNSName(host)


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _named(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _read(path: Path) -> x509.Certificate | None:
    try:
        return x509.load_pem_x509_certificate(path.read_bytes())
    except (OSError, ValueError):
        return None


def _write(path: Path, body: bytes) -> None:
    """Whole or not at all, and readable by nobody else."""
    draft = path.with_suffix(path.suffix + ".new")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(body)
    draft.replace(path)
