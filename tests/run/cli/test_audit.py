"""`ingam audit` over a real database: what it finds, each thing by a code and a number of its own."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from tests.adapters.store.tampering import Tamper

from ingam.adapters.clock.system import SystemClock
from ingam.adapters.hsm.file import open_keys
from ingam.adapters.store import open_store
from ingam.ca.log.witness import FileWitness
from ingam.kernel.instants import to_micros
from ingam.page import set_up_log
from ingam.ports.store import Audit, Save
from ingam.protocols.audit.chain import START, link
from ingam.run import auditor
from ingam.run.cli import audit
from ingam.settings import Settings
from ingam.wiring import keys_path


@dataclass
class Place:
    """A data folder with ten lines of audit under one checkpoint, and somebody with the database's password."""

    settings: Settings
    tamper: Tamper
    capsys: pytest.CaptureFixture[str]
    now: datetime = field(default_factory=lambda: datetime.now(UTC))

    def lines(self, number: int, **other: Any) -> None:
        async def write() -> None:
            store = open_store(self.settings.store, open_keys(keys_path(self.settings)).outbox)
            told = {"at": self.now, "action": "registration.identify", "result": "ok", "subject": "p", "session": "s",
                    "address": "a", "facts": {"n": 1}, **other}  # fmt: skip
            await store.save(Save(audit=[Audit(**told)] * number))
            await store.close()

        asyncio.run(write())

    def checkpoint(self) -> Path:
        """Signed now, and kept elsewhere."""
        self.round()
        shown = auditor.folder_of(self.settings) / "published" / "checkpoint"
        kept = self.settings.data / "kept-checkpoint"
        kept.write_bytes(shown.read_bytes())
        return kept

    def round(self) -> None:
        async def go() -> None:
            watching = auditor.auditor_of(self.settings)
            await watching.round(self.now, whole=True)
            await watching.close()

        asyncio.run(go())

    def verify(self, *words: str) -> tuple[int, dict[str, Any]]:
        code = audit.main(["verify", "--json", "--lang", "en", *words])
        return code, json.loads(self.capsys.readouterr().out)

    def found(self, *words: str) -> tuple[int, list[tuple[str, int]]]:
        code, told = self.verify(*words)
        return code, [(one["code"], one["seq"]) for one in told["findings"]]


@pytest.fixture
def place(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Place]:
    kind = getattr(request, "param", "sqlite")
    store_url: str = request.getfixturevalue(f"{kind}_url")
    settings = replace(Settings(), data=tmp_path, store_url=store_url)
    monkeypatch.setenv("INGAM_DATA", str(tmp_path))
    monkeypatch.setenv("INGAM_STORE", store_url)
    made = Place(settings, Tamper(store_url), capsys)
    made.lines(10)
    made.checkpoint()
    yield made


BOTH = pytest.mark.parametrize("place", ["sqlite", "postgresql"], indirect=True)


@BOTH
def test_G6_an_audit_that_is_as_it_was_signed_is_said_to_be_so(place: Place) -> None:
    place.lines(2)  # after the checkpoint
    code, told = place.verify()
    assert code == 0
    assert (told["result"], told["entries"], told["bodies_opened"]) == ("as-it-should-be", 12, 12)
    assert [one["size"] for one in told["checkpoints"]] == [10]


@BOTH
def test_G6_one_changed_row_is_found(place: Place) -> None:
    place.tamper('UPDATE "audit_chain" SET "at" = "at" + 1 WHERE "seq" = 4')
    assert place.found() == (13, [("audit-entry-changed", 4)])


@pytest.mark.parametrize("column", ["result", "action", "subject", "operator"])
def test_G6_one_changed_word_of_a_line_is_found(place: Place, column: str) -> None:
    place.tamper(f'UPDATE "audit" SET "{column}" = ? WHERE "seq" = 7', "another")
    assert place.found() == (13, [("audit-body-changed", 7)])


def test_G6_two_bodies_that_changed_places_are_found(place: Place) -> None:
    place.tamper('UPDATE "audit" SET "sealed" = (SELECT "sealed" FROM "audit" AS o WHERE o."seq" = 3) WHERE "seq" = 2')
    assert place.found() == (13, [("audit-body-changed", 2)])


@BOTH
def test_G6_one_removed_tail_is_found(place: Place) -> None:
    for table in ("audit_chain", "audit", "audit_key"):
        place.tamper(f'DELETE FROM "{table}" WHERE "seq" > 8')
    assert place.found() == (12, [("audit-cut", 9)])


@BOTH
def test_G6_one_gap_is_found(place: Place) -> None:
    for table in ("audit_chain", "audit", "audit_key"):
        place.tamper(f'DELETE FROM "{table}" WHERE "seq" = 5')
    assert place.found() == (15, [("audit-gap", 5)])


@BOTH
def test_G6_one_fork_is_found(place: Place) -> None:
    """Whoever changes an entry and chains all after it anew has a sound chain, and not the signed one."""
    before = START
    for row in place.tamper.rows("audit_chain"):
        at = int(row["at"]) + (1 if row["seq"] == 4 else 0)
        before = link(before, row["seq"], at, row["delete_at"], bytes(row["commitment"]))
        place.tamper('UPDATE "audit_chain" SET "at" = ?, "link" = ? WHERE "seq" = ?', at, before, row["seq"])
    assert place.found("--chain-only") == (14, [("audit-forked", 10)])
    assert place.found("--unsigned", "--chain-only") == (14, [("audit-forked", 10)])


def test_G6_a_checkpoint_that_was_kept_outlives_those_of_the_machine(place: Place) -> None:
    kept = place.checkpoint()
    (auditor.folder_of(place.settings) / "published" / "checkpoint").unlink()
    place.tamper('DELETE FROM "audit_chain" WHERE "seq" > 6')
    for table in ("audit", "audit_key"):
        place.tamper(f'DELETE FROM "{table}" WHERE "seq" > 6')
    assert place.found("--checkpoint", str(kept)) == (12, [("audit-cut", 7)])


@BOTH
def test_G5_a_body_deleted_before_its_date_is_found_and_one_on_its_date_is_not(place: Place) -> None:
    long_ago = place.now - timedelta(days=3 * 365)
    place.lines(1, at=long_ago, action="login.id")
    place.round()
    code, told = place.verify()
    assert (code, told["bodies_erased"], told["bodies_opened"]) == (0, 1, 10)
    place.tamper('UPDATE "audit_key" SET "delete_at" = ? WHERE "seq" = 3', to_micros(long_ago))
    place.round()
    assert place.found() == (16, [("audit-body-missing", 3)])


def test_G6_a_line_put_there_past_the_chain_is_found(place: Place) -> None:
    place.tamper(
        'INSERT INTO "audit" ("seq", "at", "action", "result", "sealed") VALUES (?, ?, ?, ?, ?)', 0, 0, "a", "ok", b"x"
    )
    assert place.found() == (16, [("audit-body-stray", 0)])


def test_G6_a_checkpoint_of_another_key_is_none(place: Place, tmp_path: Path) -> None:
    other = replace(place.settings, data=tmp_path / "other")
    key = auditor.public_key(other).text
    assert audit.main(["verify", "--key", key]) == 10


def test_without_a_checkpoint_nothing_is_called_right(place: Place) -> None:
    (auditor.folder_of(place.settings) / "published" / "checkpoint").unlink()
    assert audit.main(["verify"]) == 6
    assert audit.main(["verify", "--unsigned"]) == 0


@BOTH
def test_G6_a_tail_that_no_auditor_signed_for_ten_minutes_is_not_called_right(place: Place) -> None:
    place.lines(2, at=place.now - timedelta(minutes=11))
    assert place.found() == (17, [("audit-tail-unsigned", 11)])
    assert place.found("--unsigned") == (17, [("audit-tail-unsigned", 11)])
    place.round()
    assert place.found() == (0, [])


class Outside(FileWitness):
    """A witness as `HttpWitness` shows it, without the wire between."""

    def remembered(self, origin: str) -> str | None:
        return self.note(origin)


@pytest.fixture
def witness(place: Place, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of a witness of the settings that has co-signed twice: three lines ago, and now."""
    folder, log = place.settings.data / "witness", auditor.public_key(place.settings)
    key = Ed25519PrivateKey.from_private_bytes(bytes(32))
    one = Outside("witness.test/1", key, {log.name: [log]}, folder, SystemClock())
    monkeypatch.setattr(auditor, "witnesses_of", lambda _: [one])
    place.round()
    [memory] = folder.glob("*.head")
    memory.with_suffix(".copy").write_bytes(memory.read_bytes())
    place.lines(3)
    place.checkpoint()
    assert place.found() == (0, [])
    return memory


def test_G6_a_witness_that_was_wiped_is_not_passed_over(place: Place, witness: Path) -> None:
    witness.unlink()
    code, told = place.verify()
    assert code == 18
    [finding] = told["findings"]
    assert (finding["code"], finding["seq"]) == ("audit-witness-empty", 13)
    assert "witness.test/1" in finding["message"]
    assert place.found("--no-witness") == (0, [])


def test_G6_a_witness_that_was_put_back_to_an_old_copy_is_found(place: Place, witness: Path) -> None:
    witness.with_suffix(".copy").replace(witness)
    place.lines(1)
    place.round()  # the auditor does not feed it again, so that it stays to be seen
    assert place.found() == (18, [("audit-witness-forgot", 13)])


def test_G6_a_checkpoint_that_was_kept_tells_what_the_witness_saw(place: Place, witness: Path) -> None:
    kept = str(place.settings.data / "kept-checkpoint")
    witness.with_suffix(".copy").replace(witness)
    auditor_folder = auditor.folder_of(place.settings)
    (auditor_folder / "witnesses").unlink()
    (auditor_folder / "published" / "checkpoint").unlink()
    assert place.found("--checkpoint", kept) == (18, [("audit-witness-forgot", 13)])


def test_a_witness_that_was_only_away_has_forgotten_nothing(
    place: Place, witness: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place.lines(2)
    with monkeypatch.context() as away:
        away.setattr(auditor, "witnesses_of", lambda _: [])
        place.round()
    assert place.found() == (0, [])


@pytest.mark.parametrize(("lang", "word"), [("ko", "5번이 없습니다"), ("en", "Entry 5 of the audit is missing")])
def test_the_report_is_in_both_languages(place: Place, lang: str, word: str) -> None:
    place.tamper('DELETE FROM "audit_chain" WHERE "seq" = 5')
    assert audit.main(["verify", "--chain-only", "--lang", lang]) == 15
    assert word in place.capsys.readouterr().err


def test_lines_are_exported_open_for_their_owner_only(place: Place, tmp_path: Path) -> None:
    place.lines(1, operator="E1001", reason="lost phone", subject="q")
    out = tmp_path / "audit.jsonl"
    assert audit.main(["export", "--out", str(out), "--subject", "q"]) == 0
    [line] = [json.loads(text) for text in out.read_text(encoding="utf-8").splitlines()]
    assert (line["operator"], line["reason"], line["facts"], line["seq"]) == ("E1001", "lost phone", {"n": 1}, 11)
    assert out.stat().st_mode & 0o077 == 0
    assert audit.main(["export", "--out", str(out)]) == 4  # never over what is there


def test_G6_a_round_of_the_auditor_fails_while_a_witness_forgot_until_somebody_looked(
    place: Place, witness: Path
) -> None:
    witness.unlink()
    place.lines(1)
    for _ in range(2):
        assert auditor.main(["--once"]) == 1
        told = place.capsys.readouterr()
        assert "audit.alarm" in told.out and "log-witness-forgot" in told.out + told.err
    assert auditor.main(["--once", "--feed-again", "witness.test/1"]) == 0
    place.capsys.readouterr()
    assert place.found() == (0, [])


def test_G6_the_watching_auditor_tells_of_a_witness_that_forgot(
    place: Place, witness: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_up_log()  # as its process does; another test may have sent the log elsewhere
    witness.unlink()
    place.lines(1)
    tell = auditor.tell_alarms

    async def one_round() -> None:
        stop, watching = asyncio.Event(), auditor.auditor_of(place.settings)

        def told(by: auditor.Auditor) -> None:
            tell(by)
            stop.set()

        monkeypatch.setattr(auditor, "tell_alarms", told)
        async with asyncio.timeout(30):
            await auditor.watch(watching, SystemClock(), stop, 60)
        await watching.close()

    asyncio.run(one_round())
    told = place.capsys.readouterr().out
    assert "audit.alarm" in told and "log-witness-forgot" in told
