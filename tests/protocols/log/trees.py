"""Trees in memory, by the recursive definition of RFC 9162 section 2.1.1: slow, and nothing of the product's."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from hashlib import sha256

from cryptography.hazmat.primitives.asymmetric import ec, padding
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.hashes import SHA256, SHA384
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from tests.npki import certs

from ingam.protocols.log import keys
from ingam.protocols.log.head import TreeHead
from ingam.protocols.log.keys import LogKey, WitnessKey
from ingam.protocols.log.note import NoteSignature, UnverifiedNote
from ingam.protocols.log.tree import Node

NOW = datetime(2026, 11, 22, 10, 0, 0, tzinfo=UTC)
ORIGIN = "demo-ca.test/log"


def leaf(number: int) -> bytes:
    """A leaf hash that is nobody else's."""
    return sha256(b"\x00leaf %d" % number).digest()


def leaves(size: int) -> list[bytes]:
    """The first leaf hashes."""
    return [leaf(number) for number in range(size)]


def mth(hashes: Sequence[bytes]) -> bytes:
    """MTH over leaf hashes, as the RFC writes it."""
    if not hashes:
        return sha256(b"").digest()
    if len(hashes) == 1:
        return hashes[0]
    k = 1
    while k * 2 < len(hashes):
        k *= 2
    return sha256(b"\x01" + mth(hashes[:k]) + mth(hashes[k:])).digest()


def stored(hashes: Sequence[bytes]) -> Node:
    """Any complete subtree of these leaves."""

    def node(level: int, place: int) -> bytes:
        span = hashes[place << level : (place + 1) << level]
        assert len(span) == 1 << level, "a complete subtree of this tree"
        return mth(span)

    return node


LOG = ec.generate_private_key(ec.SECP256R1())
WITNESS = Ed25519PrivateKey.generate()
WITNESS_KEY: WitnessKey = keys.witness_key("witness.test/1", WITNESS)


def log_key(key: ec.EllipticCurvePrivateKey | RSAPrivateKey = LOG, origin: str = ORIGIN) -> LogKey:
    """What a log of this key is checked with."""
    return keys.log_key(origin, key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo))


def rsa(name: str = "rsa2048-00") -> RSAPrivateKey:
    """A key of vectors/keys."""
    return certs.key(name)


def signature(body: str, key: ec.EllipticCurvePrivateKey | RSAPrivateKey = LOG) -> bytes:
    """By `cryptography`."""
    message = body.encode("ascii")
    if isinstance(key, RSAPrivateKey):
        return key.sign(message, padding.PKCS1v15(), SHA256())
    return key.sign(message, ec.ECDSA(SHA384() if key.curve.key_size == 384 else SHA256()))


def signed(
    hashes: Sequence[bytes],
    key: ec.EllipticCurvePrivateKey | RSAPrivateKey = LOG,
    *,
    origin: str = ORIGIN,
    witness: Ed25519PrivateKey | None = None,
    at: datetime = NOW,
) -> str:
    """A signed head over leaf hashes, co-signed where a witness is given."""
    body = TreeHead(origin, len(hashes), mth(hashes), at).body
    named = log_key(key, origin)
    lines = [NoteSignature(named.name, named.id, signature(body, key))]
    if witness is not None:
        seen = keys.witness_key("witness.test/1", witness)
        lines.append(NoteSignature(seen.name, seen.id, keys.cosign(witness, 1_795_000_000, body.encode("ascii"))))
    return UnverifiedNote(body, tuple(lines)).text
