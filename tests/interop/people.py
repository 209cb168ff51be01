"""People of the authority: enrolled over HTTP by our own asking end, each with a key, a number and an R."""

from __future__ import annotations

import itertools
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, TypeAlias

from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, SECP256R1, EllipticCurvePrivateKey, generate_private_key
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from tests.adapters.hsm.places import rsa
from tests.interop.running import Code, Running, fetch

from ingam.adapters.clock.system import SystemClock
from ingam.kernel.secret import Secret
from ingam.npki import certificate, der, signature
from ingam.npki.certificate import Certificate
from ingam.npki.signature import KeyKind
from ingam.npki.vid import compute_vid
from ingam.protocols.cmp import client, encrypted_vid, exchange
from ingam.protocols.cmp.client import Question
from ingam.protocols.cmp.crmf import ENCRYPTED_VID, Attribute
from ingam.protocols.cmp.encrypted_vid import EncryptedVid
from ingam.protocols.cmp.exchange import Client, Exchange
from ingam.protocols.cmp.header import NULL_DN, Info
from ingam.protocols.cmp.message import Body, BodyKind
from ingam.protocols.cmp.protection import MacProtection, pbmac1, verify_mac

NAME: Final = "홍길동"
Key: TypeAlias = RSAPrivateKey | EllipticCurvePrivateKey

_numbers: Final = itertools.count(1)
_rsa: Final = iter(range(1, 16))


@dataclass(frozen=True)
class Person:
    """Somebody with a certificate. `random`: R as a DER BIT STRING."""

    idn: str
    key: Key
    random: bytes
    certificate: Certificate


@dataclass(frozen=True)
class People:
    """Persons by the standing of their certificates."""

    good: Person
    revoked: Person
    held: Person


def new_idn() -> str:
    """A number that nobody has, and nobody had in this session."""
    return f"7510051{next(_numbers):06}"


def curve_key() -> EllipticCurvePrivateKey:
    """A new key on P-256."""
    return generate_private_key(SECP256R1())


def rsa_key() -> RSAPrivateKey:
    """The next key of vectors/keys; an authority certifies no key twice, and has the first one itself."""
    return rsa(next(_rsa))


def spki(key: Key) -> bytes:
    """DER of its SubjectPublicKeyInfo."""
    return key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def signs(key: Key) -> tuple[bytes, Callable[[bytes], bytes]]:
    """Its AlgorithmIdentifier with SHA-256, and how it signs."""
    if isinstance(key, RSAPrivateKey):
        return KeyKind.RSA_2048.algorithm, lambda message: key.sign(message, PKCS1v15(), SHA256())
    return KeyKind.P_256.algorithm, lambda message: key.sign(message, ECDSA(SHA256()))


def enrol(
    authority: Running, profile: str = "securities", *, idn: str | None = None, key: Key | None = None
) -> Person:  # fmt: skip
    """A person with a certificate that is confirmed."""
    idn, key, random = idn or new_idn(), key or curve_key(), der.bits(secrets.token_bytes(20))
    code = authority.register(profile, NAME, idn)
    algorithm, sign = signs(key)
    info = (Attribute(ENCRYPTED_VID, encrypted_vid.write(encrypted(authority, random))),)
    body, question = exchange.enrolment(
        BodyKind.IR, spki=spki(key), subject=None, algorithm=algorithm, sign=sign, reg_info=info
    )
    asking = by_code(code)
    found = ask(authority, asking, begun(asking, body, question))
    assert isinstance(found.state, client.Offered)
    found = ask(authority, asking, asking.accept(found, nonce=secrets.token_bytes(16), at=SystemClock().now()))
    assert isinstance(found.state, client.Issued)
    return Person(idn, key, random, certificate.parse(found.state.certificate))


def encrypted(authority: Running, random: bytes, idn: str = encrypted_vid.DUMMY_IDN) -> EncryptedVid:
    """R and its VID for the authority's encryption certificate, as clients of the field send them."""
    opener = authority.holdings.service("encryption", 1, SystemClock().now()).certificate
    key = signature.public_key(opener.spki)
    assert isinstance(key, RSAPublicKey)
    content = encrypted_vid.write_content(compute_vid(idn, random), Secret(random))
    return encrypted_vid.encrypt(key, content, issuer=opener.issuer.raw, serial_number=opener.serial, oaep=True)


def by_code(code: Code) -> Client:
    """The asking end of whoever has a code."""
    secret = Secret(code.code.encode())
    protection = MacProtection(secret, pbmac1(secrets.token_bytes(16), iterations=1000))
    return Client(
        NULL_DN, NULL_DN, protection, lambda answer: verify_mac(answer, secret), sender_kid=code.reference.encode()
    )


def begun(asking: Client, body: Body, question: Question, infos: tuple[Info, ...] = ()) -> Exchange:
    """A new exchange, with its first message."""
    transaction, nonce = secrets.token_bytes(16), secrets.token_bytes(16)
    return asking.begin(body, question, transaction_id=transaction, nonce=nonce, at=SystemClock().now(), infos=infos)


def ask(authority: Running, asking: Client, given: Exchange) -> Exchange:
    """One message there and one back, over HTTP."""
    assert given.outgoing is not None
    answer = fetch(f"http://{authority.cmp}", given.outgoing, "application/pkixcmp")
    return asking.receive(given, answer, nonce=secrets.token_bytes(16), at=SystemClock().now())
