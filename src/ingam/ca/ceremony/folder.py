"""An authority's folder: it appears whole or not at all, and what a later ceremony adds to it never replaces anything.

    authority.toml profiles.toml   who it is            certificates/   public        keys/   where they are files
    ceremony/<instant>.txt .json   the records          (books.db and published/ are made by whoever runs it)

One ceremony at a time: the folder is locked. A start that was stopped half-way leaves a hidden draft beside it, which
the next one clears.
"""

from __future__ import annotations

import fcntl
import os
import secrets
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Final

from ingam.ca.ceremony import performing
from ingam.ca.ceremony.holdings import CERTIFICATES, HoldingsMissing, read_certificates
from ingam.ca.ceremony.performing import Ceremony
from ingam.ca.ceremony.plan import CeremonyExists, CeremonyRefused, CeremonyUnderWay, Keys, Plan, Random
from ingam.ca.ceremony.record import Made, Record
from ingam.ca.log import durable
from ingam.ca.profiles import Authority
from ingam.kernel.steps import reach
from ingam.npki import certificate as certificates

RECORDS: Final = "ceremony"
REPLACED: Final = "replaced"
_MOST_RECORDS: Final = 100


def found(
    folder: Path,
    authority: Authority,
    files: Mapping[str, str],
    open_keys: Callable[[Path], Keys],
    plan: Plan,
    now: datetime,
    random: Random,
) -> Ceremony:
    """A new authority in a new folder. `files`: `authority.toml` and `profiles.toml`, as `authority` was read from.

    `open_keys(draft)` opens the places of keys; key files belong into `draft / "keys"`. They are closed at the end.
    Raises CeremonyExists, CeremonyUnderWay, and what `performing.founding` raises: then no folder is there, and of
    keys in a token the next attempt says that they are left over.
    """
    return _founded(folder, files, open_keys, lambda keys: performing.founding(authority, keys, plan, now, random))


def found_root(
    folder: Path,
    authority: Authority,
    open_keys: Callable[[Path], Keys],
    plan: Plan,
    now: datetime,
    random: Random,
    *,
    number: int = 1,
) -> Ceremony:
    """A root of its own folder, to stand above several authorities: of `authority` its names and kind of key are taken.

    Raises as `found`.
    """
    return _founded(
        folder, {}, open_keys, lambda keys: performing.root_founding(authority, keys, plan, now, random, number=number)
    )


def _founded(
    folder: Path, files: Mapping[str, str], open_keys: Callable[[Path], Keys], perform: Callable[[Keys], Ceremony]
) -> Ceremony:
    with _draft(folder) as draft:
        keys = open_keys(draft)
        try:
            ceremony = perform(keys)
        finally:
            keys.close()
        for name, text in files.items():
            _write_new(draft / Path(name).name, text.encode("utf-8"), 0o644)
        _add(draft, ceremony)
        reach("ceremony.written")
    reach("ceremony.done")
    return ceremony


def roll_over(folder: Path, authority: Authority, keys: Keys, plan: Plan, now: datetime, random: Random) -> Ceremony:
    """The next issuing CA. Raises CeremonyUnderWay, and what `performing.roll_over` raises."""
    with _locked(folder):
        ceremony = performing.roll_over(authority, read_certificates(folder), keys, plan, now, random)
        _add(folder, ceremony)
    return ceremony


def root_roll_over(
    folder: Path, authority: Authority, keys: Keys, plan: Plan, now: datetime, random: Random
) -> Ceremony:
    """The next root. Raises CeremonyUnderWay, and what `performing.root_roll_over` raises."""
    with _locked(folder):
        ceremony = performing.root_roll_over(authority, read_certificates(folder), keys, plan, now, random)
        _add(folder, ceremony)
    return ceremony


def renew_responder(
    folder: Path,
    authority: Authority,
    keys: Keys,
    plan: Plan,
    now: datetime,
    random: Random,
    *,
    issuing: int,
    new_key: bool = False,
) -> Ceremony:
    """The responder's next certificate; what it replaces is kept in `certificates/replaced/`.

    Raises CeremonyUnderWay, and what `performing.responder_renewal` raises.
    """
    with _locked(folder):
        ceremony = performing.responder_renewal(
            authority, read_certificates(folder), keys, plan, now, random, issuing=issuing, new_key=new_key
        )
        _add(folder, ceremony)
    return ceremony


def _add(folder: Path, ceremony: Ceremony) -> None:
    """The record first, so that nothing counts that has none; then the certificates in their order."""
    _write_record(folder / RECORDS, ceremony.record)
    reach("ceremony.recorded")
    for made in ceremony.made:
        _put(folder / CERTIFICATES, made)
        reach(f"ceremony.{made.name}.der")
    if ceremony.log is not None:
        _write_new(folder / CERTIFICATES / "log-1.spki", ceremony.log, 0o644)


def _put(folder: Path, made: Made) -> None:
    """Replaced, and kept, is only a responder's under its key, or what a ceremony left that did not end."""
    path = folder / f"{made.name}.der"
    if path.exists():
        _keep(folder / REPLACED, path)
        durable.write(path, made.certificate.der)
    else:
        _write_new(path, made.certificate.der, 0o644)


def _keep(folder: Path, path: Path) -> None:
    old = path.read_bytes()
    kept = folder / f"{path.stem}-{certificates.parse(old).serial:x}.der"
    if not kept.exists():
        _write_new(kept, old, 0o644)


def _write_record(folder: Path, record: Record) -> None:
    """Text and JSON under one name; where the second has a record already, under the next one."""
    for number in range(1, _MOST_RECORDS):
        stem = record.stem if number == 1 else f"{record.stem}-{number}"
        try:
            _write_new(folder / f"{stem}.txt", record.text().encode("utf-8"), 0o600)
        except FileExistsError:
            continue
        _write_new(folder / f"{stem}.json", record.json().encode("utf-8"), 0o600)
        return
    raise CeremonyRefused(reason="records")


def _write_new(path: Path, octets: bytes, mode: int) -> None:
    """Whole and durable, or not at all. Raises FileExistsError."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
            file.write(octets)
            file.flush()
            os.fsync(file.fileno())
        os.link(draft, path)
    finally:
        draft.unlink(missing_ok=True)
    durable.sync(path.parent)


@contextmanager
def _draft(folder: Path) -> Iterator[Path]:
    """An empty folder beside `folder` that becomes it when all went well, and is gone when not."""
    if folder.exists():
        raise CeremonyExists(folder=folder.name)
    draft = folder.with_name(f".{folder.name}.new")
    draft.mkdir(mode=0o700, parents=True, exist_ok=True)
    with _locked(draft):
        if folder.exists():
            raise CeremonyExists(folder=folder.name)
        _empty(draft)
        try:
            yield draft
        except BaseException:
            shutil.rmtree(draft, ignore_errors=True)
            raise
        draft.rename(folder)
        durable.sync(folder.parent)


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    try:
        descriptor = os.open(folder, os.O_RDONLY)
    except FileNotFoundError:
        raise HoldingsMissing(name=folder.name) from None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        # Whoever held it may have moved or removed the folder meanwhile.
        if not folder.exists() or not os.path.samestat(os.fstat(descriptor), folder.stat()):
            raise CeremonyUnderWay
        yield
    except BlockingIOError:
        raise CeremonyUnderWay from None
    finally:
        os.close(descriptor)


def _empty(folder: Path) -> None:
    for child in folder.iterdir():
        if child.is_dir():
            shutil.rmtree(child)
        else:
            child.unlink()
