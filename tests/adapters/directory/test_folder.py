"""The served folder: whole files under public names, whatever dies or gets in the way."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from tests.ports.test_directory import CA, a_place, der_list, listed

from ingam.adapters.directory.folder import FolderDirectory
from ingam.ports.directory import Attribute, AuthorityCertificate, DirectoryOutage
from ingam.protocols import crl

PLACE = a_place()


def test_a_list_is_linked_and_not_copied(tmp_path: Path) -> None:
    given = listed(tmp_path, 7)
    FolderDirectory(tmp_path / "published").publish_list(PLACE, given)
    there = tmp_path / "published" / "dp1p3.crl"
    assert there.stat().st_ino == given.path.stat().st_ino
    assert there.stat().st_mode & 0o777 == 0o644


def test_on_another_file_system_it_is_copied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.EXDEV, "another file system")

    monkeypatch.setattr(os, "link", refuse)
    given = listed(tmp_path, 7)
    FolderDirectory(tmp_path / "published").publish_list(PLACE, given)
    there = tmp_path / "published" / "dp1p3.crl"
    assert there.read_bytes() == der_list(7)
    assert there.stat().st_ino != given.path.stat().st_ino


def test_whoever_reads_meanwhile_always_reads_a_whole_list(tmp_path: Path) -> None:
    folder = FolderDirectory(tmp_path / "published")
    lists = [listed(tmp_path, number, entries=1 if number % 2 else 4000) for number in range(1, 40)]
    folder.publish_list(PLACE, lists[0])
    over, numbers = threading.Event(), [0]

    def read() -> None:
        while not over.is_set():
            numbers.append(crl.parse((tmp_path / "published" / "dp1p3.crl").read_bytes()).number)

    reader = threading.Thread(target=read)
    reader.start()
    for one in lists[1:]:
        folder.publish_list(PLACE, one)
    over.set()
    reader.join()
    assert numbers == sorted(numbers)
    assert len(numbers) > 2


def test_what_is_no_list_is_replaced(tmp_path: Path) -> None:
    folder = FolderDirectory(tmp_path)
    (tmp_path / "dp1p3.crl").write_bytes(b"<html>maintenance</html>")
    assert folder.number(PLACE, Attribute.LIST) is None
    folder.publish_list(PLACE, listed(tmp_path, 1))
    assert folder.number(PLACE, Attribute.LIST) == 1


@pytest.mark.parametrize("act", ["list", "certificate", "number"])
def test_a_folder_that_cannot_be_written_is_an_outage(tmp_path: Path, act: str) -> None:
    (tmp_path / "published").write_bytes(b"")
    folder = FolderDirectory(tmp_path / "published")
    with pytest.raises(DirectoryOutage) as refused:
        if act == "list":
            folder.publish_list(PLACE, listed(tmp_path, 1))
        elif act == "certificate":
            folder.publish_certificate(PLACE, AuthorityCertificate(CA))
        else:
            folder.number(PLACE, Attribute.LIST)
    assert refused.value.code == "directory-unwritable"
    assert refused.value.facts["reason"] in ("EEXIST", "ENOTDIR")


KILLED = """
import sys
from pathlib import Path
from tests.adapters.directory.test_folder import PLACE
from tests.ports.test_directory import listed
from ingam.adapters.directory.folder import FolderDirectory
from ingam.kernel import steps
steps.arm("folder.drafted")
folder = Path(sys.argv[1])
FolderDirectory(folder / "published").publish_list(PLACE, listed(folder, 8))
"""


def test_one_who_is_killed_before_the_rename_leaves_the_older_list_whole(tmp_path: Path) -> None:
    published = tmp_path / "published"
    folder = FolderDirectory(published)
    folder.publish_list(PLACE, listed(tmp_path, 7))
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    died = subprocess.run([sys.executable, "-c", KILLED, str(tmp_path)], check=False, timeout=60, env=environment)
    assert died.returncode == -signal.SIGKILL
    assert (published / "dp1p3.crl").read_bytes() == der_list(7)
    assert len(list(published.iterdir())) == 3  # the list, the lock, and the draft
    folder.publish_list(PLACE, listed(tmp_path, 9))
    assert sorted(path.name for path in published.iterdir()) == [".lock", "dp1p3.crl"]
