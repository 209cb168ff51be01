"""The first start: keys, roots, CAs, responders and demo certificates, made once into a folder that appears whole."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

from ingam.npki import shapes
from ingam.sandbox.authorities.books import Books, Issued
from ingam.sandbox.authorities.houses import LICENSED, ROOTS, Root
from ingam.sandbox.authorities.issuing import Signer, make_authority, make_responder, make_root
from ingam.sandbox.authorities.keys import KeySource, Progress, gather
from ingam.sandbox.folders import issue, write_folder
from ingam.sandbox.samples import SAMPLES
from ingam.sandbox.world import World, signer_paths

Random = Callable[[int], bytes]


def found(folder: Path, source: KeySource, *, now: datetime, random: Random, told: Progress) -> None:
    """Makes the world of the other authorities in `folder`; does nothing where it stands already.

    Everything is made beside it and renamed at the end: a start that was stopped half-way leaves nothing behind.
    `random(n)` gives n bytes for R, salts and IVs.
    """
    if folder.exists():
        return
    new = folder.with_name(f"{folder.name}.new")
    shutil.rmtree(new, ignore_errors=True)
    (new / "authorities").mkdir(parents=True, mode=0o700)
    sizes = [root.bits for root in ROOTS] + [one.bits for one in LICENSED] + [one.root.bits for one in LICENSED]
    sizes += [bits for one in SAMPLES for bits in one.sizes]
    keys = iter(gather(source, sizes, told))
    _authorities(new, keys, now)
    world = World(new)
    for one in SAMPLES:
        write_folder(new / "demo", issue(world, one, [next(keys) for _ in one.sizes], now=now, random=random))
    world.close()
    new.replace(folder)


def _authorities(new: Path, keys: Iterator[RSAPrivateKey], now: datetime) -> None:
    roots = {root.key: make_root(root, next(keys), now) for root in ROOTS}
    for root in ROOTS:
        _keep(new, root.key, roots[root.key])
    made = {one.key: make_authority(one, roots[one.root.key], next(keys), now) for one in LICENSED}
    responders = {one.key: make_responder(one, roots[one.root.key], next(keys), now) for one in LICENSED}
    books = Books(new / "books.db")
    for one in LICENSED:
        _keep(new, one.key, made[one.key])
        _keep(new, f"{one.key}-ocsp", responders[one.key])
        books.open_authority(one.key, one.first_serial)
        _enter(books, one.root, one.key, made[one.key])
        _enter(books, one.root, f"{one.key}-ocsp", responders[one.key])
    books.close()


def _enter(books: Books, root: Root, slug: str, signer: Signer) -> None:
    found = signer.certificate
    books.enter(Issued(root.key, found.serial, slug, root.key, found.der))


def _keep(folder: Path, name: str, signer: Signer) -> None:
    certificate, key = signer_paths(folder, name)
    certificate.write_bytes(signer.der)
    key.touch(mode=0o600)
    key.write_bytes(shapes.private_key_info(signer.key, None))
