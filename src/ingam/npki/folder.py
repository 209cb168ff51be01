"""NPKI folders on disk: where systems keep them, what lies in them, and how a pair gets in, whole or not at all.

The one module of `npki` that touches files. Names are matched in any letter case; links are followed once; depth, count
and size are bounded; what cannot be read is told, never fatal (npki.md section 4).
"""

from __future__ import annotations

import contextlib
import os
import stat
import tempfile
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import islice
from pathlib import Path
from typing import Final

from ingam.kernel.errors import Refusal
from ingam.npki import certificate as certificates
from ingam.npki import subject
from ingam.npki.certificate import Certificate
from ingam.npki.key_file import MOST_BYTES

CERTIFICATE, KEY = "signCert.der", "signPri.key"
KM_CERTIFICATE, KM_KEY = "kmCert.der", "kmPri.key"


class Part(StrEnum):
    """What a file of an NPKI folder is."""

    CERTIFICATE = "certificate"
    KEY = "key"
    KM_CERTIFICATE = "km-certificate"
    KM_KEY = "km-key"
    PFX = "pfx"


_NAMES: Final = {
    "signcert.der": Part.CERTIFICATE,
    "signcert.cer": Part.CERTIFICATE,
    "sigcert.der": Part.CERTIFICATE,
    "user.der": Part.CERTIFICATE,
    "signpri.key": Part.KEY,
    "sigpri.key": Part.KEY,
    "user.key": Part.KEY,
    "kmcert.der": Part.KM_CERTIFICATE,
    "kmcert.cer": Part.KM_CERTIFICATE,
    "envcert.der": Part.KM_CERTIFICATE,
    "kmpri.key": Part.KM_KEY,
    "envpri.key": Part.KM_KEY,
}
# GPKI and EPKI put the holder's name before: several people may share one folder.
_ENDINGS: Final = {
    "_sig.cer": Part.CERTIFICATE,
    "_sig.key": Part.KEY,
    "_env.cer": Part.KM_CERTIFICATE,
    "_env.key": Part.KM_KEY,
}
_AUTHORITY_FOLDERS: Final = ("SignKorea", "yessign", "KICA", "CrossCert", "TradeSign", "NCASign", "INIPASS")


class FolderRefused(Refusal):
    """A folder or file is not what the command needs; `code` says why.

    folder-missing, folder-without-pair, folder-several-pairs, folder-occupied, folder-unreadable, file-too-large.
    """

    code = "folder-unreadable"


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of a scan: levels below the start, entries looked at, finds, and bytes of one file."""

    depth: int = 8
    entries: int = 20_000
    finds: int = 500
    size: int = MOST_BYTES


@dataclass(frozen=True, slots=True)
class Found:
    """A pair of files in a folder, or a .pfx file.

    `path`: the folder, or the .pfx. `files`: the path of each part. `contents`: its bytes. `ca_folder`: the name above
    `USER`, as written, or None.
    """

    path: Path
    ca_folder: str | None
    files: Mapping[Part, Path]
    contents: Mapping[Part, bytes] = field(repr=False)

    @property
    def certificate(self) -> bytes | None:
        """DER of the signing certificate; None in a .pfx."""
        return self.contents.get(Part.CERTIFICATE)

    @property
    def key(self) -> bytes | None:
        """The encrypted private key of the signing pair."""
        return self.contents.get(Part.KEY)

    @property
    def km_certificate(self) -> bytes | None:
        """DER of the certificate for encryption (암호용)."""
        return self.contents.get(Part.KM_CERTIFICATE)

    @property
    def km_key(self) -> bytes | None:
        """The encrypted private key of that pair."""
        return self.contents.get(Part.KM_KEY)

    @property
    def pfx(self) -> bytes | None:
        """The bytes of a .pfx."""
        return self.contents.get(Part.PFX)


@dataclass(frozen=True, slots=True)
class Unreadable:
    """Something that was passed over; `code` as in FolderRefused, or `folder-incomplete` (half of a pair)."""

    path: Path
    code: str


@dataclass(slots=True)
class Scan:
    """What a scan found; `complete` is False where a bound ended it."""

    found: list[Found] = field(default_factory=list)
    unreadable: list[Unreadable] = field(default_factory=list)
    complete: bool = True


def default_places(platform: str, environment: Mapping[str, str], mounts: Iterable[Path] = ()) -> list[Path]:
    """Where this system's tools keep NPKI folders, existing or not, most usual first.

    `platform` as sys.platform names it, `environment` as os.environ, `mounts` the roots of removable media.
    """
    home = environment.get("USERPROFILE") if platform == "win32" else environment.get("HOME")
    places: list[Path] = []
    if home and platform == "win32":
        places.append(Path(home, "AppData", "LocalLow", "NPKI"))
    if platform == "win32":
        programs = (environment.get(name) for name in ("ProgramFiles", "ProgramFiles(x86)"))
        places += [Path(folder, "NPKI") for folder in programs if folder]
    elif home and platform == "darwin":
        places += [Path(home, "Library", "Preferences", "NPKI"), Path(home, "Documents", "NPKI"), Path(home, "NPKI")]
    elif home:
        places.append(Path(home, "NPKI"))
    return places + [mount / "NPKI" for mount in mounts]


def mounts(platform: str, environment: Mapping[str, str]) -> list[Path]:
    """Roots of the media that are plugged in now."""
    if platform == "win32":
        return [drive for letter in "DEFGHIJKLMNOPQRSTUVWXYZ" if (drive := Path(f"{letter}:/")).exists()]
    if platform == "darwin":
        return _children(Path("/Volumes"))
    user = environment.get("USER", "")
    return [root for base in ("/media", "/run/media") if user for root in _children(Path(base, user))]


def existing(places: Iterable[Path]) -> list[Path]:
    """The places that are there, in whatever letter case their last name is written."""
    found = []
    for place in places:
        wanted = place.name.casefold()
        found += [one for one in _children(place.parent) if one.name.casefold() == wanted and one.is_dir()]
    return list(dict.fromkeys(found))


def scan(place: Path, limits: Limits = Limits()) -> Scan:
    """Every pair and every .pfx below a folder. Unreadable entries are told in the answer; raises folder-missing."""
    if not place.is_dir():
        raise FolderRefused("folder-missing")
    told = Scan()
    seen: set[tuple[int, int]] = set()
    waiting, entries = [(place, 0)], 0
    while waiting and told.complete:
        folder, depth = waiting.pop()
        listed = _list(folder, seen, told, limits.entries - entries + 1)
        entries += len(listed)
        inner = sorted((path for path, mode in listed if stat.S_ISDIR(mode)), key=_order, reverse=True)
        told.found += _finds(folder, [path for path, mode in listed if stat.S_ISREG(mode)], limits, told)
        if depth < limits.depth:
            waiting += [(path, depth + 1) for path in inner]
        elif inner:
            told.complete = False
        if entries > limits.entries or len(told.found) > limits.finds:
            told.complete = False
            del told.found[limits.finds :]
    return told


def read(path: Path) -> Found:
    """The one pair of a folder, or a .pfx file.

    Raises FolderRefused: folder-missing, folder-without-pair, folder-several-pairs, folder-unreadable, file-too-large.
    """
    told, limits = Scan(), Limits()
    if path.is_file():
        contents = {Part.PFX: _read(path, limits.size)}
        return Found(path, _ca_folder(path), {Part.PFX: path}, contents)
    if not path.is_dir():
        raise FolderRefused("folder-missing")
    files = [one for one, mode in _list(path, set(), told, limits.entries) if stat.S_ISREG(mode)]
    pairs = [one for one in _finds(path, files, limits, told) if one.pfx is None]
    if not pairs:
        raise FolderRefused(told.unreadable[0].code if told.unreadable else "folder-without-pair")
    if len(pairs) > 1:
        raise FolderRefused("folder-several-pairs")
    return pairs[0]


def pair_folder(place: Path, owner: Certificate) -> Path:
    """`<place>/<CA>/USER/<DN>`: where every Korean program looks for this certificate."""
    organisation = owner.issuer.value("O") or "etc"
    known = {name.casefold(): name for name in _AUTHORITY_FOLDERS}
    return (
        place
        / known.get(organisation.casefold(), _one_name(organisation))
        / "USER"
        / _one_name(subject.folder_name(owner.subject))
    )


def save_pair(
    folder: Path,
    certificate: bytes,
    key: bytes,
    *,
    km: tuple[bytes, bytes] | None = None,
    replace: bool = False,
) -> None:
    """Writes a pair into a folder, which is made if need be; `km` is (certificate, key) of the pair for encryption.

    The signing certificate is written last, and a folder without one holds no pair: a crash leaves none or all. Where
    the same certificate lies there already, `replace` allows its key to be replaced; a folder with another certificate
    is never touched. Raises FolderRefused (folder-occupied, folder-unreadable).
    """
    certificates.parse(certificate)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        # A file that is there keeps its name: on some systems SignPri.key and signPri.key are two files.
        names = {part: path for path in _children(folder) for part in [_NAMES.get(path.name.casefold())] if part}
        before = names.get(Part.CERTIFICATE)
        if before is not None and (not replace or _read(before, MOST_BYTES) != certificate):
            raise FolderRefused("folder-occupied")
        if km is not None:
            replace_file(names.get(Part.KM_KEY, folder / KM_KEY), km[1])
            replace_file(names.get(Part.KM_CERTIFICATE, folder / KM_CERTIFICATE), km[0])
        replace_file(names.get(Part.KEY, folder / KEY), key)
        replace_file(before or folder / CERTIFICATE, certificate)
    except OSError:
        raise FolderRefused("folder-unreadable") from None


def replace_file(path: Path, data: bytes) -> None:
    """Writes beside, flushes to the disk, and renames over: the old bytes or the new ones, never a part. OSError."""
    handle, name = tempfile.mkstemp(prefix=".ingam-", suffix=".tmp", dir=path.parent)
    beside = Path(name)
    try:
        with os.fdopen(handle, "wb") as out:
            out.write(data)
            out.flush()
            os.fsync(out.fileno())
        if path.exists():
            beside.chmod(stat.S_IMODE(path.stat().st_mode))
        beside.replace(path)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise
    _flush_folder(path.parent)


def _flush_folder(folder: Path) -> None:
    """The renaming itself onto the disk, where the system can open a folder for that (Windows cannot)."""
    with contextlib.suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _list(folder: Path, seen: set[tuple[int, int]], told: Scan, most: int) -> list[tuple[Path, int]]:
    """Entries of a folder with their modes, links followed; a folder seen before (a loop of links) is empty."""
    listed: list[tuple[Path, int]] = []
    try:
        own = folder.stat()
        if (own.st_dev, own.st_ino) in seen:
            return []
        seen.add((own.st_dev, own.st_ino))
        with os.scandir(folder) as entries:
            for entry in islice(entries, most):
                path = Path(entry.path)
                try:
                    listed.append((path, entry.stat().st_mode))
                except OSError:
                    told.unreadable.append(Unreadable(path, "folder-unreadable"))
    except OSError:
        told.unreadable.append(Unreadable(folder, "folder-unreadable"))
    return sorted(listed, key=lambda each: _order(each[0]))


def _finds(folder: Path, files: list[Path], limits: Limits, told: Scan) -> Iterator[Found]:
    """The pairs and .pfx files among the files of one folder."""
    holders: dict[str, dict[Part, Path]] = {}
    for path in files:
        holder, part = _part(path.name)
        if part is Part.PFX:
            yield from _found(path, {part: path}, limits, told)
        elif part is not None:
            holders.setdefault(holder, {}).setdefault(part, path)
    for parts in holders.values():
        if Part.CERTIFICATE in parts and Part.KEY in parts:
            yield from _found(folder, parts, limits, told)
        elif Part.CERTIFICATE in parts or Part.KEY in parts:
            told.unreadable.append(Unreadable(folder, "folder-incomplete"))


def _found(path: Path, parts: dict[Part, Path], limits: Limits, told: Scan) -> Iterator[Found]:
    contents: dict[Part, bytes] = {}
    for part, file in parts.items():
        try:
            contents[part] = _read(file, limits.size)
        except FolderRefused as refused:
            told.unreadable.append(Unreadable(file, refused.code))
            # A pair for encryption that cannot be read is no reason to hide the pair for signing.
            if part not in (Part.KM_CERTIFICATE, Part.KM_KEY):
                return
    yield Found(path, _ca_folder(path), {part: parts[part] for part in contents}, contents)


def _read(file: Path, most: int) -> bytes:
    try:
        with file.open("rb") as opened:
            data = opened.read(most + 1)
    except OSError:
        raise FolderRefused("folder-unreadable") from None
    if len(data) > most:
        raise FolderRefused("file-too-large", most=most)
    return data


def _part(name: str) -> tuple[str, Part | None]:
    """Whose file it is (empty in an NPKI folder, which has one owner) and which part of the pair."""
    folded = name.casefold()
    if folded.endswith((".pfx", ".p12")):
        return name, Part.PFX
    for ending, part in _ENDINGS.items():
        if folded.endswith(ending):
            return folded.removesuffix(ending), part
    return "", _NAMES.get(folded)


def _ca_folder(path: Path) -> str | None:
    """The name above `USER` (`SignKorea` …), composed as people write it: macOS stores Hangul decomposed."""
    names = path.parts
    for above, below in zip(reversed(names[:-1]), reversed(names[1:]), strict=True):
        if below.casefold() == "user":
            return unicodedata.normalize("NFC", above)
    return None


def _children(folder: Path) -> list[Path]:
    try:
        return sorted(folder.iterdir(), key=_order)
    except OSError:
        return []


def _order(path: Path) -> str:
    return path.name.casefold()


def _one_name(name: str) -> str:
    """A name that is one folder on every system and stays inside its parent; at most 255 bytes."""
    plain = "".join("_" if c in '/\\:*?"<>|' or ord(c) < 32 else c for c in name).strip(". ") or "_"
    while len(plain.encode()) > 255:
        plain = plain[:-1]
    return plain
