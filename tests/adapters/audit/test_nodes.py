"""The auditor's plain files: what was written is there, twice is as good as once, heads never go back."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path

import pytest

from ingam.adapters.audit.key import CheckpointKey, open_key
from ingam.adapters.audit.nodes import FileNodes
from ingam.adapters.hsm.key_files import KeyFileRefused
from ingam.npki.signature import SignatureInvalid
from ingam.ports.books import Head, OlderList
from ingam.ports.signing import Intent
from ingam.protocols.log import keys, notation, note
from ingam.protocols.log.head import TreeHead
from ingam.protocols.log.keys import LogKey

AT = datetime(2026, 11, 26, tzinfo=UTC)
HASHES = [sha256(bytes([number])).digest() for number in range(20)]
KEY = CheckpointKey(bytes(range(32)))


def signed(size: int, at: datetime = AT, root: bytes = HASHES[0]) -> Head:
    told = TreeHead("audit.example", size, root, at)
    line = note.NoteSignature("audit.example", KEY.log_key("audit.example").id, KEY.sign(Intent.of(told.body.encode())))
    return Head(size, root, at, note.UnverifiedNote(told.body, (line,)).text)


def test_hashes_come_back_and_twice_is_as_good_as_once(tmp_path: Path) -> None:
    nodes = FileNodes(tmp_path / "tree")
    assert nodes.size() == 0 and nodes.hashes(0, 5) == [] and nodes.nodes(8, 0, 1) == []
    nodes.append(0, HASHES[:12])
    nodes.append(8, HASHES[8:])
    assert FileNodes(tmp_path / "tree").size() == 20
    assert nodes.hashes(3, 17) == HASHES[3:17] and nodes.hashes(18, 30) == HASHES[18:]
    nodes.keep_nodes(8, 0, HASHES[:2])
    assert nodes.nodes(8, 0, 2) == HASHES[:2] and nodes.size() == 20


def test_half_a_hash_counts_for_none(tmp_path: Path) -> None:
    nodes = FileNodes(tmp_path / "tree")
    nodes.append(0, HASHES[:2])
    with (tmp_path / "tree" / "row-0").open("ab") as file:
        file.write(b"half")
    assert nodes.size() == 2 and nodes.hashes(0, 9) == HASHES[:2]


def test_a_head_never_gives_way_to_a_smaller_or_another_one(tmp_path: Path) -> None:
    nodes = FileNodes(tmp_path / "tree")
    assert nodes.head() is None
    nodes.publish_head(signed(5))
    for older in (signed(4), signed(5, root=HASHES[1])):
        with pytest.raises(OlderList):
            nodes.publish_head(older)
    later = signed(5, AT + timedelta(seconds=9))
    nodes.publish_head(later)
    assert FileNodes(tmp_path / "tree").head() == later


def test_an_ed25519_key_has_the_text_of_signed_note_and_checks_its_own(tmp_path: Path) -> None:
    key = KEY.log_key("audit.example")
    again = keys.parse(key.text)
    assert isinstance(again, LogKey) and again == key
    assert notation.octets(key.text.split("+", 2)[2])[0] == 1  # C2SP signed-note: Ed25519
    key.verify(KEY.sign(Intent.of(b"body")), b"body")
    with pytest.raises(SignatureInvalid):
        key.verify(KEY.sign(Intent.of(b"body")), b"another")


def test_G7_a_key_in_a_file_is_not_for_production_unless_it_is_said(tmp_path: Path) -> None:
    with pytest.raises(KeyFileRefused):
        open_key(tmp_path / "keys" / "checkpoint.key", production=True)
    open_key(tmp_path / "keys" / "checkpoint.key", production=True, allowed=True)
