"""Keys of a PKCS#11 token as objects: the templates by which they are made, and what is read of them.

A signing key signs, a decryption key decrypts; neither does anything else, leaves the token, or can be changed into one
that would (security D6, D12). ML-DSA is in no token that was met (PKCS#11 3.2 has it) and is refused.
"""

from __future__ import annotations

import secrets
from typing import Any, Final

import pkcs11
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from pkcs11 import Attribute, KeyType

from ingam.npki import der
from ingam.npki.signature import PublicKey, public_key
from ingam.ports.signing import KeyKind, KeyKindRefused

_BITS: Final = {KeyKind.RSA_2048: 2048, KeyKind.RSA_3072: 3072, KeyKind.RSA_4096: 4096}
_CURVES: Final = {KeyKind.P_256: der.oid("1.2.840.10045.3.1.7"), KeyKind.P_384: der.oid("1.3.132.0.34")}
_RSA_ENCRYPTION: Final = der.algorithm("1.2.840.113549.1.1.1")
_UNCOMPRESSED: Final = 0x04
_UNUSED: Final = (Attribute.UNWRAP, Attribute.DERIVE)


def generate(session: pkcs11.Session, label: str, kind: KeyKind, *, decrypting: bool) -> None:
    """Make a pair in the token. Raises KeyKindRefused for ML-DSA, and what the token raises."""
    options: dict[str, Any] = {
        "label": label,
        "id": secrets.token_bytes(8),
        "store": True,
        "private_template": _private(decrypting),
        "public_template": _public(decrypting),
    }
    if kind in _BITS:
        session.generate_keypair(KeyType.RSA, _BITS[kind], **options)
    elif kind in _CURVES:
        curve = {Attribute.EC_PARAMS: _CURVES[kind]}
        session.create_domain_parameters(KeyType.EC, curve, local=True).generate_keypair(**options)
    else:
        raise KeyKindRefused(kind=kind.value)


def refuse_unfit(key: Any, *, decrypting: bool) -> None:
    """Whoever made it: a key that can leave the token, or do more than its use, is refused. Raises KeyKindRefused."""
    if key[Attribute.EXTRACTABLE] or not key[Attribute.SENSITIVE]:
        raise KeyKindRefused(kind="extractable")
    wanted = {Attribute.SIGN: not decrypting, Attribute.DECRYPT: decrypting, **dict.fromkeys(_UNUSED, False)}
    if any(bool(key[attribute]) is not value for attribute, value in wanted.items()):
        raise KeyKindRefused(kind="other-use")


def spki(public: Any) -> bytes:
    """DER of the SubjectPublicKeyInfo of a public object. Raises KeyKindRefused."""
    if public.key_type is KeyType.RSA:
        numbers = (public[Attribute.MODULUS], public[Attribute.PUBLIC_EXPONENT])
        key = der.seq(*(der.integer(int.from_bytes(one, "big")) for one in numbers))
        return der.seq(_RSA_ENCRYPTION, der.bits(key))
    if public.key_type is KeyType.EC:
        algorithm = der.algorithm("1.2.840.10045.2.1", public[Attribute.EC_PARAMS])
        return der.seq(algorithm, der.bits(_point(public[Attribute.EC_POINT])))
    raise KeyKindRefused(kind=str(public.key_type))


def kind_of(spki: bytes) -> tuple[KeyKind, PublicKey]:
    """The kind of a key, and the key. Raises KeyKindRefused, npki.signature.PublicKeyRefused."""
    key = public_key(spki)
    if isinstance(key, RSAPublicKey):
        kinds = [kind for kind, bits in _BITS.items() if bits == key.key_size]
        if not kinds:
            raise KeyKindRefused(kind=f"rsa-{key.key_size}")
        return kinds[0], key
    return KeyKind.P_256 if isinstance(getattr(key, "curve", None), SECP256R1) else KeyKind.P_384, key


def _private(decrypting: bool) -> dict[Attribute, bool]:
    return {
        Attribute.PRIVATE: True,
        Attribute.SENSITIVE: True,
        Attribute.EXTRACTABLE: False,
        Attribute.MODIFIABLE: False,
        Attribute.COPYABLE: False,
        Attribute.SIGN: not decrypting,
        Attribute.SIGN_RECOVER: False,
        Attribute.DECRYPT: decrypting,
        Attribute.UNWRAP: False,
        Attribute.DERIVE: False,
    }


def _public(decrypting: bool) -> dict[Attribute, bool]:
    return {
        Attribute.VERIFY: not decrypting,
        Attribute.VERIFY_RECOVER: False,
        Attribute.ENCRYPT: decrypting,
        Attribute.WRAP: False,
        Attribute.DERIVE: False,
    }


def _point(value: bytes) -> bytes:
    """CKA_EC_POINT is the point in an OCTET STRING (PKCS#11 3.0 section 6.3.3); some tokens leave that out."""
    bare = value[:1] == bytes((_UNCOMPRESSED,)) and len(value) in (65, 97)
    return value if bare else der.whole(value).expect(der.OCTET_STRING).content
