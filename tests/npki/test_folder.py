"""NPKI folders: every system's layout, any letter case, hostile trees, and saving that is whole or not at all."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest
from tests.npki import certs

from ingam.npki import certificate, folder
from ingam.npki.folder import FolderRefused, Limits, Part, Unreadable

SAMPLES = certs.SAMPLES
PINK, KIEA = SAMPLES / "pypinksign", SAMPLES / "kiea-mydata"
CERT, KEY = (PINK / "signCert.der").read_bytes(), (PINK / "signPri.key").read_bytes()
DN = "cn=홍길동-6422061,ou=HTS,ou=동양,ou=증권,o=SignKorea,c=KR"


def lay(place: Path, cert: str = "signCert.der", key: str = "signPri.key") -> Path:
    place.mkdir(parents=True, exist_ok=True)
    (place / cert).write_bytes(CERT)
    (place / key).write_bytes(KEY)
    return place


LAYOUTS = {
    "Windows": ("Users/hong/AppData/LocalLow/NPKI/SignKorea/USER", "SignKorea"),
    "Windows, legacy": ("Program Files/NPKI/yessign/USER", "yessign"),
    "macOS": ("Users/hong/Library/Preferences/NPKI/KICA/USER", "KICA"),
    "Linux, small letters": ("home/hong/npki/crosscert/user", "crosscert"),
    "USB": ("NPKI/TradeSign/User", "TradeSign"),
    "macOS, decomposed Hangul": ("NPKI/\u1112\u1161\u11ab/USER", "한"),
    "flat": ("somewhere", None),
}


@pytest.mark.parametrize("name", LAYOUTS)
def test_a_pair_is_found_in_every_layout(name: str, tmp_path: Path) -> None:
    place, ca_folder = LAYOUTS[name]
    lay(tmp_path / place / DN)
    told = folder.scan(tmp_path)
    (found,) = told.found
    assert (found.certificate, found.key, found.ca_folder) == (CERT, KEY, ca_folder)
    assert found.path == tmp_path / place / DN
    assert told.complete
    assert told.unreadable == []


@pytest.mark.parametrize(
    ("cert", "key"),
    [
        ("SignCert.der", "SIGNPRI.KEY"),
        ("signcert.der", "signpri.key"),
        ("sigCert.der", "sigPri.key"),
        ("user.der", "user.key"),
        ("SIGNCERT.CER", "signPri.key"),
        ("123홍길동001_sig.cer", "123홍길동001_sig.key"),
    ],
)
def test_names_are_found_in_any_letter_case_and_by_their_aliases(cert: str, key: str, tmp_path: Path) -> None:
    lay(tmp_path, cert, key)
    (found,) = folder.scan(tmp_path).found
    assert found.files == {Part.CERTIFICATE: tmp_path / cert, Part.KEY: tmp_path / key}


def test_several_people_share_a_gpki_folder(tmp_path: Path) -> None:
    for name in ("a", "b"):
        lay(tmp_path, f"{name}_sig.cer", f"{name}_sig.key")
        lay(tmp_path, f"{name}_env.cer", f"{name}_env.key")
    found = folder.scan(tmp_path).found
    assert len(found) == 2
    assert all(one.km_certificate and one.km_key for one in found)
    with pytest.raises(FolderRefused, match="folder-several-pairs"):
        folder.read(tmp_path)


def test_the_pair_for_encryption_comes_with_its_signing_pair() -> None:
    (found,) = folder.scan(KIEA).found
    assert found.km_certificate == (KIEA / "kmCert.der").read_bytes()
    assert found.km_key == (KIEA / "kmPri.key").read_bytes()
    assert folder.read(KIEA) == found


def test_pfx_files_are_found_beside_pairs() -> None:
    found = folder.scan(PINK).found
    assert [(one.path.name, one.pfx is not None) for one in found] == [("test.pfx", True), ("pypinksign", False)]
    assert folder.read(PINK / "test.pfx").pfx == (PINK / "test.pfx").read_bytes()
    assert folder.read(PINK).pfx is None


def test_half_a_pair_is_told_and_not_found(tmp_path: Path) -> None:
    (tmp_path / "signPri.key").write_bytes(KEY)
    told = folder.scan(tmp_path)
    assert told.found == []
    assert told.unreadable == [Unreadable(tmp_path, "folder-incomplete")]


def test_a_loop_of_links_is_walked_once(tmp_path: Path) -> None:
    lay(tmp_path / "NPKI" / "yessign" / "USER" / DN)
    (tmp_path / "NPKI" / "yessign" / "back").symlink_to(tmp_path / "NPKI", target_is_directory=True)
    (tmp_path / "NPKI" / "self").symlink_to(tmp_path / "NPKI" / "self")
    told = folder.scan(tmp_path)
    assert len(told.found) == 1
    assert told.unreadable == [Unreadable(tmp_path / "NPKI" / "self", "folder-unreadable")]


def test_a_folder_behind_a_link_is_found(tmp_path: Path) -> None:
    lay(tmp_path / "real" / DN)
    (tmp_path / "place").mkdir()
    (tmp_path / "place" / "NPKI").symlink_to(tmp_path / "real", target_is_directory=True)
    assert len(folder.scan(tmp_path / "place").found) == 1


def test_an_unreadable_folder_is_told_and_the_rest_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lay(tmp_path / "a")
    (tmp_path / "b").mkdir()
    listing = os.scandir

    def refusing(path: Path) -> object:
        if Path(path).name == "b":
            raise PermissionError
        return listing(path)

    monkeypatch.setattr(os, "scandir", refusing)
    told = folder.scan(tmp_path)
    assert len(told.found) == 1
    assert told.unreadable == [Unreadable(tmp_path / "b", "folder-unreadable")]


def test_a_file_that_is_too_large_is_told(tmp_path: Path) -> None:
    lay(tmp_path / "a")
    (tmp_path / "a" / "signPri.key").write_bytes(bytes(64 * 1024 + 1))
    (tmp_path / "b.pfx").write_bytes(bytes(64 * 1024 + 1))
    told = folder.scan(tmp_path)
    assert told.found == []
    assert {one.code for one in told.unreadable} == {"file-too-large"}
    with pytest.raises(FolderRefused, match="file-too-large"):
        folder.read(tmp_path / "a")
    with pytest.raises(FolderRefused, match="file-too-large"):
        folder.read(tmp_path / "b.pfx")


def test_a_pipe_of_the_right_name_does_not_block(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "signCert.der")
    (tmp_path / "signPri.key").write_bytes(KEY)
    assert folder.scan(tmp_path).found == []


def test_depth_entries_and_finds_are_bounded(tmp_path: Path) -> None:
    for at in range(6):
        lay(tmp_path / str(at) / "x" / "y")
    assert len(folder.scan(tmp_path, Limits()).found) == 6
    few = folder.scan(tmp_path, Limits(finds=3))
    assert (len(few.found), few.complete) == (3, False)
    assert not folder.scan(tmp_path, Limits(depth=1)).complete
    assert not folder.scan(tmp_path, Limits(entries=4)).complete


def test_a_missing_folder_is_refused(tmp_path: Path) -> None:
    for ask in (folder.scan, folder.read):
        with pytest.raises(FolderRefused, match="folder-missing"):
            ask(tmp_path / "none")
    with pytest.raises(FolderRefused, match="folder-without-pair"):
        folder.read(tmp_path)


def test_the_usual_places_follow_from_the_system() -> None:
    windows = {"USERPROFILE": "/u/hong", "ProgramFiles": "/p", "ProgramFiles(x86)": "/p86"}
    usb = Path("/usb")
    assert folder.default_places("win32", windows, [usb]) == [
        Path("/u/hong/AppData/LocalLow/NPKI"),
        Path("/p/NPKI"),
        Path("/p86/NPKI"),
        usb / "NPKI",
    ]
    mac = folder.default_places("darwin", {"HOME": "/Users/hong"})
    assert mac[0] == Path("/Users/hong/Library/Preferences/NPKI")
    assert folder.default_places("linux", {"HOME": "/home/hong"}) == [Path("/home/hong/NPKI")]
    assert folder.default_places("linux", {}) == []


def test_places_are_there_in_any_letter_case(tmp_path: Path) -> None:
    (tmp_path / "Npki").mkdir()
    assert folder.existing([tmp_path / "NPKI", tmp_path / "none" / "NPKI"]) == [tmp_path / "Npki"]


def test_a_pair_is_saved_where_korean_programs_look(tmp_path: Path) -> None:
    where = folder.pair_folder(tmp_path / "NPKI", certificate.parse(CERT))
    name = "cn=HKD(KILDONG.HONG)009104120200225191000030,ou=INITECH,ou=personal4IB,o=yessign,c=kr"
    assert where == tmp_path / "NPKI" / "yessign" / "USER" / name
    folder.save_pair(where, CERT, KEY)
    (found,) = folder.scan(tmp_path).found
    assert (found.certificate, found.key, found.ca_folder) == (CERT, KEY, "yessign")
    assert stat.S_IMODE((where / "signPri.key").stat().st_mode) == 0o600
    assert sorted(one.name for one in where.iterdir()) == ["signCert.der", "signPri.key"]


def test_a_name_from_a_certificate_never_leaves_its_place(tmp_path: Path) -> None:
    evil = certs.name(("C", "KR"), ("O", "../../.."), ("CN", "../../../etc/passwd"))
    owner = certificate.parse(certs.person_der(subject=evil))
    where = folder.pair_folder(tmp_path, owner)
    assert tmp_path in where.parents
    assert ".." not in where.parts


def test_an_occupied_folder_is_never_touched(tmp_path: Path) -> None:
    lay(tmp_path)
    other = (KIEA / "signCert.der").read_bytes()
    for replace in (False, True):
        with pytest.raises(FolderRefused, match="folder-occupied"):
            folder.save_pair(tmp_path, other, b"new", replace=replace)
    with pytest.raises(FolderRefused, match="folder-occupied"):
        folder.save_pair(tmp_path, CERT, b"new")
    assert (tmp_path / "signPri.key").read_bytes() == KEY


def test_the_key_of_the_same_certificate_is_replaced_under_its_own_name(tmp_path: Path) -> None:
    lay(tmp_path, "SignCert.DER", "SIGNPRI.KEY")
    folder.save_pair(tmp_path, CERT, b"new", replace=True)
    assert sorted(one.name for one in tmp_path.iterdir()) == ["SIGNPRI.KEY", "SignCert.DER"]
    assert (tmp_path / "SIGNPRI.KEY").read_bytes() == b"new"


@pytest.mark.parametrize("dies_at", [1, 2, 3, 4])
def test_a_crash_between_any_two_files_leaves_no_pair_or_the_whole_one(
    dies_at: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    writing, turns = folder.replace_file, iter(range(1, 9))

    def dying(path: Path, data: bytes) -> None:
        if next(turns) == dies_at:
            raise OSError
        writing(path, data)

    monkeypatch.setattr(folder, "replace_file", dying)
    with pytest.raises(FolderRefused, match="folder-unreadable"):
        folder.save_pair(tmp_path, CERT, KEY, km=(b"km cert", b"km key"))
    assert folder.scan(tmp_path).found == []
    monkeypatch.undo()
    folder.save_pair(tmp_path, CERT, KEY, km=(b"km cert", b"km key"))
    assert folder.read(tmp_path).km_key == b"km key"


def test_a_failed_writing_leaves_the_old_file_and_no_rubbish(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lay(tmp_path)

    def failing(*_: object) -> None:
        raise OSError

    monkeypatch.setattr(os, "fsync", failing)
    with pytest.raises(OSError):
        folder.replace_file(tmp_path / "signPri.key", b"new")
    assert (tmp_path / "signPri.key").read_bytes() == KEY
    assert len(list(tmp_path.iterdir())) == 2
