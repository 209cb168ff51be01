"""The center as a registration authority: the key and certificate that it signs with, and the authority that it asks.

    DATA/center/ra/ra.toml      as below; written by `make run`, or by `ingam ra install`
    DATA/center/ra/*.der        the certificates that it names
    DATA/center/ra/keys/        the key (encrypted), unless INGAM_CA_MODULE names a token

    url = "http://ca.ingam.test/.well-known/cmp"      looked up in INGAM_ADDRESSES
    key = "cmp-1"
    certificate = "ra-0123456789ab.der"               the center's own, EKU id-kp-cmcRA
    chain = ["above-….der"]                           what stands above it
    speakers = ["speaker-….der"]                      the certificates that the authority's answers are signed with

The key's passphrase or PIN is INGAM_CA_PASSPHRASE or INGAM_CA_PIN of the center's process; a demo has one of its own.
Nothing of `ca` is loaded here: a center has no part of an authority (security D2).
"""

from __future__ import annotations

import json
import os
import secrets
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from ingam.adapters.certification.absent import AbsentCertification
from ingam.adapters.certification.cmp import CmpCertification, HttpPost, RegistrationAuthority
from ingam.adapters.hsm.key_files import read_or_make
from ingam.adapters.hsm.key_names import is_name
from ingam.adapters.hsm.signing_file import open_signing_keys
from ingam.kernel.errors import Refusal
from ingam.kernel.secret import Secret
from ingam.npki import certificate
from ingam.npki.certificate import Certificate, CertificateMalformed
from ingam.npki.shapes import CMC_RA
from ingam.ports.certification import Certification
from ingam.ports.clock import Clock
from ingam.ports.signing import SigningKeys
from ingam.settings import Settings

FILE: Final = "ra.toml"
USE: Final = "cmp"
"""What its keys are called: they sign CMP messages."""


class RegistrarRefused(Refusal):
    """The center's files as a registration authority cannot be used (facts: reason); the process does not start.

    `file` (not readable, or not as above), `purpose` (no RA's certificate), `key` (another key's certificate), `chain`
    or `speakers` (there are none, or another authority's), `address` (not in INGAM_ADDRESSES), `passphrase` (nobody
    said it), `none`.
    """

    code = "registrar-refused"


@dataclass(frozen=True, slots=True)
class Registrar:
    """Who the center is at an authority, and how that one is known. `chain`: the issuing CA first."""

    url: str
    key: str
    certificate: Certificate
    chain: tuple[Certificate, ...]
    speakers: tuple[Certificate, ...]


def registrar_folder(settings: Settings) -> Path:
    """Where all of it lies."""
    return settings.data / "center" / "ra"


def certification(settings: Settings, outgoing: HttpPost, clock: Clock) -> Certification:
    """The authority over CMP; one that never answers where the center is nobody's RA.

    Raises RegistrarRefused, KeyMissing, KeysLocked, KeyFileRefused, ClearTransport.
    """
    found = read(registrar_folder(settings))
    if found is None:
        return AbsentCertification()
    reached_at = settings.addresses.get(urlsplit(found.url).hostname or "")
    if reached_at is None:
        raise RegistrarRefused(reason="address")
    signer = registrar_keys(settings).signer(found.key)
    if signer.public.spki != found.certificate.spki:
        raise RegistrarRefused(reason="key")
    ra = RegistrationAuthority(found.certificate, tuple(one.der for one in found.chain), signer)
    return CmpCertification(found.url, reached_at, outgoing, ra, found.speakers, clock, secrets.token_bytes)


def registrar_keys(settings: Settings) -> SigningKeys:
    """Where the center's key as an RA lies, or is made. Raises RegistrarRefused, KeyFileRefused."""
    ca, folder = settings.ca, registrar_folder(settings)
    if ca.module:
        from ingam.adapters.hsm.pkcs11 import TokenKeys  # python-pkcs11 is needed where there is a token only

        return TokenKeys(Path(ca.module), ca.token, ca.pin, prefix="ra-")
    return open_signing_keys(
        folder / "keys", _passphrase(settings), production=settings.production, allowed=ca.file_keys
    )


def next_key(keys: SigningKeys) -> str:
    """A name that no key there has: an authority certifies a key of its RA once."""
    taken = [int(name.rpartition("-")[2]) for name in keys.names() if name.startswith(f"{USE}-")]
    return f"{USE}-{max(taken, default=0) + 1}"


def read(folder: Path) -> Registrar | None:
    """What the folder says; None where there is no file. Raises RegistrarRefused."""
    try:
        text = (folder / FILE).read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    except (OSError, ValueError):
        raise RegistrarRefused(reason="file") from None
    try:
        found = _registrar(folder, tomllib.loads(text))
    except (OSError, KeyError, TypeError, ValueError, CertificateMalformed):
        raise RegistrarRefused(reason="file") from None
    check(found)
    return found


def check(one: Registrar) -> None:
    """Raises RegistrarRefused."""
    if not is_name(one.key) or not one.key.startswith(f"{USE}-"):
        raise RegistrarRefused(reason="file")
    if CMC_RA not in (one.certificate.eku or ()):
        raise RegistrarRefused(reason="purpose")
    if not one.chain or one.chain[0].subject.raw != one.certificate.issuer.raw:
        raise RegistrarRefused(reason="chain")
    if not one.speakers:
        raise RegistrarRefused(reason="speakers")


def write(folder: Path, one: Registrar) -> None:
    """Puts it there, in the place of what stood. A file of a certificate is named after it and never changes, so that
    whoever reads meanwhile reads the former or the new one. Raises RegistrarRefused, OSError.
    """
    check(one)
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    values = {
        "url": one.url,
        "key": one.key,
        "certificate": _put(folder, "ra", (one.certificate,))[0],
        "chain": _put(folder, "above", one.chain),
        "speakers": _put(folder, "speaker", one.speakers),
    }
    text = "".join(f"{key} = {json.dumps(value, ensure_ascii=False)}\n" for key, value in values.items())
    if (folder / FILE).exists() and (folder / FILE).read_text(encoding="utf-8") == text:
        return
    _replace(folder / FILE, text.encode())


def _registrar(folder: Path, values: dict[str, Any]) -> Registrar:
    def several(key: str) -> tuple[Certificate, ...]:
        return tuple(_certificate(folder, name) for name in values[key])

    url, key = values["url"], values["key"]
    if not isinstance(url, str) or not isinstance(key, str):
        raise TypeError
    return Registrar(url, key, _certificate(folder, values["certificate"]), several("chain"), several("speakers"))


def _certificate(folder: Path, name: str) -> Certificate:
    return certificate.parse((folder / Path(name).name).read_bytes())


def _put(folder: Path, role: str, certificates: Sequence[Certificate]) -> list[str]:
    names = [f"{role}-{one.fingerprint.hex()[:12]}.der" for one in certificates]
    for name, one in zip(names, certificates, strict=True):
        if not (folder / name).exists():
            _replace(folder / name, one.der)
    return names


def _replace(path: Path, octets: bytes) -> None:
    draft = path.with_name(f".{path.name}.new")
    with draft.open("wb") as file:
        file.write(octets)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)


def _passphrase(settings: Settings) -> Secret[str]:
    """Of the key file: told by the settings; a demo has one of its own beside the folder. Raises RegistrarRefused."""
    if settings.ca.passphrase:
        return settings.ca.passphrase
    if settings.production:
        raise RegistrarRefused(reason="passphrase")
    folder = registrar_folder(settings)
    return Secret(read_or_make(folder.with_name("ra.passphrase"), ("passphrase",))["passphrase"].hex())
