"""The demo people's NPKI folders: signCert.der, signPri.key and what else programs leave there on a PC."""

from __future__ import annotations

import base64
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

from ingam.npki import certificate, der, key_file, pfx, shapes, subject, vid
from ingam.npki.vid import Vid
from ingam.sandbox.authorities.books import Issued, Standing
from ingam.sandbox.people import CERTIFICATE_PASSWORD, Person, person
from ingam.sandbox.samples import Sample, sample
from ingam.sandbox.world import World

Random = Callable[[int], bytes]


@dataclass(frozen=True, slots=True)
class Folder:
    """`path`: below NPKI, as Windows lays it out (`SignKorea/USER/cn=…`); `files`: name → bytes.

    `beside`: what lies beside NPKI, where people keep the .pfx that they exported.
    """

    path: Path
    files: dict[str, bytes]
    beside: dict[str, bytes]


def issue(world: World, one: Sample, keys: Sequence[RSAPrivateKey], *, now: datetime, random: Random) -> Folder:
    """Issues a demo certificate, writes it into its CA's books, and returns its folder.

    `keys`: as many as `one.sizes`.
    """
    owner, signer = person(one.person), world.signer(one.ca.key)
    r = random(20)
    issued = signer.issue(_shape(one, owner, r), one.subject(owner), _serial(world, one), one.validity(now), keys[0])
    reason = {Standing.REVOKED: "key_compromise", Standing.HELD: "certificate_hold"}.get(one.standing)
    changed = None if reason is None else now.replace(microsecond=0) - timedelta(days=3)
    serial = certificate.parse(issued).serial
    world.books.enter(Issued(one.ca.key, serial, one.slug, one.partition, issued, one.standing, reason, changed))
    pkcs8 = shapes.private_key_info(keys[0] if one.matches else keys[1], r if one.has_r else None)
    files = {"signCert.der": issued, "signPri.key": _sealed(one, pkcs8, random)}
    if one.km:
        files |= _encryption_pair(world, one, owner, keys[-1], now, random)
    return Folder(_path(one, issued), files, _pfx(one, issued, pkcs8, random))


def reissue(world: World, slug: str, keys: Sequence[RSAPrivateKey], *, now: datetime, random: Random) -> Folder:
    """A new certificate of the same name with a new key; the old one is revoked as superseded (재발급).

    `keys`: as many as the sample's `sizes`.
    """
    one, old = sample(slug), world.newest(slug)
    folder = issue(world, one, keys, now=now, random=random)
    world.books.change(old, Standing.REVOKED, "superseded", now.replace(microsecond=0))
    return folder


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


def _serial(world: World, one: Sample) -> int:
    return world.books.next_serial(one.ca.key)


def _shape(one: Sample, owner: Person, r: bytes) -> shapes.Shape:
    identifier = Vid("sha256", vid.compute_vid(owner.idn, der.bits(r))) if one.has_vid else None
    return shapes.person(
        one.ca.house.policy(one.suffix),
        owner.name,
        identifier,
        crl=one.ca.list_address(one.partition),
        ocsp=one.ca.house.ocsp,
    )


def _pfx(one: Sample, issued: bytes, pkcs8: bytes, random: Random) -> dict[str, bytes]:
    if not one.pfx:
        return {}
    return {f"{one.slug}.pfx": pfx.write_pfx([(issued, pkcs8)], CERTIFICATE_PASSWORD.encode(), random=random)}


def _encryption_pair(
    world: World, one: Sample, owner: Person, key: RSAPrivateKey, now: datetime, random: Random
) -> dict[str, bytes]:
    """kmCert.der and kmPri.key: the same name, the next serial, a policy of its own, no VID and no R."""
    house = one.ca.house
    shape = shapes.encryption(f"{house.arc}.13", crl=one.ca.list_address(one.partition), ocsp=house.ocsp)
    serial = _serial(world, one)
    issued = world.signer(one.ca.key).issue(shape, one.subject(owner), serial, one.validity(now), key)
    world.books.enter(Issued(one.ca.key, serial, f"{one.slug}-km", one.partition, issued))
    return {"kmCert.der": issued, "kmPri.key": _sealed(one, shapes.private_key_info(key, None), random)}


def _sealed(one: Sample, pkcs8: bytes, random: Random) -> bytes:
    password = CERTIFICATE_PASSWORD.encode()
    return key_file.seal_key(pkcs8, password, one.variant, iterations=one.iterations, prf=one.prf, random=random)


def _path(one: Sample, issued: bytes) -> Path:
    return Path(one.ca.house.organisation, "USER", subject.folder_name(certificate.parse(issued).subject))
