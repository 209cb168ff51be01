"""The key file of the center: made once, for its owner only, and keys that open nothing out of place."""

from __future__ import annotations

import json
import stat
import threading
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from ingam.adapters.hsm.file import FileDigests, FileFieldKeys, OutboxSealer, open_keys, publish_ticket_key
from ingam.adapters.hsm.key_files import KeyFileRefused, make, read
from ingam.kernel.errors import Defect
from ingam.kernel.secret import Secret

DATA_KEY = Secret(bytes(range(32)))


def test_the_file_is_made_at_the_first_start_and_read_at_the_next(tmp_path: Path) -> None:
    path = tmp_path / "center" / "keys" / "center.keys"
    first, second = open_keys(path), open_keys(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert [entry.name for entry in path.parent.iterdir()] == ["center.keys"]
    assert first.digests.digest("p", "v") == second.digests.digest("p", "v")
    assert second.fields.unwrap(first.fields.wrap(DATA_KEY, "c"), "c", 1) == DATA_KEY
    assert second.outbox.open(first.outbox.seal(b"x", "c"), "c") == b"x"


def test_processes_that_start_at_once_agree_on_one_file(tmp_path: Path) -> None:
    found: list[str] = []
    threads = [
        threading.Thread(target=lambda: found.append(open_keys(tmp_path / "k").digests.digest("p", "v")))
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 8
    assert len(set(found)) == 1


def test_G7_production_refuses_a_key_file_unless_allowed(tmp_path: Path) -> None:
    with pytest.raises(KeyFileRefused):
        open_keys(tmp_path / "k", production=True)
    assert not (tmp_path / "k").exists()
    open_keys(tmp_path / "k", production=True, allowed=True)


def test_a_file_that_others_may_read_is_refused(tmp_path: Path) -> None:
    open_keys(tmp_path / "k")
    (tmp_path / "k").chmod(0o640)
    with pytest.raises(KeyFileRefused) as refused:
        open_keys(tmp_path / "k")
    assert refused.value.facts == {"reason": "open-to-others"}


@pytest.mark.parametrize("text", ["", "[]", "canary", '{"digest": "00"}', '{"digest": 5}', "{}", '{"field-x": ""}'])
def test_a_damaged_file_is_refused_without_repeating_it_and_left_alone(tmp_path: Path, text: str) -> None:
    path = tmp_path / "k"
    path.write_text(text)
    path.chmod(0o600)
    with pytest.raises(KeyFileRefused) as refused:
        open_keys(path)
    assert refused.value.facts == {"reason": "malformed"}
    assert refused.value.__cause__ is None
    assert path.read_text() == text


def test_an_older_version_still_unwraps_and_the_newest_wraps(tmp_path: Path) -> None:
    old = open_keys(tmp_path / "k").fields
    wrapped = old.wrap(DATA_KEY, "c")
    keys = {**read(tmp_path / "k"), "field-2": bytes(32)}
    make(tmp_path / "k2", keys)
    new = open_keys(tmp_path / "k2").fields
    assert new.version == 2
    assert new.unwrap(wrapped, "c", 1) == DATA_KEY
    assert new.unwrap(new.wrap(DATA_KEY, "c"), "c", 2) == DATA_KEY
    with pytest.raises(Defect):
        new.unwrap(wrapped, "c", 2)


def test_H6_a_wrapped_key_opens_only_for_its_context_and_version() -> None:
    keys = FileFieldKeys({1: bytes(32)})
    wrapped = keys.wrap(DATA_KEY, "customer a")
    assert wrapped != keys.wrap(DATA_KEY, "customer a")
    for bytes_, context, version in (
        (wrapped, "customer b", 1), (wrapped, "customer a", 2), (wrapped[:-1], "customer a", 1), (b"", "customer a", 1),
        (wrapped[:-1] + bytes([wrapped[-1] ^ 1]), "customer a", 1),
    ):  # fmt: skip
        with pytest.raises(Defect) as refused:
            keys.unwrap(bytes_, context, version)
        assert refused.value.code == "field-key"
    with pytest.raises(Defect):
        keys.wrap(Secret(b"short"), "customer a")


def test_digests_have_a_key_for_each_purpose() -> None:
    digests = FileDigests(bytes(32))
    assert len(digests.digest("banking-id", "hong")) == 64
    assert digests.digest("banking-id", "hong") == FileDigests(bytes(32)).digest("banking-id", "hong")
    assert digests.digest("banking-id", "hong") != digests.digest("sms-code", "hong")
    assert digests.digest("banking-id", "hong") != FileDigests(bytes(31) + b"1").digest("banking-id", "hong")


def test_a_sealed_payload_opens_only_in_its_context() -> None:
    sealer = OutboxSealer(bytes(32))
    sealed = sealer.seal(b"clear", "a")
    for wrong, context in ((sealed, "b"), (sealed[1:], "a"), (b"", "a")):
        with pytest.raises(Defect) as refused:
            sealer.open(wrong, context)
        assert refused.value.code == "sealed-payload"


def test_H1_keys_do_not_print(tmp_path: Path) -> None:
    keys = open_keys(tmp_path / "k")
    for value in json.loads((tmp_path / "k").read_text()).values():
        assert value not in repr(keys)
        assert value not in repr(keys.digests)


def test_a_file_of_an_earlier_start_gets_the_ticket_key_and_loses_none(tmp_path: Path) -> None:
    path = tmp_path / "center.keys"
    kept = {
        "field-1": bytes([1]) * 32,
        "field-2": bytes([2]) * 32,
        "digest": bytes([3]) * 32,
        "outbox": bytes([4]) * 32,
    }
    make(path, kept)
    first, second = open_keys(path), open_keys(path)
    now = dict(read(path))
    assert len(now.pop("ticket")) == 32 and now == kept
    assert first.tickets.public == second.tickets.public
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [entry.name for entry in tmp_path.iterdir()] == ["center.keys"]


def test_processes_that_start_at_once_on_an_earlier_file_agree_on_one_ticket_key(tmp_path: Path) -> None:
    path = tmp_path / "center.keys"
    make(path, {"field-1": bytes(32), "digest": bytes(32), "outbox": bytes(32)})
    found: list[bytes] = []
    threads = [threading.Thread(target=lambda: found.append(open_keys(path).tickets.public)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 8 and set(found) == {open_keys(path).tickets.public}


def test_C12_the_public_key_of_tickets_is_published_beside_those_of_others(tmp_path: Path) -> None:
    keys, path = open_keys(tmp_path / "k"), tmp_path / "relay" / "tickets.pub"
    publish_ticket_key(path, keys.tickets.public)
    publish_ticket_key(path, bytes(32))
    publish_ticket_key(path, keys.tickets.public)
    assert path.read_text() == f"{keys.tickets.public.hex()}\n{'00' * 32}\n"
    signature = keys.tickets.sign(b"ticket")
    Ed25519PublicKey.from_public_bytes(keys.tickets.public).verify(signature, b"ticket")
