"""The folder that HTTP serves: each file appears under its public name whole, and is replaced whole.

A list is linked, not copied, where it lies on the same file system. Publishers take turns under a lock that the system
releases with its holder, so that reading the number that stands and replacing the file are one act.
"""

from __future__ import annotations

import errno
import fcntl
import filecmp
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from ingam.kernel.steps import reach
from ingam.ports.directory import (
    Attribute,
    AuthorityCertificate,
    DirectoryOutage,
    OlderList,
    Place,
    PublicList,
    glance_at,
    public,
)
from ingam.protocols.crl import CrlUnusable

_NOT_LINKED: Final = frozenset((errno.EXDEV, errno.EPERM, errno.EMLINK, errno.ENOTSUP))
_READABLE: Final = 0o644


class FolderDirectory:
    """`ports.directory.Directory` in one folder. Raises DirectoryOutage `directory-unwritable` (facts: reason)."""

    name = "folder"

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def publish_list(self, place: Place, given: PublicList) -> None:
        """Replaces the file where its number is lower. Raises OlderList, DirectoryOutage."""
        public(given, PublicList)
        target = self._folder / place.file_name(given.attribute)
        with self._alone():
            standing = _number(target)
            if standing is not None and standing >= given.number:
                if standing == given.number and filecmp.cmp(given.path, target, shallow=False):
                    return
                raise OlderList(found=standing, given=given.number)
            self._put(given.path, target)

    def publish_certificate(self, place: Place, given: AuthorityCertificate) -> None:
        """One certificate a file: the name carries the generation. Raises DirectoryOutage."""
        public(given, AuthorityCertificate)
        target = self._folder / place.file_name(Attribute.CERTIFICATE)
        with self._alone():
            if target.exists() and target.read_bytes() == given.public_octets():
                return
            draft = self._draft(target)
            draft.write_bytes(given.public_octets())
            self._replace(draft, target)

    def number(self, place: Place, attribute: Attribute) -> int | None:
        """Of the file that stands."""
        try:
            return _number(self._folder / place.file_name(attribute))
        except OSError as error:
            raise _unwritable(error) from error

    def close(self) -> None:
        """Nothing is open."""

    def _put(self, source: Path, target: Path) -> None:
        draft = self._draft(target)
        try:
            os.link(source, draft)
        except OSError as error:
            if error.errno not in _NOT_LINKED:
                raise
            shutil.copyfile(source, draft)
        self._replace(draft, target)

    def _replace(self, draft: Path, target: Path) -> None:
        _settle(draft)
        reach("folder.drafted")
        draft.replace(target)
        _sync(self._folder)

    @staticmethod
    def _draft(target: Path) -> Path:
        """A name that is not served; what a publisher that died left under it goes."""
        draft = target.with_name(f".{target.name}")
        draft.unlink(missing_ok=True)
        return draft

    @contextmanager
    def _alone(self) -> Iterator[None]:
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            with (self._folder / ".lock").open("ab") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX)
                yield
        except OSError as error:
            raise _unwritable(error) from error


def _number(path: Path) -> int | None:
    """The CRLNumber of a file; None where there is none, or where it is no list and nobody loses anything."""
    try:
        return glance_at(path)[0].number
    except (FileNotFoundError, CrlUnusable):
        return None


def _settle(draft: Path) -> None:
    """Its bytes are on the disk before its name is known, and everybody may read it."""
    with draft.open("rb") as file:
        os.fchmod(file.fileno(), _READABLE)
        os.fsync(file.fileno())


def _sync(folder: Path) -> None:
    """A new name is durable once its folder is."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _unwritable(error: OSError) -> DirectoryOutage:
    return DirectoryOutage("directory-unwritable", reason=errno.errorcode.get(error.errno or 0, "unknown"))
