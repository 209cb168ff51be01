"""The demo people's NPKI folders: signCert.der, signPri.key and what else programs leave there on a PC."""

from __future__ import annotations

import base64
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

from ingam.npki import certificate, key_file, pfx, shapes, subject
from ingam.sandbox.behind import Enroller, Order
from ingam.sandbox.people import CERTIFICATE_PASSWORD, person
from ingam.sandbox.samples import Sample

Random = Callable[[int], bytes]
MakeKey = Callable[[int], RSAPrivateKey]
"""A key of so many bits."""


class Pair(NamedTuple):
    """A certificate (DER), the key that lies beside it, and R, if there is one."""

    certificate: bytes
    key: RSAPrivateKey
    r: bytes | None = None


@dataclass(frozen=True, slots=True)
class Folder:
    """`path`: below NPKI, as Windows lays it out (`SignKorea/USER/cn=…`); `files`: name → bytes.

    `beside`: what lies beside NPKI, where people keep the .pfx that they exported.
    """

    path: Path
    files: dict[str, bytes]
    beside: dict[str, bytes]


async def enrol(counter: Enroller, one: Sample, make: MakeKey, random: Random) -> tuple[Pair, Pair | None]:
    """A demo certificate from its house, with an encryption pair where it has one.

    Raises CertificationRefused, CertificationOutage.
    """
    r, owner = random(20), person(one.person)

    async def ordered(profile: str, bits: int, r: bytes | None) -> Pair:
        order = Order(one.ca.house, profile, owner, one.number)
        return Pair(*await counter.enrol(order, lambda: make(bits), r), r)

    signing = await ordered(one.profile, one.bits, r)
    return signing, await ordered("encryption", 2048, None) if one.km else None


def folder(one: Sample, signing: Pair, encryption: Pair | None, random: Random) -> Folder:
    """The files of a demo certificate."""
    issued = signing.certificate
    pkcs8 = shapes.private_key_info(signing.key, signing.r if one.has_r else None)
    files = {"signCert.der": issued, "signPri.key": _sealed(one, pkcs8, random)}
    if encryption is not None:
        sealed = _sealed(one, shapes.private_key_info(encryption.key, None), random)
        files |= {"kmCert.der": encryption.certificate, "kmPri.key": sealed}
    return Folder(_path(issued), files, _pfx(one, issued, pkcs8, random))


def write_folder(demo: Path, folder: Folder) -> Path:
    """Puts a folder below `demo`/NPKI in the place of an older one, and its .pfx into `demo`. Returns where it is."""
    place = demo / "NPKI" / folder.path
    new = place.with_name(f".new-{place.name[:40]}")
    shutil.rmtree(new, ignore_errors=True)
    new.mkdir(parents=True)
    for name, content in folder.files.items():
        (new / name).write_bytes(content)
    shutil.rmtree(place, ignore_errors=True)
    new.rename(place)
    for name, content in folder.beside.items():
        (demo / name).write_bytes(content)
    return place


def as_json(folder: Folder) -> dict[str, object]:
    """The folder with its files in base64: for journeys that cannot reach the disk."""
    files = {name: base64.b64encode(content).decode() for name, content in folder.files.items()}
    return {"folder": str(folder.path), "files": files}


def _pfx(one: Sample, issued: bytes, pkcs8: bytes, random: Random) -> dict[str, bytes]:
    if not one.pfx:
        return {}
    return {f"{one.slug}.pfx": pfx.write_pfx([(issued, pkcs8)], CERTIFICATE_PASSWORD.encode(), random=random)}


def _sealed(one: Sample, pkcs8: bytes, random: Random) -> bytes:
    password = CERTIFICATE_PASSWORD.encode()
    return key_file.seal_key(pkcs8, password, one.variant, iterations=one.iterations, prf=one.prf, random=random)


def _path(issued: bytes) -> Path:
    found = certificate.parse(issued)
    return Path(found.subject.value("O") or "", "USER", subject.folder_name(found.subject))
