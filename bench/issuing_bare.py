"""The bare floor of issuing: `cryptography` builds a certificate with the extensions of ours and signs it.

No request is read, no name made, nothing checked, recorded or answered. The extensions are those of a certificate that
our authority has issued, as objects made beforehand; each certificate has a serial and a subject key of its own.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeAlias

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePublicKey, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding

from bench.issuing_load import Load
from bench.ocsp_world import vector
from ingam.adapters.hsm.signing_file import PrivateKey, generated
from ingam.npki.signature import KeyKind

Made: TypeAlias = Callable[[EllipticCurvePublicKey], bytes]

KEYS = {KeyKind.RSA_2048: "rsa2048-01", KeyKind.RSA_3072: "rsa3072-00"}


def issuing_key(kind: KeyKind) -> PrivateKey:
    """A key of the kind that the authority signs with."""
    return vector(KEYS[kind]) if kind in KEYS else generated(kind)


def like(sample: bytes, kind: KeyKind) -> Made:
    """From a subject key to a certificate as the sample is one. `sample`: DER of one of ours."""
    model, key = x509.load_der_x509_certificate(sample), issuing_key(kind)
    extensions = [
        (one.value, one.critical) for one in model.extensions if not isinstance(one.value, x509.SubjectKeyIdentifier)
    ]

    def made(public: EllipticCurvePublicKey) -> bytes:
        builder = (
            x509.CertificateBuilder()
            .subject_name(model.subject)
            .issuer_name(model.issuer)
            .not_valid_before(model.not_valid_before_utc)
            .not_valid_after(model.not_valid_after_utc)
            .serial_number(x509.random_serial_number())
            .public_key(public)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), False)
        )
        for value, critical in extensions:
            builder = builder.add_extension(value, critical)
        return builder.sign(key, SHA256()).public_bytes(Encoding.DER)

    return made


def load(made: Made, count: int) -> Callable[[], Load]:
    """A round of so many, one after the other; the rate is what one core's CPU would give."""
    keys = [generate_private_key(SECP256R1()).public_key() for _ in range(count)]

    def run() -> Load:
        begun = time.process_time()
        for key in keys:
            made(key)
        cpu_us = 1e6 * (time.process_time() - begun) / count
        return Load(1e6 / cpu_us, cpu_us)

    return run
