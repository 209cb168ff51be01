"""An authority that nobody trusts, under the very names of RootCA 4 and SignKorea CA4: names prove nothing."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.hashes import SHA256

from ingam.npki import certificate, shapes
from ingam.npki.shapes import SHA256_WITH_RSA, AuthorityKey, Shape, Validity
from ingam.sandbox.authorities import keys
from ingam.sandbox.authorities.houses import STRANGER
from ingam.sandbox.behind import Signing

NAMES: Final = ("root", "ca", "ocsp")
BITS: Final = (2048, 2048, 2048)

_ROOT: Final = shapes.name(
    ("C", "KR"), ("O", "KISA"), ("OU", "Korea Certification Authority Central"), ("CN", "KISA RootCA 4 (sandbox)")
)
_OPERATOR: Final = "(주)코스콤"
_ROOT_LIST: Final = (
    "ldap://dir.signkorea.test:389/CN=root4,OU=Korea-Certification-Authority-Central,O=KISA,C=KR"
    "?authorityRevocationList"
)
_YEAR: Final = timedelta(days=365, hours=6)


def found(folder: Path, own: tuple[RSAPrivateKey, RSAPrivateKey, RSAPrivateKey], now: datetime, *, serial: int) -> None:
    """Root, CA and responder into a folder. `serial`: of the CA; the others' follow from it."""
    notice = shapes.NOTICE_ACCREDITED
    above = _made(own[0], shapes.root(), _ROOT, _around(now, 16, 4), 1, None, own[0])
    ca = shapes.authority(_OPERATOR, _ROOT_LIST, notice=notice)
    responder = shapes.responder(_OPERATOR, _ROOT_LIST, notice=notice)
    below = (
        _made(own[1], ca, _name(""), _around(now, 6, 3.9), serial, above, own[0]),
        _made(own[2], responder, _name(" OCSP"), _around(now, 6, 3.9), serial + 1, above, own[0]),
    )
    folder.mkdir(mode=0o700)
    for name, key, der in zip(NAMES, own, (above, *below), strict=True):
        (folder / f"{name}.der").write_bytes(der)
        place = folder / f"{name}.p8"
        place.touch(mode=0o600)
        place.write_bytes(shapes.private_key_info(key, None))


def load(folder: Path, name: str) -> Signing:
    """One of NAMES."""
    key = keys.load((folder / f"{name}.p8").read_bytes())
    return Signing(certificate.parse((folder / f"{name}.der").read_bytes()), SHA256_WITH_RSA, signer(key))


def signer(key: RSAPrivateKey) -> Callable[[bytes], bytes]:
    """RSASSA-PKCS1-v1_5 with SHA-256."""
    return lambda part: key.sign(part, PKCS1v15(), SHA256())


def authority_key(above: Signing) -> AuthorityKey:
    """The full identifier of what it signs."""
    found = above.certificate
    return AuthorityKey(shapes.key_identifier(found.spki), found.issuer.raw, found.serial)


def _made(
    key: RSAPrivateKey, shape: Shape, name: bytes, validity: Validity, serial: int, above: bytes | None,
    by: RSAPrivateKey,
) -> bytes:  # fmt: skip
    issuer = None if above is None else Signing(certificate.parse(above), SHA256_WITH_RSA, signer(by))
    tbs = shapes.tbs_certificate(
        shape,
        serial=serial,
        issuer=name if issuer is None else issuer.certificate.subject.raw,
        validity=validity,
        subject=name,
        spki=shapes.public_key(key),
        authority_key=None if issuer is None else authority_key(issuer),
    )
    return shapes.sign(tbs, by)


def _name(more: str) -> bytes:
    organisation, common = STRANGER.house.organisation, f"{STRANGER.common}{more}"
    return shapes.name(("C", "KR"), ("O", organisation), ("OU", "AccreditedCA"), ("CN", common))


def _around(now: datetime, before: float, after: float) -> Validity:
    at = now.astimezone(UTC).replace(microsecond=0, second=0)
    return Validity(*((at + _YEAR * years).replace(second=0, microsecond=0) for years in (-before, after)))
