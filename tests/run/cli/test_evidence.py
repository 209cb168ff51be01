"""`ingam evidence`: out of the center's own database as a file, and examined elsewhere with nothing but that file."""

from __future__ import annotations

import asyncio
import json
import subprocess
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from tests.center.registration.world import HONG
from tests.npki import certs
from tests.protocols.evidence.test_examining import made

from ingam.adapters.blind_index.in_memory import InMemoryBlindIndex
from ingam.adapters.clock.system import SystemClock
from ingam.adapters.customers.fields import CustomerFields
from ingam.adapters.customers.passwords import Passwords
from ingam.adapters.customers.tables import TableCustomers
from ingam.adapters.hsm.file import open_keys
from ingam.adapters.store import open_store
from ingam.adapters.store.migrate import migrate
from ingam.customer.evidence import Evidences
from ingam.kernel.secret import Secret
from ingam.ports.customers import NewCustomer
from ingam.ports.store import Save
from ingam.protocols import evidence as form
from ingam.protocols.evidence import Evidence
from ingam.run.cli import evidence as command
from ingam.sandbox import tsa
from ingam.settings import Settings
from ingam.wiring import keys_path


@pytest.fixture
def anchors(tmp_path: Path) -> Path:
    folder = tmp_path / "trust"
    folder.mkdir()
    (folder / "root.der").write_bytes(certs.root().certificate.der)
    (folder / "ca.der").write_bytes(certs.ca().certificate.der)
    return folder


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A center's data folder with one customer, who signed once."""
    folder = tmp_path / "data"
    for name in ("INGAM_STORE", "INGAM_MODE"):
        monkeypatch.delenv(name, raising=False)
    settings = Settings(data=folder)
    keys_path(settings).parent.mkdir(parents=True)
    migrate(settings.store)

    async def fill() -> None:
        keys = open_keys(keys_path(settings))
        store, passwords = open_store(settings.store, keys.outbox), Passwords(cheap=True)
        clock = SystemClock()
        customers = TableCustomers(
            store, keys.fields, keys.digests, InMemoryBlindIndex(Secret(bytes(32)), clock), passwords, clock
        )
        await customers.enrol(NewCustomer(HONG, Secret("demo-password-1")))
        change = await Evidences(store, CustomerFields(store, keys.fields)).change(HONG.customer_id, unstamped())
        await store.save(Save(rows=[change]))
        passwords.close()
        await store.close()

    asyncio.run(fill())
    return folder


def unstamped() -> Evidence:
    return msgspec.structs.replace(made(), stamp=None)


def test_what_was_signed_is_listed_exported_and_holds_elsewhere(
    data: Path, anchors: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    number, out = unstamped().number, tmp_path / "one.json"
    assert command.main(["list", HONG.banking_id, "--data", str(data), "--lang", "ko"]) == 0
    assert number in capsys.readouterr().out
    assert command.main(["export", number, "--out", str(out), "--data", str(data)]) == 0
    assert out.stat().st_mode & 0o777 == 0o600 and form.read(out.read_bytes()) == unstamped()
    assert command.main(["export", number, "--out", str(out), "--data", str(data)]) == command.UNREADABLE
    assert command.main(["export", "20261122-9", "--out", str(tmp_path / "x"), "--data", str(data)]) == command.REFUSED
    capsys.readouterr()
    assert command.main(["verify", str(out), "--anchors", str(anchors), "--lang", "ko"]) == 0
    told = capsys.readouterr().out
    assert "신청 금액: 10,000,000원" in told and "서명한 그대로" in told and form.digest(unstamped()) in told
    assert command.main(["verify", str(out), "--anchors", str(anchors), "--lang", "en"]) == 0
    assert "It is what was signed" in capsys.readouterr().out


def test_what_was_changed_ends_with_the_code_of_what_is_wrong(
    anchors: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "one.json"
    changed: dict[int, dict[str, Any]] = {
        12: {"text": made().text.replace("10,000,000", "90,000,000")},
        17: {"number": "20261122-0000000002"},
        13: {"authority": certs.root().certificate.der},
        14: {"responders": ()},
        15: {"at": made().at + timedelta(minutes=30)},
    }
    for code, change in changed.items():
        file.write_bytes(form.written(msgspec.structs.replace(unstamped(), **change)))
        assert command.main(["verify", str(file), "--anchors", str(anchors), "--json"]) == code
        assert json.loads(capsys.readouterr().out)["result"] == "wrong"
    file.write_bytes(b"{}")
    assert command.main(["verify", str(file), "--anchors", str(anchors)]) == command.UNREADABLE
    assert command.main(["verify", str(tmp_path / "none"), "--anchors", str(anchors)]) == command.UNREADABLE


def test_a_stamp_of_a_time_stamp_authority_is_checked_by_its_roots(
    anchors: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    roots = tsa.prepare(tmp_path / "tsa")
    query = subprocess.run(
        ["openssl", "ts", "-query", "-data", "/dev/stdin", "-sha256", "-cert"],
        input=form.stamped(unstamped()), capture_output=True, check=True,
    )  # fmt: skip
    stamp = tsa.reply(tmp_path / "tsa", query.stdout)
    assert stamp is not None
    file = tmp_path / "one.json"
    file.write_bytes(form.written(msgspec.structs.replace(unstamped(), stamp=stamp)))
    # The stamp is of today and the act is not: found, where the roots are given.
    assert command.main(["verify", str(file), "--anchors", str(anchors)]) == 0
    told = ["verify", str(file), "--anchors", str(anchors), "--tsa-roots", str(roots), "--json"]
    assert command.main(told) == 16
    assert json.loads(capsys.readouterr().out.rpartition("\n{")[2].join(["{", ""]))["checks"][-1]["code"] == (
        "evidence-time"
    )


def test_a_file_without_its_stamp_fails_where_the_roots_are_given_and_is_the_centers_word_elsewhere(
    anchors: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    roots, file = tsa.prepare(tmp_path / "tsa"), tmp_path / "one.json"
    file.write_bytes(form.written(unstamped()))
    with_roots = ["verify", str(file), "--anchors", str(anchors), "--tsa-roots", str(roots)]
    assert command.main([*with_roots, "--lang", "en"]) == 16
    told = capsys.readouterr()
    assert "[evidence-stamp-missing]" in told.out and "has no time stamp" in told.err
    assert command.main([*with_roots, "--json"]) == 16
    found = json.loads(capsys.readouterr().out)
    assert found["result"] == "wrong" and found["time_from"] == "center"
    assert command.main(["verify", str(file), "--anchors", str(anchors), "--lang", "en"]) == 0
    assert "the center's own word, not verified" in capsys.readouterr().out
    assert command.main(["verify", str(file), "--anchors", str(anchors), "--lang", "ko"]) == 0
    assert "인증센터가 스스로 밝힌 시각" in capsys.readouterr().out


def test_a_file_is_held_against_the_digest_of_the_receipt(
    anchors: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "one.json"
    file.write_bytes(form.written(made()))
    held = form.digest(made())
    words = ["verify", str(file), "--anchors", str(anchors), "--json"]
    assert command.main([*words, "--digest", held]) == 0
    file.write_bytes(form.written(unstamped()))
    capsys.readouterr()
    assert command.main([*words, "--digest", held]) == 18
    assert json.loads(capsys.readouterr().out)["checks"][-1]["code"] == "evidence-other-digest"
    for wrong in (held[:-1], "not-a-digest"):
        assert command.main([*words, "--digest", wrong]) == command.USAGE
